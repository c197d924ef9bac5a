"""Local conditioning: acoustic features of frames, given to the layers of a network at each layer's own rate.

The features are linear between frames. A layer's projection is linear too, so it is done on the frames and the result
is interpolated: the same values as features brought up to the signal's rate and down again, at a fraction of the work.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Conditioning(nn.Module):
    """The projection of features for one layer.

    Args:
        features: Of a frame.
        outputs: Values that the layer wants at each of its steps.
        hop: Steps of this layer from one frame to the next.
    """

    def __init__(self, features: int, outputs: int, hop: int) -> None:
        super().__init__()
        self.project = nn.Conv1d(features, outputs, 1)
        # A network begins as if it were not conditioned.
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)  # type: ignore[arg-type]
        self.hop = hop

    def forward(self, frames: Tensor, first: int, steps: int) -> Tensor:
        """Return the values of a stretch of steps.

        Args:
            frames: From the one at or before the first step to the one after the last, shape (batch, features, frames).
            first: The first step, counted from the first frame.
            steps: How many.

        Returns:
            Shape (batch, outputs, steps).
        """
        values = self.project(frames)
        ramp = torch.arange(self.hop, dtype=values.dtype, device=values.device) / self.hop
        left, right = values[..., :-1, None], values[..., 1:, None]
        whole: Tensor = (left + (right - left) * ramp).flatten(-2)
        return whole[..., first : first + steps]


def steps_within(phase: int, time: int, stride: int) -> tuple[int, int]:
    """Return the first step of a layer in a block, counted from the frame before the block, and how many there are.

    Args:
        phase: Samples from that frame to the block.
        time: Samples of the block.
        stride: Samples from one of the layer's steps to the next; it divides the hop.
    """
    first = -(-phase // stride)
    return first, -(-(phase + time) // stride) - first
