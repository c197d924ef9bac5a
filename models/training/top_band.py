"""Measures of the generated band: its level in time, its attacks and its lines, against the clean signal.

Log-spectral distance and ViSQOL are deaf to lines in the place of noise and nearly deaf to smeared attacks; people are
not. All measures are of the band above a cutoff, take mono or stereo signals at 48 kHz and average over the channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.training.data.harmonicity import EDGES_HZ, STRIDE, harmonicity
from models.training.metrics import RATE

Audio = NDArray[np.float32]
Float = NDArray[np.float64]
# Of a frame: short ones for attacks, those of a spectrum for level and lines.
_SHORT = 240
_FFT, _HOP = 2048, 512
# Above a cutoff a converter's slope counts for nothing.
_CLEAR = 1.06
# Of a clip's loudest frame: below, a frame is not judged, and can't be distinguished from silence.
_LOUD_DB, _FLOOR_DB = 40.0, 60.0
_RISE_DB, _REST_MS = 15.0, 60
ONSET_MS = (-50, -30, -10, -5, 0, 5, 10, 20, 40)
_PEAK_HZ = 300.0
_FAST_SECONDS = 0.1
NAMES: Mapping[str, str] = {
    "bias_db": "bias dB",
    "error_db": "frame error dB",
    "tracking": "fast tracking",
    "peakiness_db": "peakiness dB",
    "peakiness_clean_db": "(clean)",
    "harmonicity": "harmonicity",
    "harmonicity_clean": "(clean)",
    **{f"onset{ms:+d}ms_db": f"{ms:+d} ms" for ms in ONSET_MS},
}


class Band(NamedTuple):
    """From where to where a generated band is judged, in Hz."""

    low_hz: float
    high_hz: float


def measures(clean: Audio, estimate: Audio, cutoff_hz: float, top_hz: float) -> dict[str, float]:
    """Return every measure of the band above a cutoff by its name in `NAMES`; NaN where one can't be taken.

    Args:
        clean: What it should be, shape (channels, samples).
        estimate: What it is, same shape.
        cutoff_hz: Where the generated band begins.
        top_hz: Up to where the clean signal's content is real.
    """
    band = judged(cutoff_hz, top_hz)
    if band.high_hz < 1.15 * band.low_hz or clean.shape[1] < 4 * _FFT:
        return dict.fromkeys(NAMES, float("nan"))
    channels = [_of_channel(one, other, band) for one, other in zip(clean, estimate, strict=True)]
    return {name: _mean([channel[name] for channel in channels]) for name in NAMES}


def judged(cutoff_hz: float, top_hz: float) -> Band:
    """Return the band that is judged above a cutoff, up to where the clean signal's content is real."""
    return Band(_CLEAR * cutoff_hz, min(top_hz, 20000.0))


def _of_channel(clean: Audio, estimate: Audio, band: Band) -> dict[str, float]:
    pair = [above(signal, band) for signal in (clean, estimate)]
    levels = [_levels_db(signal, _SHORT) for signal in pair]
    spectra = [_spectra(signal) for signal in pair]
    frames = [10 * np.log10(power.sum(1) + 1e-20) for power in spectra]
    is_loud = frames[0] > max(frames[0].max() - _LOUD_DB, -120.0)
    if not is_loud.any():
        return dict.fromkeys(NAMES, float("nan"))
    error = (frames[1] - frames[0])[is_loud]
    peaks = [_peakiness_db(power[is_loud], band) for power in spectra]
    lines = [_harmonicity(signal, band, is_loud) for signal in (clean, estimate)]
    return {
        "bias_db": float(error.mean()),
        "error_db": float(np.abs(error).mean()),
        "tracking": fast_tracking(*levels),
        "peakiness_db": peaks[1],
        "peakiness_clean_db": peaks[0],
        "harmonicity": lines[1],
        "harmonicity_clean": lines[0],
        **{f"onset{ms:+d}ms_db": value for ms, value in onset_table(*levels).items()},
    }


def fast_tracking(clean_db: Float, estimate_db: Float) -> float:
    """Return the correlation of two levels' changes that are faster than 100 ms, in 10 ms, where the clean one is loud.

    Args:
        clean_db: Levels of frames of 5 ms, shape (frames,).
        estimate_db: Same shape.
    """
    span = round(_FAST_SECONDS * RATE / _SHORT)
    clean_db, estimate_db = (
        10 * np.log10(np.convolve(10 ** (levels / 10), (0.5, 0.5), "valid")) for levels in (clean_db, estimate_db)
    )
    is_loud = clean_db > clean_db.max() - _LOUD_DB
    floor = clean_db.max() - _FLOOR_DB
    fast = []
    for levels in (np.maximum(clean_db, floor), np.maximum(estimate_db, floor)):
        slow = np.convolve(np.pad(levels, (span // 2, span - 1 - span // 2), "edge"), np.full(span, 1 / span), "valid")
        fast.append((levels - slow)[is_loud])
    if len(fast[0]) < span or min(float(part.std()) for part in fast) < 1e-6:
        return float("nan")
    return float(np.corrcoef(fast[0], fast[1])[0, 1])


def onset_table(clean_db: Float, estimate_db: Float) -> dict[int, float]:
    """Return how far the estimate lies above the clean level around onsets, in dB by milliseconds after them.

    Args:
        clean_db: Levels of frames of 5 ms, shape (frames,).
        estimate_db: Same shape.
    """
    floor = clean_db.max() - _FLOOR_DB
    difference = np.maximum(estimate_db, floor) - np.maximum(clean_db, floor)
    starts = onsets(clean_db)
    rows = {ms: round(ms * RATE / 1000 / _SHORT) for ms in ONSET_MS}
    return {ms: float(difference[starts + row].mean()) if len(starts) else float("nan") for ms, row in rows.items()}


def onsets(levels_db: Float) -> NDArray[np.int64]:
    """Return the frames of 5 ms in which a level begins to rise by 15 dB within 10 ms, out of 60 ms of rest."""
    before, after = _REST_MS * RATE // 1000 // _SHORT, 40 * RATE // 1000 // _SHORT
    levels = np.maximum(levels_db, levels_db.max() - _FLOOR_DB)
    starts: list[int] = []
    for k in range(before, len(levels) - after - 1):
        rest = levels[k - before : k].max()
        is_rise = max(levels[k], levels[k + 1]) > rest + _RISE_DB and levels[k] > rest + _RISE_DB / 3
        if is_rise and levels[k : k + 2].max() > levels.max() - _LOUD_DB and (not starts or k - starts[-1] > before):
            starts.append(k)
    return np.array(starts, np.int64)


def above(signal: Audio, band: Band) -> Float:
    """Return the band of a signal, without delay, its edges over 4 % of their frequency."""
    spectrum = np.fft.rfft(signal.astype(np.float64))
    hz = np.fft.rfftfreq(len(signal), 1 / RATE)
    rising = np.clip((hz / band.low_hz - 0.98) / 0.04, 0.0, 1.0)
    falling = np.clip((1.02 - hz / band.high_hz) / 0.04, 0.0, 1.0)
    return np.asarray(np.fft.irfft(spectrum * rising * falling, len(signal)))


def _levels_db(signal: Float, frame: int) -> Float:
    whole = signal[: len(signal) // frame * frame].reshape(-1, frame)
    return np.asarray(10 * np.log10((whole**2).mean(1) + 1e-14))


def _spectra(signal: Float) -> Float:
    frames = np.lib.stride_tricks.sliding_window_view(signal, _FFT)[::_HOP]
    return np.asarray(np.abs(np.fft.rfft(frames * np.hanning(_FFT))) ** 2)


def _peakiness_db(power: Float, band: Band) -> float:
    """Return how far the highest bin of 300 Hz lies above their median one, in the half octave above the cutoff."""
    hertz_a_bin = RATE / _FFT
    count = round(_PEAK_HZ / hertz_a_bin)
    first, last = (round(hz / hertz_a_bin) for hz in (band.low_hz, min(band.high_hz, 1.53 * band.low_hz)))
    groups = power[:, first : first + (last - first) // count * count].reshape(len(power), -1, count)
    ratio = groups.max(-1) / np.maximum(np.median(groups, -1), 1e-20)
    return float((10 * np.log10(np.maximum(ratio, 1.0))).mean())


def _harmonicity(signal: Audio, band: Band, is_loud: NDArray[np.bool_]) -> float:
    """Return the mean coherence of a band from one period of the low band's pitch to the next; see the module named."""
    edges = np.array(EDGES_HZ)
    inside = (edges[:-1] >= 0.95 * band.low_hz) & (edges[1:] <= max(band.high_hz, 1.3 * band.low_hz))
    places = (np.flatnonzero(is_loud) * _HOP + _FFT // 2) // (STRIDE * 256)
    rows = harmonicity(signal, RATE)
    return float(rows[np.minimum(places, len(rows) - 1)][:, inside].mean() / 255) if inside.any() else float("nan")


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
