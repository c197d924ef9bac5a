"""From predicted levels and knob positions to the gains of the LTV filters: where the knobs act, and exactly."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dsp import bands

# An excitation weaker than this against its target is not lifted further: it would be noise of the arithmetic.
_MOST_GAIN_DB = 60.0
_LEAST_GAIN_DB = -140.0
_CEILING_SLOPE_DB_PER_OCTAVE = 480.0
# Below this broadband level a frame counts as silence, and nothing is generated for it.
SILENCE_DB = -105.0
_SILENCE_FADE_DB = 10.0


@dataclass(frozen=True)
class Shape:
    """The knobs that act on the envelope, in their units; `crossover_hz` is never auto here."""

    crossover_hz: float
    amount_db: float = 0.0
    tilt_db_per_octave: float = 0.0
    tone: float = 0.0
    ceiling_hz: float = 24000.0


def linked(levels_db: Tensor, reference_db: Tensor) -> Tensor:
    """Give all channels one envelope relative to their own level, so that the stereo image stays where it is.

    Args:
        levels_db: Predicted levels, shape (channels, frames, bands).
        reference_db: Each channel's own level just below the crossover, shape (channels, frames, 1).

    Returns:
        Shape (channels, frames, bands).
    """
    share = torch.softmax(reference_db * (math.log(10.0) / 10.0), dim=0)
    offset = ((levels_db - reference_db) * share).sum(0, keepdim=True)
    return reference_db + offset


def top_level_db(levels_db: Tensor, mask: Tensor) -> Tensor:
    """Return the mean level of the highest trusted bands, shape (channels, frames, 1)."""
    weight = mask * (mask.cumsum(-1) > mask.sum(-1, keepdim=True) - _TOP_BANDS).float()
    return (levels_db * weight).sum(-1, keepdim=True) / weight.sum(-1, keepdim=True).clamp(min=1.0)


_TOP_BANDS = 8.0


def missing_db(wanted_db: Tensor, present_db: Tensor) -> Tensor:
    """Return the level that adds up with what is present to what is wanted; very low where enough is there."""
    missing = torch.pow(10.0, wanted_db / 10) - torch.pow(10.0, present_db / 10)
    return 10.0 * torch.log10(missing.clamp(min=10 ** (_LEAST_GAIN_DB / 10)))


def wanted_db(levels_db: Tensor, shape: Shape) -> Tensor:
    """Return predicted levels with amount, tilt and ceiling applied, shape (..., bands)."""
    centres = bands.band_centres_hz()
    octaves = torch.log2(centres / shape.crossover_hz).clamp(min=0.0)
    above = torch.log2(centres / shape.ceiling_hz).clamp(min=0.0)
    offset = shape.amount_db + shape.tilt_db_per_octave * octaves - _CEILING_SLOPE_DB_PER_OCTAVE * above
    return levels_db + offset


def mixture_db(tonality: Tensor, tone: float) -> tuple[Tensor, Tensor]:
    """Return the shares of harmonics and of noise in dB, power adding up to 1.

    Args:
        tonality: Predicted share of lines, 0..1.
        tone: -1 all noise, 0 as predicted, 1 all harmonics.
    """
    share = tonality + (1 - tonality) * tone if tone >= 0 else tonality * (1 + tone)
    tiny = 1e-6
    return 10 * torch.log10(share.clamp(min=tiny)), 10 * torch.log10((1 - share).clamp(min=tiny))


def held_below(gains_db: Tensor, crossover_hz: float) -> Tensor:
    """Hold the first gain above the crossover for all bands below it, where the high-pass lets nothing through."""
    first = min(bisect.bisect_right(bands.band_edges_hz()[2:], crossover_hz), bands.BAND_COUNT - 1)
    held = gains_db[..., first : first + 1].expand(*gains_db.shape[:-1], first)
    return torch.cat([held, gains_db[..., first:]], -1)


def source_gains_db(level_db: Tensor, share_db: Tensor, excitation_db: Tensor, crossover_hz: float) -> Tensor:
    """Return the gains that whiten an excitation and shape it to its share of a level, shape (..., bands)."""
    gains = (level_db + share_db - excitation_db).clamp(_LEAST_GAIN_DB, _MOST_GAIN_DB)
    return held_below(gains, crossover_hz)


def silence_gate(frames: Tensor) -> Tensor:
    """Return 0 for silent frames and 1 for frames that hold a signal, with a fade between; shape (..., 1).

    Args:
        frames: Samples, shape (..., window).
    """
    level_db = 10.0 * torch.log10(frames.square().mean(-1, keepdim=True) + 1e-20)
    return ((level_db - SILENCE_DB) / _SILENCE_FADE_DB + 1.0).clamp(0.0, 1.0)


def onset_db(energy_db: Tensor, attack: float) -> Tensor:
    """Return what stresses or softens onsets: how far each hop stands above the hops before it, times the attack.

    Args:
        energy_db: Level of each hop after `ONSET_PAST` earlier ones, shape (channels, ONSET_PAST + frames).
        attack: -1 softens, 0 leaves alone, 1 stresses.

    Returns:
        dB to add to the envelope, shape (channels, frames, 1), within 12 dB either way.
    """
    power = torch.pow(10.0, energy_db / 10)
    slow_db = 10 * torch.log10(power.unfold(-1, ONSET_PAST + 1, 1).mean(-1))
    rise_db = (energy_db[:, ONSET_PAST:] - slow_db).clamp(-12.0, 12.0)
    return (attack * rise_db)[..., None]


ONSET_PAST = 8
