"""The last step of a block: the generated band, shaped, followed and cut off, and mixed with the input."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp import ltv
from dsp.buffers.finite import is_finite
from dsp.compile import kernel
from dsp.fft import Array
from dsp.gain_ramp import mix
from models.extender.crossover_filter import HighPasses, cut
from models.extender.fine_envelope import FineNetwork, FrameGrid, Memory
from models.extender.fine_following import follow
from models.extender.shaping import Hops


class Span(NamedTuple):
    """Where a block lies: the ends of source and input, its start in the generated band, and on the grid of hops."""

    source_end: int
    end: int
    start: int
    delay: int
    hop: int
    taps: int
    phase: int


class Fine(NamedTuple):
    """The fine envelope's place in the timeline, its frames, its filters for the crossover, network and memory."""

    position: int
    grid: FrameGrid
    poles: Array
    network: FineNetwork
    memory: Memory


class Mixing(NamedTuple):
    """How the band is mixed with the input: the exponent of the output gain to 10, the share of the band, switches."""

    output: float
    share: float
    is_bypassed: bool
    is_delta: bool
    gains: NDArray[np.float64]
    ramp: float


@kernel
def play(
    source: Array, signal: Array, generated: Array, span: Span, hops: Hops, fine: Fine, passes: HighPasses,
    mixing: Mixing, out: Array,
) -> bool:  # fmt: skip
    """Shape the source, add the noise, follow the fine envelope, cut off what lies below the crossover and mix.

    Returns:
        Whether all of the output is finite.
    """
    band, delay = np.zeros_like(out), span.delay
    at = span.end - out.shape[1] - delay
    has_band = len(hops.filters) > 0
    if has_band:
        noise = hops.noise.reshape(2, -1, hops.noise.shape[3])
        filters = hops.filters[: len(out)]
        ltv.shape(source, span.source_end - delay, filters, noise, span.hop, span.taps, span.phase, band)
    follow(signal, at, fine.position, fine.grid, fine.poles, fine.network, fine.memory, has_band, band)
    cut(band, generated, span.start, passes)
    gain = 10.0**mixing.output
    target = 1.0 if mixing.is_bypassed else 0.0 if mixing.is_delta else gain
    band_target = 0.0 if mixing.is_bypassed else gain * mixing.share
    mix(signal, at, target, band, band_target, mixing.gains, mixing.ramp, out)
    return is_finite(out)
