"""How loud an output shall be: the loudness and the peak that a person asks for, and the gain that leads there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
        import numpy as np

        from dsp.loudness import gated_loudness

        gain = self.gain(gated_loudness(np.concatenate([np.zeros(0), *energies])))
        return replace(self, gain_db=20 * math.log10(gain))

    def gain(self, lufs: float | None) -> float:
        """Return the factor that brings a loudness to the target; 1 for silence."""
        return 1.0 if self.lufs is None or lufs is None else float(10 ** ((self.lufs - lufs) / 20))


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
