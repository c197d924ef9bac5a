"""Proof that an output holds its input: below the generated band, as its provenance names it, both are the same."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.stage import Block
from plugin_host.files.audio_reader import AudioFileError, AudioReader
from plugin_host.files.resample import resampled
from plugin_host.render.provenance import entry_of

# The law of the extender: what is left of the input when the output is taken away.
_NULL_DB = -90.0
# Of the spectrum next to the crossover, which the window smears.
_GUARD_HZ = 100.0
_LSB_DB = {"16": 20 * math.log10(2**-15), "24": 20 * math.log10(2**-23)}
# Rounding has a twelfth of a step's power; two roundings and one more for luck.
_ROUNDING_DB = 10 * math.log10(3 / 12)


@dataclass(frozen=True)
class Proof:
    """How far the output is from the input below the generated band.

    Attributes:
        below_hz: Where the generated band begins; the Nyquist frequency where nothing was generated.
        difference_db: Level of the difference below it, against full scale; -inf for none.
        input_db: Level of the input below it.
        allowed_db: What rounding to the output's depth explains, or 90 dB below the input.
        reason: Why the rest did not stay, where the provenance or the output's peaks say so.
    """

    below_hz: float
    difference_db: float
    input_db: float
    allowed_db: float
    reason: str

    @property
    def holds(self) -> bool:
        """Whether the rest is untouched."""
        return self.difference_db <= self.allowed_db


def prove(output: Path, against: Path) -> Proof:
    """Compare an output with its input.

    Args:
        output: Rendered by Highband.
        against: Its input.

    Raises:
        AudioFileError: One can't be read, has another length, or the output says nothing of how it was made.
    """
    with AudioReader(output) as wet, AudioReader(against) as dry:
        entry = entry_of(wet.tags())
        if entry is None:
            raise AudioFileError(f"{output} does not say that Highband made it; name an output as the first file")
        if wet.channels != dry.channels or abs(wet.frames - round(dry.frames * wet.rate / dry.rate)) > 1:
            raise AudioFileError(f"{against} is not the input of {output}: it has another length or other channels")
        below_hz = float(entry.get("generated_from_hz") or wet.rate / 2)
        size = wet.rate
        low = resampled(dry.blocks(), dry.rate, wet.rate, dry.channels)
        full_scale = 1.0 - 10 ** (_LSB_DB[wet.bits] / 20) if wet.bits in _LSB_DB else math.inf
        difference = clipped = power = 0.0
        count = clipped_count = 0
        for one, other in zip(_recut(wet.blocks(), size), _recut(low, size), strict=False):
            length = min(one.shape[1], other.shape[1])
            part = _power_below(one[:, :length] - other[:, :length], wet.rate, below_hz)
            difference += part
            if np.abs(one).max() >= full_scale:
                clipped += part
                clipped_count += 1
            power += _power_below(other[:, :length], wet.rate, below_hz)
            count += 1
        input_db, difference_db = _db(power / max(1, count)), _db(difference / max(1, count))
        rounding_db = _LSB_DB.get(wet.bits, -math.inf) + _ROUNDING_DB
        allowed_db = max(input_db + _NULL_DB, rounding_db)
        is_clipped = clipped_count and _db(max(0.0, difference - clipped) / count) <= allowed_db
        reason = _clipped_reason(clipped_count, count) if is_clipped else _reason(entry)
        return Proof(below_hz, difference_db, input_db, allowed_db, reason)


def _clipped_reason(clipped: int, count: int) -> str:
    return f"it reaches full scale in {clipped} of {count} seconds and was clipped there; WAV with --bits 32f is not"


def _reason(entry: dict[str, object]) -> str:
    if entry.get("loudness"):
        return "its loudness was changed on purpose"
    return f"the effects of the preset '{entry['preset']}' may have changed it" if entry.get("preset") else ""


def _recut(blocks: Iterator[Block], size: int) -> Iterator[Block]:
    waiting: list[Block] = []
    for block in blocks:
        waiting.append(block)
        joined = np.concatenate(waiting, axis=1)
        whole = joined.shape[1] // size * size
        yield from np.split(joined[:, :whole], whole // size, axis=1) if whole else ()
        waiting = [joined[:, whole:]]
    if waiting and waiting[0].shape[1]:
        yield np.concatenate(waiting, axis=1)


def _power_below(block: Block, rate: int, below_hz: float) -> float:
    """Return the mean square of what lies below a frequency."""
    samples = block.shape[1]
    window = np.hanning(samples + 2)[1:-1]
    spectrum = np.fft.rfft(block.astype(np.float64) * window)
    bins = max(1, int((below_hz - _GUARD_HZ) / rate * samples)) if below_hz < rate / 2 else spectrum.shape[1]
    total = 2 * float(np.square(np.abs(spectrum[:, :bins])).sum())
    return float(total / (samples * np.square(window).sum() * len(block)))


def _db(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
