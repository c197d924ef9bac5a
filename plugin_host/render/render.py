"""A file, or an array, through a stage: as long as before, aligned to the sample, in constant memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.stage import Block, FollowsBandwidth, Stage
from plugin_host.files.audio_reader import AudioFileError, AudioReader
from plugin_host.files.audio_writer import held_bits, held_rate, refuse_overwrite
from plugin_host.files.resample import output_rate, played_rate, resampled
from plugin_host.files.suffixes import Bits
from plugin_host.metering.programme_loudness import LoudnessMeter
from plugin_host.render import bandwidth
from plugin_host.render.checkpoint import Checkpoint, resumable
from plugin_host.render.ends import Form, measured, written
from plugin_host.render.figures import Measurement, Rendering
from plugin_host.render.high_rate import at_played_rate
from plugin_host.render.loudness import LoudnessTarget
from plugin_host.render.provenance import provenance, with_provenance
from plugin_host.render.spread import ahead, beside, can_spread, turns_aside
from plugin_host.render.stopped import Progress, RenderStopped, Stopped

# As many as a file can hold; an array with more has its axes the other way round.
_MOST_CHANNELS = 1024
# A shorter file is done sooner than it is worth to start processes for.
_SPREAD_S = 60.0


@runtime_checkable
class KeepsFaults(Protocol):
    """A stage that plays on dry where a part of it fails, as it must live, and keeps the fault."""

    def take_error(self) -> Exception | None:
        """Return the last fault and forget it."""
        ...


def render_file(
    stage: Stage,
    settings: Mapping[str, float],
    source: Path,
    target: Path,
    *,
    bits: Bits | None = None,
    loudness: LoudnessTarget | None = None,
    origin: Mapping[str, Any] | None = None,
    checkpoint: Checkpoint | None = None,
    spreads: bool = False,
    progress: Progress = lambda share: None,
    stopped: Stopped = lambda: False,
) -> Rendering:
    """Render one file; the target appears only when it is complete.

    Args:
        stage: The stage or chain; it is prepared here.
        settings: Control values in their units.
        source: Any audio file that can be read.
        target: A .wav, .flac, .mp3, .opus or .m4a file; missing folders are made.
        bits: Depth of the output; by default the input's.
        loudness: Where the output's loudness and peak are brought to; by default they stay.
        origin: What the output's tags say of how it was made, beside what is found here; by default nothing is said.
        checkpoint: Where the work on a long file is kept, so that it can be gone on with after a kill; by default
            nowhere.
        spreads: Read and write a file of a minute and more, and play its turns, in processes beside this one, where
            it can be copied; the bits are the same.
        progress: Called with the share that is done, 0..1.
        stopped: Asked before each block whether to stop.

    Raises:
        ProcessLost: One of those died.
        AudioFileError: With one sentence: the source can't be read, the target can't be written, or the stage
            can't do this rate or layout.
        RenderStopped: `stopped` said so.
    """
    began = time.monotonic()
    with _opened(stage, source, checkpoint, spreads) as (reader, stage, spreads):
        refuse_overwrite(source, target)
        rate, frames, edges, measurement, wet = _begin(
            stage, settings, reader, target.suffix, progress, stopped, spreads
        )
        # From the first block on the stage says where its band begins.
        wet = _begun(wet)
        generated_from_hz = getattr(stage, "crossover_hz", None)
        edge_hz, tags = edges and edges.lowest_hz, reader.tags(rate)
        if origin is not None:
            tags = with_provenance(
                tags, target, {**origin, **provenance(edge_hz, generated_from_hz, played_rate(rate), loudness)}
            )
        depth = held_bits(bits or reader.bits, target.suffix)
        form = Form(target, rate, reader.channels, depth, frames, tags)
        output = beside(partial(written, form, loudness), wet) if spreads else written(form, loudness, wet)
    before, mended = measurement.input
    return Rendering(
        source=source, target=target, rate=rate, channels=reader.channels, bits=depth, seconds=output.frames / rate,
        edge_hz=edge_hz, generated_from_hz=generated_from_hz, added_db=measurement.added_db, lufs_before=before.lufs,
        lufs_after=output.loudness.lufs, true_peak_before_db=before.true_peak_db,
        true_peak_after_db=output.loudness.true_peak_db, clipped=output.clipped, mended=mended,
        notes=(*reader.notes, *(edges.notes if edges else ())),
        took_s=time.monotonic() - began,
    )  # fmt: skip


def measure_file(
    stage: Stage,
    settings: Mapping[str, float],
    source: Path,
    suffix: str,
    *,
    checkpoint: Checkpoint | None = None,
    spreads: bool = False,
    progress: Progress = lambda share: None,
    stopped: Stopped = lambda: False,
) -> NDArray[np.float64]:
    """Return how loud an output is over time before it is brought to a loudness: weighted mean squares of each 100 ms.

    Args:
        stage: The stage or chain; it is prepared here.
        settings: Control values in their units.
        source: Any audio file that can be read.
        suffix: Of the output.
        checkpoint: Where the work is kept; by default nowhere.
        spreads: See `render_file`.
        progress: Called with the share that is done, 0..1.
        stopped: Asked before each block whether to stop.

    Raises:
        AudioFileError, RenderStopped, ProcessLost: As `render_file` does.
    """
    with _opened(stage, source, checkpoint, spreads) as (reader, stage, spreads):
        begun = _begin(stage, settings, reader, suffix, progress, stopped, spreads)
        meter = LoudnessMeter(begun.rate, reader.channels)
        for block in begun.wet:
            meter.add(block)
    return meter.energies


@contextmanager
def _opened(
    stage: Stage, source: Path, checkpoint: Checkpoint | None, spreads: bool
) -> Iterator[tuple[AudioReader, Stage, bool]]:
    """Yield a reader of the file, the stage with its work kept, and whether other processes have a part of the work."""
    with AudioReader(source) as reader:
        spreads = spreads and reader.seconds >= _SPREAD_S and can_spread()
        with turns_aside(stage) if spreads else nullcontext(), resumable(stage, checkpoint, reader) as taped:
            yield reader, taped, spreads


class _Begun(NamedTuple):
    """A render whose blocks are still to be computed: rate, about how many samples, edges, measurement."""

    rate: int
    frames: int
    edges: bandwidth.Edges | None
    measurement: Measurement
    wet: Iterator[Block]


def _begin(
    stage: Stage, settings: Mapping[str, float], reader: AudioReader, suffix: str, progress: Progress,
    stopped: Stopped, spreads: bool,
) -> _Begun:  # fmt: skip
    rate = held_rate(output_rate(reader.rate), suffix)
    size, channels = reader.block_frames(), reader.channels
    _prepare(stage, reader, played_rate(rate), size)
    edges = None
    if isinstance(stage, FollowsBandwidth):
        is_auto = settings.get("crossover", 0.0) == 0.0
        if is_auto:
            go_on = partial(_refuse_stop, stopped)
            edges = bandwidth.follow_bandwidth(
                stage, reader, rate, go_on, bandwidth.finds_soft_edges(settings), spreads
            )
        else:
            stage.set_bandwidth(None)
    frames, measurement = round(reader.frames * rate / reader.rate), Measurement()
    input_ = measured(reader, rate, size)
    dry = measurement.dry(ahead(input_) if spreads else input_)
    wet = measurement.wet(_played(stage, settings, dry, rate, channels, size))
    return _Begun(rate, frames, edges, measurement, _watched(wet, stage, reader.path, frames, progress, stopped))


def _played(
    stage: Stage, settings: Mapping[str, float], dry: Iterable[Block], rate: int, channels: int, size: int
) -> Iterator[Block]:
    return at_played_rate(lambda blocks: aligned(stage, settings, blocks, channels, size), dry, rate, channels)


def _watched(
    blocks: Iterable[Block], stage: Stage, source: Path, frames: int, progress: Progress, stopped: Stopped
) -> Iterator[Block]:
    """Yield the blocks; between them stop where that is wished, and refuse a stage's fault."""
    done = 0
    for block in blocks:
        _refuse_stop(stopped)
        _refuse_fault(stage, source)
        yield block
        done += block.shape[1]
        progress(min(1.0, done / frames))


def _begun(blocks: Iterator[Block]) -> Iterator[Block]:
    """Return the blocks after the first one was computed."""
    first = next(blocks, None)
    return chain(() if first is None else (first,), blocks)


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
    size, low = block or max(1, length), played_rate(sample_rate)
    stage.prepare(low, channels, size)
    if isinstance(stage, FollowsBandwidth):
        if settings.get("crossover", 0.0) == 0.0:
            lowered = list(resampled([samples], sample_rate, low, channels))
            bandwidth.follow_samples(stage, lowered, low, channels, bandwidth.finds_soft_edges(settings))
        else:
            stage.set_bandwidth(None)
    return np.concatenate(list(_played(stage, settings, [samples], sample_rate, channels, size)), axis=1)


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


def _prepare(stage: Stage, reader: AudioReader, rate: int, size: int) -> None:
    try:
        stage.prepare(rate, reader.channels, size)
    except ValueError as error:
        raise AudioFileError(f"{reader.path} can't be rendered: {error}") from None


def _refuse_stop(stopped: Stopped) -> None:
    if stopped():
        raise RenderStopped


def _refuse_fault(stage: Stage, source: Path) -> None:
    """A file must not come out dry in places without a word."""
    if isinstance(stage, KeepsFaults) and (fault := stage.take_error()):
        raise AudioFileError(f"{source} can't be rendered: {fault}")
