"""The measures of frames, as analysis writes them and the filter gains read them."""

from __future__ import annotations

from typing import NamedTuple

from dsp.fft import Array


class Measured(NamedTuple):
    """The measures of frames of input and source.

    Attributes:
        present: Power of the input's bands, shape (channels, frames, bands).
        source: Power of the source's bands, divided by the number of frames that are averaged; same shape.
        levels_db: Of the input's bands, same shape.
        tonality: Of the input's bands, same shape.
        gate: 0 where the input is silent, else 1; shape (channels, frames), as what follows.
        energy: Power of the input's newest hop.
        reference_db: Level just below the crossover.
    """

    present: Array
    source: Array
    levels_db: Array
    tonality: Array
    gate: Array
    energy: Array
    reference_db: Array
