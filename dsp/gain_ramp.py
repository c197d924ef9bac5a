"""Gains that move without clicks: straight ramps, sample by sample, wherever the blocks are cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Block
from dsp.compile import kernel

_RAMP_SECONDS = 0.01


def ramp_step(sample_rate: float) -> float:
    """Return by how much a gain moves toward its target from one sample to the next: one full gain in 10 ms."""
    return 1.0 / (_RAMP_SECONDS * sample_rate)


def unknown_gains() -> NDArray[np.float64]:
    """Return the gains of a signal and of what is added to it before the first target, on which they start."""
    return np.full(2, np.nan)


def hop_ramp(hop: int) -> Block:
    """Return how far each sample of a hop is on its way, 0..1, shape (hop,)."""
    ramp: Block = (np.arange(hop, dtype=np.float32) + np.float32(0.5)) / np.float32(hop)
    return ramp


@kernel
def mix(
    signal: Block, start: int, target: float, added: Block, added_target: float, gains: NDArray[np.float64],
    step: float, out: Block,
) -> None:  # fmt: skip
    """Write the sum of two signals, each by its gain; what rests at 1 stays as it is to the last bit.

    Args:
        signal: Shape (channels, time).
        start: Where the block begins in it.
        target: Of its gain.
        added: The block of the other signal, shape (channels, count).
        added_target: Of that one's gain.
        gains: From `unknown_gains`, then as the block before left them; overwritten.
        step: From `ramp_step`.
        out: Where the sum goes, like `added`.
    """
    count = out.shape[1]
    before = target if np.isnan(gains[0]) else gains[0]
    added_before = added_target if np.isnan(gains[1]) else gains[1]
    rests = before == target and added_before == added_target
    gain, added_gain = np.float32(target), np.float32(added_target)
    for channel in range(out.shape[0]):
        samples, others, mixed = signal[channel, start : start + count], added[channel], out[channel]
        if rests:
            for i in range(count):
                mixed[i] = gain * samples[i] + added_gain * others[i]
            continue
        for i in range(count):
            moved = np.float32(gain_after(i + 1, before, target, step))
            added_moved = np.float32(gain_after(i + 1, added_before, added_target, step))
            mixed[i] = moved * samples[i] + added_moved * others[i]
    gains[0] = gain_after(count, before, target, step)
    gains[1] = gain_after(count, added_before, added_target, step)


@kernel
def gain_after(samples: int, before: float, target: float, step: float) -> float:
    """Return where a gain is after so many samples."""
    covered = samples * step
    if covered >= abs(target - before):
        return target
    return before + covered if target > before else before - covered
