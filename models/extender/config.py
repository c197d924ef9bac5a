"""The sizes and choices that an artifact holds of an extender besides its weights."""

from __future__ import annotations

from dataclasses import dataclass

from dsp import bands
from models.exciters.config import NetworkConfig
from models.predictor.config import PredictorConfig


@dataclass(frozen=True)
class ExtenderConfig:
    """The sizes and choices that an artifact holds of an extender besides its weights.

    Attributes:
        predictor: Sizes of the network.
        lookahead_hops: Hops by which the signal is delayed, so that the predictor sees what comes.
        exciter: One of `models.extender.excitation.KINDS`: what stands beside the noise; or one of
            `models.exciters.config.CONFIGS`, for a network that makes all of the excitation.
        network: Sizes of that network; None for the others.
        window_fall: Share of the input's frame over which its window falls off: 0.5 is a Hann window; where nothing is
            seen ahead, a shorter fall weighs the newest samples more.
        whiten: Whether the source's own band levels are taken out before it is shaped; off only for comparison.
    """

    predictor: PredictorConfig
    lookahead_hops: int = 0
    exciter: str = "harmonics"
    network: NetworkConfig | None = None
    window_fall: float = bands.HANN_FALL
    whiten: bool = True


def horizon(lookahead_hops: int) -> int:
    """Return the predictor's horizon in frames: a filter is in full force one hop after the newest frame's end."""
    return 1 + bands.window_samples(48000) // (2 * bands.hop_samples(48000)) - lookahead_hops
