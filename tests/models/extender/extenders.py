"""Extenders at work: prepared ones, sounds for them, and ways to play."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from functools import lru_cache
from pathlib import Path

import numpy as np

from models.artifact.load import load_extender
from models.extender.extender import Extender
from models.stage import Block

EDGE_HZ = 6000.0
Settings = Mapping[str, float]
MOVED: Settings = {
    "amount": 3.0,
    "tilt": -2.0,
    "tone": 30.0,
    "drive": 12.0,
    "attack": 60.0,
    "ceiling": 15000.0,
    "width": 80.0,
    "mix": 70.0,
    "output": -3.0,
    "curve_8k": -6.0,
    "curve_12k": 4.0,
}


@lru_cache
def _of_rate(folder: Path, rate: int) -> Extender:
    extender = _loaded(folder)
    return Extender(extender.config, copy(extender.predictor), copy(extender.network))


@lru_cache
def _loaded(folder: Path) -> Extender:
    return load_extender(folder)


def prepared(folder: Path, rate: int = 48000, channels: int = 1, edge_hz: float | None = EDGE_HZ) -> Extender:
    """Return an extender that has forgotten everything; there is one for each folder and rate."""
    extender = _of_rate(folder, rate)
    extender.set_bandwidth(edge_hz)
    extender.prepare(rate, channels, 1024)
    return extender


def music(rate: int = 48000, channels: int = 1, seconds: float = 0.25, edge_hz: float = EDGE_HZ) -> Block:
    """Return lines and noise that end at an edge, with an onset in the middle; every channel is another."""
    count = int(rate * seconds)
    time = np.arange(count) / rate
    rng = np.random.default_rng(3)
    rows = []
    for channel in range(channels):
        pitch = 180.0 + 25 * channel
        lines = sum(np.sin(2 * np.pi * pitch * k * time + k * k) / k for k in range(1, int(edge_hz / pitch)))
        spectrum = np.fft.rfft(rng.standard_normal(count))
        spectrum[np.fft.rfftfreq(count, 1 / rate) > edge_hz] = 0
        rows.append(lines + np.fft.irfft(spectrum, n=count))
    swell = np.where(time < seconds / 2, 0.3, 1.0)
    return (0.1 * swell * np.stack(rows)).astype(np.float32)


def play(extender: Extender, sound: Block, sizes: Iterable[int], settings: Settings) -> Block:
    """Return what an extender makes of a sound, in blocks of these sizes over and over."""
    blocks: list[Block] = []
    start, turn = 0, list(sizes)
    while start < sound.shape[1]:
        size = turn[len(blocks) % len(turn)]
        blocks.append(extender.process(sound[:, start : start + size], settings))
        start += size
    return np.concatenate(blocks, 1)


def whole(extender: Extender, sound: Block, settings: Settings | None = None) -> Block:
    """Return what an extender makes of a sound from the reset on, in one block."""
    extender.reset()
    return extender.process(sound, settings or {})


def delayed(sound: Block, samples: int) -> Block:
    """Return a sound, of the same length, that comes late."""
    return np.pad(sound, ((0, 0), (samples, 0)))[:, : sound.shape[1]]
