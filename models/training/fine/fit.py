"""Fitting the fine envelope: the network as torch has it, its loss, and the loop, which takes a few minutes.

The gain of a frame is decided at its end and reached at the end of the next, so the band's level in a frame is changed
by the mean of the two gains before it. What is asked for is that the changes of the band's level that are faster than
100 ms are the clean one's, in quiet frames too, that onsets have their level, and that the slower level stays as the
filters made it, but for rests, where it is not above the clean one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.extender import fine_envelope
from models.extender.config import ExtenderConfig
from models.extender.extender import Extender
from models.extender.fine_envelope import FLOOR, INPUT_BANDS, MOST_BELS, MOST_DB, REFERENCE, SILENT
from models.predictor.kernel import KernelInference
from models.predictor.network import Predictor
from models.training.data.corpus import Clip
from models.training.fine.examples import FineExample, chosen, examples
from models.training.top_band import onsets

HIDDEN = 16
STEPS = 6000
_RATE, _DECAY, _CLIP_NORM = 3e-3, 1e-3, 1.0
_ROWS, _CROP = 6, 2400
# Frames of 10.7 ms at 5.3 ms, as fast changes are measured in, and as many as 100 ms are.
_POOL, _HOP, _SLOW = 16, 8, 19
_LOUD_DB, _LEAST_DB, _QUIET_DB = 40.0, 60.0, 75.0
# Weights: of quiet frames and of their rise, of the slower level, of onsets.
_QUIET, _RISE, _SLOWLY, _ONSET = 1 / 60, 0.03, 0.04, 2.4 / 30
# The rest before an onset and its attack, in hops.
_ONSET_FRAMES = (-12, 8)
_FAR_DB = 6.0


class FineLearner(nn.Module):
    """The network of `models.extender.fine_envelope` for training."""

    def __init__(self, sees_ahead: bool) -> None:
        super().__init__()
        self.of_input, self.of_band = fine_envelope.lags(sees_ahead)
        self.newest = max(0, -min(self.of_input))
        # Frames before one that its features come from.
        self.reach = REFERENCE + max(*self.of_input, *self.of_band) + self.newest
        self.enter = nn.Linear(fine_envelope.feature_count(sees_ahead), HIDDEN)
        self.mix = nn.Linear(HIDDEN, HIDDEN)
        self.leave = nn.Linear(HIDDEN, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def features(self, levels: Tensor) -> Tensor:
        """Return what the network sees of each frame, shape (frames, features); levels of shape (bands, frames)."""
        bands, band = levels[:INPUT_BANDS], levels[INPUT_BANDS:]
        reference = _sum_before(bands[-1:]) / REFERENCE
        is_sounding = band > SILENT
        of_band = _sum_before(band * is_sounding, 0.0) / _sum_before(is_sounding.float(), 0.0).clamp(min=1)
        seen = [_earlier(bands, lag + self.newest) - reference for lag in self.of_input]
        for lag in self.of_band:
            level = _earlier(band, lag)
            seen.append(torch.where(level > SILENT, level - of_band, -MOST_BELS))
        return torch.cat(seen).clamp(-MOST_BELS, MOST_BELS).T

    def forward(self, features: Tensor) -> Tensor:
        """Return the gain at the end of the frame after each, in dB, shape (frames,)."""
        hidden = torch.relu(self.mix(torch.relu(self.enter(features))))
        return MOST_DB * torch.tanh(self.leave(hidden))[..., 0]


class _Crop(NamedTuple):
    features: Tensor
    restored: Tensor
    clean: Tensor


def fit(known: Sequence[FineExample], sees_ahead: bool, steps: int = STEPS, seed: int = 0) -> dict[str, Tensor]:
    """Fit a network to examples, at least one, drawn evenly by category, and return its weights by name."""
    torch.manual_seed(seed)
    learner = FineLearner(sees_ahead)
    optimiser = torch.optim.AdamW(learner.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    random = np.random.default_rng(seed)
    kinds: dict[str, list[FineExample]] = {}
    for example in known:
        kinds.setdefault(example.category, []).append(example)
    categories = sorted(kinds)
    for _ in range(steps):
        drawn = [kinds[categories[random.integers(len(categories))]] for _ in range(_ROWS)]
        crops = [_crop(kind[random.integers(len(kind))], learner, random) for kind in drawn]
        losses = [loss_of(learner(crop.features), crop.restored, crop.clean) for crop in crops]
        loss = torch.stack(losses).sum()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learner.parameters(), _CLIP_NORM)
        optimiser.step()
        schedule.step()
    return {name: value.detach() for name, value in learner.state_dict().items()}


def loss_of(gain_db: Tensor, restored: Tensor, clean: Tensor) -> Tensor:
    """Return the loss of the gains at the ends of frames, for the powers of the restored and the clean band."""
    applied = functional.pad(gain_db, (2, 0))
    applied = (applied[:-2] + applied[1:-1]) / 2
    powers = (restored * 10 ** (applied / 10), clean, restored)
    mine, true, before = (_pooled_db(power, _POOL) for power in powers)
    loudest = true.max()
    error = (_fast(mine, loudest - _LEAST_DB) - _fast(true, loudest - _LEAST_DB)).square()
    is_loud = true > loudest - _LOUD_DB
    spread = _fast(true, loudest - _LEAST_DB)[is_loud].square().mean() + 4
    quiet = (_fast(mine, loudest - _QUIET_DB) - _fast(true, loudest - _QUIET_DB)).square()
    rise = (mine - before).clamp(min=0).square()
    return (
        (error * is_loud).sum() / is_loud.sum() / spread
        + ((_QUIET * quiet + _RISE * rise) * ~is_loud).sum() / (~is_loud).sum().clamp(min=10)
        + _SLOWLY * _slow_error(mine, torch.where(is_loud, before, true), is_loud)
        + _ONSET * _onset_error(*(_pooled_db(power, _HOP) for power in powers[:2]))
    )


def _slow_error(mine: Tensor, wanted: Tensor, is_loud: Tensor) -> Tensor:
    floor = wanted.max() - _LEAST_DB
    difference = _slow(mine.clamp(min=floor)) - _slow(wanted.clamp(min=floor))
    # Nobody misses the noise that a recording has in its rests.
    difference = torch.where(is_loud, difference, difference.clamp(min=0))
    return functional.huber_loss(difference, torch.zeros_like(difference), delta=_FAR_DB)


def _onset_error(mine: Tensor, true: Tensor) -> Tensor:
    floor = true.max() - _LEAST_DB
    starts = torch.from_numpy(onsets(true.double().numpy()))
    if not len(starts):
        return torch.zeros(())
    rows = (starts[:, None] + torch.arange(*_ONSET_FRAMES)).clamp(0, len(true) - 1)
    difference = (mine.clamp(min=floor) - true.clamp(min=floor))[rows]
    return functional.huber_loss(difference, torch.zeros_like(difference), delta=_FAR_DB)


def _crop(example: FineExample, learner: FineLearner, random: np.random.Generator) -> _Crop:
    first = int(random.integers(max(1, len(example.clean) - _CROP)))
    levels, before = torch.from_numpy(example.levels[:, : first + _CROP]), max(0, first - learner.reach)
    restored, clean = (torch.from_numpy(part[first : first + _CROP]) for part in example[1:3])
    return _Crop(learner.features(levels[:, before:])[first - before :], restored, clean)


def _pooled_db(power: Tensor, frames: int) -> Tensor:
    return 10 * torch.log10(functional.avg_pool1d(power[None], frames, _HOP)[0] + 1e-12)


def _slow(levels_db: Tensor) -> Tensor:
    padded = functional.pad(levels_db[None], (_SLOW // 2, _SLOW // 2), mode="replicate")
    return functional.avg_pool1d(padded, _SLOW, 1)[0]


def _fast(levels_db: Tensor, floor_db: Tensor) -> Tensor:
    levels = levels_db.clamp(min=floor_db)
    return levels - _slow(levels)


def _earlier(levels: Tensor, frames: int) -> Tensor:
    """Return levels so many frames back, the floor before they begin."""
    return functional.pad(levels, (frames, 0), value=FLOOR)[:, : levels.shape[1]]


def _sum_before(levels: Tensor, before: float = FLOOR) -> Tensor:
    padded = functional.pad(levels, (REFERENCE - 1, 0), value=before)
    return functional.avg_pool1d(padded[None], REFERENCE, 1)[0] * REFERENCE


def fit_for(
    config: ExtenderConfig, predictor: Predictor, clips: Sequence[Clip], steps: int = STEPS
) -> dict[str, Tensor]:
    """Return a fine envelope's weights for a trained predictor; none for no steps, or where no clip has a top."""
    bare = Extender(config, KernelInference(predictor.config, predictor.arrays()))
    known = list(examples(chosen(clips), bare)) if steps else []
    return fit(known, config.lookahead_hops > 0, steps) if known else {}
