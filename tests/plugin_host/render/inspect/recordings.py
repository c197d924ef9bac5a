"""Sounds made for tests: full-band, like speech and music in their spectrum, with onsets and pauses."""

from __future__ import annotations

import io

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

Samples = NDArray[np.float32]
RATE = 48000


def recording(seed: int, seconds: float = 6.0, slope_db: float = -4.0, rate: int = RATE) -> Samples:
    """Return noise that falls by so many dB an octave above 1 kHz, in strokes and pauses, shape (1, samples)."""
    rng = np.random.default_rng(seed)
    samples = round(seconds * rate)
    spectrum = np.fft.rfft(rng.normal(0, 1, samples))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(samples, 1 / rate), 1000) / 1000)
    sound = np.fft.irfft(spectrum * 10 ** (slope_db * octaves / 20), samples)
    strokes = np.concatenate([np.exp(-np.arange(size) / (0.2 * rate)) for size in _lengths(rng, samples, rate)])
    result: Samples = (0.3 * sound / abs(sound).max() * strokes[:samples]).astype(np.float32)[None]
    return result


def _lengths(rng: np.random.Generator, samples: int, rate: int) -> list[int]:
    lengths: list[int] = []
    while sum(lengths) < samples:
        lengths.append(int(rng.uniform(0.1, 0.6) * rate))
    return lengths


def cut(samples: Samples, hertz: float, rate: int = RATE) -> Samples:
    """Return the samples through a steep low-pass."""
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(samples.shape[1], 1 / rate)
    spectrum *= 0.5 - 0.5 * np.tanh((frequency - hertz) / 60)
    return np.fft.irfft(spectrum, samples.shape[1]).astype(np.float32)


def falling(samples: Samples, slope_db: float, rate: int = RATE) -> Samples:
    """Return the samples with a fall of so many dB an octave above 1 kHz, as behind a closed door."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(samples.shape[1], 1 / rate), 1000) / 1000)
    return np.fft.irfft(np.fft.rfft(samples) * 10 ** (slope_db * octaves / 20), samples.shape[1]).astype(np.float32)


def through_rate(samples: Samples, low: int, rate: int = RATE) -> Samples:
    """Return the samples as a converter to a lower rate and back leaves them."""
    there = soxr.resample(samples.T, rate, low, quality="HQ")
    return np.ascontiguousarray(soxr.resample(there, low, rate, quality="HQ").T)


def through_codec(samples: Samples, kind: str, level: float, rate: int = RATE) -> Samples:
    """Return the samples as MP3, Vorbis or Opus leave them; 0 is the best and 1 the smallest."""
    form, subtype = {"mp3": ("MP3", "MPEG_LAYER_III"), "vorbis": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS")}[kind]
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, len(samples), subtype, format=form, compression_level=level) as coded:
        coded.write(samples.T)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32", always_2d=True)
    return np.ascontiguousarray(decoded.T)
