"""The search of a block for NaN and Inf."""

from __future__ import annotations

import numpy as np

from dsp.audio import Block
from dsp.compile import kernel


@kernel
def is_finite(block: Block) -> bool:
    """Return whether no sample is NaN or infinite."""
    total = np.float32(0.0)
    for channel in range(block.shape[0]):
        for i in range(block.shape[1]):
            # 0 times NaN or Inf is NaN, and a sum keeps it.
            total += block[channel, i] * np.float32(0.0)
    finite: bool = total == 0.0
    return finite
