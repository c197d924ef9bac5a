"""The true bandwidth of a live signal, followed slowly and on evidence that lasts."""

from __future__ import annotations

import math

import numpy as np

from dsp.bandwidth.edge import BANDS_PER_OCTAVE, Curve, band_position
from dsp.bandwidth.histogram import LevelHistogram, hop_samples, window_samples
from dsp.bandwidth.known_edges import KnownEdges
from dsp.bandwidth.meter import edge_or_nyquist, median
from dsp.bandwidth.soft_edge import find_soft_edge
from dsp.fft import Array

_SILENCE_DB = -80.0
_FIRST_FRAMES = 30
_JUDGED_FRAMES = 20
_KEPT = 0.85  # of the histogram from one judgement to the next: the last 6 s count
_LOUD_FALL_DB = 0.05
_PAUSE_DB = 40.0
_VOTES_UP, _VOTES_DOWN, _VOTES_UNSEEN = 3, 5, 20
_SAME, _SAME_SOFT = 0.05, 0.2
_RISE_DB = 10.0


class BandwidthTracker:
    """Follows the edge of a live signal: slowly, in steps, and only on evidence that lasts.

    The first decision comes after about 1.5 s of sound, and only for a steep wall. Afterwards the edge is judged
    once in every second of sound over the last few seconds; it moves up after 3 and down after 5 judgements that
    agree. That nothing shows a cut any more is little reason to move (a dull passage shows none): unless the band
    above the edge has risen, it takes 20 judgements until nothing is generated.
    An edge that was seen before is another matter: where the signal ends at it again it holds within a tenth of a
    second, and no longer than a moment after something lies above it; see `dsp.bandwidth.known_edges`.
    Silence, pauses and samples that are not finite change nothing. Frames lie on a grid counted from the reset, so
    any cutting into blocks gives the same edges at the same samples. Adding a frame and judging lie half a hop apart,
    so that no block of a live host has to bear both.

    Args:
        sample_rate: In Hz.

    Attributes:
        finds_soft: Whether a signal that falls gently has an edge too; see `dsp.bandwidth.soft_edge`.
    """

    def __init__(self, sample_rate: int) -> None:
        self.finds_soft = False
        self._sample_rate = sample_rate
        self._window = window_samples(sample_rate)
        self._hop = hop_samples(sample_rate)
        self._histogram = LevelHistogram(sample_rate)
        self._turn = self._window - self._hop // 2
        self._buffer: Array = np.zeros((0, self._window), np.float32)
        self._known = KnownEdges(sample_rate)
        self._rehearse()
        self.reset()

    def _rehearse(self) -> None:
        """Add and judge once, so that no kernel is loaded or compiled while sound is played."""
        levels, _ = self._histogram.levels(np.zeros((1, self._window), np.float32), 0, 1)
        self._histogram.add(levels)
        edge_or_nyquist(self._histogram.curve(), self._sample_rate)
        find_soft_edge(self._histogram, self._sample_rate / 2)

    def reset(self) -> None:
        """Forget the signal."""
        self._known.reset()
        self._histogram.counts.fill(0.0)
        self._buffer.fill(0.0)
        self._filled = 0
        self._until_judged = _FIRST_FRAMES
        self._loud_db = _SILENCE_DB
        self._edge = self._sample_rate / 2
        self._decided = False
        self._above_db = 0.0
        self._votes: list[float] = []

    @property
    def has_decided(self) -> bool:
        """Whether there was enough sound to judge the edge since the reset."""
        return self._decided or self.is_known

    @property
    def is_known(self) -> bool:
        """Whether the edge holds because it was seen before."""
        return self._known.active_hz is not None

    def copy_from(self, other: BandwidthTracker) -> None:
        """Go on from where another tracker of this rate stands, which may be updated on another thread meanwhile."""
        self._known.copy_from(other._known)
        self._histogram.counts[:] = other._histogram.counts
        self._buffer, self._filled = other._buffer.copy(), other._filled
        self._until_judged, self._loud_db = other._until_judged, other._loud_db
        self._edge, self._decided = other._edge, other._decided
        self._above_db, self._votes = other._above_db, list(other._votes)

    def update(self, samples: Array) -> float:
        """Take the next samples, shape (channels, time), and return the edge to use from here on, in Hz."""
        if len(self._buffer) != len(samples):
            self._buffer = np.zeros((len(samples), self._window), np.float32)
            self._filled = 0
        start, end = 0, samples.shape[1]
        while start < end:
            filled = self._filled
            count = min((self._turn if filled < self._turn else self._window) - filled, end - start)
            self._buffer[:, filled : filled + count] = samples[:, start : start + count]
            self._follow(samples[:, start : start + count])
            self._filled += count
            start += count
            if self._filled == self._turn:
                # No block of a live host has to bear both.
                if self._until_judged <= 0:
                    self._judge()
                else:
                    self._known.judge()
            elif self._filled == self._window:
                self._add_frame()
                self._buffer[:, : -self._hop] = self._buffer[:, self._hop :]
                self._filled -= self._hop
        known_hz = self._known.active_hz
        return self._edge if known_hz is None or self._same(known_hz, self._edge) else known_hz

    def _follow(self, samples: Array) -> None:
        before = self._known.active_hz
        self._known.follow(samples)
        if before is not None and self._known.active_hz is None and self._same(before, self._edge):
            # Another source has begun, of which nothing is known yet.
            self._histogram.counts.fill(0.0)
            self._votes.clear()
            self._edge, self._until_judged = self._sample_rate / 2, _JUDGED_FRAMES

    def _add_frame(self) -> None:
        levels, total = self._histogram.levels(self._buffer, 0, 1)
        total_db = float(total[0])
        if not math.isfinite(total_db) or total_db <= _SILENCE_DB:
            return
        self._loud_db = max(total_db, self._loud_db - _LOUD_FALL_DB)
        if total_db < self._loud_db - _PAUSE_DB:
            return
        self._known.add(levels)
        if not self.is_known:
            self._histogram.add(levels)
            self._until_judged -= 1

    def _judge(self) -> None:
        self._until_judged = _JUDGED_FRAMES
        curve = self._histogram.curve()
        edge = edge_or_nyquist(curve, self._sample_rate, only_walls=not self._decided)
        soft = find_soft_edge(self._histogram, edge) if self.finds_soft and self._decided else None
        edge, same = (edge, _SAME) if soft is None else (soft, _SAME_SOFT)
        self._histogram.counts *= np.float32(_KEPT)
        if not self._decided:
            self._move(edge, curve)
            self._decided = True
        elif self._same(edge, self._edge, same):
            self._votes.clear()
            self._above_db = self._level_above(curve)
        else:
            self._vote(edge, curve, same)

    def _vote(self, edge: float, curve: Curve, same: float) -> None:
        if self._votes and not self._same(edge, self._votes[-1], same):
            self._votes.clear()
        self._votes.append(edge)
        if len(self._votes) >= self._votes_needed(edge, curve):
            self._move(sorted(self._votes)[len(self._votes) // 2], curve)

    def _votes_needed(self, edge: float, curve: Curve) -> int:
        if edge < self._edge:
            return _VOTES_DOWN
        unseen = edge == self._sample_rate / 2 and self._level_above(curve) < self._above_db + _RISE_DB
        return _VOTES_UNSEEN if unseen else _VOTES_UP

    def _move(self, edge: float, curve: Curve) -> None:
        self._edge = edge
        self._votes.clear()
        self._above_db = self._level_above(curve)

    def _level_above(self, curve: Curve) -> float:
        """Return the level of the half octave above the edge, in dB per Hz."""
        band = int(band_position(self._edge)) + 6
        above = curve[band : band + BANDS_PER_OCTAVE // 2]
        return median(above) if len(above) else 0.0

    @staticmethod
    def _same(one: float, other: float, within: float = _SAME) -> bool:
        return abs(math.log(one / other)) < within
