"""The demonstration: a bundled clip made dull, made bright again, and measured against itself."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import numpy as np
import soxr

from models.stage import Block
from plugin_host.chain.file_program import Sound
from plugin_host.files.audio_error import AudioFileError, reason
from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_writer import AudioWriter
from plugin_host.render.figures import Rendering
from plugin_host.render.render import render_file
from plugin_host.render.spectrogram import draw

_DULL_RATE, _BRIGHT_RATE = 16000, 48000
# The clip itself ends at 22.05 kHz; what lies above 20 kHz is inaudible and should not count.
_JUDGED_HZ = 20000.0


def run(folder: Path, sound: Sound) -> Iterator[str]:
    """Render the clip into the folder and yield three lines of figures, then the names of the files.

    Args:
        folder: Takes dull.wav (the clip at 16 kHz), bright.wav (rendered), clean.wav (the clip itself, as long) and
            bright.spectrogram.png.
        sound: The stage and settings.

    Raises:
        AudioFileError: The folder can't be written.
    """
    from models.training.metrics import lsd

    dull, bright, picture = folder / "dull.wav", folder / "bright.wav", folder / "bright.spectrogram.png"
    clean = _make_dull(dull)
    done = render_file(sound.stage, sound.settings, dull, bright)
    before, after = (_at_bright_rate(*_read(path)) for path in (dull, bright))
    _write(folder / "clean.wav", clean[:, : after.shape[1]], _BRIGHT_RATE)
    distances = [lsd(clean[:, : len(wet[0])], wet, high_hz=_JUDGED_HZ) for wet in (before, after)]
    draw(dull, bright, picture, crossover_hz=done.edge_hz, caption=f"{sound.artifact}, {_bandwidth(done)}")
    yield f"LSD        {distances[0]:.2f} before, {distances[1]:.2f} after (0 is the clean recording; up to 20 kHz)"
    yield f"Bandwidth  {_bandwidth(done)}"
    yield f"Speed      {done.speed:.0f} x real time with {sound.artifact}, {done.seconds:.1f} s in {done.took_s:.2f} s"
    yield f"Listen to {dull} and {bright}; look at {picture}; compare blind: highband listen {folder}"


def _bandwidth(done: Rendering) -> str:
    if done.edge_hz is None:
        return "crossover fixed by hand"
    return f"{done.edge_hz / 1000:.2f} kHz detected, generated above"


def _make_dull(path: Path) -> Block:
    """Write the clip at 16 kHz, which leaves it 8 kHz of bandwidth; return the clean clip at 48 kHz."""
    with resources.as_file(resources.files("plugin_host").joinpath("clips/drums.flac")) as clip:
        samples, rate = _read(clip)
    dull = _convert(samples, rate, _DULL_RATE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioFileError(f"{path.parent} can't be made: {reason(error)}") from None
    _write(path, dull, _DULL_RATE)
    return _at_bright_rate(samples, rate)


def _write(path: Path, samples: Block, rate: int) -> None:
    with AudioWriter(path, rate, samples.shape[0], "24") as writer:
        writer.write(samples)


def _read(path: Path) -> tuple[Block, int]:
    with AudioReader(path) as reader:
        return np.concatenate(list(reader.blocks()), axis=1), reader.rate


def _at_bright_rate(samples: Block, rate: int) -> Block:
    return _convert(samples, rate, _BRIGHT_RATE)


def _convert(samples: Block, rate: int, wanted: int) -> Block:
    converted: Block = np.ascontiguousarray(soxr.resample(samples.T, rate, wanted, quality="VHQ").T)
    return converted
