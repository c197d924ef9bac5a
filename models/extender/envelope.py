"""From predicted levels and knob positions to the gains of the LTV filters: where the knobs act, and exactly."""

from __future__ import annotations

import bisect
import math
from typing import NamedTuple

import numpy as np

from dsp import bands
from dsp.band_power import FLOOR_POWER, LOG_PER_DB
from dsp.compile import kernel
from dsp.fast_math import exp, log
from dsp.fft import Array
from models.predictor.inference import Predicted

# An excitation weaker than this against its target is not lifted further: it would be noise of the arithmetic.
_MOST_GAIN = 10 ** (60.0 / 10)
_LEAST_GAIN = 10 ** (-140.0 / 10)
_CEILING_SLOPE_DB_PER_OCTAVE = 480.0
# Below this broadband level a frame counts as silence, and nothing is generated for it.
SILENCE_DB = -105.0
_SILENCE_FADE_DB = 10.0
_AUDIBLE = 10 ** (SILENCE_DB / 10)
ONSET_PAST = 8
_TOP_BANDS = 8.0
_LEAST_SHARE = 1e-6
_CENTRE_OCTAVES = np.log2(bands.band_centres_hz())


class Shape(NamedTuple):
    """The knobs that act on the envelope alike from frame to frame.

    Attributes:
        crossover_hz: Never auto here.
        amount_db: Of the generated band.
        tilt: dB per octave above the crossover.
        ceiling_hz: Where the generated band ends.
        first_band: The first band above the crossover; below it the high-pass lets nothing through.
    """

    crossover_hz: float
    amount_db: float
    tilt: float
    ceiling_hz: float
    first_band: int


class GainSettings(NamedTuple):
    """All that decides the gains of the filters beside the frames.

    Attributes:
        shape: The knobs that act on the envelope.
        attack: -1 softens onsets, 0 leaves them alone, 1 stresses them.
        tone: -1 all noise, 0 as predicted, 1 all harmonics.
        noise_power: Power of the noise in every band.
        whitens: Whether the source's own spectrum is taken out, or its level only.
        curve: Added to the gains of each band, as logarithms of power ratios, shape (bands,).
    """

    shape: Shape
    attack: float
    tone: float
    noise_power: float
    whitens: bool
    curve: Array


def first_band(crossover_hz: float) -> int:
    """Return the first band above a crossover."""
    return min(bisect.bisect_right(bands.band_edges_hz()[2:], crossover_hz), bands.BAND_COUNT - 1)


@kernel
def _offset_db(shape: Shape, offset: Array) -> None:
    """Write the dB that amount, tilt and ceiling add to predicted levels, shape (bands,)."""
    crossover, ceiling = math.log2(shape.crossover_hz), math.log2(shape.ceiling_hz)
    for band in range(len(offset)):
        octaves, above = max(0.0, _CENTRE_OCTAVES[band] - crossover), max(0.0, _CENTRE_OCTAVES[band] - ceiling)
        offset[band] = shape.amount_db + shape.tilt * octaves - _CEILING_SLOPE_DB_PER_OCTAVE * above


@kernel
def link(levels_db: Array, reference_db: Array) -> None:
    """Give all channels one envelope relative to their own level, so that the stereo image stays where it is.

    Args:
        levels_db: Predicted levels, shape (channels, frames, bands); overwritten.
        reference_db: Each channel's own level just below the crossover, shape (channels, frames).
    """
    channels, frames, count = levels_db.shape
    shares = np.empty(channels, np.float32)
    for frame in range(frames):
        for channel in range(channels):
            shares[channel] = math.exp(reference_db[channel, frame] * LOG_PER_DB)
        shares /= shares.sum()
        for band in range(count):
            offset = np.float32(0.0)
            for channel in range(channels):
                offset += shares[channel] * (levels_db[channel, frame, band] - reference_db[channel, frame])
            for channel in range(channels):
                levels_db[channel, frame, band] = reference_db[channel, frame] + offset


def top_weights(mask: Array) -> Array:
    """Return the weights that average the levels of the highest trusted bands, shape (bands,).

    Args:
        mask: 1 where a band may be trusted, shape (bands,).
    """
    weight: Array = mask * (mask.cumsum() > mask.sum() - _TOP_BANDS)
    weight /= np.maximum(weight.sum(), np.float32(1))
    return weight


@kernel
def source_gains(
    predicted: Predicted, added_db: Array, present: Array, coloured: Array, settings: GainSettings, of_source: Array,
    of_noise: Array,
) -> None:  # fmt: skip
    """Write the gains that whiten the two sources and shape each to its share of what is missing.

    What is missing is the power that adds up with what is present to what is wanted; very low where enough is there.

    Args:
        predicted: The envelope.
        added_db: By the knobs, shape (channels, frames, bands).
        present: Power of the input, same shape.
        coloured: Power of the coloured source, same shape.
        settings: Bands below its first one get the gain of that.
        of_source: Where the gains of the coloured source go, as logarithms of power ratios, same shape.
        of_noise: Where those of the noise go.
    """
    levels_db, tonality = predicted
    noise, tone, first = settings.noise_power, settings.tone, settings.shape.first_band
    above = settings.curve[first:]
    channels, frames, count = levels_db.shape
    least, most, least_share = np.float32(_LEAST_GAIN), np.float32(_MOST_GAIN), np.float32(_LEAST_SHARE)
    one, toward, up = np.float32(1.0), np.float32(min(tone, 0.0)), np.float32(max(tone, 0.0))
    for channel in range(channels):
        for frame in range(frames):
            levels, tones = levels_db[channel, frame, first:], tonality[channel, frame, first:]
            knobs = added_db[channel, frame, first:]
            here, source = present[channel, frame, first:], coloured[channel, frame, first:]
            source_gain, noise_gain = of_source[channel, frame, first:], of_noise[channel, frame, first:]
            for band in range(count - first):
                power = exp((levels[band] + knobs[band]) * np.float32(LOG_PER_DB)) - here[band]
                power = max(power, least)
                share = tones[band] * (one + toward) + up * (one - tones[band])
                lines = power * max(share, least_share) / source[band]
                rest = power * max(one - share, least_share) / np.float32(noise)
                source_gain[band] = log(min(max(lines, least), most)) + above[band]
                noise_gain[band] = log(min(max(rest, least), most)) + above[band]
            of_source[channel, frame, :first] = source_gain[0]
            of_noise[channel, frame, :first] = noise_gain[0]


@kernel
def silence_gate(power: float) -> float:
    """Return 0 for a frame that is silent by its mean square and 1 for one that is not, with a fade between."""
    if power > _AUDIBLE:
        return 1.0
    level_db = 10.0 * math.log10(power + 1e-20)
    return max(0.0, (level_db - SILENCE_DB) / _SILENCE_FADE_DB + 1.0)


@kernel
def add_knobs(settings: GainSettings, energy: Array, past: Array, added_db: Array) -> None:
    """Write the dB that the knobs add to predicted levels, and put the frames' energy into the past.

    The attack stresses or softens onsets: how far each hop stands above the hops before it.

    Args:
        settings: Amount, tilt, ceiling and attack, which is up to 12 dB either way.
        energy: Power of each frame's newest hop, shape (channels, frames).
        past: That of the `ONSET_PAST` hops before, shape (channels, ONSET_PAST); overwritten.
        added_db: Where it goes, shape (channels, frames, bands).
    """
    channels, frames = energy.shape
    offset_db = np.empty(added_db.shape[2], np.float32)
    _offset_db(settings.shape, offset_db)
    for channel in range(channels):
        for frame in range(frames):
            newest, total = energy[channel, frame], float(energy[channel, frame])
            for k in range(ONSET_PAST):
                total += past[channel, k]
            rise_db = 10.0 * math.log10((newest + FLOOR_POWER) / (total / (ONSET_PAST + 1) + FLOOR_POWER))
            onset_db = settings.attack * min(12.0, max(-12.0, rise_db))
            for band in range(len(offset_db)):
                added_db[channel, frame, band] = offset_db[band] + onset_db
            for k in range(ONSET_PAST - 1):
                past[channel, k] = past[channel, k + 1]
            past[channel, ONSET_PAST - 1] = newest
