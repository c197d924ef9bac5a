"""Gradient balance: losses of any scale pull at a signal with the strength that a run gives them.

Each loss's gradient at the network's output is divided by the running mean of its own size before it is weighted, so a
weight is a share of the pull and needs no tuning when a loss changes its scale (Defossez et al. 2022, EnCodec).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

_KEEP = 0.99
_LEAST = 1e-12


class Balancer(nn.Module):
    """Remembers how large each loss's gradient is.

    Args:
        shares: The weight of each loss by name.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        super().__init__()
        self.shares = dict(shares)
        for name in shares:
            # Sum of sizes and sum of weights: a running mean that is right from its first value on.
            self.register_buffer(name, torch.zeros(2, dtype=torch.float64))

    def forward(self, losses: Mapping[str, Tensor], output: Tensor) -> Tensor:
        """Return the gradient at the output that all losses together ask for.

        Args:
            losses: Scalars by name; those without a share are left out.
            output: What they were computed from, of any shape.
        """
        total = torch.zeros_like(output)
        for name, share in self.shares.items():
            if share and name in losses:
                (gradient,) = torch.autograd.grad(losses[name], output, retain_graph=True)
                total += gradient * (share / self._size(name, gradient))
        return total

    def _size(self, name: str, gradient: Tensor) -> float:
        seen: Tensor = getattr(self, name)
        newest = torch.tensor([float(gradient.norm()), 1.0], dtype=seen.dtype, device=seen.device)
        seen.copy_(_KEEP * seen + (1 - _KEEP) * newest)
        return max(float(seen[0] / seen[1]), _LEAST)
