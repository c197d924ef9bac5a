"""The self-test: a short sound, and the output of an extender for it that every later load has to repeat."""

from __future__ import annotations

import numpy as np

from models.extender.extender import Extender
from models.stage import Block

RATE = 48000
EDGE_HZ = 6000.0
_SECONDS = 0.5
_SEED = 7


def stimulus() -> Block:
    """Return a band-limited sound with lines, noise and an onset, shape (1, samples)."""
    count = int(RATE * _SECONDS)
    time = np.arange(count) / RATE
    tone = sum(np.sin(2 * np.pi * 180 * k * time + k) / k for k in range(1, 30))
    noise = np.fft.rfft(np.random.default_rng(_SEED).standard_normal(count))
    noise[np.fft.rfftfreq(count, 1 / RATE) > EDGE_HZ] = 0
    swell = np.where(time < _SECONDS / 2, time, 0.25 + (time - _SECONDS / 2))
    sound = 0.2 * swell * (tone + np.fft.irfft(noise, n=count))
    return sound.astype(np.float32)[None]


def play(extender: Extender, sound: Block) -> Block:
    """Return the extender's output for a sound, with every knob at its default."""
    extender.prepare(RATE, sound.shape[0], sound.shape[1])
    extender.set_bandwidth(EDGE_HZ)
    output = extender.process(sound, {})
    extender.set_bandwidth(None)
    extender.reset()
    return output
