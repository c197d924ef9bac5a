"""Quantising: from samples to the whole numbers of a file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsp.compile import background_kernel
from models.stage import Block


@background_kernel
def quantise(block: Block, bits: int, frames: NDArray[Any]) -> int:
    """Round samples without dither, so that those of this depth stay as they are, and clip them at full scale.

    libsndfile writes floats times 32767 and reads them divided by 32768; one power of two keeps samples exact.

    Args:
        block: Shape (channels, samples).
        bits: Of a number.
        frames: Where the numbers go, left-justified, shape (samples, channels); of a type as wide or wider.

    Returns:
        How many samples were beyond full scale.
    """
    full, shift, beyond = np.float32(2 ** (bits - 1)), 8 * frames.itemsize - bits, 0
    for channel in range(block.shape[0]):
        samples, numbers = block[channel], frames[:, channel]
        # Apart, each loop is computed for many samples at once; in one, they are not.
        for i in range(len(samples)):
            beyond += abs(samples[i]) > np.float32(1.0)
        for i in range(len(samples)):
            whole = min(max(np.rint(samples[i] * full), -full), full - np.float32(1.0))
            numbers[i] = np.int32(whole) << shift
    return beyond
