"""Examples for the fine envelope: clips as an extender restores them without one, and the levels that were missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.fft import Array
from models.extender import fine_envelope
from models.extender.controls import defaults
from models.extender.extender import Extender
from models.training import top_band
from models.training.aligned import MAX_BLOCK, play
from models.training.data import corpus
from models.training.data.corpus import Clip
from models.training.data.lowpass import resample_to
from models.training.metrics import RATE

# Clips of each category, of which speech gives twice as many, and the start of each in seconds.
CLIPS, SECONDS = 130, 5.0
CATEGORIES = ("speech", "singing", "instrument", "music_mix", "stem")
_CUT_RATES = (8000, 16000)
# A resampler's band ends below half its rate.
_EDGE = 0.96
_LEAST_HZ = 15000.0
# One clip of so many has gaps.
_GAPS_EVERY, _SILENCE_S, _SOUND_S = 3, (0.1, 0.3), (0.3, 0.9)
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
        clean = corpus.clean_48k(clip, SECONDS).mean(0)
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
    crossover_hz = _EDGE * cut_rate / 2
    samples = fine_envelope.frame_grid(RATE, extender.latency_samples).samples
    late = extender.latency_samples // samples
    extender.fine_frames = late + len(clean) // samples
    extender.prepare(RATE, len(cut), MAX_BLOCK)
    band = play(extender, cut, {**defaults(), "crossover": crossover_hz, "delta": 1.0})
    judged = top_band.judged(cut_rate / 2, clip.true_bandwidth_hz)
    powers = [_power(top_band.above(signal, judged), samples) for signal in (band[0], clean)]
    return FineExample(extender.fine_levels[0, :, late:].copy(), powers[0], powers[1], clip.category)


def _power(signal: NDArray[np.float64], samples: int) -> Array:
    frames = signal[: len(signal) // samples * samples].reshape(-1, samples)
    return np.asarray(np.square(frames).mean(1) + _LEAST_POWER, np.float32)
