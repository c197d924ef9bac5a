"""Render the clips of the front page from a folder of free recordings: `python scripts/clips.py SOURCE`.

Writes docs/clips: each clip as it was (clean), cut at 8 kHz (dull) and restored (bright), and a page of credits.
The folders are a blind test too: `highband listen docs/clips --reference clean`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

import highband

ROOT = Path(__file__).resolve().parent.parent
RATE, DULL_RATE, SECONDS, FADE_S = 48000, 16000, 5.0, 0.02
_HIGHEST_PEAK = 0.9
# About 96 kbit/s of a channel.
_COMPRESSION = 0.6
Sound = NDArray[np.float32]


class Clip(NamedTuple):
    """A recording that no training has seen: name, file in the source, second at which the clip begins, and credit."""

    name: str
    file: str
    start_s: float
    credit: str


_SONIC_PI = "the samples of Sonic Pi (Sam Aaron and contributors), CC0 1.0"
CLIPS = (
    Clip("drums", "music/instruments/sonic-pi/loop/loop_000.flac", 13.5, _SONIC_PI),
    Clip("tabla", "music/instruments/sonic-pi/tabla/tabla_000.flac", 0.0, _SONIC_PI),
    Clip("mix", "music/instruments/sonic-pi/loop/loop_001.flac", 8.0, _SONIC_PI),
)


def read(path: Path, start_s: float) -> Sound:
    """Return some seconds of a recording at 48 kHz, faded at the ends, shape (channels, samples)."""
    with soundfile.SoundFile(path) as file:
        file.seek(round(start_s * file.samplerate))
        samples = file.read(round(SECONDS * file.samplerate), dtype="float32", always_2d=True)
        sound = soxr.resample(samples, file.samplerate, RATE, quality="VHQ").T
    ramp = np.linspace(0.0, 1.0, round(FADE_S * RATE), dtype=np.float32)
    sound[:, : len(ramp)] *= ramp
    sound[:, -len(ramp) :] *= ramp[::-1]
    return np.ascontiguousarray(sound)


def versions(clean: Sound, artifact: str) -> dict[str, Sound]:
    """Return a clip as it is, cut at 8 kHz, and restored from the cut, equally long, all turned down alike."""
    cut = np.ascontiguousarray(soxr.resample(clean.T, RATE, DULL_RATE, quality="VHQ").T)
    bright, rate = highband.restore(cut, DULL_RATE, artifact=artifact)
    dull = soxr.resample(cut.T, DULL_RATE, rate, quality="VHQ").T
    sounds: dict[str, Sound] = {"clean": clean, "dull": dull, "bright": bright}
    count = min(sound.shape[1] for sound in sounds.values())
    gain = min(1.0, _HIGHEST_PEAK / max(float(np.abs(sound).max()) for sound in sounds.values()))
    return {name: (gain * sound[:, :count]).astype(np.float32) for name, sound in sounds.items()}


def main() -> int:
    """Render every clip and write the page of credits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="folder of the recordings")
    parser.add_argument("--artifact", "-a", default="studio", help="model that restores them")
    parser.add_argument("--output", "-o", type=Path, default=ROOT / "docs" / "clips")
    chosen = parser.parse_args()
    if missing := [clip.file for clip in CLIPS if not (chosen.source / clip.file).is_file()]:
        print(f"{chosen.source} lacks {', '.join(missing)}: name the folder that holds them", file=sys.stderr)
        return 2
    for clip in CLIPS:
        for name, sound in versions(read(chosen.source / clip.file, clip.start_s), chosen.artifact).items():
            path = chosen.output / name / f"{clip.name}.opus"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, sound.T, RATE, format="OGG", subtype="OPUS", compression_level=_COMPRESSION)
    rows = [f"| {clip.name} | {clip.credit} |" for clip in CLIPS]
    words = f"Cut at 8 kHz (dull) and restored by `{chosen.artifact}` (bright); no training has seen them."
    table = "\n".join(["| clip | from |", "|---|---|", *rows])
    (chosen.output / "CREDITS.md").write_text(f"# Clips\n\n{words}\n\n{table}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
