"""A stage over a whole signal by the product's own block path, its latency taken out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.stage import Block, Stage

MAX_BLOCK = 1 << 16


def play(stage: Stage, signal: Block, settings: Mapping[str, float]) -> Block:
    """Return what a stage makes of a signal, aligned to the sample.

    Args:
        stage: Prepared for the signal's rate and channels and blocks of `MAX_BLOCK`.
        signal: Shape (channels, samples).
        settings: Values of the knobs.

    Returns:
        Same shape.
    """
    late = stage.latency_samples
    padded = np.pad(signal, ((0, 0), (0, late)))
    starts = range(0, padded.shape[1], MAX_BLOCK)
    blocks = [stage.process(np.ascontiguousarray(padded[:, k : k + MAX_BLOCK]), settings) for k in starts]
    return np.concatenate([signal[:, :0], *blocks], axis=1)[:, late:]
