"""The feature cache: log band energies and tonality of every training clip, computed once and kept on disk.

The predictor maps features to features, so it trains on these arrays alone: hours of audio a minute on one core.
A clip also enters at other speeds, simply by declaring another sample rate: pitch, formants and bandwidth move
together as they do from one speaker to another (vocal tract length perturbation, Jaitly and Hinton 2013).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from dsp import bands
from dsp.bandwidth.meter import BandwidthMeter
from dsp.tonality import measure_tonality, tone_tables
from models.atomic_write import write_atomically
from models.exciters import torch_bands
from models.training.data.corpus import Clip
from models.training.data.degradation import Degradation
from models.training.data.harmonicity import STRIDE, harmonicity

FORMAT = 2
# The key of the predictor's input; caches written before call it so.
INPUT = "heard"
_CHUNK = 4096
_TOP_ONLY = Degradation(gain_db=0.0, eq_share=0.0, noise_share=0.0, room_share=0.0)


@dataclass(frozen=True)
class ClipFeatures:
    """One clip at one speed.

    Attributes:
        levels_db: Log band energies of frames centred at k * hop, shape (frames, bands), float16.
        tonality: 0..255 for 0..1, shape (frames, bands), uint8.
        bandwidth_hz: Frequency up to which the levels can be trusted; targets above are masked.
        category: The clip's category in the manifest.
        source: The clip's source, so that whole sources can be left out.
        speaker: Who speaks or sings, or the instrument or title.
        harmonic: From `models.training.data.harmonicity`, of the clip at its own speed.
        speed: How many times as fast as it is.
        input_db: The predictor's input, shape as `levels_db`, where it is another: by another window, or degraded.
        cutoff_hz: Where the degraded recording's band ends, as a host finds it; 0 where the cutoff is only a mask.
    """

    levels_db: NDArray[np.float16]
    tonality: NDArray[np.uint8]
    bandwidth_hz: float
    sample_rate: float
    category: str
    source: str
    speaker: str
    harmonic: NDArray[np.uint8]
    speed: float = 1.0
    input_db: NDArray[np.float16] | None = None
    cutoff_hz: float = 0.0


def levels_of(samples: NDArray[np.float32], rate: float, fall: float = bands.HANN_FALL) -> NDArray[np.float16]:
    """Return log band energies of a mono signal declared to have this rate.

    Args:
        samples: Shape (time,).
        rate: Hz; may differ from the true rate to change the speed.
        fall: Share of a frame over which its window falls off; see `dsp.bands.late_hann`.

    Returns:
        In dB, shape (frames, bands); frame k is centred at k * hop.
    """
    window = torch_bands.late_hann(bands.window_samples(rate), fall)
    weights, scale = torch_bands.band_weights(rate, bands.fft_size(len(window))), torch_bands.power_scale(rate, window)
    chunks = _frames(samples, rate, len(window)).split(_CHUNK)
    return torch.cat([torch_bands.band_levels_db(chunk, window, weights, scale).half() for chunk in chunks]).numpy()


def tonality_of(samples: NDArray[np.float32], rate: float) -> NDArray[np.uint8]:
    """Return the tonality, 0..255 for 0..1, of the frames of `levels_of`, looked at twice as long."""
    tables, hop = tone_tables(rate), bands.hop_samples(rate)
    half, count = len(tables.window) // 2, len(samples) // hop + 1
    padded = np.pad(samples, (half, half + hop))[None]
    parts = []
    for start in range(0, count, _CHUNK):
        tones = np.empty((1, min(_CHUNK, count - start), bands.BAND_COUNT), np.float32)
        measure_tonality(padded, start * hop, hop, tables, tones)
        parts.append((tones[0] * 255).astype(np.uint8))
    return np.concatenate(parts)


def _frames(samples: NDArray[np.float32], rate: float, length: int) -> torch.Tensor:
    padded = torch.nn.functional.pad(torch.from_numpy(samples), (length // 2, length // 2))
    return padded.unfold(0, length, bands.hop_samples(rate))


def features(clip: Clip, speed: float, cache: Path, fall: float = bands.HANN_FALL) -> ClipFeatures:
    """Return a clip's features at a speed, from the cache folder where they are there; for `fall` see `levels_of`."""
    file = _cached(cache, clip, speed)
    if not file.exists():
        samples, rate = mono(clip)
        levels, tones = levels_of(samples, rate * speed), tonality_of(samples, rate * speed)
        store(file, levels=levels, tonality=tones, rate=np.float64(rate * speed))
    with np.load(file) as stored:
        whole = ClipFeatures(
            stored["levels"],
            stored["tonality"],
            clip.trusted_hz * speed,
            float(stored["rate"]),
            clip.category,
            clip.source,
            clip.speaker,
            _harmonic(clip, cache),
            speed,
        )
    return whole if fall == bands.HANN_FALL else replace(whole, input_db=_input_levels(clip, speed, cache, fall))


def _harmonic(clip: Clip, cache: Path) -> NDArray[np.uint8]:
    file = cache_file(cache, FORMAT, "harmonic", STRIDE, str(clip.path), clip.path.stat().st_size)
    if not file.exists():
        store(file, harmonic=harmonicity(*mono(clip)))
    with np.load(file) as stored:
        harmonic: NDArray[np.uint8] = stored["harmonic"]
    return harmonic


def _input_levels(clip: Clip, speed: float, cache: Path, fall: float) -> NDArray[np.float16]:
    file = _cached(cache, clip, speed, fall=fall)
    if not file.exists():
        samples, rate = mono(clip)
        store(file, **{INPUT: levels_of(samples, rate * speed, fall)})
    with np.load(file) as stored:
        levels: NDArray[np.float16] = stored[INPUT]
    return levels


def degraded_features(clip: Clip, seed: int, cache: Path, fall: float = bands.HANN_FALL) -> ClipFeatures:
    """Return a clip's features together with those of the clip after a seeded degradation.

    Level, room and noise are left to the examples, which change them cheaply; here the top is lost, by a filter, a
    converter or a codec, and the edge is the one that a host would find.
    """
    whole = features(clip, 1.0, cache)
    file = _cached(cache, clip, 1.0, seed, fall=fall)
    if not file.exists():
        samples, rate = mono(clip)
        recipe = _TOP_ONLY.draw(seed, 0.8 * min(clip.true_bandwidth_hz, clip.trusted_hz))
        degraded = recipe.apply(samples[None], rate)
        meter = BandwidthMeter(rate)
        meter.add(degraded)
        edge = min(meter.edge_hz(), recipe.cutoff_hz)
        store(file, **{INPUT: levels_of(degraded[0], rate, fall)}, cutoff=np.float64(edge))
    with np.load(file) as stored:
        return replace(whole, input_db=stored[INPUT], cutoff_hz=float(stored["cutoff"]))


def mono(clip: Clip) -> tuple[NDArray[np.float32], int]:
    """Return a clip's channels as one, shape (time,), and its rate in Hz."""
    samples, rate = soundfile.read(clip.path, dtype="float32", always_2d=True)
    return np.ascontiguousarray(samples.mean(1)), int(rate)


def _cached(cache: Path, clip: Clip, *about: float, fall: float = bands.HANN_FALL) -> Path:
    # Files of Hann frames, which most runs share, are named as they were before there were others.
    window = () if fall == bands.HANN_FALL else ("fall", fall)
    return cache_file(cache, FORMAT, str(clip.path), clip.path.stat().st_size, *about, *window, bands.BAND_COUNT)


def cache_file(cache: Path, *about: str | float) -> Path:
    """Return the file of the cache that holds what these values decide."""
    return cache / f"{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:24]}.npz"


def store(file: Path, **arrays: NDArray[np.generic] | np.float64) -> None:
    """Write arrays to the cache, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    write_atomically(file, packed.getvalue())


def load_features(
    clips: Sequence[Clip], speeds: Sequence[float], cache: Path, degradations: int = 0, fall: float = bands.HANN_FALL
) -> list[ClipFeatures]:
    """Return the features of every clip at every speed, and after so many degradations each; see `features`."""
    plain = [features(clip, speed, cache, fall) for clip in clips for speed in speeds]
    return plain + [degraded_features(clip, seed, cache, fall) for clip in clips for seed in range(degradations)]
