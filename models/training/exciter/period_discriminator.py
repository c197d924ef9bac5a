"""The multi-period discriminator: the signal folded into rows of a period each (Kong, Kim and Bae 2020)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from models.training.exciter.adversarial import Verdict

PERIODS = (2, 3, 5, 7, 11)
_SLOPE = 0.1


class PeriodDiscriminator(nn.Module):
    """Judges one period.

    Args:
        period: Samples of a row.
        channels: Of the layers; each but the last takes every third row.
    """

    def __init__(self, period: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.period = period
        pairs = list(zip([1, *channels], channels, strict=False))
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(low, high, (5, 1), (3, 1) if place + 1 < len(pairs) else 1, (2, 0)))
            for place, (low, high) in enumerate(pairs)
        )
        self.judge = weight_norm(nn.Conv2d(channels[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, signal: Tensor) -> Verdict:
        """Judge signals of shape (batch, time)."""
        padded = functional.pad(signal, (0, -signal.shape[-1] % self.period))
        now, outputs = padded.unflatten(-1, (-1, self.period))[:, None], []
        for layer in self.layers:
            now = functional.leaky_relu(layer(now), _SLOPE)
            outputs.append(now)
        return Verdict(outputs, self.judge(now))


class MultiPeriod(nn.Module):
    """One discriminator a period."""

    def __init__(self, channels: Sequence[int] = (16, 32, 64, 64), periods: Sequence[int] = PERIODS) -> None:
        super().__init__()
        self.parts = nn.ModuleList(PeriodDiscriminator(period, channels) for period in periods)

    def forward(self, signal: Tensor) -> list[Verdict]:
        """Return the verdicts on signals of shape (batch, time)."""
        return [part(signal) for part in self.parts]
