"""From a curve of levels to why a recording ends where it ends, and whether it would gain by a generated band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dsp.bandwidth.edge import Curve, band_position, find_edge
from dsp.bandwidth.holes import Holes
from dsp.bandwidth.long_term import LongTermSpectrum
from models.extender.crossover_tracker import HIGHEST_HZ

Verdict = Literal["would gain", "full-band", "dull by nature", "too little sound"]

# Rates that recordings come from, and how much of their band a converter leaves.
_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100)
_PASSED = (0.90, 1.0)
# Where encoders of their kind stop, in Hz. Opus stops there at any rate of bits, and leaves no holes.
_OPUS_HZ = ((19900.0, 20060.0),)
_MP3_HZ = ((15930.0, 16400.0), (19700.0, 20600.0))
_VORBIS_HZ = ((15650.0, 15900.0), (16500.0, 17350.0))
_ANY_CODEC = "MP3, AAC or Vorbis"
# A wall up here that belongs to no rate is an encoder's far more often than a filter's.
_USUAL_CODEC_HZ = 15000.0
# Of the bands below the edge so many are empty at times.
_HOLES, _HOLES_ABOVE_HZ = 0.01, 10000.0
# The top third octave of a natural recording that lies so far below its loudest band is inaudible.
_DULL_DB = 65.0
# An edge so near the Nyquist frequency is that of the converter itself.
_TOP = 0.97


@dataclass(frozen=True)
class Cause:
    """Where a recording ends and why.

    Attributes:
        edge_hz: Its true bandwidth; the Nyquist frequency where nothing was cut.
        kind: "none", "filter", "resampling" or "codec".
        detail: Such as "from 22.05 kHz" or "MP3 or AAC"; a guess where the file's own format does not say it.
        verdict: Whether a generated band would be audible.
    """

    edge_hz: float
    kind: Literal["none", "filter", "resampling", "codec"]
    detail: str
    verdict: Verdict


def find_cause(curve: Curve | None, spectrum: LongTermSpectrum, holes: Holes, rate: int, codec: str) -> Cause:
    """Judge a recording.

    Args:
        curve: Of the whole, from `BandwidthMeter.curve`.
        spectrum: Of the whole.
        holes: Of its loud frames.
        rate: In Hz.
        codec: Of the file itself where that is lossy, such as "MP3", else "".
    """
    if curve is None:
        return Cause(rate / 2, "none", "", "too little sound")
    coarse_hz = find_edge(curve)
    is_coded = bool(codec) or (coarse_hz is not None and _has_holes(holes, coarse_hz))
    found = spectrum.edge(coarse_hz if coarse_hz and coarse_hz < _TOP * rate / 2 else None, is_coded)
    if found is None or found.hertz > _TOP * rate / 2:
        if rate / 2 <= HIGHEST_HZ:
            return Cause(rate / 2, "none", f"rate of {rate / 1000:g} kHz", "would gain")
        return Cause(rate / 2, "none", "", "dull by nature" if _is_dull(curve) else "full-band")
    edge = found.hertz
    verdict: Verdict = "would gain" if edge <= HIGHEST_HZ else "full-band"
    if codec:
        return Cause(edge, "codec", codec, verdict)
    if _has_holes(holes, edge):
        return Cause(edge, "codec", _family_with_holes(edge), verdict)
    if _within(edge, _OPUS_HZ):
        return Cause(edge, "codec", "probably Opus", verdict)
    if not found.is_wall and find_edge(curve, only_walls=True) is None:
        return Cause(edge, "filter", "gradual", verdict)
    old = next((old for old in _RATES if old < rate and _PASSED[0] <= edge / (old / 2) <= _PASSED[1]), None)
    if _within(edge, _MP3_HZ) or (old is None and edge > _USUAL_CODEC_HZ):
        return Cause(edge, "codec", _ANY_CODEC, verdict)
    if old is not None:
        return Cause(edge, "resampling", f"from {old / 1000:g} kHz", verdict)
    return Cause(edge, "filter", "steep", verdict)


def _has_holes(holes: Holes, edge_hz: float) -> bool:
    return edge_hz > _HOLES_ABOVE_HZ and holes.share(edge_hz) > _HOLES


def _family_with_holes(edge_hz: float) -> str:
    if _within(edge_hz, _MP3_HZ):
        return "probably MP3"
    return "probably Vorbis" if _within(edge_hz, _VORBIS_HZ) else _ANY_CODEC


def _within(frequency_hz: float, stretches: tuple[tuple[float, float], ...]) -> bool:
    return any(low <= frequency_hz <= high for low, high in stretches)


def _is_dull(curve: Curve) -> bool:
    loudest = curve[: int(band_position(4000.0))].max()
    top = curve[int(band_position(13000.0)) : int(band_position(18000.0))]
    return bool(len(top) and np.median(top) < loudest - _DULL_DB)
