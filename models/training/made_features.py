"""Features of sounds that no recording of the corpus holds: instruments through guitar amplifiers, and synthesizers.

Both end where a loudspeaker or a filter makes them end, and are known up to the top of the band.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsp import bands
from models.training.amplifier import Amplifier
from models.training.corpus import Clip
from models.training.features import FORMAT, ClipFeatures, levels_of, mono, store, tonality_of
from models.training.synthesizer import RATE, Synthesizer

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
    found = []
    for seed in range(each * len(played)):
        clip = played[seed % len(played)]

        def sound(clip: Clip = clip, seed: int = seed) -> tuple[NDArray[np.float32], int]:
            samples, rate = mono(clip)
            return Amplifier.draw(seed).apply(samples[None], rate)[0], rate

        about: list[str | float] = [str(clip.path), clip.path.stat().st_size, repr(Amplifier.draw(seed))]
        found.append(_features(AMPLIFIER, clip.source, about, sound, cache, fall))
    return found


def synthesized(count: int, cache: Path, fall: float = bands.HANN_FALL) -> list[ClipFeatures]:
    """Return the features of phrases of so many synthesizers."""

    def sound(seed: int) -> Sound:
        return lambda: (Synthesizer.draw(seed).play(_SECONDS), RATE)

    patches = [repr(Synthesizer.draw(seed)) for seed in range(count)]
    return [
        _features(SYNTHESIZER, SYNTHESIZER, [_SECONDS, patch], sound(seed), cache, fall)
        for seed, patch in enumerate(patches)
    ]


def _features(
    category: str, source: str, about: list[str | float], sound: Sound, cache: Path, fall: float
) -> ClipFeatures:
    key = json.dumps([FORMAT, _FORMAT, category, *about, fall, bands.BAND_COUNT])
    file = cache / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"
    if not file.exists():
        samples, rate = sound()
        levels, heard = levels_of(samples, rate), levels_of(samples, rate, fall)
        store(file, levels=levels, heard=heard, tonality=tonality_of(samples, rate), rate=np.float64(rate))
    with np.load(file) as stored:
        rate_hz, heard_db = float(stored["rate"]), None if fall == bands.HANN_FALL else stored["heard"]
        top_hz = _WHOLE * rate_hz / 2
        return ClipFeatures(stored["levels"], stored["tonality"], top_hz, rate_hz, category, source, heard_db)
