"""Metrics: how near an estimate comes to the clean signal; pure functions on signals of shape (channels, samples).

All of them average over the channels and take both signals at the same rate and of the same length.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
RATE = 48000
_FFT, _HOP = 2048, 512
_WINDOW = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)
_FLOOR = 1e-8
# Keeps ratios of equal or silent signals finite: they end at +-120 dB and so don't spoil a mean.
_LIMIT_DB = 120.0
# Side lobes below -180 dB.
_KAISER_BETA = 24.0
_VISQOL_LEAST_SECONDS = 1.2


def lsd(clean: Audio, estimate: Audio, low_hz: float = 0.0, high_hz: float = float("inf")) -> float:
    """Return the log-spectral distance of two signals at 48 kHz, in units of log10 of power; 0 is equal.

    Hann window of 2048, hop 512, power clamped at 1e-8, log10; root of the mean square over bins, mean over frames (as
    in NU-Wave 2, Han and Lee 2022, and AP-BWE, Lu et al. 2024).

    Args:
        clean: What it should be, shape (channels, samples).
        estimate: What it is.
        low_hz: Only bins from this frequency on,
        high_hz: and below this one.

    Returns:
        The distance; NaN if the range holds no bin.
    """
    bins = np.fft.rfftfreq(_FFT, 1 / RATE)
    inside = (bins >= low_hz) & (bins < high_hz)
    if not inside.any():
        return float("nan")
    distance = [
        np.sqrt(np.square(_log_power(one)[:, inside] - _log_power(other)[:, inside]).mean(1))
        for one, other in zip(clean, estimate, strict=True)
    ]
    return float(np.mean(distance))


def lsd_hf(clean: Audio, estimate: Audio, cutoff_hz: float) -> float:
    """Return the log-spectral distance of the bins from the cutoff on; see `lsd`."""
    return lsd(clean, estimate, low_hz=cutoff_hz)


def lsd_lf(clean: Audio, estimate: Audio, cutoff_hz: float) -> float:
    """Return the log-spectral distance of the bins below the cutoff; see `lsd`."""
    return lsd(clean, estimate, high_hz=cutoff_hz)


def si_sdr_db(clean: Audio, estimate: Audio) -> float:
    """Return the scale-invariant signal-to-distortion ratio (Le Roux et al. 2019), in dB within +-120."""
    reference, output = clean.astype(np.float64), estimate.astype(np.float64)
    scale = (reference * output).sum(1) / np.maximum(_energy(reference), 1e-30)
    target = scale[:, None] * reference
    return float(np.mean(_ratio_db(_energy(target), _energy(output - target))))


def null_db(clean: Audio, estimate: Audio, below_hz: float, rate: int) -> float:
    """Return how far the difference lies below the clean signal in the band below a frequency, in dB within +-120.

    A Kaiser window over the whole signal keeps what was added above the frequency from leaking below it.
    """
    window = np.kaiser(clean.shape[1], _KAISER_BETA)
    inside = np.fft.rfftfreq(clean.shape[1], 1 / rate) < below_hz
    reference = clean.astype(np.float64)
    spectra = [np.fft.rfft(signal * window, axis=1)[:, inside] for signal in (estimate - reference, reference)]
    difference, level = (np.sum(np.abs(spectrum) ** 2) for spectrum in spectra)
    return float(_ratio_db(difference, level))


def visqol(clean: Audio, estimate: Audio) -> float:
    """Return the predicted opinion score of two signals at 48 kHz: 1 bad .. 4.73 equal (ViSQOL v3, Chinen et al. 2020).

    Audio mode, channels averaged to one, through visqol-python. It takes 0.6 s for a second of audio, 0.2 s where numba
    is installed; numba then compiles for 10 s once, and keeps the result on disk. Signals shorter than 1.2 s are
    filled with silence to that length.

    Returns:
        The score; NaN if either signal is silent, which it can't judge.
    """
    pair = [np.asarray(signal.mean(0), dtype=np.float64) for signal in (clean, estimate)]
    if not all(signal.any() for signal in pair):
        return float("nan")
    missing = max(0, round(_VISQOL_LEAST_SECONDS * RATE) - len(pair[0]))
    first, second = (np.pad(signal, (0, missing)) for signal in pair)
    with _arithmetic_kept():
        return float(_visqol_judge().measure_from_arrays(first, second, RATE).moslqo)


@contextmanager
def _arithmetic_kept() -> Iterator[None]:
    """Put back the two switches of the whole program that ViSQOL turns: torch's threads and denormals."""
    import torch

    threads, flushes = torch.get_num_threads(), flushes_denormals()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushes)


def flushes_denormals() -> bool:
    """Return whether numbers too small for full precision count as zero on this thread."""
    import torch

    return float(torch.tensor(1e-30) * torch.tensor(1e-10)) == 0.0


class _Score(Protocol):
    moslqo: float


class _Judge(Protocol):
    def measure_from_arrays(
        self, ref_array: NDArray[np.float64], deg_array: NDArray[np.float64], sample_rate: int
    ) -> _Score: ...


@cache
def _visqol_judge() -> _Judge:
    # Imported here: every other metric works without the package.
    from visqol import VisqolApi

    judge = VisqolApi()
    judge.create(mode="audio")
    return judge


def _log_power(signal: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return log10 of the power of a channel's frames, shape (frames, bins)."""
    # Reflection at the ends needs more samples than it mirrors.
    whole = np.pad(np.pad(signal, (0, max(0, _FFT - len(signal)))), _FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(whole, _FFT)[::_HOP]
    power = np.concatenate(
        [np.square(np.abs(np.fft.rfft(part * _WINDOW))) for part in np.array_split(frames, len(frames) // 512 + 1)]
    )
    levels: NDArray[np.float64] = np.log10(np.maximum(power, _FLOOR))
    return levels


def _energy(audio: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sum(audio.astype(np.float64) ** 2, axis=-1))


def _ratio_db(over: NDArray[np.float64], under: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = np.log10(np.maximum(over, 1e-30)) - np.log10(np.maximum(under, 1e-30))
    return np.asarray(np.clip(10 * ratio, -_LIMIT_DB, _LIMIT_DB))
