"""Exciters: what fills the band above the crossover, before the LTV filter gives it its shape.

All are finite in memory, so their only state is the recent past of their input, and a signal cut into blocks
anywhere gives the same samples. Whitening is not done here: the extender measures an excitation's band levels with
the very analysis it uses for the input, and the LTV filter takes them out again.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from dsp.compile import kernel
from dsp.fast_math import exp, log
from dsp.fft import Array

NOISE_LENGTH = 1 << 17
_NOISE_SEED = 20240715
_USUAL_DRIVE = 10 ** (6 / 20)
# The top grows with about this power of the drive.
_MAKEUP = 0.6
# How far below the limiter's knee the signal's level lies without drive.
_HEADROOM = 0.25
# Of the input's first difference; what is softer counts as this loud.
LEAST_LEVEL = 1e-6
_HILBERT_SECONDS = 127 / 48000


@kernel
def harmonics(
    signal: Array, start: int, levels: Array, drives: Array, hop: int, phase: int, out: Array, out_start: int,
    count: int,
) -> None:  # fmt: skip
    """Write a rich series of harmonics that stands on the input's own harmonic grid.

    A first difference lifts the upper octaves, tanh limits, and a rectifier with an odd part beside it spreads the
    spectrum (full-wave rectification: Makhoul and Berouti 1979). Sums and differences of partials of one pitch are
    partials of that pitch, so the grid holds; beyond the first octaves aliasing and mixing blur it towards noise.
    The limiter's gain follows the level, so that the result is of the order of 1 or below at any level, and the gain
    behind it takes out what the drive adds. A drive that moves so leaves the level where it is, and the whitening,
    which is slower, has little to follow.

    Args:
        signal: Shape (channels, time).
        start: Where the block begins in it; at least 1.
        levels: Root mean square of the first difference at the boundaries of hops, shape (channels, hops + 1), more
            than 0; between them it goes on straight lines.
        drives: Linear, 1 or more, at the same boundaries, shape (hops + 1,).
        hop: Samples.
        phase: Samples of the first hop that came before the block.
        out: Where the result goes, shape (channels, time).
        out_start: Where the block begins in it.
        count: Samples of the block.
    """
    for channel in range(signal.shape[0]):
        done = 0
        while done < count:
            place, into = (phase + done) // hop, (phase + done) % hop
            stretch = min(hop - into, count - done)
            level, rise = levels[channel, place], levels[channel, place + 1] - levels[channel, place]
            drive, turn = drives[place], drives[place + 1] - drives[place]
            at, target = start + done, out[channel, out_start + done : out_start + done + stretch]
            now, before = signal[channel, at : at + stretch], signal[channel, at - 1 : at + stretch - 1]
            for i in range(stretch):
                way = (np.float32(into + i) + np.float32(0.5)) / np.float32(hop)
                gain = np.float32(_HEADROOM) * (drive + turn * way) / (level + rise * way)
                # The hyperbolic tangent.
                driven = np.float32(1.0) - np.float32(2.0) / (
                    exp(np.float32(2.0) * gain * (now[i] - before[i])) + np.float32(1.0)
                )
                target[i] = abs(driven) + driven * abs(driven)
            if turn == 0:
                makeup = _makeup(drive)
                for i in range(stretch):
                    target[i] *= makeup
            else:
                for i in range(stretch):
                    target[i] *= _makeup(drive + turn * ((np.float32(into + i) + np.float32(0.5)) / np.float32(hop)))
            done += stretch


@kernel
def _makeup(drive: np.float32) -> np.float32:
    factor: np.float32 = exp(np.float32(_MAKEUP) * log(np.float32(_USUAL_DRIVE) / drive))
    return factor


@kernel
def lift(signal: Array, channel: int, start: int, samples: int) -> float:
    """Return the root mean square of a frame's first difference, not less than what counts as silence."""
    lifted = np.float32(0.0)
    frame = signal[channel, start : start + samples]
    for i in range(1, samples):
        step = frame[i] - frame[i - 1]
        lifted += step * step
    return max(math.sqrt(lifted / (samples - 1)), LEAST_LEVEL)


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
    sample depend on nothing but its index, so that blocks equal whole and runs repeat. The draws are those of a
    Mersenne twister as it is seeded since 2002, which NumPy promises to keep (NEP 19) and every artifact was trained
    with: 53 bits of each pair of words.
    """
    draws = np.random.RandomState(_NOISE_SEED).randint(1 << 32, size=(NOISE_LENGTH // 2 + 1, 2), dtype=np.uint32)
    words = draws.astype(np.uint64)
    uniform = ((words[:, 0] << np.uint64(32) | words[:, 1]) & np.uint64((1 << 53) - 1)) / 2.0**53
    angle = 2 * math.pi * uniform
    angle[0] = angle[-1] = 0.0
    samples = np.fft.irfft(np.exp(1j * angle), NOISE_LENGTH) * math.sqrt(NOISE_LENGTH)
    return samples.astype(np.float32)


@lru_cache(maxsize=4)
def noise_rows(channels: int) -> Array:
    """Return the shared table as it is and turned far away for each channel, shape (1 + channels, NOISE_LENGTH).

    Far-apart stretches of one white table are as good as independent.
    """
    stride = NOISE_LENGTH // (channels + 1)
    table = noise_table()
    return np.stack([np.roll(table, -stride * row) for row in range(channels + 1)])


@kernel
def noise(rows: Array, start: int, width: float, mixed: Array) -> None:
    """Write noise of unit variance for each channel.

    Args:
        rows: From `noise_rows`.
        start: Index of the first sample since the reset; may be negative.
        width: 0 gives every channel the same noise, 1 noises that have nothing in common; the power stays the same.
        mixed: Where it goes, shape (channels, length).
    """
    first = start % NOISE_LENGTH
    own, common = np.float32(width), np.float32(math.sqrt(1.0 - width * width))
    for channel in range(mixed.shape[0]):
        at, done = first, 0
        while done < mixed.shape[1]:
            target = mixed[channel, done : done + NOISE_LENGTH - at]
            mine, shared = rows[1 + channel, at : at + len(target)], rows[0, at : at + len(target)]
            for i in range(len(target)):
                target[i] = own * mine[i] + common * shared[i]
            at, done = 0, done + len(target)
