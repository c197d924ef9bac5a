"""Whether a block holds numbers only; asked several times a block, so it goes past what numpy wraps around it."""

from __future__ import annotations

import numpy as np

from models.stage import Block


def is_finite(block: Block) -> bool:
    """Return whether no sample is NaN or infinite."""
    return bool(np.logical_and.reduce(np.isfinite(block), None))
