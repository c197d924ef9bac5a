"""The type of a block of audio."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Shape (channels, samples), float32, -1..1.
Block = NDArray[np.float32]
