"""Exciters: what fills the band above the crossover, before the LTV filter gives it its shape.

All are finite in memory, so their only state is the recent past of their input, and a signal cut into blocks
anywhere gives the same samples. Whitening is not done here: the extender measures an excitation's band levels with
the very analysis it uses for the input, and the LTV filter takes them out again.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch

from dsp.fourier import Array

NOISE_LENGTH = 1 << 17
NOISE_OVERHANG = 1 << 12
_NOISE_SEED = 20240715
_USUAL_DRIVE = 10 ** (6 / 20)
_HILBERT_SECONDS = 127 / 48000


def harmonics(lifted: Array, gain: Array, makeup: Array | float, out: Array | None = None) -> Array:
    """Return a rich series of harmonics that stands on the input's own harmonic grid.

    A first difference lifts the upper octaves, tanh limits, and a rectifier with an odd part beside it spreads the
    spectrum (full-wave rectification: Makhoul and Berouti 1979). Sums and differences of partials of one pitch are
    partials of that pitch, so the grid holds; beyond the first octaves aliasing and mixing blur it towards noise.

    Args:
        lifted: The signal's first difference, shape (batch, time).
        gain: From `limiter_gain`, shape (batch, time).
        makeup: From `makeup_gain`; one for all or one for each sample.
        out: Where the result goes, or None for a new array.

    Returns:
        Shape (batch, time), of the order of 1 or below wherever the signal is near its level.
    """
    driven = lifted * gain
    np.tanh(driven, out=driven)
    made = np.abs(driven)
    driven *= made
    made += driven
    lively: Array = np.multiply(made, makeup, out=out)
    return lively


def limiter_gain(level: Array, drive: Array | float) -> Array:
    """Return the gain into the limiter.

    Args:
        level: Root mean square of the lifted signal around each sample, shape (batch, time), more than 0.
        drive: Linear, 1 or more; one for all or one for each sample.
    """
    gain: Array = 0.25 * drive / level
    return gain


def makeup_gain(drive: Array | float) -> Array | float:
    """Return the gain that takes out what the drive adds.

    The top grows with about this power of it; so a drive that moves leaves the level where it is, and the whitening,
    which is slower, has little to follow.
    """
    gain: Array | float = (_USUAL_DRIVE / drive) ** 0.6
    return gain


def translation_reach(sample_rate: float) -> int:
    """Return the samples of past that `translate` needs."""
    return 2 * round(_HILBERT_SECONDS * sample_rate / 2)


def translate(signal: Array, crossover_hz: float, sample_rate: float, start: int) -> Array:
    """Return copies of the octave's upper half below the crossover, moved up side by side to Nyquist.

    Single-sideband translation: a complex band-pass gives the analytic signal of [crossover / 2, crossover], which
    rotation moves by multiples of its width. Texture and onsets are kept, the harmonic grid is not.

    Args:
        signal: `translation_reach` samples of past, then the block; shape (batch, reach + time).
        crossover_hz: Top of the band that is copied.
        sample_rate: Hz.
        start: Index of the block's first sample since the reset, so that the rotation goes on across blocks.

    Returns:
        Shape (batch, time); half the reach late.
    """
    reach = translation_reach(sample_rate)
    taps = np.arange(reach + 1) - reach / 2
    width = crossover_hz / 2
    low_pass = width / sample_rate * np.sinc(width / sample_rate * taps) * np.hanning(reach + 1)
    turn = np.exp(2j * math.pi * (0.75 * crossover_hz) / sample_rate * taps)
    analytic = np.stack([np.convolve(row, low_pass * turn, "valid") for row in signal])
    index = np.arange(start, start + analytic.shape[-1], dtype=np.float64)
    moved = np.zeros(analytic.shape)
    for copy in range(1, math.ceil((sample_rate / 2 - crossover_hz) / width) + 1):
        turns = np.remainder(index * (copy * width / sample_rate), 1.0)
        moved += (analytic * np.exp(2j * math.pi * turns)).real
    return (2 * moved).astype(np.float32)


def noise_table() -> Array:
    """Return the noise that every stage reads: spectrally flat, unit variance, periodic, shape (NOISE_LENGTH,).

    Random phase on a constant magnitude makes it white to the last bin. A table instead of a generator makes a
    sample depend on nothing but its index, so that blocks equal whole and runs repeat.
    """
    generator = torch.Generator().manual_seed(_NOISE_SEED)
    angle = 2 * math.pi * torch.rand(NOISE_LENGTH // 2 + 1, generator=generator, dtype=torch.float64)
    angle[0] = angle[-1] = 0.0
    spectrum = torch.polar(torch.ones_like(angle), angle)
    samples = torch.fft.irfft(spectrum, n=NOISE_LENGTH) * math.sqrt(NOISE_LENGTH)
    table: Array = samples.float().numpy()
    return table


def noise_rows(channels: int) -> Array:
    """Return the table once as it is and once for each channel, turned far away; shape (1 + channels, samples).

    Far-apart stretches of one white table are as good as independent. The rows go on beyond their period, so that
    short stretches are views.
    """
    stride = NOISE_LENGTH // (channels + 1)
    table = noise_table()
    rows = np.stack([np.roll(table, -stride * row) for row in range(channels + 1)])
    return np.concatenate([rows, rows[:, :NOISE_OVERHANG]], 1)


def noise(rows: Array, start: int, length: int, width: float) -> Array:
    """Return noise for each channel.

    Args:
        rows: From `noise_rows`.
        start: Index of the first sample since the reset; may be negative.
        length: Samples.
        width: 0 gives every channel the same noise, 1 noises that have nothing in common; the power stays the same.

    Returns:
        Shape (channels, length), unit variance.
    """
    first = start % NOISE_LENGTH
    if length <= NOISE_OVERHANG:
        stretch = rows[:, first : first + length]
    else:
        stretch = rows[:, :NOISE_LENGTH].take(np.arange(first, first + length), 1, mode="wrap")
    mixed: Array = _mixture(len(rows) - 1, width) @ stretch
    return mixed


@lru_cache(maxsize=1)
def _mixture(channels: int, width: float) -> Array:
    weights = np.eye(channels, 1 + channels, 1, np.float32) * np.float32(width)
    weights[:, 0] = math.sqrt(1 - width * width)
    return weights
