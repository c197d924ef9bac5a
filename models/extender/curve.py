"""The curve of the amount: offsets in dB at fixed frequencies, a knob each, that act on the filters' gains exactly."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter

import numpy as np

from dsp import bands
from dsp.band_power import LOG_PER_DB
from dsp.fft import Array
from models.extender.controls import NODES_HZ

_values_of = itemgetter(*NODES_HZ)


def node_weights() -> Array:
    """Return each node's share of the curve at the centre of each band, shape (nodes, bands).

    Between two nodes the curve is a cubic over the octaves that is level at both: it meets each node's value, holds it
    around the node, and never goes beyond what the two say. It is constant below the first node and above the last.
    """
    nodes, centres = np.log2(list(NODES_HZ.values())), np.log2(bands.band_centres_hz())
    right = np.clip(np.searchsorted(nodes, centres), 1, len(nodes) - 1)
    way = np.clip((centres - nodes[right - 1]) / (nodes[right] - nodes[right - 1]), 0.0, 1.0)
    share = way * way * (3.0 - 2.0 * way)
    weights, columns = np.zeros((len(nodes), bands.BAND_COUNT), np.float32), np.arange(bands.BAND_COUNT)
    weights[right - 1, columns], weights[right, columns] = 1.0 - share, share
    return weights


class AmountCurve:
    """Holds the curve between moves of its nodes.

    Attributes:
        gains: What it adds to the filters' gains, as logarithms of power ratios, shape (bands,); always the same array.
    """

    def __init__(self) -> None:
        self._weights = node_weights() * np.float32(LOG_PER_DB)
        self._nodes = (0.0,) * len(NODES_HZ)
        self.gains = np.zeros(bands.BAND_COUNT, np.float32)

    def follow(self, values: Mapping[str, float]) -> None:
        """Compute the gains anew where a node has moved."""
        nodes = _values_of(values)
        if nodes != self._nodes:
            self._nodes = nodes
            np.dot(np.array(nodes, np.float32), self._weights, out=self.gains)
