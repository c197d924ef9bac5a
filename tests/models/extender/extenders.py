"""Extenders at work: prepared ones, sounds for them, and ways to play."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from models.artifact.load import load_extender
from models.extender.extender import Extender
from models.stage import Block
from plugin_host.checks import signals
from plugin_host.checks.signals import EDGE_HZ

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
    return _loaded(folder).sibling()


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
    """Return the music that tries any stage, of one channel unless more are wished."""
    return signals.music(rate, channels, seconds, edge_hz)


def whole(extender: Extender, sound: Block, settings: Settings | None = None) -> Block:
    """Return what an extender makes of a sound from the reset on, in one block."""
    extender.reset()
    return extender.process(sound, settings or {})
