"""Sounds that try a stage, and ways to play them through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.stage import Block, Stage

EDGE_HZ = 6000.0
# What may be off by rounding where two ways of playing must give the same samples.
TOLERANCE = 1e-5
# How much larger than in the sound itself a step from sample to sample may be before it is called a click.
CLICK = 1.25
SMALL_KINDS = ("nan", "inf", "dc", "full scale", "nyquist", "denormals")
HOSTILE_KINDS = (*SMALL_KINDS, "huge", "largest")


def music(rate: int = 48000, channels: int = 2, seconds: float = 0.25, edge_hz: float = EDGE_HZ) -> Block:
    """Return lines and noise that end at an edge, with an onset in the middle; every channel is another.

    Returns:
        Shape (channels, samples).
    """
    count = int(rate * seconds)
    time = np.arange(count) / rate
    chance = np.random.default_rng(3)
    rows = []
    for channel in range(channels):
        pitch = 180.0 + 25 * channel
        lines = sum(np.sin(2 * np.pi * pitch * k * time + k * k) / k for k in range(1, int(edge_hz / pitch)))
        spectrum = np.fft.rfft(chance.standard_normal(count))
        spectrum[np.fft.rfftfreq(count, 1 / rate) > edge_hz] = 0
        rows.append(lines + np.fft.irfft(spectrum, n=count))
    swell = np.where(time < seconds / 2, 0.3, 1.0)
    signal: Block = (0.1 * swell * np.stack(rows)).astype(np.float32)
    return signal


def sinking(rate: int = 48000, channels: int = 2, seconds: float = 9.0) -> Block:
    """Return syllables of noise that fall by 18 dB an octave until they sink into hiss at 9 kHz, as from an old tape.

    Returns:
        Shape (channels, samples).
    """
    count = int(rate * seconds)
    swing = 0.01 + np.sin(4 * np.pi * np.arange(count) / rate) ** 2
    chance = np.random.default_rng(4)
    spectrum = np.fft.rfft(swing * chance.standard_normal(count))
    spectrum *= (np.maximum(np.fft.rfftfreq(count, 1 / rate), 1000.0) / 1000.0) ** -3
    sound = np.fft.irfft(spectrum, n=count) + 9.0**-3 * chance.standard_normal(count)
    return np.tile((0.2 * sound).astype(np.float32), (channels, 1))


def hostile(kind: str, channels: int, count: int) -> Block:
    """Return samples that no recording holds, of one of `HOSTILE_KINDS`, shape (channels, count)."""
    chance = np.random.default_rng(9)
    alternating = np.where(np.arange(count) % 2, -1.0, 1.0)
    row = {
        "nan": np.full(count, np.nan),
        "inf": np.where(np.arange(count) % 3, np.inf, -np.inf),
        "dc": np.ones(count),
        "full scale": np.sign(chance.standard_normal(count)),
        "nyquist": alternating,
        "denormals": np.full(count, 1e-40),
        "huge": 9000.0 * chance.standard_normal(count).clip(-1, 1),
        "largest": 3e38 * alternating,
    }[kind]
    return np.tile(row.astype(np.float32), (channels, 1))


def play(stage: Stage, sound: Block, sizes: Sequence[int], settings: Mapping[str, float]) -> Block:
    """Return the output of a stage for a sound in blocks of these sizes, over and over."""
    blocks: list[Block] = []
    start = 0
    while start < sound.shape[1]:
        size = sizes[len(blocks) % len(sizes)]
        blocks.append(stage.process(sound[:, start : start + size].copy(), settings))
        start += size
    return np.concatenate(blocks, axis=1)


def delayed(sound: Block, samples: int) -> Block:
    """Return a sound of the same length that comes so much later."""
    return np.pad(sound, ((0, 0), (samples, 0)))[:, : sound.shape[1]]


def largest_step(sound: Block) -> float:
    """Return the largest difference of two samples that follow each other."""
    return float(np.abs(np.diff(sound.astype(np.float64))).max(initial=0.0))


def loudness(sound: Block) -> float:
    """Return the root mean square over all channels."""
    return float(np.sqrt(np.square(sound.astype(np.float64)).mean()))


def worst_gap(output: Block, expected: Block) -> float:
    """Return the largest difference of two sounds; infinite where one is NaN or of another length."""
    if output.shape != expected.shape:
        return float("inf")
    return float(np.nan_to_num(np.abs(output - expected), nan=np.inf).max(initial=0.0))
