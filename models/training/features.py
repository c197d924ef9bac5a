"""The feature cache: log band energies and tonality of every training clip, computed once and kept on disk.

The predictor maps features to features, so it trains on these arrays alone: hours of audio a minute on one core.
A clip also enters at other speeds, simply by declaring another sample rate: pitch, formants and bandwidth move
together as they do from one speaker to another (vocal tract length perturbation, Jaitly and Hinton 2013).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from dsp import bands
from dsp.bandwidth import BandwidthMeter
from dsp.tonality import tonality
from models.training.corpus import Clip
from models.training.degradation import Degradation

FORMAT = 2
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
        heard_db: Levels of the same frames after a degradation, or None where the cutoff is only a mask.
        cutoff_hz: Where the degraded recording's band ends, as a host finds it.
    """

    levels_db: NDArray[np.float16]
    tonality: NDArray[np.uint8]
    bandwidth_hz: float
    sample_rate: float
    category: str
    source: str
    heard_db: NDArray[np.float16] | None = None
    cutoff_hz: float = 0.0


def analyse(samples: NDArray[np.float32], rate: float) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """Return levels and tonality of a mono signal declared to have this rate.

    Args:
        samples: Shape (time,).
        rate: Hz; may differ from the true rate to change the speed.

    Returns:
        Levels in dB as float16 and tonality as uint8, both of shape (frames, bands); frame k is centred at k * hop.
    """
    hop, window = bands.hop_samples(rate), bands.hann(bands.window_samples(rate))
    weights = bands.band_weights(rate, bands.fft_size(len(window)))
    long_window = bands.hann(2 * len(window))
    long_weights = bands.band_weights(rate, bands.fft_size(len(long_window)))
    reach = len(long_window) // 2
    padded = torch.nn.functional.pad(torch.from_numpy(samples), (reach, reach))
    long_frames = padded.unfold(0, len(long_window), hop)
    inner = slice(reach // 2, reach // 2 + len(window))
    scale = bands.power_scale(rate, window)
    levels, tones = [], []
    for chunk in long_frames.split(_CHUNK):
        levels.append(bands.band_levels_db(chunk[:, inner], window, weights, scale).half())
        tones.append((tonality(chunk, long_window, long_weights) * 255).to(torch.uint8))
    return torch.cat(levels).numpy(), torch.cat(tones).numpy()


def features(clip: Clip, speed: float, cache: Path) -> ClipFeatures:
    """Return a clip's features at a speed, from the cache folder where they are there."""
    file = _cached(cache, clip, speed)
    if not file.exists():
        samples, rate = _mono(clip)
        levels, tones = analyse(samples, rate * speed)
        _store(file, levels=levels, tonality=tones, rate=np.float64(rate * speed))
    with np.load(file) as stored:
        return ClipFeatures(
            stored["levels"],
            stored["tonality"],
            clip.trusted_hz * speed,
            float(stored["rate"]),
            clip.category,
            clip.source,
        )


def degraded_features(clip: Clip, seed: int, cache: Path) -> ClipFeatures:
    """Return a clip's features together with those of the clip after a seeded degradation.

    Level, room and noise are left to the examples, which change them cheaply; here the top is lost, by a filter, a
    converter or a codec, and the edge is the one that a host would find.
    """
    whole = features(clip, 1.0, cache)
    file = _cached(cache, clip, 1.0, seed)
    if not file.exists():
        samples, rate = _mono(clip)
        recipe = _TOP_ONLY.draw(seed, 0.8 * min(clip.true_bandwidth_hz, clip.trusted_hz))
        heard = recipe.apply(samples[None], rate)
        meter = BandwidthMeter(rate)
        meter.add(heard)
        edge = min(meter.edge_hz(), recipe.cutoff_hz)
        _store(file, heard=analyse(heard[0], rate)[0], cutoff=np.float64(edge))
    with np.load(file) as stored:
        return replace(whole, heard_db=stored["heard"], cutoff_hz=float(stored["cutoff"]))


def _mono(clip: Clip) -> tuple[NDArray[np.float32], int]:
    samples, rate = soundfile.read(clip.path, dtype="float32", always_2d=True)
    return np.ascontiguousarray(samples.mean(1)), int(rate)


def _cached(cache: Path, clip: Clip, *about: float) -> Path:
    key = json.dumps([FORMAT, str(clip.path), clip.path.stat().st_size, *about, bands.BAND_COUNT])
    return cache / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"


def _store(file: Path, **arrays: NDArray[np.generic] | np.float64) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}.partial.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    os.replace(partial, file)


def load_features(
    clips: Sequence[Clip], speeds: Sequence[float], cache: Path, degradations: int = 0
) -> list[ClipFeatures]:
    """Return the features of every clip at every speed, and after so many degradations each."""
    plain = [features(clip, speed, cache) for clip in clips for speed in speeds]
    return plain + [degraded_features(clip, seed, cache) for clip in clips for seed in range(degradations)]
