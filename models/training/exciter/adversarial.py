"""Adversarial losses, each a small pure function of what discriminators say.

A discriminator returns the outputs of all its layers; the last one is its verdict, high for what it takes for real.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

Game = Literal["hinge", "squares"]


class Verdict(NamedTuple):
    """What one discriminator says: the outputs of its inner layers, and the verdict."""

    layers: list[Tensor]
    verdict: Tensor


def critic_loss(real: Sequence[Verdict], generated: Sequence[Verdict], game: Game) -> Tensor:
    """Return what discriminators minimise, a scalar: hinge (Lim and Ye 2017) or least squares (Mao et al. 2017)."""
    if game == "hinge":
        parts = [
            functional.relu(1 - r.verdict).mean() + functional.relu(1 + m.verdict).mean()
            for r, m in _pairs(real, generated)
        ]
    else:
        parts = [(1 - r.verdict).square().mean() + m.verdict.square().mean() for r, m in _pairs(real, generated)]
    return torch.stack(parts).mean()


def adversarial_loss(generated: Sequence[Verdict], game: Game) -> Tensor:
    """Return what the generator minimises, a scalar."""
    if game == "hinge":
        return torch.stack([-m.verdict.mean() for m in generated]).mean()
    return torch.stack([(1 - m.verdict).square().mean() for m in generated]).mean()


def matching_loss(real: Sequence[Verdict], generated: Sequence[Verdict]) -> Tensor:
    """Return how far apart the inner layers see the two (Kumar et al. 2019), relative to the real one's size."""
    parts = [
        (m - r.detach()).abs().mean() / r.detach().abs().mean().clamp(min=1e-5)
        for real_one, generated_one in _pairs(real, generated)
        for r, m in zip(real_one.layers, generated_one.layers, strict=True)
    ]
    return torch.stack(parts).mean()


def _pairs(real: Sequence[Verdict], generated: Sequence[Verdict]) -> list[tuple[Verdict, Verdict]]:
    return list(zip(real, generated, strict=True))
