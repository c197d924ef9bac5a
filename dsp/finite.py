"""Whether a block holds numbers only; asked several times a block."""

from __future__ import annotations

import numpy as np

from dsp.audio import Block
from dsp.compile import kernel


@kernel
def is_finite(block: Block) -> bool:
    """Return whether no sample is NaN or infinite."""
    total = 0.0
    for channel in range(block.shape[0]):
        for i in range(block.shape[1]):
            # What is no number stays none, whatever it is multiplied by.
            total += block[channel, i] * np.float32(0.0)
    return total == 0.0
