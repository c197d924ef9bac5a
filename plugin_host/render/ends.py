"""The two ends of a render: an input that is measured as it is read, and an output as it is written."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dsp.limiter import limited
from models.stage import Block
from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_tags import AudioTags
from plugin_host.files.audio_writer import AudioWriter
from plugin_host.files.resample import resampled
from plugin_host.files.suffixes import Bits
from plugin_host.metering.programme_loudness import LoudnessMeter
from plugin_host.render.figures import Input, Loudness
from plugin_host.render.loudness import LoudnessTarget

# A limiter that works takes loudness away; what is missing is added again so often, or until so little is missing.
_MOST_CORRECTIONS, _NEAR_DB = 4, 0.05


class Form(NamedTuple):
    """What `AudioWriter` is opened with."""

    path: Path
    rate: int
    channels: int
    bits: Bits
    frames: int
    tags: AudioTags


class Output(NamedTuple):
    """What is known of an output after its last block."""

    frames: int
    clipped: int
    loudness: Loudness


def measured(reader: AudioReader, rate: int, size: int) -> Iterator[Block | Input]:
    """Yield a file's blocks at a rate, and what is known of the file after the last one.

    Args:
        reader: The open file.
        rate: In Hz.
        size: Samples of a block, before the rate is changed.
    """
    meter = LoudnessMeter(rate, reader.channels)
    for block in resampled(reader.blocks(size), reader.rate, rate, reader.channels):
        meter.add(block)
        yield block
    yield Input(Loudness.of(meter), reader.mended)


def written(form: Form, level: LoudnessTarget | None, blocks: Iterator[Block]) -> Output:
    """Write blocks to a file, which appears when it is complete, and return what is known of it.

    Args:
        form: Of the file.
        level: Where its loudness and peak are brought to; None leaves them.
        blocks: Shape (channels, samples).
    """
    if level is not None:
        blocks = _normalised(blocks, form.path.parent, form.rate, form.channels, form.frames, level)
    meter, frames = LoudnessMeter(form.rate, form.channels), 0
    with AudioWriter(*form) as writer:
        for block in blocks:
            meter.add(block)
            writer.write(block)
            frames += block.shape[1]
    return Output(frames, writer.clipped, Loudness.of(meter))


def _normalised(
    blocks: Iterable[Block], folder: Path, rate: int, channels: int, frames: int, target: LoudnessTarget
) -> Iterator[Block]:
    """Yield the blocks at the target's loudness, after all of them were measured.

    Args:
        blocks: Shape (channels, samples).
        folder: Takes them meanwhile, in a hidden file that is removed.
        rate: In Hz.
        channels: Number of channels.
        frames: Samples per channel, about.
        target: Loudness and peak.
    """
    if target.gain_db is not None:
        yield from _leveled(blocks, rate, 10 ** (target.gain_db / 20), target)
        return
    with tempfile.TemporaryDirectory(prefix=".highband-", dir=folder) as scratch:
        path, meter = Path(scratch) / "scratch.wav", LoudnessMeter(rate, channels)
        with AudioWriter(path, rate, channels, "32f", frames) as writer:
            for block in blocks:
                meter.add(block)
                writer.write(block)
        with AudioReader(path) as reader:
            gain = target.gain(meter.lufs)
            if target.lufs is not None and target.true_peak_db is not None:
                gain = _corrected(reader, gain, target)
            yield from _leveled(reader.blocks(), rate, gain, target)


def _corrected(reader: AudioReader, gain: float, target: LoudnessTarget) -> float:
    """Return the gain that gives the loudness behind the limiter, which makes a loud file softer."""
    for _ in range(_MOST_CORRECTIONS):
        meter = LoudnessMeter(reader.rate, reader.channels)
        for block in _leveled(reader.blocks(), reader.rate, gain, target):
            meter.add(block)
        more = target.gain(meter.lufs)
        gain *= more
        if abs(20 * math.log10(more)) < _NEAR_DB:
            break
    return gain


def _leveled(blocks: Iterable[Block], rate: int, gain: float, target: LoudnessTarget) -> Iterator[Block]:
    if target.true_peak_db is not None:
        yield from limited(blocks, rate, gain, target.true_peak_db)
    else:
        yield from (block * np.float32(gain) for block in blocks)
