"""The two ends of a render: an input that is measured as it is read, and an output as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from models.stage import Block
from plugin_host.files.audio_reader import AudioReader, Bits
from plugin_host.files.audio_tags import AudioTags
from plugin_host.files.audio_writer import AudioWriter
from plugin_host.files.resample import resampled
from plugin_host.render.figures import Input, Loudness
from plugin_host.render.loudness import LoudnessMeter, LoudnessTarget, normalised


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
        blocks = normalised(blocks, form.path.parent, form.rate, form.channels, form.frames, level)
    meter, frames = LoudnessMeter(form.rate, form.channels), 0
    with AudioWriter(*form) as writer:
        for block in blocks:
            meter.add(block)
            writer.write(block)
            frames += block.shape[1]
    return Output(frames, writer.clipped, Loudness.of(meter))
