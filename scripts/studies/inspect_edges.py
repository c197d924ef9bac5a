"""How well `highband inspect` finds edges and causes: clean recordings, cut in known ways, inspected, summed up.

    python scripts/studies/inspect_edges.py FOLDER [--files 300] [--seed 7] [--list full_band.txt] [--split NAME]

FOLDER holds the recordings that the list names; `full_band.py` beside this says which those are. Each is inspected as
it is and cut in two of the ways. Printed are the share of edges within 200 Hz, the area under the curve of untouched
against cut, the causes, and each false alarm, missed cut and edge that is off by more, to be looked at one by one.

The truth is measured in one way for all kinds, by comparison with the clean recording: an edge is the stretch from
where the file's mean level lies 6 dB below the clean one's for good to where it lies 20 dB below. Of a steep filter
this is a point; gentle filters, and encoders that give the bands below their low-pass in few frames only, fall for a
while, and any frequency of the fall is right. How many lie near the place of the 6 dB alone is printed beside it.
"""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy import signal

from dsp.bandwidth.meter import FULL_BAND_HZ
from plugin_host.files.audio_reader import AudioReader
from plugin_host.render.inspect.measure import inspect

Samples = NDArray[np.float32]
Stretch = tuple[float, float]
Cut = tuple[str, Samples]
_LONGEST_S = 12
_FFT, _SMOOTHED_HZ, _ALIVE_DB = 8192, 100.0, 75.0
_LOST_HZ, _ALIVE_SHARE = 700.0, 0.8
_NEAR_HZ = 200.0
_CONVERTED = (8000, 11025, 12000, 16000, 22050, 24000, 32000)
_MP3_KBITS, _OPUS_KBITS, _AAC_KBITS = (64, 80, 96, 112, 128, 160, 192), (24, 32, 48, 64, 96), (32, 48, 64, 96, 128, 192)


@dataclass(frozen=True)
class Row:
    """A file that was cut in a known way.

    Attributes:
        name: Of the recording.
        way: Of cutting.
        truth_hz: Where it is 6 and 20 dB down; None where it is not cut, or where nothing was to be cut.
        found_hz, cause: By inspect.
        seconds, took_s: Of sound, and of the processor.
    """

    name: str
    way: str
    truth_hz: Stretch | None
    found_hz: float
    cause: str
    seconds: float
    took_s: float

    @property
    def error_hz(self) -> float:
        """How far the edge lies from where the band is lost."""
        low, high = self.truth_hz or (0.0, np.inf)
        return max(low - self.found_hz, self.found_hz - high, 0.0)

    @property
    def is_cut(self) -> bool:
        """Whether surely less than the full band is left."""
        return self.truth_hz is not None and self.truth_hz[1] < FULL_BAND_HZ - 500


def steep_filter(samples: Samples, rate: int, rng: np.random.Generator) -> Cut:
    """Cut by a filter of a linear phase."""
    edge = float(rng.uniform(3000, 17000))
    taps = signal.firwin(1023, edge, fs=rate, window=("kaiser", 8.0))
    return "", signal.fftconvolve(samples, taps[None], "same", axes=1).astype(np.float32)


def elliptic_filter(samples: Samples, rate: int, rng: np.random.Generator) -> Cut:
    """Cut as converters of old recorders do."""
    order, edge = int(rng.integers(5, 9)), float(rng.uniform(3000, 15000))
    sections = signal.ellip(order, 0.5, 80, edge, fs=rate, output="sos")
    return f"order {order}", signal.sosfilt(sections, samples, axis=1).astype(np.float32)


def resampling(samples: Samples, rate: int, rng: np.random.Generator) -> Cut:
    """Convert to a lower rate and back."""
    low, quality = int(rng.choice(_CONVERTED)), str(rng.choice(["MQ", "HQ", "VHQ"]))
    after = soxr.resample(soxr.resample(samples.T, rate, low, quality), low, rate, quality)
    return f"{low} Hz, {quality}", np.ascontiguousarray(after.T)


def coded(samples: Samples, rate: int, rng: np.random.Generator, *, kind: str) -> Cut:
    """Cut as a codec does, at one of the rates of bits that are in use."""
    match kind:
        case "MP3":
            kbits = int(rng.choice(_MP3_KBITS))
            share = 1 - (kbits - 32) / (320 - 32)
            detail, after = f"{kbits} kbit/s", _by_soundfile(samples, rate, "MP3", None, share, "CONSTANT")
        case "Vorbis":
            level = float(rng.uniform(0.3, 1.0))
            detail, after = f"quality {10 - 10 * level:.1f}", _by_soundfile(samples, rate, "OGG", "VORBIS", level)
        case _:
            choice = _OPUS_KBITS if kind == "Opus" else _AAC_KBITS
            kbits = int(rng.choice(choice))
            detail, after = f"{kbits} kbit/s", _by_av(samples, rate, kind, 1000 * kbits * len(samples))
    return detail, after


def _by_soundfile(
    samples: Samples, rate: int, form: str, subtype: str | None, level: float, mode: str | None = None
) -> Samples:
    file = io.BytesIO()
    soundfile.write(file, samples.T, rate, subtype, format=form, compression_level=level, bitrate_mode=mode)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32", always_2d=True)
    return np.ascontiguousarray(decoded.T)


def _by_av(samples: Samples, rate: int, kind: str, bit_rate: int) -> Samples:
    """Code by ffmpeg's AAC or by Opus, which works at 48 kHz."""
    codec, suffix, coded_rate = ("aac", "m4a", rate) if kind == "AAC" else ("libopus", "opus", 48000)
    given = samples if rate == coded_rate else soxr.resample(samples.T, rate, coded_rate, "VHQ").T
    layout = "mono" if len(samples) == 1 else "stereo"
    with tempfile.NamedTemporaryFile(suffix=f".{suffix}") as place:
        with av.open(place.name, "w") as container:
            stream: Any = container.add_stream(codec, rate=coded_rate, layout=layout, bit_rate=bit_rate)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(given.T.reshape(1, -1)), "flt", layout)
            frame.sample_rate = coded_rate
            for part in [
                *av.AudioResampler("fltp" if kind == "AAC" else "flt", layout, coded_rate).resample(frame),
                None,
            ]:
                container.mux(stream.encode(part))
        with AudioReader(Path(place.name)) as reader:
            decoded = np.concatenate(list(reader.blocks()), axis=1)
    result = decoded if rate == coded_rate else soxr.resample(decoded.T, coded_rate, rate, "VHQ").T
    return np.ascontiguousarray(result, np.float32)


WAYS: dict[str, Callable[[Samples, int, np.random.Generator], Cut]] = {
    "steep filter": steep_filter,
    "elliptic filter": elliptic_filter,
    "resampling": resampling,
    **{kind: partial(coded, kind=kind) for kind in ("MP3", "AAC", "Opus", "Vorbis")},
}


def lost_hz(samples: Samples, after: Samples, rate: int) -> Stretch | None:
    """Return the frequencies above which 6 and 20 dB of the mean level are lost for good.

    None where the recording ends below: there must be sound in the 0.7 kHz above, no more than 75 dB below its loudest.
    """
    length = min(samples.shape[1], after.shape[1])
    frequencies, before = _level_db(samples[:, :length], rate)
    _, left = _level_db(after[:, :length], rate)
    alive, width = before > before.max() - _ALIVE_DB, round(_LOST_HZ / frequencies[1])
    first, last = (int(np.flatnonzero(alive & (left > before - loss))[-1]) for loss in (6.0, 20.0))
    for kept in (first, last):
        if kept + width > len(alive) or alive[kept : kept + width].mean() < _ALIVE_SHARE:
            return None
    return float(frequencies[first]), float(frequencies[last])


def _level_db(samples: Samples, rate: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return frequencies, and the mean levels of a tenth of a kilohertz around each."""
    frequencies, power = signal.welch(samples, rate, nperseg=_FFT, axis=1)
    width = round(_SMOOTHED_HZ / frequencies[1]) | 1
    smooth = np.convolve(power.mean(axis=0), np.ones(width) / width, "same")
    return frequencies, 10 * np.log10(smooth + 1e-18)


def measure(folder: Path, names: list[str], files: int, seed: int) -> Iterator[Row]:
    """Cut and inspect so many files: each recording as it is and cut in two of the ways, all of them in turn."""
    rng = np.random.default_rng(seed)
    ways, count = list(WAYS), 0
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / "a.wav"
        for number, name in enumerate(names):
            read, rate = soundfile.read(folder / name, dtype="float32", always_2d=True, frames=_LONGEST_S * 48000)
            samples = np.ascontiguousarray(read.T[:2])
            chosen = [ways[(2 * number + one) % len(ways)] for one in range(2)]
            for way in ("untouched", *chosen):
                detail, cut = ("", samples) if way == "untouched" else WAYS[way](samples, rate, rng)
                truth = None if way == "untouched" else lost_hz(samples, cut, rate)
                soundfile.write(place, cut.T, rate, subtype="PCM_24")
                began = time.process_time()
                cause = inspect(place).cause
                took_s, seconds = time.process_time() - began, cut.shape[1] / rate
                yield Row(
                    f"{name} {detail}", way, truth, cause.edge_hz, f"{cause.kind} {cause.detail}", seconds, took_s
                )
                count += 1
                if count == files:
                    return


def area(cut: list[float], full: list[float]) -> float:
    """Return the share of pairs whose cut file has the lower edge; equal ones count half."""
    pairs = np.subtract.outer(np.array(full), np.array(cut))
    return float((pairs > 0).mean() + (pairs == 0).mean() / 2)


def _print_ways(rows: list[Row]) -> None:
    for way in ("untouched", *WAYS):
        mine = [row for row in rows if row.way == way]
        errors = [row.error_hz for row in mine if row.truth_hz]
        near = ""
        if errors:
            near = f"{_share(errors)} within 200 Hz, half within {np.median(errors):.0f}"
        print(f"{way:16} {len(mine):4} {near:45} {dict(Counter(row.cause for row in mine).most_common(6))}")


def _share(errors: list[float]) -> str:
    return f"{np.mean([error <= _NEAR_HZ for error in errors]):.1%} of {len(errors)}"


def _print_faults(rows: list[Row]) -> None:
    for row in rows:
        is_alarm = row.way == "untouched" and row.found_hz < FULL_BAND_HZ
        is_missed = row.is_cut and row.found_hz >= FULL_BAND_HZ
        if is_alarm or is_missed or row.error_hz > _NEAR_HZ:
            truth = "" if row.truth_hz is None else f", is {row.truth_hz[0]:.0f} to {row.truth_hz[1]:.0f}"
            kind = "false alarm" if is_alarm else "missed" if is_missed else "off"
            print(f"{kind}: {row.way}, {row.name}: found {row.found_hz:.0f}{truth}, {row.cause}")


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--files", type=int, default=300)
    arguments.add_argument("--seed", type=int, default=7, help="Of the order and of the cuts.")
    arguments.add_argument("--list", type=Path, default=Path(__file__).with_name("full_band.txt"))
    arguments.add_argument(
        "--split", help="Only what MANIFEST.csv of the folder has in this split, such as valid_unseen."
    )
    options = arguments.parse_args()
    names = options.list.read_text().split("\n")[:-1]
    if options.split:
        with open(options.folder / "MANIFEST.csv", newline="") as manifest:
            split = {row["path"] for row in csv.DictReader(manifest) if row["split"] == options.split}
        names = [name for name in names if name in split]
    order = np.random.default_rng(options.seed).permutation(len(names))
    rows = list(measure(options.folder, [names[number] for number in order], options.files, options.seed))
    _print_ways(rows)
    _print_faults(rows)
    lost = [row for row in rows if row.truth_hz]
    print(f"edges within 200 Hz: {_share([row.error_hz for row in lost])}", end=", ")
    print(f"of the place of 6 dB alone {_share([abs(row.found_hz - row.truth_hz[0]) for row in lost if row.truth_hz])}")
    # Above the full band no edge is missed by anybody.
    cut = [min(row.found_hz, FULL_BAND_HZ) for row in rows if row.is_cut]
    full = [min(row.found_hz, FULL_BAND_HZ) for row in rows if row.way == "untouched"]
    alarms = sum(found < FULL_BAND_HZ for found in full)
    print(f"{len(rows)} files: AUC {area(cut, full):.4f} of {len(cut)} cut and {len(full)} untouched files,", end=" ")
    print(f"{alarms} false alarms ({alarms / len(full):.1%})")
    # The first files load what is compiled.
    speed = median(row.seconds / row.took_s for row in rows[10:])
    print(f"{speed:.0f} times real time on one core, median of files of {median(row.seconds for row in rows):.1f} s")


if __name__ == "__main__":
    main()
