"""The shaper: the LTV filters of coloured source and noise, turned from hop to hop."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dsp import bands, exciter, ltv
from dsp.compile import kernel
from dsp.fft import Array, Spectrum
from models.extender.analysis import Frames
from models.extender.config import ExtenderConfig
from models.extender.envelope import Shape
from models.extender.gains import GainPath, tell_gains


class Shaper:
    """Holds the filters of the hop that is under way; noise needs no state.

    Args:
        config: Of the extender.
        sample_rate: Hz.

    Attributes:
        taps: Length of a filter in samples.
        filters: Of the source in each channel, then of the noise, at the boundaries of the hops that a block touches,
            shape (2 * channels, hops + 1, bins).
        noise_left: What they leave of the noise in those hops, shape (2, channels, hops, bins).
    """

    def __init__(self, config: ExtenderConfig, sample_rate: int) -> None:
        self._hop = bands.hop_samples(sample_rate)
        self._design = ltv.FilterDesign(sample_rate)
        self._gains = GainPath(config, sample_rate)
        self._is_all_source = config.network is not None
        self.taps = self._design.taps

    def reset(self, channels: int) -> None:
        """Forget the past."""
        self._channels = channels
        self._rows = exciter.noise_rows(channels)
        self._gains.reset(channels)
        self.filters, self.noise_left = self._room(1)
        # For the usual turn, from one hop to the next: no room has to be found for that.
        self._spare = self._room(1)
        self._is_open = [False, False]

    def _room(self, hops: int) -> tuple[Spectrum, Spectrum]:
        channels, bins = self._channels, self._design.n_fft // 2 + 1
        filters = np.zeros((2 * channels, hops + 1, bins), np.complex64)
        return filters, np.zeros((2, channels, hops, bins), np.complex64)

    @property
    def is_open(self) -> bool:
        """Whether anything is generated in the hops that are under way."""
        return True in self._is_open

    def turn(self, frames: Frames, values: Mapping[str, float], first: int, phase: int) -> None:
        """Put the next frames into the past, and take the filters at their ends.

        Args:
            frames: What they tell.
            values: Of the knobs.
            first: Where the first hop after them begins, counted from the reset; the noise depends on it.
            phase: Samples of the hop under way that have been shaped; 0 where that is over.
        """
        kept = 2 if phase else 1
        heard, gains, is_open = frames.heard, self._gains, frames.step is not None
        number = heard.gate.shape[1]
        self._is_open = [*self._is_open[-kept:], *[is_open] * number]
        if frames.step is not None:
            gains.turn_knobs(frames.step, values)
        if self._is_all_source:
            # A network decides by itself between lines and noise.
            frames.predicted.tonality.fill(1.0)
        filters, left, hops = self.filters, self.noise_left, kept - 1 + number
        self.filters, self.noise_left = self._spare if hops == 1 else self._room(hops)
        if hops == 1:
            self._spare = filters, left
        _turn(
            frames.predicted.levels_db, frames.predicted.tonality, heard.reference_db, heard.present, heard.source,
            heard.gate, heard.energy, gains.sources, gains.late, gains.energy, gains.shape,
            values["attack"] / 100, values["tone"] / 100, gains.noise_power, gains.whitens, is_open, self.is_open,
            filters, left, kept, *self._design.tables, self._rows, first, values["width"] / 100, self._hop,
            self.filters, self.noise_left,
        )  # fmt: skip

    def forget_hops(self) -> None:
        """Keep the hop that is under way only, after a block that touched more."""
        if len(self._is_open) > 2:
            self.filters, self.noise_left = self.filters[:, -2:].copy(), self.noise_left[:, :, -1:].copy()
            self._is_open = self._is_open[-2:]


@kernel
def _turn(
    told_db: Array, tonality: Array, reference_db: Array, present: Array, source: Array, gate: Array, energy: Array,
    sources: Array, late: Array, energy_before: Array, shape: Shape, attack: float, tone: float,
    noise_power: float, whitens: bool, is_open: bool, leaves_noise: bool, filters_before: Spectrum,
    left_before: Spectrum, kept: int, band_of: NDArray[np.int64], between: Array, phase: Array,
    phase_below: Array, fade: Array, rows: Array, first: int, width: float, hop: int, filters: Spectrum, left: Spectrum,
) -> None:  # fmt: skip
    """Tell gains, the filters that have them, and what these leave of the noise."""
    channels, frames, count = source.shape
    gains, gates = np.empty((2 * channels, frames, count), np.float32), np.empty((2 * channels, frames), np.float32)
    tell_gains(
        told_db, tonality, reference_db, present, source, gate, energy, sources, late, energy_before, shape,
        attack, tone, noise_power, whitens, gains, gates,
    )  # fmt: skip
    if is_open:
        ltv.put_behind(filters_before, kept, gains, gates, band_of, between, phase, phase_below, fade, filters)
    else:
        filters[:, :kept] = filters_before[:, filters_before.shape[1] - kept :]
        filters[:, kept:] = 0
    if leaves_noise:
        _leave_noise(rows, first, width, filters, left_before, kept - 1, hop, len(fade), left)
    else:
        left[:] = 0


@kernel
def _leave_noise(
    rows: Array, first: int, width: float, filters: Spectrum, left_before: Spectrum, under_way: int, hop: int,
    taps: int, left: Spectrum,
) -> None:  # fmt: skip
    """Tell what the filters leave of the noise in the hops that begin, behind those under way."""
    _, channels, hops, bins = left.shape
    begun = hops - under_way
    noise = np.empty((channels, taps - 1 + begun * hop), np.float32)
    exciter.noise(rows, first - (taps - 1), width, noise)
    if not under_way:
        ltv.leave(noise, filters, channels, hop, taps, left.reshape(2, -1, bins))
        return
    made = np.empty((2, channels * begun, bins), np.complex64)
    ltv.leave(noise, filters, channels, hop, taps, made)
    left[:, :, under_way:] = made.reshape(2, channels, begun, bins)
    left[:, :, :under_way] = left_before
