"""The excitation of an extender: harmonics or a translation of the input, with the past they need."""

from __future__ import annotations

import numpy as np

from dsp import bands, exciter
from dsp.band_power import mean_square
from dsp.fourier import Array
from dsp.ltv import hop_ramp
from models.tape import Tape

KINDS = ("harmonics", "translation")
_LEAST_LEVEL = 1e-6


class Excitation:
    """Makes the coloured source from the input, hop by hop on the extender's grid.

    Args:
        kind: One of `KINDS`.
        sample_rate: Hz.
    """

    def __init__(self, kind: str, sample_rate: int) -> None:
        if kind not in KINDS:
            raise ValueError(f"the exciter must be one of {', '.join(KINDS)}, not '{kind}'")
        self.kind = kind
        self._rate = sample_rate
        self._hop = bands.hop_samples(sample_rate)
        self._ramp = hop_ramp(self._hop)
        self.reach = exciter.translation_reach(sample_rate) if kind == "translation" else 1

    def reset(self, channels: int) -> None:
        """Forget the past."""
        # At the end of the hop that is under way; no drive yet is 0.
        self._level = np.full((channels, 1), _LEAST_LEVEL, np.float32)
        self._drive = 0.0
        # Of each sample of that hop: the channels' gains into the limiter, and below them the gain behind it.
        self._gains = np.zeros((channels + 1, self._hop), np.float32)

    def level(self, lifted: Array) -> Array:
        """Return the level of frames for `source`, shape (channels, frames).

        Args:
            lifted: Frames of the input's first difference, shape (channels, frames, samples).
        """
        return np.maximum(np.sqrt(mean_square(lifted)), np.float32(_LEAST_LEVEL))

    def harmonics(self, lifted: Array, levels: Array | None, phase: int, drive_db: float, out: Array) -> None:
        """Write the harmonics of a block.

        Args:
            lifted: The block's first difference, shape (channels, time).
            levels: Of the frames that end inside the block, shape (channels, frames), if any do.
            phase: Samples of the first hop that came before the block.
            drive_db: As the knob says.
            out: Like `lifted`.
        """
        gains = self._gains
        if levels is not None:
            gains = self._of_hops(levels, 10 ** (drive_db / 20))
            if phase:
                gains = np.concatenate([self._gains, gains], 1)
            self._gains = gains[:, -self._hop :]
        gains = gains[:, phase : phase + lifted.shape[1]]
        exciter.harmonics(lifted, gains[:-1], gains[-1], out)

    def _of_hops(self, levels: Array, drive: float) -> Array:
        """Return the gains of each sample of the hops that begin with frames; shape (channels + 1, samples)."""
        channels, frames = levels.shape
        gains = np.empty((channels + 1, frames * self._hop), np.float32)
        level = self._between(np.concatenate([self._level, levels], 1))
        if self._drive in (0.0, drive):
            gains[:-1], gains[-1] = exciter.limiter_gain(level, drive), exciter.makeup_gain(drive)
        else:
            # The drive moves from boundary to boundary, as the level does.
            drives = self._between(np.array([[self._drive, *[drive] * frames]], np.float32))
            gains[:-1], gains[-1] = exciter.limiter_gain(level, drives), exciter.makeup_gain(drives)
        self._level, self._drive = levels[:, -1:], drive
        return gains

    def _between(self, boundaries: Array) -> Array:
        """Return values of each sample of the hops, on straight lines from boundary to boundary."""
        way = boundaries[:, 1:] - boundaries[:, :-1]
        samples: Array = (way[..., None] * self._ramp + boundaries[:, :-1, None]).reshape(len(boundaries), -1)
        return samples

    def translation(self, signal: Tape, count: int, position: int, crossover_hz: float | None) -> Array:
        """Return the translation of the input's newest samples, shape (channels, count).

        Args:
            signal: The input.
            count: Samples.
            position: Index of the first of them since the reset.
            crossover_hz: None where nothing is generated.
        """
        reached = signal.newest(count + self.reach)
        return exciter.translate(reached, crossover_hz or self._rate / 2, self._rate, position)
