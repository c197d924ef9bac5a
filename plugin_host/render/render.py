"""A file, or an array, through a stage: as long as before, aligned to the sample, in constant memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from models.stage import Block, FollowsBandwidth, Stage
from plugin_host.files.audio_reader import AudioFileError, AudioReader, Bits
from plugin_host.files.audio_writer import AudioWriter, refuse_overwrite
from plugin_host.files.resample import output_rate, resampled

# As many as a file can hold; an array with more has its axes the other way round.
_MOST_CHANNELS = 1024
# A minute of sound tells a file's bandwidth; spread out, it is found anywhere in an hour within two seconds.
_MOST_STRETCHES = 60

Progress = Callable[[float], None]
Stopped = Callable[[], bool]


@runtime_checkable
class KeepsFaults(Protocol):
    """A stage that plays on dry where a part of it fails, as it must live, and keeps the fault."""

    def take_error(self) -> Exception | None:
        """Return the last fault and forget it."""
        ...


class RenderStopped(Exception):
    """The render was asked to stop; nothing of it is left on the disk."""


@dataclass(frozen=True)
class Rendering:
    """What became of one file.

    Attributes:
        source, target: The files.
        rate, channels, bits: Format of the output.
        seconds: Length of the audio.
        edge_hz: True bandwidth of the input, where the crossover follows it.
        clipped: Samples beyond full scale that the output's integers could not hold.
        mended: Samples of the input that were not numbers and became silence.
        took_s: Time that the work took.
    """

    source: Path
    target: Path
    rate: int
    channels: int
    bits: Bits
    seconds: float
    edge_hz: float | None
    clipped: int
    mended: int
    took_s: float

    @property
    def speed(self) -> float:
        """Seconds of audio in a second of work."""
        return self.seconds / max(self.took_s, 1e-9)

    @property
    def figures(self) -> str:
        """Length, format and bandwidth in words."""
        minutes, seconds = divmod(self.seconds, 60)
        edge = f", true bandwidth {self.edge_hz / 1000:.1f} kHz" if self.edge_hz is not None else ""
        depth = "32-bit float" if self.bits == "32f" else f"{self.bits} bit"
        return f"{minutes:.0f}:{seconds:04.1f}, {self.rate / 1000:g} kHz, {depth}{edge}"


def render_file(
    stage: Stage,
    settings: Mapping[str, float],
    source: Path,
    target: Path,
    *,
    bits: Bits | None = None,
    progress: Progress = lambda share: None,
    stopped: Stopped = lambda: False,
) -> Rendering:
    """Render one file; the target appears only when it is complete.

    Args:
        stage: The stage or chain; it is prepared here.
        settings: Control values in their units.
        source: Any audio file that can be read.
        target: A .wav or .flac file; missing folders are made.
        bits: Depth of the output; by default the input's.
        progress: Told the share done, 0..1.
        stopped: Asked before each block whether to stop.

    Raises:
        AudioFileError: With one sentence: the source can't be read, the target can't be written, or the stage
            can't do this rate or layout.
        RenderStopped: `stopped` said so.
    """
    began = time.monotonic()
    with AudioReader(source) as reader:
        refuse_overwrite(source, target)
        rate = output_rate(reader.rate)
        size = reader.block_frames()
        _prepare(stage, reader, rate, size)
        edge_hz = _follow_bandwidth(stage, settings, reader, rate, stopped)
        depth: Bits = bits or ("24" if reader.bits == "32f" and target.suffix.lower() == ".flac" else reader.bits)
        tags = reader.tags(same_rate=rate == reader.rate)
        frames = round(reader.frames * rate / reader.rate)
        with AudioWriter(target, rate, reader.channels, depth, frames, tags) as writer:
            done = 0
            dry = resampled(reader.blocks(size), reader.rate, rate, reader.channels)
            for block in aligned(stage, settings, dry, reader.channels, size):
                if stopped():
                    raise RenderStopped
                _refuse_fault(stage, source)
                writer.write(block)
                done += block.shape[1]
                progress(min(1.0, done / frames))
    return Rendering(
        source, target, rate, reader.channels, depth, done / rate, edge_hz, writer.clipped, reader.mended,
        time.monotonic() - began,
    )  # fmt: skip


def render_samples(
    stage: Stage, settings: Mapping[str, float], samples: Block, sample_rate: int, *, block: int | None = None
) -> Block:
    """Return the samples through the stage, same shape (channels, samples), aligned; the stage is prepared here.

    Args:
        stage: The stage or chain; its bandwidth is measured on the samples where its crossover is automatic.
        settings: Control values in their units.
        samples: float32, -1..1, at a rate the stage can do.
        sample_rate: In Hz.
        block: Samples of one call; all at once by default.

    Raises:
        ValueError: The samples are not of this shape or kind, or the stage can't do the rate.
    """
    _refuse_shape(samples)
    channels, length = samples.shape
    if not length:
        return samples.copy()
    size = block or max(1, length)
    stage.prepare(sample_rate, channels, size)
    if isinstance(stage, FollowsBandwidth):
        is_auto = settings.get("crossover", 0.0) == 0.0
        stage.set_bandwidth(measure_edge([samples], sample_rate) if is_auto else None)
    return np.concatenate(list(aligned(stage, settings, [samples], channels, size)), axis=1)


def _refuse_shape(samples: Block) -> None:
    if samples.ndim != 2 or not 1 <= samples.shape[0] <= _MOST_CHANNELS:
        raise ValueError(
            f"samples must be of shape (channels, samples), not {samples.shape}; of soundfile's with always_2d=True "
            "give samples.T"
        )
    if samples.dtype != np.float32:
        raise ValueError(f"samples must be float32 from -1 to 1, not {samples.dtype}; convert and scale them first")


def aligned(
    stage: Stage, settings: Mapping[str, float], blocks: Iterable[Block], channels: int, size: int
) -> Iterator[Block]:
    """Yield the stage's output for blocks of any length, without its latency: as many samples as went in.

    Args:
        stage: A prepared stage.
        settings: Control values in their units.
        blocks: Shape (channels, any).
        channels: Number of channels.
        size: The largest block that the stage was prepared for.
    """
    owed = stage.latency_samples
    silence = np.zeros((channels, stage.latency_samples), np.float32)
    for block in chain(blocks, [silence]):
        for start in range(0, block.shape[1], size):
            wet = stage.process(block[:, start : start + size], settings)
            early = min(owed, wet.shape[1])
            owed -= early
            if wet.shape[1] > early:
                yield wet[:, early:]


def measure_edge(blocks: Iterable[Block], rate: int) -> float:
    """Return the highest frequency in Hz that the blocks, shape (channels, samples), truly hold."""
    from dsp.bandwidth.meter import BandwidthMeter

    meter = BandwidthMeter(rate)
    for block in blocks:
        meter.add(block)
    return float(meter.edge_hz())


def _follow_bandwidth(
    stage: Stage, settings: Mapping[str, float], reader: AudioReader, rate: int, stopped: Stopped
) -> float | None:
    if not isinstance(stage, FollowsBandwidth):
        return None
    if settings.get("crossover", 0.0) != 0.0:
        stage.set_bandwidth(None)
        return None
    edge_hz = measure_edge(_stretches(reader, rate, stopped), rate)
    stage.set_bandwidth(edge_hz)
    return edge_hz


def _stretches(reader: AudioReader, rate: int, stopped: Stopped) -> Iterator[Block]:
    """Yield the file, or a minute of it in stretches spread evenly over it, at the output's rate."""
    size = reader.block_frames()
    if reader.frames <= _MOST_STRETCHES * size:
        yield from resampled(reader.blocks(size), reader.rate, rate, reader.channels)
        return
    # The meter leaves out what is not finite, and so does not take the jump between two stretches for sound.
    gap = np.full((reader.channels, 1), np.nan, np.float32)
    for start in np.linspace(0, reader.frames - size, _MOST_STRETCHES):
        if stopped():
            raise RenderStopped
        yield from resampled([reader.read_at(int(start), size)], reader.rate, rate, reader.channels)
        yield gap


def _prepare(stage: Stage, reader: AudioReader, rate: int, size: int) -> None:
    try:
        stage.prepare(rate, reader.channels, size)
    except ValueError as error:
        raise AudioFileError(f"{reader.path} can't be rendered: {error}") from None


def _refuse_fault(stage: Stage, source: Path) -> None:
    """A file must not come out dry in places without a word."""
    if isinstance(stage, KeepsFaults) and (fault := stage.take_error()):
        raise AudioFileError(f"{source} can't be rendered: {fault}")
