"""A discriminator of pictures: whatever lays a signal out over time and frequency is judged by these layers."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from models.training.exciter.adversarial import Verdict

_SLOPE = 0.1


class PictureDiscriminator(nn.Module):
    """Strided convolutions over time, then over both (after UnivNet, Jang et al. 2021).

    Args:
        planes: Of the picture.
        channels: Of the layers.
        stride: Of the second and third layer over frequency.
    """

    def __init__(self, planes: int, channels: int, stride: int = 2) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                weight_norm(nn.Conv2d(planes, channels, (7, 3), (stride, 1), (3, 1))),
                weight_norm(nn.Conv2d(channels, channels, (5, 3), (stride, 2), (2, 1))),
                weight_norm(nn.Conv2d(channels, channels, (5, 3), (stride, 2), (2, 1))),
                weight_norm(nn.Conv2d(channels, channels, 3, 1, 1)),
            ]
        )
        self.judge = weight_norm(nn.Conv2d(channels, 1, 3, 1, 1))

    def forward(self, picture: Tensor) -> Verdict:
        """Judge pictures of shape (batch, planes, frequencies, frames)."""
        now, outputs = picture, []
        for layer in self.layers:
            now = functional.leaky_relu(layer(now), _SLOPE)
            outputs.append(now)
        return Verdict(outputs, self.judge(now))
