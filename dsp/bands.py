"""Log band energies: the acoustic features that describe a spectrum, and the way back from bands to bins.

Bands are fixed in Hz and frames in seconds, so the same numbers describe the same sound at every sample rate.
The scale is about half an ERB a band (Glasberg and Moore 1990), never narrower than 100 Hz, which is what a
21 ms window can tell apart. Levels are dB against full-scale white noise at 48 kHz, per Hz, so that a noise
floor reads the same at 44.1 and at 96 kHz.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

BAND_COUNT = 64
TOP_HZ = 24000.0
WINDOW_SECONDS = 1024 / 48000
HOP_SECONDS = 256 / 48000
FLOOR_DB = -120.0
# Share of a Hann window that falls; see `late_hann`.
HANN_FALL = 0.5
_FLOOR_POWER = 10 ** (FLOOR_DB / 10)
_NARROWEST_HZ = 100.0


def erb_hz(frequency_hz: float) -> float:
    """Return the equivalent rectangular bandwidth at a frequency, in Hz (Glasberg and Moore 1990)."""
    return 24.7 * (4.37e-3 * frequency_hz + 1.0)


@lru_cache(maxsize=1)
def band_edges_hz() -> tuple[float, ...]:
    """Return BAND_COUNT + 2 rising frequencies: band i is a triangle from edge i over its centre, i + 1, to i + 2."""
    low, high = 0.1, 2.0
    for _ in range(60):
        share = (low + high) / 2
        edges = _walk(share)
        low, high = (low, share) if edges[-2] > TOP_HZ - 500 else (share, high)
    return tuple(_walk(high))


def _walk(erb_share: float) -> list[float]:
    edges = [0.0]
    while len(edges) < BAND_COUNT + 2:
        edges.append(edges[-1] + max(_NARROWEST_HZ, erb_share * erb_hz(edges[-1])))
    return edges


def band_centres_hz() -> Tensor:
    """Return the centre of each band in Hz, shape (bands,)."""
    return torch.tensor(band_edges_hz()[1:-1])


def band_widths_hz() -> Tensor:
    """Return each band's share of the frequency axis in Hz, shape (bands,)."""
    edges = torch.tensor(band_edges_hz())
    return (edges[2:] - edges[:-2]) / 2


def hop_samples(sample_rate: float) -> int:
    """Return the samples between two frames at this rate."""
    return round(HOP_SECONDS * sample_rate)


def window_samples(sample_rate: float) -> int:
    """Return the samples of one frame at this rate; even, so that a frame has a middle."""
    return 2 * round(WINDOW_SECONDS * sample_rate / 2)


def fft_size(samples: int) -> int:
    """Return the next power of two."""
    return 1 << (samples - 1).bit_length()


def band_weights(sample_rate: float, n_fft: int) -> Tensor:
    """Return the matrix that averages power bins into bands, shape (bins, bands); a band above Nyquist is zero."""
    edges = torch.tensor(band_edges_hz(), dtype=torch.float64)
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64)[:, None] * sample_rate / n_fft
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = torch.minimum(rising, falling).clamp(min=0.0)
    weights = weights * (edges[1:-1] < sample_rate / 2)
    return (weights / weights.sum(0).clamp(min=1e-9)).float()


def band_mask(sample_rate: float, low_hz: float, high_hz: float) -> Tensor:
    """Return 1 for each band that lies whole between two frequencies and below Nyquist, else 0; shape (bands,)."""
    edges = torch.tensor(band_edges_hz())
    inside = (edges[:-2] >= low_hz) & (edges[2:] <= high_hz) & (edges[1:-1] < sample_rate / 2)
    return inside.float()


def power_scale(sample_rate: float, window: Tensor) -> float:
    """Return the factor from |STFT|^2 to power against full-scale white noise at 48 kHz."""
    return 48000.0 / (float(window.square().sum()) * sample_rate)


def band_levels_db(frames: Tensor, window: Tensor, weights: Tensor, scale: float) -> Tensor:
    """Return log band energies of frames.

    Args:
        frames: Samples, shape (..., window).
        window: Shape (window,).
        weights: From `band_weights`, shape (bins, bands); sets the transform's size.
        scale: From `power_scale`.

    Returns:
        Levels in dB, shape (..., bands), not below FLOOR_DB.
    """
    n_fft = 2 * (weights.shape[0] - 1)
    spectrum = torch.fft.rfft(frames * window, n=n_fft)
    power = spectrum.real.square() + spectrum.imag.square()
    return 10.0 * torch.log10(power @ weights * scale + _FLOOR_POWER)


def bands_to_frequencies(frequencies_hz: Tensor) -> Tensor:
    """Return the non-negative matrix that interpolates band values at frequencies, shape (bands, frequencies).

    Linear on the frequency axis between band centres and constant beyond the first and the last: a level in dB
    stays within its neighbours, so a filter made from it has a non-negative response.
    """
    centres = band_centres_hz().double()
    position = torch.bucketize(frequencies_hz.double().clamp(centres[0], centres[-1]), centres).clamp(1, BAND_COUNT - 1)
    left, right = centres[position - 1], centres[position]
    share = ((frequencies_hz.double() - left) / (right - left)).clamp(0.0, 1.0)
    matrix = torch.zeros(BAND_COUNT, len(frequencies_hz), dtype=torch.float64)
    columns = torch.arange(len(frequencies_hz))
    matrix[position - 1, columns] = 1.0 - share
    matrix[position, columns] += share
    return matrix.float()


def hann(samples: int) -> Tensor:
    """Return a periodic Hann window, shape (samples,)."""
    return 0.5 - 0.5 * torch.cos(2 * math.pi * torch.arange(samples) / samples)


def late_hann(samples: int, fall: float) -> Tensor:
    """Return a window that rises as slowly and falls as fast as a share of it says, shape (samples,).

    Its two sides are halves of Hann windows. One that falls fast hears what is newest, and still tells bands apart by
    all of its length.

    Args:
        samples: Length.
        fall: Share of it that falls, more than 0 and less than 1; `HANN_FALL` gives the Hann window.
    """
    if fall == HANN_FALL:
        return hann(samples)
    falling = round(fall * samples)
    sides = hann(2 * (samples - falling))[: samples - falling], hann(2 * falling)[falling:]
    return torch.cat(sides)
