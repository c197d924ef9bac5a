"""The running average of weights that is evaluated and shipped instead of the newest ones."""

from __future__ import annotations

from torch import Tensor, nn


def follow(average: dict[str, Tensor], network: nn.Module, share: float, step: int) -> None:
    """Move the average toward the network's weights, in place.

    Args:
        average: Like the network's state.
        network: What is being trained.
        share: Of the old average that is kept.
        step: Steps so far; early on the average must not cling to the first, untrained weights.
    """
    keep = min(share, step / (step + 20))
    for name, value in network.state_dict().items():
        average[name].lerp_(value, 1 - keep)
