"""Examples for the fine envelope: clips as an extender restores them without one, and the levels that were missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray

from dsp.fft import Array
from models.extender import fine_envelope
from models.extender.controls import defaults
from models.extender.extender import Extender
from models.training.data import corpus
from models.training.data.corpus import Clip
from models.training.data.lowpass import resample_to

RATE = 48000
# Clips of each category, of which speech gives twice as many, and the start of each in seconds.
CLIPS, SECONDS = 40, 5.0
CATEGORIES = ("speech", "singing", "instrument", "music_mix", "stem")
_CUT_RATES = (8000, 16000)
# A resampler's band ends below half its rate, and above that its slope counts for nothing.
_EDGE, _CLEAR = 0.96, 1.06
_HIGHEST_HZ, _LEAST_HZ = 20000.0, 15000.0
# One clip of so many has gaps.
_GAPS_EVERY, _SILENCE_S, _SOUND_S = 3, (0.1, 0.3), (0.3, 0.9)
_BLOCK = 4096
_LEAST_POWER = 1e-12


class FineExample(NamedTuple):
    """A clip that was cut and restored.

    Attributes:
        levels: Of the input's bands and the generated one, in bels, shape (INPUT_BANDS + 1, frames).
        restored: Power of the generated band in each frame, shape (frames,).
        clean: What it should be, same shape.
        category: Of the clip.
    """

    levels: Array
    restored: Array
    clean: Array
    category: str


def chosen(clips: Sequence[Clip], count: int = CLIPS) -> list[Clip]:
    """Return clips with a top, evenly from each category, of speech twice as many."""
    picked: list[Clip] = []
    for category in CATEGORIES:
        own = [clip for clip in clips if clip.category == category and clip.true_bandwidth_hz >= _LEAST_HZ]
        wanted = 2 * count if category == "speech" else count
        picked += own[:: max(1, len(own) // wanted)][:wanted]
    return picked


def examples(clips: Sequence[Clip], extender: Extender) -> Iterator[FineExample]:
    """Yield each clip at each rate that it is cut to.

    Args:
        clips: Clean recordings.
        extender: Without a fine envelope; prepared here.
    """
    random = np.random.default_rng(0)
    for number, clip in enumerate(clips):
        samples, rate = corpus.load(clip, SECONDS)
        clean = np.asarray(soxr.resample(samples.mean(0), rate, RATE, quality="VHQ"), np.float32)
        has_gaps = number % _GAPS_EVERY == _GAPS_EVERY - 1
        gate = _gaps(len(clean), random) if has_gaps else np.ones(len(clean), np.float32)
        for cut_rate in _CUT_RATES:
            cut = resample_to(clean[None], RATE, cut_rate) * gate
            example = _example(clean * gate, cut, cut_rate, clip, extender)
            if float(example.clean.max()) > 1e-7:
                yield example


def _gaps(samples: int, random: np.random.Generator) -> Array:
    """Return 0 in stretches of digital silence, after which sound begins in full, and 1 between them."""
    gate, at = np.ones(samples, np.float32), 0
    while at < samples:
        end = at + round(random.uniform(*_SILENCE_S) * RATE)
        gate[at:end] = 0.0
        at = end + round(random.uniform(*_SOUND_S) * RATE)
    return gate


def _example(clean: Array, cut: Array, cut_rate: int, clip: Clip, extender: Extender) -> FineExample:
    crossover_hz, top_hz = _EDGE * cut_rate / 2, min(clip.true_bandwidth_hz, _HIGHEST_HZ)
    samples = fine_envelope.frame_grid(RATE, extender.latency_samples).samples
    late = extender.latency_samples // samples
    extender.fine_frames = late + len(clean) // samples
    band = play(extender, cut, crossover_hz)
    powers = [_power(signal, _CLEAR * cut_rate / 2, top_hz, samples) for signal in (band[0], clean)]
    return FineExample(extender.fine_levels[0, :, late:].copy(), powers[0], powers[1], clip.category)


def play(extender: Extender, cut: Array, crossover_hz: float) -> Array:
    """Return the generated band for a signal at 48 kHz, aligned, shape (channels, time)."""
    extender.set_bandwidth(crossover_hz)
    extender.prepare(RATE, len(cut), _BLOCK)
    settings = {**defaults(), "crossover": crossover_hz, "delta": 1.0}
    late = np.pad(cut, ((0, 0), (0, extender.latency_samples)))
    starts = range(0, late.shape[1], _BLOCK)
    blocks = [extender.process(np.ascontiguousarray(late[:, k : k + _BLOCK]), settings) for k in starts]
    return np.concatenate(blocks, 1)[:, extender.latency_samples :]


def _power(signal: Array, low_hz: float, high_hz: float, samples: int) -> NDArray[np.float32]:
    """Return the power of a band in frames, without delay, its edges over 4 % of their frequency."""
    hz = np.fft.rfftfreq(len(signal), 1 / RATE)
    passed = np.clip((hz / low_hz - 0.98) / 0.04, 0.0, 1.0) * np.clip((1.02 - hz / high_hz) / 0.04, 0.0, 1.0)
    band = np.fft.irfft(np.fft.rfft(signal) * passed, len(signal))
    frames = band[: len(band) // samples * samples].reshape(-1, samples)
    return np.asarray(np.square(frames).mean(1) + _LEAST_POWER, np.float32)
