"""Exciters: what fills the band above the crossover, before the LTV filter gives it its shape.

All are finite in memory, so their only state is the recent past of their input, and a signal cut into blocks
anywhere gives the same samples. Whitening is not done here: the extender measures an excitation's band levels with
the very analysis it uses for the input, and the LTV filter takes them out again.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

NOISE_LENGTH = 1 << 17
_NOISE_SEED = 20240715
_USUAL_DRIVE = 10 ** (6 / 20)
_HILBERT_SECONDS = 127 / 48000


def harmonics(signal: Tensor, level: Tensor, drive: Tensor | float) -> Tensor:
    """Return a rich series of harmonics that stands on the input's own harmonic grid.

    A first difference lifts the upper octaves, tanh limits, and a rectifier with an odd part beside it spreads the
    spectrum (full-wave rectification: Makhoul and Berouti 1979). Sums and differences of partials of one pitch are
    partials of that pitch, so the grid holds; beyond the first octaves aliasing and mixing blur it towards noise.

    Args:
        signal: One sample of past, then the block; shape (batch, 1 + time).
        level: Root mean square of the signal's difference around each sample, shape (batch, time).
        drive: Linear gain into the limiter, 1 or more; one for all or one for each sample.

    Returns:
        Shape (batch, time), of the order of 1 or below wherever the signal is near its level.
    """
    lifted = torch.diff(signal)
    driven = torch.tanh(lifted / level.clamp(min=1e-6) * (0.25 * drive))
    # The top grows with about this power of the drive. Taken out here, a drive that moves leaves the level where it
    # is, and the whitening, which is slower, has little to follow.
    return (driven.abs() + driven * driven.abs()) * (_USUAL_DRIVE / drive) ** 0.6


def translation_reach(sample_rate: float) -> int:
    """Return the samples of past that `translate` needs."""
    return 2 * round(_HILBERT_SECONDS * sample_rate / 2)


def translate(signal: Tensor, crossover_hz: float, sample_rate: float, start: int) -> Tensor:
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
    taps = torch.arange(reach + 1, dtype=torch.float64) - reach / 2
    width = crossover_hz / 2
    low_pass = width / sample_rate * torch.sinc(width / sample_rate * taps)
    low_pass *= torch.hann_window(reach + 1, periodic=False, dtype=torch.float64)
    angle = 2 * math.pi * (0.75 * crossover_hz) / sample_rate * taps
    real = _convolve(signal, low_pass * torch.cos(angle))
    imaginary = _convolve(signal, low_pass * torch.sin(angle))
    index = torch.arange(start, start + real.shape[-1], dtype=torch.float64)
    moved = torch.zeros_like(real)
    for copy in range(1, math.ceil((sample_rate / 2 - crossover_hz) / width) + 1):
        turns = torch.remainder(index * (copy * width / sample_rate), 1.0) * (2 * math.pi)
        moved += real * torch.cos(turns).float() - imaginary * torch.sin(turns).float()
    return 2 * moved


def _convolve(signal: Tensor, taps: Tensor) -> Tensor:
    kernel = taps.flip(0).float()[None, None]
    convolved: Tensor = torch.nn.functional.conv1d(signal[:, None], kernel)
    return convolved[:, 0]


def noise_table() -> Tensor:
    """Return the noise that every stage reads: spectrally flat, unit variance, periodic, shape (NOISE_LENGTH,).

    Random phase on a constant magnitude makes it white to the last bin. A table instead of a generator makes a
    sample depend on nothing but its index, so that blocks equal whole and runs repeat.
    """
    generator = torch.Generator().manual_seed(_NOISE_SEED)
    angle = 2 * math.pi * torch.rand(NOISE_LENGTH // 2 + 1, generator=generator, dtype=torch.float64)
    angle[0] = angle[-1] = 0.0
    spectrum = torch.polar(torch.ones_like(angle), angle)
    samples: Tensor = torch.fft.irfft(spectrum, n=NOISE_LENGTH) * math.sqrt(NOISE_LENGTH)
    return samples.float()


def noise(table: Tensor, start: int, length: int, channels: int, width: float) -> Tensor:
    """Return noise for each channel from the table.

    Args:
        table: From `noise_table`.
        start: Index of the first sample since the reset; may be negative.
        length: Samples.
        channels: Rows to return.
        width: 0 gives every channel the same noise, 1 noises that have nothing in common; the power stays the same.

    Returns:
        Shape (channels, length), unit variance.
    """
    common = _stretch(table, start, length)
    # Far-apart stretches of one white table are as good as independent.
    stride = NOISE_LENGTH // (channels + 1)
    own = torch.stack([_stretch(table, start + stride * (channel + 1), length) for channel in range(channels)])
    return math.sqrt(1 - width * width) * common + width * own


def _stretch(table: Tensor, start: int, length: int) -> Tensor:
    first = start % NOISE_LENGTH
    if first + length <= NOISE_LENGTH:
        return table[first : first + length]
    return table[torch.arange(first, first + length) % NOISE_LENGTH]
