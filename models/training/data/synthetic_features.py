"""Features of sounds that no recording of the corpus holds: instruments through guitar amplifiers, and synthesizers.

Both end where a loudspeaker or a filter makes them end, and are known up to the top of the band.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsp import bands
from models.training.data.amplifier import Amplifier
from models.training.data.corpus import Clip
from models.training.data.features import FORMAT, INPUT, ClipFeatures, cache_file, levels_of, mono, store, tonality_of
from models.training.data.harmonicity import harmonicity
from models.training.data.synthesizer import RATE, Synthesizer

AMPLIFIER, SYNTHESIZER = "amplifier", "synthesizer"
# Counts up when the same draw sounds otherwise.
_FORMAT = 2
_SECONDS = 12.0
# The last of the band belongs to the converters in the making.
_WHOLE = 0.95
Sound = Callable[[], tuple[NDArray[np.float32], int]]


def amplified(clips: Sequence[Clip], count: int, cache: Path, fall: float = bands.HANN_FALL) -> list[ClipFeatures]:
    """Return the features of so many instruments, spread evenly over the clips, through an amplifier each."""
    played = [clip for clip in clips if clip.category == "instrument"]
    if not played:
        return []
    # More than there are come again through other amplifiers.
    return [_amplified(played[k % len(played)], k // len(played), cache, fall) for k in _spread(len(played), count)]


def synthesized(count: int, cache: Path, fall: float = bands.HANN_FALL) -> list[ClipFeatures]:
    """Return the features of phrases of so many synthesizers."""
    return [_synthesized(seed, cache, fall) for seed in range(count)]


def _spread(instruments: int, count: int) -> list[int]:
    whole = count - count % instruments
    return [*range(whole), *(whole + k * instruments // (count - whole) for k in range(count - whole))]


def _amplified(clip: Clip, take: int, cache: Path, fall: float) -> ClipFeatures:
    # By the clip's name: another clip more or less in the corpus changes nothing for this one.
    amplifier = Amplifier.draw(zlib.crc32(f"{clip.name} {take}".encode()))

    def sound() -> tuple[NDArray[np.float32], int]:
        samples, rate = mono(clip)
        return amplifier.apply(samples[None], rate)[0], rate

    file = _cached(cache, AMPLIFIER, str(clip.path), clip.path.stat().st_size, repr(amplifier))
    return _features(file, sound, AMPLIFIER, clip.source, clip.speaker, fall)


def _synthesized(seed: int, cache: Path, fall: float) -> ClipFeatures:
    synthesizer = Synthesizer.draw(seed)
    file = _cached(cache, SYNTHESIZER, _SECONDS, repr(synthesizer))
    return _features(file, lambda: (synthesizer.play(_SECONDS), RATE), SYNTHESIZER, SYNTHESIZER, str(seed), fall)


def _cached(cache: Path, *about: str | float) -> Path:
    return cache_file(cache, FORMAT, _FORMAT, *about, bands.BAND_COUNT)


def _features(file: Path, sound: Sound, category: str, source: str, speaker: str, fall: float) -> ClipFeatures:
    input_file = file.with_stem(f"{file.stem}-{fall:g}")
    files = {file} if fall == bands.HANN_FALL else {file, input_file}
    if not all(each.exists() for each in files):
        samples, rate = sound()
        store(
            file,
            levels=levels_of(samples, rate),
            tonality=tonality_of(samples, rate),
            harmonic=harmonicity(samples, rate),
            rate=np.float64(rate),
        )
        if input_file in files:
            store(input_file, **{INPUT: levels_of(samples, rate, fall)})
    input_db = np.load(input_file)[INPUT] if input_file in files else None
    with np.load(file) as stored:
        rate_hz = float(stored["rate"])
        return ClipFeatures(
            stored["levels"], stored["tonality"], _WHOLE * rate_hz / 2, rate_hz, category, source, speaker,
            stored["harmonic"], input_db=input_db,
        )  # fmt: skip
