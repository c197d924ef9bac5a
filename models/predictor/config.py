"""Sizes and constants of the predictor, for the network that is trained and for the kernel that plays alike."""

from __future__ import annotations

from dataclasses import dataclass

from dsp.bands import BAND_COUNT

# Levels enter as (dB + 60) / 20, which puts programme material within about -2..2.
CENTRE_DB = 60.0
SPREAD_DB = 20.0
MOST_DB = 40.0
# Bands below the crossover that the network also sees counted from there.
NEAR_BANDS = 8
# Groups of bands below the crossover whose mean tonality the network sees, and the bands of each.
TONE_GROUPS, TONE_BANDS = 4, 8
# Lines go on above the crossover: their share there is at least the first group's tonality times this.
TONE_KEPT = 2.4
FEATURES = 2 * BAND_COUNT + 2 * NEAR_BANDS + 1 + TONE_GROUPS


@dataclass(frozen=True)
class PredictorConfig:
    """Sizes of the network.

    Attributes:
        width: Channels between the layers.
        hidden: State of each recurrent layer.
        layers: Recurrent layers.
        kernel: Frames that the first, causal convolution sees.
        horizon: Frames from the middle of the newest input frame to the middle of the frame that is predicted;
            positive looks into the future (live), negative into the past (studio, whose signal is delayed).
        dropout: Share of features dropped between the layers while training.
        is_held: Whether levels are predicted against the reference of the frame that is predicted, held back by the
            horizon, and not against the newest frame's.
    """

    width: int = 192
    hidden: int = 256
    layers: int = 1
    kernel: int = 3
    horizon: int = 3
    dropout: float = 0.3
    is_held: bool = False

    @property
    def lag(self) -> int:
        """Frames by which the reference is held back."""
        return max(0, -self.horizon) if self.is_held else 0
