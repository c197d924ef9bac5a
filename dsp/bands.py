"""Log band energies: the acoustic features that describe a spectrum, and the way back from bands to bins.

Bands are fixed in Hz and frames in seconds, so the same numbers describe the same sound at every sample rate.
The scale is about half an ERB a band (Glasberg and Moore 1990), never narrower than 100 Hz, which is what a
21 ms window can resolve. Levels are dB against full-scale white noise at 48 kHz, per Hz, so that a noise
floor reads the same at 44.1 and at 96 kHz.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float32]

BAND_COUNT = 64
TOP_HZ = 24000.0
WINDOW_SECONDS = 1024 / 48000
HOP_SECONDS = 256 / 48000
FLOOR_DB = -120.0
# Share of a Hann window that falls; see `late_hann`.
HANN_FALL = 0.5
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


def band_centres_hz() -> Array:
    """Return the centre of each band in Hz, shape (bands,)."""
    return np.array(band_edges_hz()[1:-1], np.float32)


def band_widths_hz() -> Array:
    """Return each band's share of the frequency axis in Hz, shape (bands,)."""
    edges = np.array(band_edges_hz(), np.float32)
    return (edges[2:] - edges[:-2]) / np.float32(2)


def hop_samples(sample_rate: float) -> int:
    """Return the samples between two frames at this rate."""
    return round(HOP_SECONDS * sample_rate)


def window_samples(sample_rate: float) -> int:
    """Return the samples of one frame at this rate; even, so that a frame has a middle."""
    return 2 * round(WINDOW_SECONDS * sample_rate / 2)


def fft_size(samples: int) -> int:
    """Return the next power of two."""
    return 1 << (samples - 1).bit_length()


def band_weights(sample_rate: float, n_fft: int) -> Array:
    """Return the matrix that averages power bins into bands, shape (bins, bands); a band above Nyquist is zero."""
    edges = np.array(band_edges_hz())
    bins = np.arange(n_fft // 2 + 1)[:, None] * sample_rate / n_fft
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(np.minimum(rising, falling), 0.0) * (edges[1:-1] < sample_rate / 2)
    shares: Array = (weights / np.maximum(weights.sum(0), 1e-9)).astype(np.float32)
    return shares


def band_mask(sample_rate: float, low_hz: float, high_hz: float) -> Array:
    """Return 1 for each band that lies whole between two frequencies and below Nyquist, else 0; shape (bands,)."""
    edges = np.array(band_edges_hz(), np.float32)
    inside = (edges[:-2] >= low_hz) & (edges[2:] <= high_hz) & (edges[1:-1] < sample_rate / 2)
    mask: Array = inside.astype(np.float32)
    return mask


def power_scale(sample_rate: float, window: Array) -> float:
    """Return the factor from |STFT|^2 to power against full-scale white noise at 48 kHz."""
    return 48000.0 / (float(np.square(window, dtype=np.float64).sum()) * sample_rate)


def bands_to_frequencies(frequencies_hz: ArrayLike) -> NDArray[np.float64]:
    """Return the non-negative matrix that interpolates band values at frequencies, shape (bands, frequencies).

    Linear on the frequency axis between band centres and constant beyond the first and the last: a level in dB
    stays within its neighbours, so a filter made from it has a non-negative response.
    """
    centres, frequencies = band_centres_hz().astype(np.float64), np.asarray(frequencies_hz, np.float64)
    position = np.clip(np.searchsorted(centres, frequencies), 1, BAND_COUNT - 1)
    left, right = centres[position - 1], centres[position]
    share = np.clip((frequencies - left) / (right - left), 0.0, 1.0)
    matrix = np.zeros((BAND_COUNT, len(frequencies)))
    columns = np.arange(len(frequencies))
    matrix[position - 1, columns] = 1.0 - share
    matrix[position, columns] += share
    return matrix


def hann(samples: int) -> Array:
    """Return a periodic Hann window, shape (samples,)."""
    return (0.5 - 0.5 * np.cos(2 * math.pi * np.arange(samples) / samples)).astype(np.float32)


def late_hann(samples: int, fall: float) -> Array:
    """Return a window that rises as slowly and falls as fast as a share of it says, shape (samples,).

    Its two sides are halves of Hann windows. One that falls fast weighs what is newest, and still resolves bands by
    all of its length.

    Args:
        samples: Length.
        fall: Share of it that falls, more than 0 and less than 1; `HANN_FALL` gives the Hann window.
    """
    if fall == HANN_FALL:
        return hann(samples)
    falling = round(fall * samples)
    return np.concatenate([hann(2 * (samples - falling))[: samples - falling], hann(2 * falling)[falling:]])
