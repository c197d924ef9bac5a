"""A file read once: true bandwidth over time, clipping, DC, noise floor, loudness and provenance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsp.bandwidth.edge import find_edge
from dsp.bandwidth.holes import Holes
from dsp.bandwidth.long_term import LongTermSpectrum
from dsp.bandwidth.meter import BandwidthMeter
from models.stage import Block
from plugin_host.files.audio_reader import AudioReader
from plugin_host.metering.programme_loudness import LoudnessMeter
from plugin_host.render.inspect.cause import Cause, find_cause
from plugin_host.render.provenance import entry_of

WINDOW_S = 10
# Of a longer file every fourth second is searched for its edge: it is found as well, at the speed of reading.
_WHOLE_S, _EVERY = 60, 4
_CODECS = {".mp3": "MP3", ".opus": "Opus", ".ogg": "Vorbis", ".oga": "Vorbis", ".m4a": "AAC", ".aac": "AAC"}
# So many seconds are searched frame by frame.
_FRAMES_S = 20
_NOISE_S = 0.05
_FLAT_RUN = 3
_LEAST_FLAT = 0.25


@dataclass(frozen=True)
class Inspection:
    """What a file is.

    Attributes:
        path, seconds, rate, channels, bits: The file and its format.
        cause: Where its band ends, why, and whether it would gain.
        edges_hz: True bandwidth in each window of 10 s, None where that has too little sound.
        clipped: Samples in flat tops at the file's own peak.
        dc: Largest mean of a channel, of full scale.
        noise_floor_db: Level of the softest twentieth of the time, without digital silence; None for that alone.
        lufs, true_peak_db: Integrated loudness and peak; None for silence.
        provenance: What an output of Highband says of how it was made.
        notes: What a person should know of how the file was read, in a few words each.
    """

    path: Path
    seconds: float
    rate: int
    channels: int
    bits: str
    cause: Cause
    edges_hz: list[float | None]
    clipped: int
    dc: float
    noise_floor_db: float | None
    lufs: float | None
    true_peak_db: float | None
    provenance: dict[str, Any] | None
    notes: tuple[str, ...] = ()


def inspect(path: Path) -> Inspection:
    """Read a file once and measure it, in memory that does not grow; raise AudioFileError where it can't be read."""
    with AudioReader(path) as reader:
        bandwidth = _Bandwidth(reader.rate, _EVERY if reader.seconds > _WHOLE_S else 1)
        loudness, levels = LoudnessMeter(reader.rate, reader.channels), _Levels(reader.channels, reader.rate)
        for block in reader.blocks(reader.rate):
            bandwidth.add(block)
            loudness.add(block)
            levels.add(block)
        edges = bandwidth.edges_hz()
        peak_db, cause = loudness.true_peak_db, bandwidth.cause(_CODECS.get(path.suffix.lower(), ""))
        return Inspection(
            path, levels.count / reader.rate, reader.rate, reader.channels, reader.bits,
            cause, edges, levels.clipped,
            levels.dc, levels.noise_floor_db, _rounded(loudness.lufs),
            _rounded(peak_db if math.isfinite(peak_db) else None), entry_of(reader.tags()),
            (*reader.notes, *bandwidth.soft_edge(cause)),
        )  # fmt: skip


class _Bandwidth:
    """The edge in each window, and that of the whole."""

    def __init__(self, rate: int, every: int) -> None:
        self._rate, self._every = rate, every
        self.whole = BandwidthMeter(rate)
        self._holes = Holes()
        self._spectrum = LongTermSpectrum(rate)
        self._windows: list[float | None] = []
        self._seconds = 0
        self._begin()

    def _begin(self) -> None:
        self._meter = BandwidthMeter(self._rate)

    def add(self, second: Block) -> None:
        """Measure the next second, or leave it out."""
        if self._seconds % self._every == 0:
            frames = self._meter.add(second)
            self._spectrum.add(second)
            if self._seconds < _FRAMES_S * self._every:
                # The louder half is searched for holes.
                for levels, total_db in frames:
                    if len(levels):
                        middle = len(total_db) // 2
                        self._holes.add(levels[total_db >= np.partition(total_db, middle)[middle]])
            if self._every > 1:
                # The meter leaves out what is not finite, and so does not take the jump for sound.
                self._meter.add(np.full((len(second), 1), np.nan, np.float32))
        self._seconds += 1
        if self._seconds % WINDOW_S == 0:
            self._end()

    def _end(self) -> None:
        curve = self._meter.curve()
        edge = None if curve is None else find_edge(curve) or self._rate / 2
        self._windows.append(None if edge is None else round(edge, 1))
        self.whole.merge(self._meter)
        self._begin()

    def cause(self, codec: str) -> Cause:
        """Return where the band ends and why."""
        return find_cause(self.whole.curve(), self._spectrum, self._holes, self._rate, codec)

    def soft_edge(self, cause: Cause) -> Iterator[str]:
        """Yield what a control could do for a recording that nothing has cut off but its own noise."""
        hertz = self.whole.edge_hz(finds_soft=True)
        if cause.verdict != "would gain" and hertz < cause.edge_hz:
            yield f"sinks into its noise: with soft_edge=on a band begins at {hertz / 1000:.1f} kHz"

    def edges_hz(self) -> list[float | None]:
        """Return the edges of all windows, the last one too."""
        if self._seconds % WINDOW_S:
            self._end()
        return self._windows


@dataclass
class _Levels:
    """What samples say without a look at their spectrum."""

    channels: int
    rate: int
    count: int = 0
    _sums: NDArray[np.float64] = field(init=False)
    _powers: list[NDArray[np.float32]] = field(default_factory=list)
    _flat: list[tuple[float, int]] = field(default_factory=list)
    _peak: float = 0.0

    def __post_init__(self) -> None:
        self._sums = np.zeros(self.channels)

    def add(self, block: Block) -> None:
        """Measure the next samples."""
        self.count += block.shape[1]
        self._sums += block.sum(axis=1, dtype=np.float64)
        step = max(1, round(_NOISE_S * self.rate))
        whole = block.shape[1] // step * step
        if whole:
            pieces = block[:, :whole].reshape(self.channels, -1, step)
            self._powers.append(np.einsum("cps,cps->p", pieces, pieces) / np.float32(step * self.channels))
        peak = float(max(block.max(), -block.min()))
        self._peak = max(self._peak, peak)
        if peak > _LEAST_FLAT:
            self._count_flat(block, peak)

    def _count_flat(self, block: Block, peak: float) -> None:
        high = np.abs(block) >= np.float32(0.999 * peak)
        if np.count_nonzero(high) >= _FLAT_RUN:
            # Three in a row begin at each of these; a run of n has n - 2 of them.
            begins = high[:, 2:] & high[:, 1:-1] & high[:, :-2]
            flat = np.zeros_like(high)
            for later in range(_FLAT_RUN):
                flat[:, later : later + begins.shape[1]] |= begins
            self._flat.append((peak, int(np.count_nonzero(flat))))

    @property
    def clipped(self) -> int:
        """Samples in flat tops near the peak of all."""
        return sum(count for peak, count in self._flat if peak > 0.99 * self._peak)

    @property
    def dc(self) -> float:
        """The largest mean of a channel."""
        return round(float(np.abs(self._sums).max()) / max(1, self.count), 6)

    @property
    def noise_floor_db(self) -> float | None:
        """See `Inspection`."""
        powers = np.concatenate([np.zeros(0, np.float32), *self._powers])
        powers = powers[powers > 1e-14]
        return round(10 * math.log10(float(np.percentile(powers, 5))), 1) if powers.size else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
