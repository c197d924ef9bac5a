"""Features of sounds that no recording of the corpus holds: instruments through guitar amplifiers, and synthesizers.

Both end where a loudspeaker or a filter makes them end, and are known up to the top of the band.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsp import bands
from models.training.data.amplifier import Amplifier
from models.training.data.corpus import Clip
from models.training.data.features import FORMAT, ClipFeatures, cache_file, levels_of, mono, store, tonality_of
from models.training.data.synthesizer import RATE, Synthesizer

AMPLIFIER, SYNTHESIZER = "amplifier", "synthesizer"
# Counts up when the same draw sounds otherwise.
_FORMAT = 1
_SECONDS = 12.0
# The last of the band belongs to the converters in the making.
_WHOLE = 0.95
Sound = Callable[[], tuple[NDArray[np.float32], int]]


def amplified(clips: Sequence[Clip], each: int, cache: Path, fall: float = bands.HANN_FALL) -> list[ClipFeatures]:
    """Return the features of every instrument among the clips through so many amplifiers each."""
    played = [clip for clip in clips if clip.category == "instrument"]
    return [_amplified(played[seed % len(played)], seed, cache, fall) for seed in range(each * len(played))]


def synthesized(count: int, cache: Path, fall: float = bands.HANN_FALL) -> list[ClipFeatures]:
    """Return the features of phrases of so many synthesizers."""
    return [_synthesized(seed, cache, fall) for seed in range(count)]


def _amplified(clip: Clip, seed: int, cache: Path, fall: float) -> ClipFeatures:
    amplifier = Amplifier.draw(seed)

    def sound() -> tuple[NDArray[np.float32], int]:
        samples, rate = mono(clip)
        return amplifier.apply(samples[None], rate)[0], rate

    file = _cached(cache, AMPLIFIER, str(clip.path), clip.path.stat().st_size, repr(amplifier), fall)
    return _features(file, sound, AMPLIFIER, clip.source, fall)


def _synthesized(seed: int, cache: Path, fall: float) -> ClipFeatures:
    synthesizer = Synthesizer.draw(seed)
    file = _cached(cache, SYNTHESIZER, _SECONDS, repr(synthesizer), fall)
    return _features(file, lambda: (synthesizer.play(_SECONDS), RATE), SYNTHESIZER, SYNTHESIZER, fall)


def _cached(cache: Path, *about: str | float) -> Path:
    return cache_file(cache, FORMAT, _FORMAT, *about, bands.BAND_COUNT)


def _features(file: Path, sound: Sound, category: str, source: str, fall: float) -> ClipFeatures:
    is_late = fall != bands.HANN_FALL
    if not file.exists():
        samples, rate = sound()
        late = {"heard": levels_of(samples, rate, fall)} if is_late else {}
        levels, tones = levels_of(samples, rate), tonality_of(samples, rate)
        store(file, levels=levels, tonality=tones, rate=np.float64(rate), **late)
    with np.load(file) as stored:
        rate_hz, heard_db = float(stored["rate"]), stored["heard"] if is_late else None
        top_hz = _WHOLE * rate_hz / 2
        return ClipFeatures(stored["levels"], stored["tonality"], top_hz, rate_hz, category, source, heard_db)
