"""The linear time-varying filter: short minimum-phase responses, one a hop, cross-faded from hop to hop.

Minimum phase keeps the signal path free of latency. The magnitude comes from band levels in dB, so it is never
negative, and both it and its phase are linear in those levels (the phase of a minimum-phase system is the Hilbert
transform of its log magnitude, Oppenheim and Schafer), so a filter costs two small matrix products and one inverse FFT.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp import bands
from dsp.compile import kernel
from dsp.fast_math import cos_sin, exp
from dsp.fft import Array, Spectrum, irfft, rfft
from dsp.lanes import LANES, load, spread, store

_TAPS_SECONDS = 256 / 48000
_DESIGN_FFT = 16384
# A filter's gains are logarithms of power, its response is computed in logarithms of amplitude.
_AMPLITUDE = 0.5


class FilterTables(NamedTuple):
    """The tables of `append_filters`, per gain of a band.

    `band` is the lower of the two bands that a bin lies between, `between` the log magnitude of these two (2, bins),
    `phase` (bands, lanes of bins), `phase_below` adds up the first bands (bands + 1, same), `fade` is over the taps.
    """

    band: NDArray[np.int64]
    between: Array
    phase: Array
    phase_below: Array
    fade: Array


class FilterDesign:
    """Turns band gains into the spectra of short minimum-phase filters at one sample rate.

    Attributes:
        taps: Length of a filter in samples.
        n_fft: Size of the transform that applies it to one hop.
        log_magnitude, phase: Nepers and radians per gain of each band, shape (bands, n_fft // 2 + 1).
        tables: For `append_filters`.
    """

    def __init__(self, sample_rate: float) -> None:
        self.taps = round(_TAPS_SECONDS * sample_rate)
        self.n_fft = bands.fft_size(self.taps + bands.hop_samples(sample_rate) - 1)
        self.log_magnitude, self.phase = _responses(sample_rate, self.n_fft)
        # Between which two bands a bin lies; interpolation needs no more.
        band: NDArray[np.int64] = np.minimum((self.log_magnitude > 0).argmax(0), bands.BAND_COUNT - 2)
        between = np.stack([self.log_magnitude[band + k, np.arange(len(band))] for k in range(2)])
        # The phase of the first bands together: below the crossover they all have one gain.
        phase = np.pad(self.phase, ((0, 0), (0, -len(band) % LANES)))
        below = np.concatenate([np.zeros_like(phase[:1]), phase.cumsum(0, np.float64)]).astype(np.float32)
        self.tables = FilterTables(band, between, phase, below, _fade_out(self.taps))

    def __call__(self, gains: Array) -> Spectrum:
        """Return the spectra of the filters with these band gains.

        Args:
            gains: Natural logarithms of power ratios, shape (rows, filters, bands).

        Returns:
            Shape (rows, filters, n_fft // 2 + 1).
        """
        filters = np.empty((*gains.shape[:2], self.n_fft // 2 + 1), np.complex64)
        append_filters(filters[:, :0].copy(), 0, gains, np.ones(gains.shape[:2], np.float32), self.tables, filters)
        return filters

    def impulse(self, gains: Array) -> Array:
        """Return the impulse responses of filters with gains of shape (filters, bands), shape (filters, taps)."""
        return irfft(self(gains[None])[0], self.n_fft)[:, : self.taps]


@kernel
def append_filters(
    before: Spectrum, kept: int, gains: Array, factors: Array, tables: FilterTables, out: Spectrum
) -> None:
    """Write a row of filters behind the last ones of another row.

    Args:
        before: The others, shape (rows, any number, bins).
        kept: How many of them, the last ones, stay in the row.
        gains: Natural logarithms of power ratios, shape (rows, filters, bands).
        factors: One on all of each filter, shape (rows, filters).
        tables: Of a `FilterDesign`.
        out: Where the row goes, shape (rows, kept + filters, bins).
    """
    rows, filters, _ = gains.shape
    bins, fade = out.shape[2], tables.fade
    responses = np.empty((rows * filters, bins), np.complex64)
    _respond(gains.reshape(rows * filters, -1), tables, responses)
    impulses = irfft(responses, 2 * (bins - 1))
    for row in range(rows * filters):
        factor = factors[row // filters, row % filters]
        for i in range(len(fade)):
            impulses[row, i] *= fade[i] * factor
        impulses[row, len(fade) :] = 0
    spectra = rfft(impulses)
    for row in range(rows):
        out[row, :kept] = before[row, before.shape[1] - kept :]
        out[row, kept:] = spectra[row * filters : (row + 1) * filters]


@kernel
def _respond(gains: Array, tables: FilterTables, responses: Spectrum) -> None:
    """Write the responses, shape (filters, bins), of filters with gains of shape (filters, bands)."""
    count, bins = responses.shape
    angles, nepers = np.empty((count, tables.phase.shape[1]), np.float32), np.empty(bins, np.float32)
    band_of, between = tables.band, tables.between
    _turn_phase(gains, tables.phase, tables.phase_below, angles)
    for row in range(count):
        for k in range(bins):
            nepers[k] = gains[row, band_of[k]] * between[0, k] + gains[row, band_of[k] + 1] * between[1, k]
        for k in range(bins):
            magnitude, (cosine, sine) = exp(nepers[k]), cos_sin(angles[row, k])
            responses[row, k] = complex(magnitude * cosine, magnitude * sine)


@kernel
def _turn_phase(gains: Array, phase: Array, phase_below: Array, angles: Array) -> None:
    """Write the phases of filters, shape (filters, whole lanes of bins), in radians."""
    count, total = gains.shape
    first, last = total, count - 1
    for row in range(count):
        own = 1
        while own < first and gains[row, own] == gains[row, 0]:
            own += 1
        first = own
    for at in range(0, angles.shape[1], LANES):
        below = load(phase_below[first], at)
        for i in range(0, count, 4):
            j, m, n = min(i + 1, last), min(i + 2, last), min(i + 3, last)
            a, b = spread(gains[i, 0]) * below, spread(gains[j, 0]) * below
            c, d = spread(gains[m, 0]) * below, spread(gains[n, 0]) * below
            for band in range(first, total):
                share = load(phase[band], at)
                a, b = a + spread(gains[i, band]) * share, b + spread(gains[j, band]) * share
                c, d = c + spread(gains[m, band]) * share, d + spread(gains[n, band]) * share
            store(angles[i], at, a)
            store(angles[j], at, b)
            store(angles[m], at, c)
            store(angles[n], at, d)


@lru_cache(maxsize=4)
def _responses(sample_rate: float, n_fft: int) -> tuple[Array, Array]:
    """Return log magnitude (nepers) and phase (radians) per band gain, both of shape (bands, bins)."""
    step, frequencies = _DESIGN_FFT // n_fft, np.arange(_DESIGN_FFT // 2 + 1) * sample_rate / _DESIGN_FFT
    log_magnitude = bands.bands_to_frequencies(frequencies) * _AMPLITUDE
    phase = minimum_phase_spectrum(log_magnitude).imag
    return log_magnitude[:, ::step].astype(np.float32), phase[:, ::step].astype(np.float32)


def minimum_phase_spectrum(log_magnitude: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return the log spectrum of the minimum-phase system with this log magnitude, by folding its cepstrum.

    Args:
        log_magnitude: Nepers at the bins of a real transform, shape (..., n // 2 + 1).

    Returns:
        Same shape: log magnitude + 1j * phase.
    """
    size = 2 * (log_magnitude.shape[-1] - 1)
    cepstrum = np.fft.irfft(log_magnitude, size)
    cepstrum[..., 1 : size // 2] *= 2.0
    cepstrum[..., size // 2 + 1 :] = 0.0
    return np.fft.rfft(cepstrum)


def _fade_out(taps: int) -> Array:
    """Return a window that is 1 and falls to 0 over the last quarter, so that the cut-off tail leaves no ripple."""
    fade, tail = np.ones(taps, np.float32), taps // 4
    fade[-tail:] = 0.5 + 0.5 * np.cos(math.pi * np.arange(1, tail + 1) / (tail + 1))
    return fade


@kernel
def hop_spectra(signal: Array, start: int, end: int, hop: int, hops: int, taps: int, n_fft: int) -> Spectrum:
    """Return the transforms of a signal's hops, each with the past that a filter reaches.

    Args:
        signal: Shape (channels, time).
        start: Where the first hop begins, at least `taps - 1`.
        end: Where the signal ends; the last hop may still be under way.
        hop: Samples of a hop.
        hops: How many.
        taps: Length of the filters; taps + hop - 1 is at most n_fft.
        n_fft: Size of the transform.

    Returns:
        Shape (channels * hops, n_fft // 2 + 1).
    """
    rows = np.empty((signal.shape[0] * hops, n_fft), np.float32)
    for row in range(rows.shape[0]):
        first = start + row % hops * hop - taps + 1
        held = min(taps - 1 + hop, end - first)
        rows[row, :held], rows[row, held:] = signal[row // hops, first : first + held], 0
    return rfft(rows)


@kernel
def apply_filters(
    spectra: Spectrum, filters: Spectrum, first: int, others: Spectrum, adds: bool, out: Spectrum
) -> None:
    """Add the products of a source and the filters at both ends of each hop to those of other sources.

    Args:
        spectra: From `hop_spectra`, shape (channels * hops, bins).
        filters: At the boundaries of the hops and of others before, shape (rows, boundaries, bins).
        first: The row of the source's first channel; the others follow to the last row.
        others: What is added to, shape (2, channels * hops, bins).
        adds: Whether there are others.
        out: Where it goes, same shape; may be `others`.
    """
    hops = spectra.shape[0] // (filters.shape[0] - first)
    skipped = filters.shape[1] - 1 - hops
    for row in range(spectra.shape[0]):
        channel, place, source = first + row // hops, skipped + row % hops, spectra[row]
        for end in range(2):
            responses, added, target = filters[channel, place + end], others[end, row], out[end, row]
            for k in range(len(source)):
                product = source[k] * responses[k]
                target[k] = added[k] + product if adds else product


@kernel
def cross_fade(products: Spectrum, hop: int, taps: int, phase: int, out: Array) -> None:
    """Write the signal of hops that were filtered, each cross-faded from its first filter to its second.

    Args:
        products: From `apply_filters`, shape (2, channels * hops, bins); sources add up there.
        hop: Samples of a hop.
        taps: Length of the filters.
        phase: Samples of the first hop that are left out.
        out: Where it goes, shape (channels, time).
    """
    channels, count = out.shape
    hops, n_fft = products.shape[1] // channels, 2 * (products.shape[2] - 1)
    both = irfft(products.reshape(-1, products.shape[2]), n_fft)
    for channel in range(channels):
        done = 0
        while done < count:
            row, into = channel * hops + (phase + done) // hop, (phase + done) % hop
            stretch = min(hop - into, count - done)
            at, target = taps - 1 + into, out[channel, done : done + stretch]
            before, after = both[row, at : at + stretch], both[row + channels * hops, at : at + stretch]
            for i in range(stretch):
                way = (np.float32(into + i) + np.float32(0.5)) / np.float32(hop)
                target[i] = before[i] + way * (after[i] - before[i])
            done += stretch


@kernel
def shape(
    signal: Array, end: int, filters: Spectrum, others: Spectrum, hop: int, taps: int, phase: int, out: Array
) -> None:
    """Pass the newest samples of a source through the filters of its hops and add the products of other sources.

    Args:
        signal: Shape (channels, time).
        end: Where it ends.
        filters: At the boundaries of the hops, shape (channels, hops + 1, bins).
        others: From `filter_hops`, shape (2, channels * hops, bins).
        hop: Samples of a hop.
        taps: Length of the filters.
        phase: Samples of the first hop that are left out.
        out: Where the samples up to the end go, shape (channels, count).
    """
    n_fft, count = 2 * (filters.shape[2] - 1), out.shape[1]
    spectra = hop_spectra(signal, end - count - phase, end, hop, filters.shape[1] - 1, taps, n_fft)
    products = np.empty_like(others)
    apply_filters(spectra, filters, 0, others, True, products)
    cross_fade(products, hop, taps, phase, out)


@kernel
def filter_hops(signal: Array, filters: Spectrum, first: int, hop: int, taps: int, products: Spectrum) -> None:
    """Write the products of filters and hops, for `shape`.

    Args:
        signal: `taps - 1` samples of past, then the hops, shape (channels, time).
        filters: As for `apply_filters`.
        first: As for `apply_filters`.
        hop: Samples of a hop.
        taps: Length of the filters.
        products: Where it goes, shape (2, channels * hops, bins).
    """
    hops, n_fft = products.shape[1] // len(signal), 2 * (filters.shape[2] - 1)
    spectra = hop_spectra(signal, taps - 1, signal.shape[1], hop, hops, taps, n_fft)
    apply_filters(spectra, filters, first, products, False, products)
