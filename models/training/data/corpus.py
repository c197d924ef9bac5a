"""The corpus: recordings with what is known of them, read from a MANIFEST.csv or measured from a plain folder."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from models.training import metrics

Audio = NDArray[np.float32]
DEFAULT_FOLDER = Path(__file__).resolve().parents[4] / "shared" / "audio"
MANIFEST = "MANIFEST.csv"
AUDIO_ENDINGS = frozenset({".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3"})
_CHUNK_SECONDS = 10
# A recording whose edge lies above this share of half its rate was not cut off.
_FULL_SHARE = 0.97
_VALID_SHARE = 0.1


@dataclass(frozen=True)
class Clip:
    """One recording of the corpus.

    Attributes:
        path: The file.
        name: Its path inside the corpus folder, with forward slashes; the same on every machine.
        source, licence: Where it came from and on what terms.
        speaker: Who speaks or sings, or the instrument or title.
        split: "train", "valid" or "valid_unseen"; without a manifest one recording in ten is for "valid".
        sample_rate: Hz.
        seconds: Duration.
        true_bandwidth_hz: Frequency up to which the content is real.
        brickwall_hz: Where a low-pass in the recording's past cuts everything off; None if there is none.
        category: "speech", "singing", "instrument", "music_mix", "stem", "environment", or the sub-folder's name.
        language: Language tag, or "".
        channels: Number of channels.
        lossy: The lossy codec in the recording's past, or "".
    """

    path: Path
    name: str
    source: str
    licence: str
    speaker: str
    split: str
    sample_rate: int
    seconds: float
    true_bandwidth_hz: float
    brickwall_hz: float | None
    category: str
    language: str
    channels: int
    lossy: str

    @property
    def trusted_hz(self) -> float:
        """Frequency up to which even silence is the recording's own.

        A recording that was never coded and that no filter cut off ends by its nature, as a double bass or a
        guitar's cabinet does, and the quiet above belongs to it; what a coder may have left out can't be known.
        """
        if self.brickwall_hz:
            return min(self.brickwall_hz, self.sample_rate / 2)
        return min(self.true_bandwidth_hz, self.sample_rate / 2) if self.lossy else self.sample_rate / 2


def clips(folder: Path = DEFAULT_FOLDER, split: str | None = None, category: str | None = None) -> list[Clip]:
    """Return the clips of a folder, sorted by name.

    Args:
        folder: A folder with a MANIFEST.csv, or any folder of audio files, whose bandwidth is then measured.
        split: Only this split.
        category: Only this category.

    Raises:
        ValueError: A sentence that says what is wrong with the folder, its manifest or the choice.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; name one that holds recordings")
    every = _from_manifest(folder) if (folder / MANIFEST).is_file() else _from_files(folder)
    chosen = [clip for clip in every if split in (None, clip.split) and category in (None, clip.category)]
    if not chosen:
        known = "; ".join(sorted({f"{clip.split} {clip.category}" for clip in every}))
        raise ValueError(f"no such recording in {folder}; it has {known or 'no audio files'}")
    return sorted(chosen, key=lambda clip: clip.name)


def of_folders(folder: Path | None, more: Sequence[Path] = ()) -> list[Clip]:
    """Return the clips of a folder, of the default one for None, and of further ones; raise ValueError as `clips`."""
    return [clip for one in (folder or DEFAULT_FOLDER, *more) for clip in clips(one)]


def categories(folder: Path) -> list[str]:
    """Return the category of every recording in a folder, without measuring any; raise ValueError if it has none."""
    if (folder / MANIFEST).is_file():
        return [clip.category for clip in clips(folder)]
    if not (files := _files(folder)):
        raise ValueError(f"{folder} holds no recordings; name a folder of {', '.join(sorted(AUDIO_ENDINGS))} files")
    return [_category(path.relative_to(folder)) for path in files]


def load(clip: Clip, seconds: float | None = None) -> tuple[Audio, int]:
    """Return the samples, shape (channels, samples), from the start on, and the rate in Hz."""
    frames = -1 if seconds is None else round(seconds * clip.sample_rate)
    return _read(clip.path, 0, frames), clip.sample_rate


def clean_48k(clip: Clip, seconds: float | None) -> Audio:
    """Return the start of a clip at 48 kHz, shape (channels, samples)."""
    samples, rate = load(clip, seconds)
    if rate == metrics.RATE:
        return samples
    return np.ascontiguousarray(soxr.resample(samples.T, rate, metrics.RATE, quality="VHQ").T, dtype=np.float32)


def crop(clip: Clip, seconds: float, seed: int) -> tuple[Audio, int]:
    """Return a stretch of a clip at a random place, and its rate in Hz.

    Args:
        clip: Where to cut.
        seconds: Length; a shorter clip is filled with silence behind its end.
        seed: The same seed cuts at the same place.
    """
    length = round(seconds * clip.sample_rate)
    whole = round(clip.seconds * clip.sample_rate)
    start = int(np.random.default_rng(seed).integers(max(1, whole - length + 1)))
    samples = _read(clip.path, start, length)
    return np.pad(samples, ((0, 0), (0, length - samples.shape[1]))), clip.sample_rate


def digest(chosen: Sequence[Clip]) -> str:
    """Return a sha256 over what is known of these clips: the same on every machine and in any order."""
    rows = sorted(json.dumps(asdict(clip) | {"path": ""}, sort_keys=True) for clip in chosen)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def licences(chosen: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """Return, for every source and licence ("source | licence"), the number of clips and their seconds."""
    summary: dict[str, dict[str, float]] = {}
    for clip in sorted(chosen, key=lambda clip: (clip.source, clip.licence)):
        entry = summary.setdefault(f"{clip.source} | {clip.licence}", {"clips": 0, "seconds": 0.0})
        entry["clips"] += 1
        entry["seconds"] = round(entry["seconds"] + clip.seconds, 2)
    return summary


def _read(path: Path, start: int, frames: int) -> Audio:
    try:
        samples, _ = soundfile.read(path, frames, start, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise ValueError(f"{path} can't be read as audio ({error}); replace it or take it out of the corpus") from None
    return np.ascontiguousarray(samples.T)


def _from_manifest(folder: Path) -> list[Clip]:
    with (folder / MANIFEST).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    listed = []
    for number, row in enumerate(rows, start=2):
        try:
            listed.append(_from_row(folder, row))
        except KeyError as error:
            raise ValueError(f"{folder / MANIFEST} has no column {error}; add it") from None
        except ValueError as error:
            raise ValueError(f"{folder / MANIFEST}, line {number}: {error}; mend that line") from None
    return listed


def _from_row(folder: Path, row: Mapping[str, str]) -> Clip:
    if None in row or None in row.values():
        raise ValueError("the number of columns differs from the header's")
    path = folder / row["path"]
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise ValueError(f"{row['path']} is not a file in this folder")
    clip = Clip(
        path=path,
        name=Path(row["path"]).as_posix(),
        source=row["source"],
        licence=row["licence"],
        speaker=row["speaker"],
        split=row["split"],
        sample_rate=int(row["sample_rate"]),
        seconds=float(row["seconds"]),
        true_bandwidth_hz=float(row["true_bandwidth_hz"]),
        brickwall_hz=float(row["brickwall_hz"]) if row["brickwall_hz"] else None,
        category=row["category"],
        language=row["language"],
        channels=int(row["channels"]),
        lossy=row["lossy_source"],
    )
    if min(clip.sample_rate, clip.seconds, clip.true_bandwidth_hz, clip.channels) <= 0:
        raise ValueError("rate, seconds, bandwidth and channels must be above 0")
    return clip


def _from_files(folder: Path) -> list[Clip]:
    files = _files(folder)
    # By a hash of their names: the same on every machine, and most stay where they are when others come.
    order = sorted(files, key=lambda path: hashlib.sha256(f"split 1 {_name(folder, path)}".encode()).digest())
    valid = set(order[: max(1, round(_VALID_SHARE * len(files)))]) if len(files) > 1 else set()
    return [_measured(folder, path, "valid" if path in valid else "train") for path in files]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_ENDINGS and path.is_file())


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _category(inside: Path) -> str:
    return inside.parts[0] if len(inside.parts) > 1 else "audio"


def _measured(folder: Path, path: Path, split: str) -> Clip:
    try:
        info = soundfile.info(path)
    except soundfile.SoundFileError as error:
        raise ValueError(f"{path} can't be read as audio ({error}); take it out of the folder") from None
    if not info.frames:
        raise ValueError(f"{path} is empty; take it out of the folder")
    edge_hz = _bandwidth_hz(path, info.samplerate)
    return Clip(
        path=path,
        name=_name(folder, path),
        source=folder.resolve().name,
        licence="unknown",
        speaker=path.stem,
        split=split,
        sample_rate=info.samplerate,
        seconds=info.frames / info.samplerate,
        true_bandwidth_hz=edge_hz,
        # The meter takes nothing for an edge that nature could have made.
        brickwall_hz=edge_hz if edge_hz < _FULL_SHARE * info.samplerate / 2 else None,
        category=_category(path.relative_to(folder)),
        language="",
        channels=info.channels,
        lossy={"MP3": "mp3", "OGG": info.subtype.lower()}.get(info.format, ""),
    )


def _bandwidth_hz(path: Path, rate: int) -> float:
    # A manifest does not need the meter, and reading one stays quick.
    from dsp.bandwidth.meter import BandwidthMeter

    meter = BandwidthMeter(rate)
    for block in soundfile.blocks(path, _CHUNK_SECONDS * rate, dtype="float32", always_2d=True):
        meter.add(block.T)
    return float(meter.edge_hz())
