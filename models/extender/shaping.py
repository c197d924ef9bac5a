"""Shaping: the LTV filters of coloured source and noise, moved on from hop to hop."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from dsp import bands, crossover, exciter, ltv
from dsp.compile import BoundKernel, kernel
from dsp.fft import Array, Spectrum
from models.extender.analysis import Frames
from models.extender.config import ExtenderConfig
from models.extender.controls import NODES_HZ
from models.extender.envelope import GainSettings, Shape
from models.extender.gains import GainMemory, Measured, compute_gains, crossovers, curve_gains, unknown_memory
from models.predictor.inference import Predicted

_nodes_of = itemgetter(*NODES_HZ)


class Hops(NamedTuple):
    """The hops that a block touches.

    Attributes:
        filters: Of the source in each channel, then of the noise, at the boundaries of the hops, shape
            (2 * channels, hops + 1, bins).
        noise: Products of the noise and its filters, shape (2, channels, hops, bins).
    """

    filters: Spectrum
    noise: Spectrum


class Noise(NamedTuple):
    """The noise that is filtered: `dsp.exciter.noise_rows`, the index of the next hop's first sample, the width."""

    rows: Array
    first: int
    width: float


class Shaper:
    """Holds the filters of the hop that is under way; noise needs no state.

    Args:
        config: Of the extender.
        sample_rate: Hz.

    Attributes:
        taps: Length of a filter in samples.
        hops: Those that the last block touched.
        is_open: Whether anything is generated in the hops that are under way.
    """

    STATE = ("hops", "is_open", "_are_open", "_memory", "_shape")

    def __init__(self, config: ExtenderConfig, sample_rate: int) -> None:
        self._hop = bands.hop_samples(sample_rate)
        self._design = ltv.FilterDesign(sample_rate)
        self._config, self._noise_power = config, 48000.0 / sample_rate
        self._is_all_source = config.network is not None
        self.taps = self._design.taps

    def reset(self, channels: int) -> None:
        """Forget the past."""
        self._channels = channels
        self._rows = exciter.noise_rows(channels)
        self._memory = unknown_memory(self._config, channels)
        self._shape = Shape(crossover.HIGHEST_HZ, 0.0, 0.0, crossover.HIGHEST_HZ, bands.BAND_COUNT - 1)
        # Two in turn for the usual step, from one hop to the next: that needs no new memory.
        self.hops, self._spare = self._room(1), self._room(1)
        for part in self.hops:
            part.fill(0)
        self.is_open, self._are_open = False, [False, False]

    def _room(self, hops: int) -> Hops:
        channels, bins = self._channels, self._design.n_fft // 2 + 1
        filters = np.empty((2 * channels, hops + 1, bins), np.complex64)
        return Hops(filters, np.empty((2, channels, hops, bins), np.complex64))

    def enter(self, frames: int) -> None:
        """Begin in the middle of a sound, and be softer for so many frames."""
        self._memory.entry[0] = frames

    def advance(self, frames: Frames, values: Mapping[str, float], first: int, phase: int) -> None:
        """Put the next frames into the past, and compute the filters at their ends.

        Args:
            frames: That were analysed.
            values: Of the knobs.
            first: Where the first hop after them begins, counted from the reset; the noise depends on it.
            phase: Samples of the hop under way that have been shaped; 0 where that is over.
        """
        kept, number = 2 if phase else 1, frames.measured.gate.shape[1]
        is_open, before = frames.step is not None, self.hops
        self._are_open = [*self._are_open[-kept:], *[is_open] * number]
        self.is_open = True in self._are_open
        if self._is_all_source:
            # A network decides by itself between lines and noise.
            frames.predicted.tonality.fill(1.0)
        if kept - 1 + number == 1:
            self.hops, self._spare = self._spare, before
        else:
            self.hops = self._room(kept - 1 + number)
        settings, noise = self._settings(frames.step, values), Noise(self._rows, first, float(values["width"]) / 100)
        _bound_advance.call(
            frames.predicted, frames.measured, self._memory, settings, is_open, self.is_open, before, kept,
            self._design.tables, noise, self._hop, self.hops,
        )  # fmt: skip

    def _settings(self, step: int | None, values: Mapping[str, float]) -> GainSettings:
        """Return the settings for a crossover, or for the last one where nothing is generated (None)."""
        # Numbers of one type, or the kernels would be compiled once more.
        if step is not None:
            crossover_hz, first = crossovers()[step]
            amount_db, tilt, ceiling_hz = float(values["amount"]), float(values["tilt"]), float(values["ceiling"])
            self._shape = Shape(crossover_hz, amount_db, tilt, max(ceiling_hz, crossover_hz), first)
        return GainSettings(
            self._shape, float(values["attack"]) / 100, float(values["tone"]) / 100, self._noise_power,
            self._config.whiten, curve_gains(_nodes_of(values)),
        )  # fmt: skip

    def forget_hops(self) -> None:
        """Keep the hop that is under way only, after a block that touched more."""
        if len(self._are_open) > 2:
            self.hops = Hops(self.hops.filters[:, -2:].copy(), self.hops.noise[:, :, -1:].copy())
            self._are_open = self._are_open[-2:]
            self.is_open = True in self._are_open


@kernel
def _advance(
    predicted: Predicted, measured: Measured, memory: GainMemory, settings: GainSettings, is_open: bool,
    has_noise: bool, before: Hops, kept: int, tables: ltv.FilterTables, noise: Noise, hop: int, after: Hops,
) -> None:  # fmt: skip
    """Compute gains, the filters that have them, and the products of these and the noise."""
    channels, frames, count = measured.source.shape
    gains, gates = np.empty((2 * channels, frames, count), np.float32), np.empty((2 * channels, frames), np.float32)
    compute_gains(predicted, measured, memory, settings, gains, gates)
    if is_open:
        ltv.append_filters(before.filters, kept, gains, gates, tables, after.filters)
    else:
        after.filters[:, :kept] = before.filters[:, before.filters.shape[1] - kept :]
        after.filters[:, kept:] = 0
    if has_noise:
        _filter_noise(noise, after, before.noise, kept - 1, hop, len(tables.fade))
    else:
        after.noise[:] = 0


_bound_advance = BoundKernel(_advance)


@kernel
def _filter_noise(noise: Noise, hops: Hops, before: Spectrum, under_way: int, hop: int, taps: int) -> None:
    """Write the products of the noise and the filters of the hops that begin, behind those under way."""
    _, channels, count, bins = hops.noise.shape
    begun = count - under_way
    samples = np.empty((channels, taps - 1 + begun * hop), np.float32)
    exciter.noise(noise.rows, noise.first - (taps - 1), noise.width, samples)
    if not under_way:
        ltv.filter_hops(samples, hops.filters, channels, hop, taps, hops.noise.reshape(2, -1, bins))
        return
    products = np.empty((2, channels * begun, bins), np.complex64)
    ltv.filter_hops(samples, hops.filters, channels, hop, taps, products)
    hops.noise[:, :, under_way:] = products.reshape(2, channels, begun, bins)
    hops.noise[:, :, :under_way] = before
