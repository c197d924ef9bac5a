"""The linear time-varying filter: short minimum-phase responses, one a hop, cross-faded from hop to hop.

Minimum phase keeps the signal path free of latency. The magnitude comes from band levels in dB, so it is never
negative, and both it and its phase are linear in those levels (the phase of a minimum-phase system is the Hilbert
transform of its log magnitude, Oppenheim and Schafer), so a filter costs two small matrix products and one inverse FFT.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from dsp import bands
from dsp.fourier import Array, Spectrum, fast_size, irfft, rfft

_TAPS_SECONDS = 256 / 48000
_DESIGN_FFT = 16384
# A filter's gains are told as logarithms of power, its response in logarithms of amplitude.
_AMPLITUDE = 0.5


class FilterDesign:
    """Turns band gains into the spectra of short minimum-phase filters at one sample rate.

    Attributes:
        taps: Length of a filter in samples.
        n_fft: Size of the transform that applies it to one hop.
        log_magnitude, phase: Nepers and radians per gain of each band, shape (bands, n_fft // 2 + 1).
        fade: Window over the taps, shape (taps,).
    """

    def __init__(self, sample_rate: float) -> None:
        self.taps = round(_TAPS_SECONDS * sample_rate)
        self.n_fft = bands.fft_size(self.taps + bands.hop_samples(sample_rate) - 1)
        self.log_magnitude, self.phase = _responses(sample_rate, self.n_fft)
        self.fade = _fade_out(self.taps)
        self._both = np.concatenate([self.log_magnitude, self.phase], 1)

    def __call__(self, gains: Array, factor: Array | None = None) -> Spectrum:
        """Return the spectra of the filters with these band gains.

        Args:
            gains: Natural logarithms of power ratios, shape (..., bands).
            factor: On all of a filter, of a shape that goes with (..., 1).

        Returns:
            Shape (..., n_fft // 2 + 1).
        """
        padded = np.zeros((*gains.shape[:-1], self.n_fft), np.float32)
        impulses = np.multiply(self._cut_off(gains), self.fade, out=padded[..., : self.taps])
        if factor is not None:
            impulses *= factor
        return rfft(padded, self.n_fft)

    def impulse(self, gains: Array) -> Array:
        """Return the impulse responses of the filters, shape (..., taps)."""
        impulses: Array = self._cut_off(gains) * self.fade
        return impulses

    def _cut_off(self, gains: Array) -> Array:
        bins = self.phase.shape[1]
        both = gains.reshape(-1, bands.BAND_COUNT) @ self._both
        magnitude, angle = np.exp(both[:, :bins]), both[:, bins:]
        response = np.empty(magnitude.shape, np.complex64)
        np.multiply(magnitude, np.cos(angle), out=response.real)
        np.multiply(magnitude, np.sin(angle), out=response.imag)
        return irfft(response, self.n_fft)[:, : self.taps].reshape(*gains.shape[:-1], self.taps)


def _responses(sample_rate: float, n_fft: int) -> tuple[Array, Array]:
    """Return log magnitude (nepers) and phase (radians) per band gain, both of shape (bands, bins)."""
    frequencies = torch.arange(_DESIGN_FFT // 2 + 1, dtype=torch.float64) * sample_rate / _DESIGN_FFT
    log_magnitude = bands.bands_to_frequencies(frequencies).double() * _AMPLITUDE
    phase = minimum_phase_spectrum(log_magnitude).imag
    step = _DESIGN_FFT // n_fft
    return log_magnitude[:, ::step].float().contiguous().numpy(), phase[:, ::step].float().contiguous().numpy()


def minimum_phase_spectrum(log_magnitude: Tensor) -> Tensor:
    """Return the log spectrum of the minimum-phase system with this log magnitude, by folding its cepstrum.

    Args:
        log_magnitude: Nepers at the bins of a real transform, shape (..., n // 2 + 1).

    Returns:
        Complex, same shape: log magnitude + 1j * phase.
    """
    size = 2 * (log_magnitude.shape[-1] - 1)
    cepstrum = torch.fft.irfft(torch.complex(log_magnitude, torch.zeros_like(log_magnitude)), n=size)
    cepstrum[..., 1 : size // 2] *= 2.0
    cepstrum[..., size // 2 + 1 :] = 0.0
    spectrum: Tensor = torch.fft.rfft(cepstrum, n=size)
    return spectrum


def _fade_out(taps: int) -> Array:
    """Return a window that is 1 and falls to 0 over the last quarter, so that the cut-off tail leaves no ripple."""
    fade = torch.ones(taps)
    tail = taps // 4
    fade[-tail:] = 0.5 + 0.5 * torch.cos(math.pi * (torch.arange(tail) + 1) / (tail + 1))
    return fade.numpy()


def overlapping(signal: Array, length: int, step: int) -> Array:
    """Return stretches of a signal, one every `step` samples, as a view; shape (..., stretches, length)."""
    if signal.shape[-1] == length:
        return signal[..., None, :]
    return np.lib.stride_tricks.sliding_window_view(signal, length, -1)[..., ::step, :]


def hop_spectra(signal: Array, hop: int, taps: int, n_fft: int) -> Spectrum:
    """Return the transforms of a signal's hops, each with the past that a filter reaches.

    Args:
        signal: `taps - 1` samples of past, then whole hops or but one that is under way; shape (..., time).
        hop: Samples of a hop.
        taps: Length of the filters; taps + hop - 1 is at most n_fft.
        n_fft: Size of the transform.

    Returns:
        Shape (..., hops, n_fft // 2 + 1).
    """
    length = taps - 1 + hop
    if signal.shape[-1] <= length:
        return rfft(signal[..., None, :], n_fft)
    short = -(signal.shape[-1] - taps + 1) % hop
    padded = np.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(0, short)]) if short else signal
    return rfft(overlapping(padded, length, hop), n_fft)


def filter_pairs(boundaries: Spectrum) -> Spectrum:
    """Return for each hop the filter that it starts with and the way to the one that it ends with.

    Args:
        boundaries: Filters at the hops' boundaries, shape (..., hops + 1, bins).

    Returns:
        Shape (..., hops, 2, bins).
    """
    pairs = np.empty((*boundaries.shape[:-2], boundaries.shape[-2] - 1, 2, boundaries.shape[-1]), np.complex64)
    pairs[..., 0, :] = boundaries[..., :-1, :]
    np.subtract(boundaries[..., 1:, :], boundaries[..., :-1, :], out=pairs[..., 1, :])
    return pairs


def filtered(spectra: Spectrum, pairs: Spectrum) -> Spectrum:
    """Return what both filters of each hop leave of a source, for `cross_faded`; sources add up there.

    Args:
        spectra: From `hop_spectra`, shape (..., hops, bins).
        pairs: From `filter_pairs`, shape (..., hops, 2, bins).

    Returns:
        Shape (..., hops, 2, bins).
    """
    product: Spectrum = spectra[..., None, :] * pairs
    return product


def cross_faded(products: Spectrum, ramp: Array, taps: int, n_fft: int) -> Array:
    """Return the signal of hops that were filtered, each cross-faded from its first filter to its second.

    Args:
        products: From `filtered`, shape (..., hops, 2, bins).
        ramp: From `hop_ramp`.
        taps: Length of the filters.
        n_fft: Size of the transform.

    Returns:
        Shape (..., hops * hop).
    """
    both = irfft(products, n_fft)[..., taps - 1 : taps - 1 + len(ramp)]
    faded: Array = both[..., 1, :] * ramp
    faded += both[..., 0, :]
    return faded.reshape(*faded.shape[:-2], -1)


def hop_ramp(hop: int) -> Array:
    """Return how far each sample of a hop is on its way, 0..1, shape (hop,)."""
    ramp: Array = (np.arange(hop, dtype=np.float32) + np.float32(0.5)) / np.float32(hop)
    return ramp


def steady_fft(samples: int) -> int:
    """Return the size of the transform by which `filter_steady` works through a signal of so many samples."""
    return min(_LONGEST_FFT, fast_size(samples))


def filter_steady(signal: Array, spectrum: Spectrum, taps: int) -> Array:
    """Filter by one response that does not change, by overlap-save.

    Args:
        signal: The past that the filter reaches, then the block; shape (batch, taps - 1 + time).
        spectrum: The response's transform of size `steady_fft(taps - 1 + time)`.
        taps: Length of the response in samples.

    Returns:
        Shape (batch, time).
    """
    reach, n_fft = taps - 1, 2 * (len(spectrum) - 1)
    count = signal.shape[-1] - reach
    if signal.shape[-1] <= n_fft:
        return irfft(rfft(signal, n_fft) * spectrum, n_fft)[:, reach : reach + count]
    step = n_fft - reach
    padded = np.pad(signal, ((0, 0), (0, -count % step)))
    pieces = irfft(rfft(overlapping(padded, n_fft, step), n_fft) * spectrum, n_fft)
    return pieces[..., reach:].reshape(len(signal), -1)[:, :count]


_LONGEST_FFT = 8192
