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


def critic_loss(real: Sequence[Verdict], made: Sequence[Verdict], game: Game) -> Tensor:
    """Return what discriminators minimise, a scalar: hinge (Lim and Ye 2017) or least squares (Mao et al. 2017)."""
    if game == "hinge":
        parts = [
            functional.relu(1 - r.verdict).mean() + functional.relu(1 + m.verdict).mean() for r, m in _pairs(real, made)
        ]
    else:
        parts = [(1 - r.verdict).square().mean() + m.verdict.square().mean() for r, m in _pairs(real, made)]
    return torch.stack(parts).mean()


def adversarial_loss(made: Sequence[Verdict], game: Game) -> Tensor:
    """Return what the generator minimises, a scalar."""
    if game == "hinge":
        return torch.stack([-m.verdict.mean() for m in made]).mean()
    return torch.stack([(1 - m.verdict).square().mean() for m in made]).mean()


def matching_loss(real: Sequence[Verdict], made: Sequence[Verdict]) -> Tensor:
    """Return how far the inner layers hear the two apart (Kumar et al. 2019), relative to the real one's size."""
    parts = [
        (m - r.detach()).abs().mean() / r.detach().abs().mean().clamp(min=1e-5)
        for real_one, made_one in _pairs(real, made)
        for r, m in zip(real_one.layers, made_one.layers, strict=True)
    ]
    return torch.stack(parts).mean()


def _pairs(real: Sequence[Verdict], made: Sequence[Verdict]) -> list[tuple[Verdict, Verdict]]:
    return list(zip(real, made, strict=True))
