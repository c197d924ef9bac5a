"""The soft edge: from where a recording that falls gently, as an old tape does, is no more than its own noise.

Steady noise has nearly the same level in every frame, and what plays has not: the spread of a band's levels tells them
apart by far, whatever the slope. A band that is generated begins an octave lower than that: what lies between is so
weak by then that a prediction from it would be as weak. On 24 recordings of all kinds (split valid), dulled by 6 to 18
dB an octave from 1.5 to 5 kHz on and with hiss 35 to 60 dB down, the distance to the recording as it was, 2 to 20
kHz, was 0.7 to 1.1 dB less with a band from there on, as with the filter's own place known, and 0.1 dB with one from
where the noise begins.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from dsp.bandwidth.edge import BANDS_PER_OCTAVE, LOWEST_HZ, Curve, band_position, frequency_hz
from dsp.bandwidth.histogram import LevelHistogram

_HIGH, _LOW = 0.95, 0.25
# In standard deviations, and the spread of noise that is taken for one: a share and a little for the levels' steps.
_NOISE_SPREAD = 2.32
_TOLERANCE, _STEPS_DB = 1.3, 1.5
# Standard deviation of a bin's decibels, and how many bins of the window say the same.
_BIN_DB, _ALIKE = 5.57, 1.5
# What plays below the noise has a spread of at least this.
_ALIVE_DB = 7.5
_SMOOTH = 13
_NOISE_BANDS = BANDS_PER_OCTAVE // 4
_LOWEST_HZ = 5000.0
_TOP_HZ, _TOP_SHARE, _BELOW_WALL = 20000.0, 0.43, 0.9


def find_soft_edge(histogram: LevelHistogram, edge_hz: float) -> float | None:
    """Return the frequency in Hz from which on a band makes up for a gentle fall.

    Args:
        histogram: Of the recording's levels.
        edge_hz: Where it is cut off; the Nyquist frequency where it is not.

    Returns:
        An octave below where it sinks into noise; None where there is no such place.
    """
    top_hz = min(_TOP_HZ, _BELOW_WALL * edge_hz, _TOP_SHARE * histogram.sample_rate)
    top, lowest = int(band_position(top_hz)), int(band_position(_LOWEST_HZ))
    if top - lowest < _NOISE_BANDS:
        return None
    spread = _smooth(histogram.curve(_HIGH) - histogram.curve(_LOW))
    plays = np.flatnonzero(spread[:top] > _noise_spread(histogram.bin_hz, top))
    first = int(plays[-1]) + 1 if len(plays) else 0
    if first < lowest or top - first < _NOISE_BANDS:
        return None
    if np.median(spread[first - BANDS_PER_OCTAVE : first]) < _ALIVE_DB:
        return None
    return frequency_hz(first) / 2.0


def _smooth(levels: Curve) -> Curve:
    padded = np.pad(levels, _SMOOTH // 2, mode="edge")
    return np.convolve(padded, np.full(_SMOOTH, 1.0 / _SMOOTH), "valid")


@lru_cache(maxsize=16)
def _noise_spread(bin_hz: float, bands: int) -> Curve:
    """Return the spread up to which each band may be noise: the fewer bins it has, the more."""
    centres = LOWEST_HZ * 2.0 ** ((np.arange(bands) + 0.5) / BANDS_PER_OCTAVE)
    bins = centres * math.log(2.0) / BANDS_PER_OCTAVE / bin_hz
    return _STEPS_DB + _TOLERANCE * _NOISE_SPREAD * _BIN_DB / np.sqrt(np.maximum(bins / _ALIKE, 1.0))
