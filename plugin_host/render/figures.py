"""The figures of a rendering: its format, what was added, and how loud it was before and is after."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from models.stage import Block
    from plugin_host.files.suffixes import Bits
    from plugin_host.metering.programme_loudness import LoudnessMeter

# Less than this is rounding.
_NOTHING_DB = -140.0


@dataclass(frozen=True)
class Rendering:
    """What became of one file.

    Attributes:
        source, target: The files.
        rate, channels, bits: Format of the output.
        seconds: Length of the audio.
        edge_hz: True bandwidth of the input, where the crossover follows it.
        generated_from_hz: Where the generated band begins; None where nothing is generated, or it is not known.
        added_db: Level of all that the output has more, or other, than the input, against full scale; None for nothing.
        lufs_before, lufs_after: Integrated loudness of input and output; None for silence and less than 400 ms.
        true_peak_before_db, true_peak_after_db: Highest value, between samples too; None for silence.
        clipped: Samples beyond full scale that the output's integers could not hold.
        mended: Samples of the input that were not numbers and became silence.
        notes: What a person should know of how the input was read.
        took_s: Time that the work took.
    """

    source: Path
    target: Path
    rate: int
    channels: int
    bits: Bits
    seconds: float
    edge_hz: float | None
    generated_from_hz: float | None
    added_db: float | None
    lufs_before: float | None
    lufs_after: float | None
    true_peak_before_db: float | None
    true_peak_after_db: float | None
    clipped: int
    mended: int
    notes: tuple[str, ...]
    took_s: float

    @property
    def speed(self) -> float:
        """Seconds of audio in a second of work."""
        return self.seconds / max(self.took_s, 1e-9)

    @property
    def _is_silent(self) -> bool:
        return self.true_peak_before_db is None

    @property
    def figures(self) -> str:
        """Length, format and bandwidth in words."""
        minutes, seconds = divmod(self.seconds, 60)
        edge_hz = None if self._is_silent else self.edge_hz
        edge = f", true bandwidth {edge_hz / 1000:.1f} kHz" if edge_hz is not None else ""
        depth = "32-bit float" if self.bits == "32f" else f"{self.bits} bit"
        return f"{minutes:.0f}:{seconds:04.1f}, {self.rate / 1000:g} kHz, {depth}{edge}"

    @property
    def warnings(self) -> list[str]:
        """What a person should know, in a sentence each."""
        notes = [*self.notes]
        if self.added_db is None:
            is_full = self.edge_hz is not None and self.generated_from_hz is None
            why = "silence: " if self._is_silent else "full-band: " if is_full else ""
            notes.append(f"{why}nothing added")
        if self.clipped:
            were = _samples(self.clipped)
            notes.append(f"{were} beyond full scale and clipped; WAV with --bits 32f keeps what is beyond it")
        if self.mended:
            notes.append(f"{_samples(self.mended)} NaN or infinite in the input and became silence")
        return notes


def _samples(count: int) -> str:
    return "1 sample was" if count == 1 else f"{count} samples were"


class Loudness(NamedTuple):
    """How loud something is; None for silence, and LUFS for less than 400 ms."""

    lufs: float | None
    true_peak_db: float | None

    @classmethod
    def of(cls, meter: LoudnessMeter) -> Loudness:
        """Return what a meter has measured."""
        return cls(_rounded(meter.lufs), _rounded(meter.true_peak_db))


class Input(NamedTuple):
    """What is known of an input after its last block."""

    loudness: Loudness
    mended: int


class Measurement:
    """Measures what a render adds while it goes on.

    Attributes:
        input: After the last block.
    """

    input: Input

    def __init__(self) -> None:
        self._waiting: list[Block] = []
        self._added, self._count = 0.0, 0

    def dry(self, blocks: Iterable[Block | Input]) -> Iterator[Block]:
        """Yield the input's blocks, the last of which is followed by what is known of it, and keep them."""
        for block in blocks:
            if isinstance(block, Input):
                self.input = block
            else:
                self._waiting.append(block)
                yield block

    def wet(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Yield blocks of the output, aligned with the input, and measure what they have more."""
        # What reads the figures of a rendering does without it.
        import numpy as np

        for block in blocks:
            done = 0
            while done < block.shape[1]:
                dry = self._waiting[0]
                count = min(dry.shape[1], block.shape[1] - done)
                difference = block[:, done : done + count] - dry[:, :count]
                self._added += float(np.vdot(difference, difference))
                self._waiting[:1] = [dry[:, count:]] if count < dry.shape[1] else []
                done += count
            self._count += block.size
            yield block

    @property
    def added_db(self) -> float | None:
        """See `Rendering`."""
        power = self._added / max(1, self._count)
        level = 10 * math.log10(power) if power > 0 else -math.inf
        return round(level, 2) if level > _NOTHING_DB else None


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 2)
