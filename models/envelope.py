"""From predicted levels and knob positions to the gains of the LTV filters: where the knobs act, and exactly."""

from __future__ import annotations

import bisect
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsp import bands
from dsp.band_power import FLOOR_POWER, to_db, to_power
from dsp.fourier import Array

# An excitation weaker than this against its target is not lifted further: it would be noise of the arithmetic.
_MOST_GAIN = np.float32(10 ** (60.0 / 10))
_LEAST_GAIN = np.float32(10 ** (-140.0 / 10))
_CEILING_SLOPE_DB_PER_OCTAVE = 480.0
# Below this broadband level a frame counts as silence, and nothing is generated for it.
SILENCE_DB = -105.0
_SILENCE_FADE_DB = 10.0
_AUDIBLE = 10 ** (SILENCE_DB / 10)
ONSET_PAST = 8
_TOP_BANDS = 8.0
_LEAST_SHARE = np.float32(1e-6)
_CENTRES_HZ = bands.band_centres_hz().numpy()


@dataclass(frozen=True)
class Shape:
    """The knobs that act on the envelope alike from frame to frame; `crossover_hz` is never auto here."""

    crossover_hz: float
    amount_db: float = 0.0
    tilt_db_per_octave: float = 0.0
    ceiling_hz: float = 24000.0

    def offset_db(self) -> Array:
        """Return what amount, tilt and ceiling add to predicted levels, shape (bands,)."""
        octaves = np.maximum(np.log2(_CENTRES_HZ / self.crossover_hz), 0.0)
        above = np.maximum(np.log2(_CENTRES_HZ / self.ceiling_hz), 0.0)
        offset = self.amount_db + self.tilt_db_per_octave * octaves - _CEILING_SLOPE_DB_PER_OCTAVE * above
        return offset.astype(np.float32)

    def held_bands(self) -> NDArray[np.intp]:
        """Return which band's gain each band takes, shape (bands,).

        Below the crossover, where the high-pass lets nothing through, it is the first one above.
        """
        first = min(bisect.bisect_right(bands.band_edges_hz()[2:], self.crossover_hz), bands.BAND_COUNT - 1)
        return np.maximum(np.arange(bands.BAND_COUNT), first)


def linked(levels_db: Array, reference_db: Array) -> Array:
    """Give all channels one envelope relative to their own level, so that the stereo image stays where it is.

    Args:
        levels_db: Predicted levels, shape (channels, frames, bands).
        reference_db: Each channel's own level just below the crossover, shape (channels, frames, 1).

    Returns:
        Shape (channels, frames, bands).
    """
    share = to_power(reference_db)
    share /= np.add.reduce(share)
    offset: Array = levels_db - reference_db
    offset *= share
    levels: Array = reference_db + np.add.reduce(offset)
    return levels


def top_weights(mask: Array) -> Array:
    """Return the weights that average the levels of the highest trusted bands, shape (bands,).

    Args:
        mask: 1 where a band may be trusted, shape (bands,).
    """
    weight: Array = mask * (mask.cumsum() > mask.sum() - _TOP_BANDS)
    weight /= np.maximum(weight.sum(), np.float32(1))
    return weight


def missing_power(wanted_db: Array, present: Array) -> Array:
    """Return the power that adds up with what is present to what is wanted; very low where enough is there."""
    missing = to_power(wanted_db)
    missing -= present
    return np.maximum(missing, _LEAST_GAIN, out=missing)


def mixture(tonality: Array, tone: float) -> Array:
    """Return the shares of harmonics and of noise in the power, shape (channels, 2, frames, bands).

    Args:
        tonality: Predicted share of lines, 0..1, shape (channels, frames, bands).
        tone: -1 all noise, 0 as predicted, 1 all harmonics.
    """
    shares = np.empty((len(tonality), 2, *tonality.shape[1:]), np.float32)
    shares[:, 0] = tonality if tone == 0 else tonality + (1 - tonality) * tone if tone > 0 else tonality * (1 + tone)
    np.subtract(1, shares[:, 0], out=shares[:, 1])
    return np.maximum(shares, _LEAST_SHARE, out=shares)


def source_gains(power: Array, shares: Array, coloured: Array, noise: float) -> Array:
    """Return the gains that whiten the two sources and shape each to its share of a power.

    Args:
        power: Wanted, shape (channels, frames, bands).
        shares: From `mixture`; overwritten.
        coloured: Power of the coloured source, shape (channels, frames, bands or 1).
        noise: Power of the noise in every band.

    Returns:
        Gains as logarithms of power ratios, shape (channels, 2, frames, bands).
    """
    shares[:, 0] /= coloured
    shares[:, 1] *= np.float32(1 / noise)
    shares *= power[:, None]
    np.maximum(shares, _LEAST_GAIN, out=shares)
    np.minimum(shares, _MOST_GAIN, out=shares)
    return np.log(shares, out=shares)


def silence_gate(power: Array) -> Array:
    """Return 0 for frames that are silent by their mean square and 1 for those that are not, with a fade between."""
    if np.minimum.reduce(power, None) > _AUDIBLE:
        return np.ones_like(power)
    level_db = to_db(power + np.float32(1e-20))
    gate: Array = np.clip((level_db - np.float32(SILENCE_DB)) / np.float32(_SILENCE_FADE_DB) + 1, 0, 1)
    return gate


def onset_db(energy: Array, attack: float) -> Array:
    """Return what stresses or softens onsets: how far each hop stands above the hops before it, times the attack.

    Args:
        energy: Power of each hop after `ONSET_PAST` earlier ones, shape (channels, ONSET_PAST + frames).
        attack: -1 softens, 0 leaves alone, 1 stresses.

    Returns:
        dB to add to the envelope, shape (channels, frames, 1), within 12 dB either way.
    """
    energy = energy + np.float32(FLOOR_POWER)
    slow = np.lib.stride_tricks.sliding_window_view(energy, ONSET_PAST + 1, -1).mean(-1)
    rise_db: Array = np.clip(to_db(energy[:, ONSET_PAST:]) - to_db(slow), -12.0, 12.0)
    return attack * rise_db[..., None]
