"""Loudness and true peak of a stream (ITU-R BS.1770-4), and the gain that brings it where it is wished."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsp.limiter import limited
from dsp.loudness import k_weighting, peak_filters, true_peak, weigh
from models.stage import Block
from plugin_host.chain.loudness_match import gated_loudness
from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_writer import AudioWriter

_STEP_S = 0.1
# A limiter that works takes loudness away; what is missing is added again so often, or until so little is missing.
_MOST_CORRECTIONS, _NEAR_DB = 4, 0.05
# Of the channels of 5.1: left, right, centre, low frequencies (which don't count), left and right surround.
_SURROUND_WEIGHTS = (1.0, 1.0, 1.0, 0.0, 1.41, 1.41)


class LoudnessMeter:
    """Measures a stream, handed over in blocks of any length, in memory of 8 bytes for 100 ms.

    Args:
        sample_rate: In Hz.
        channels: Of 6, the fourth is taken for the low frequencies of 5.1.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._step = round(_STEP_S * sample_rate)
        self._filters, self._peak_filters = k_weighting(sample_rate), peak_filters()
        self._weights = np.array(_SURROUND_WEIGHTS if channels == len(_SURROUND_WEIGHTS) else [1.0] * channels)
        self._state, self._sums = np.zeros((channels, 2, 2)), np.zeros(channels)
        self._filled = 0
        self._steps: list[NDArray[np.float64]] = []
        self._tail: Block = np.zeros((channels, self._peak_filters.shape[1] - 1), np.float32)
        self._peak = 0.0

    def add(self, block: Block) -> None:
        """Measure the next samples, shape (channels, samples), finite."""
        if not block.shape[1]:
            return
        # The kernels know no other, and would be compiled once more.
        block = np.ascontiguousarray(block)
        steps = np.zeros((len(block), (self._filled + block.shape[1]) // self._step))
        self._filled = weigh(block, self._filters, self._state, self._sums, self._filled, self._step, steps)
        if steps.shape[1]:
            self._steps.append(self._weights @ steps / self._step)
        reach = self._tail.shape[1]
        seam = np.concatenate([self._tail, block[:, :reach]], axis=1)
        self._peak = true_peak(block, self._peak_filters, true_peak(seam, self._peak_filters, self._peak))
        self._tail = (block if block.shape[1] >= reach else seam)[:, -reach:].copy()

    @property
    def energies(self) -> NDArray[np.float64]:
        """The weighted mean squares of each 100 ms, shape (steps,)."""
        return np.concatenate([np.zeros(0), *self._steps])

    @property
    def lufs(self) -> float | None:
        """The integrated loudness, or None where all is silence or shorter than 400 ms."""
        return gated_loudness(self.energies)

    @property
    def true_peak_db(self) -> float:
        """The highest value, also between samples, in dB against full scale; -inf for silence."""
        silence = np.zeros((len(self._tail), self._tail.shape[1]), np.float32)
        peak = true_peak(np.concatenate([self._tail, silence], axis=1), self._peak_filters, self._peak)
        return 20 * math.log10(peak) if peak > 0 else -math.inf


@dataclass(frozen=True)
class LoudnessTarget:
    """How loud an output shall be.

    Attributes:
        lufs: Integrated loudness; None leaves it.
        true_peak_db: Highest value, between samples too, in dB against full scale; None leaves it.
        gain_db: Of an album, by which all its files come to the loudness together; None measures the file alone.
    """

    lufs: float | None = None
    true_peak_db: float | None = None
    gain_db: float | None = None

    @classmethod
    def from_text(cls, loudness: str | None, true_peak: str | None) -> LoudnessTarget | None:
        """Read "-16LUFS" and "-1dBTP", or plain numbers; None for neither; raise ValueError with a sentence."""
        if loudness is None and true_peak is None:
            return None
        return cls(
            _read(loudness, "LUFS", "--loudness", (-70.0, -5.0)), _read(true_peak, "dBTP", "--true-peak", (-20.0, 0.0))
        )

    def of_album(self, energies: Sequence[NDArray[np.float64]]) -> LoudnessTarget:
        """Return the target with the gain that brings several files, one after the other, to it.

        Args:
            energies: Of each file, as `LoudnessMeter.energies` has them.
        """
        gain = self.gain(gated_loudness(np.concatenate([np.zeros(0), *energies])))
        return replace(self, gain_db=20 * math.log10(gain))

    def gain(self, lufs: float | None) -> float:
        """Return the factor that brings a loudness to the target; 1 for silence."""
        return 1.0 if self.lufs is None or lufs is None else float(10 ** ((self.lufs - lufs) / 20))


def normalised(
    blocks: Iterable[Block], folder: Path, rate: int, channels: int, frames: int, target: LoudnessTarget
) -> Iterator[Block]:
    """Yield the blocks at the target's loudness, after all of them were measured.

    Args:
        blocks: Shape (channels, samples).
        folder: Takes them meanwhile, in a hidden file that is removed.
        rate: In Hz.
        channels: Number of channels.
        frames: Samples per channel, about.
        target: Loudness and peak.
    """
    if target.gain_db is not None:
        yield from _leveled(blocks, rate, 10 ** (target.gain_db / 20), target)
        return
    with tempfile.TemporaryDirectory(prefix=".highband-", dir=folder) as scratch:
        path, meter = Path(scratch) / "scratch.wav", LoudnessMeter(rate, channels)
        with AudioWriter(path, rate, channels, "32f", frames) as writer:
            for block in blocks:
                meter.add(block)
                writer.write(block)
        with AudioReader(path) as reader:
            gain = target.gain(meter.lufs)
            if target.lufs is not None and target.true_peak_db is not None:
                gain = _corrected(reader, gain, target)
            yield from _leveled(reader.blocks(), rate, gain, target)


def _corrected(reader: AudioReader, gain: float, target: LoudnessTarget) -> float:
    """Return the gain that gives the loudness behind the limiter, which makes a loud file softer."""
    for _ in range(_MOST_CORRECTIONS):
        meter = LoudnessMeter(reader.rate, reader.channels)
        for block in _leveled(reader.blocks(), reader.rate, gain, target):
            meter.add(block)
        more = target.gain(meter.lufs)
        gain *= more
        if abs(20 * math.log10(more)) < _NEAR_DB:
            break
    return gain


def _leveled(blocks: Iterable[Block], rate: int, gain: float, target: LoudnessTarget) -> Iterator[Block]:
    if target.true_peak_db is not None:
        yield from limited(blocks, rate, gain, target.true_peak_db)
    else:
        yield from (block * np.float32(gain) for block in blocks)


def _read(text: str | None, unit: str, option: str, bounds: tuple[float, float]) -> float | None:
    if text is None:
        return None
    number = text.strip().lower().removesuffix(unit.lower()).strip().replace(",", ".")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not bounds[0] <= value <= bounds[1]:
        raise ValueError(f"{option} must be between {bounds[0]:g} and {bounds[1]:g} {unit}, not '{text}'")
    return value
