"""Examples for the predictor: crops of cached features, made to sound like other rooms, microphones and noise floors.

Gain, equalisation, noise, reverberation and mixing are all cheap on band energies, and they are what carries a
predictor from the sources it was trained on to others. Every example is a pure function of (seed, step), so a
resumed run sees what an unbroken one would have seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsp import bands
from dsp.tonality import LAG_HOPS
from models.exciters import torch_bands
from models.training.data import silence
from models.training.data.features import ClipFeatures
from models.training.data.harmonicity import at_bands

Array = NDArray[np.floating[Any]]
_CENTRES = bands.band_centres_hz()
_EDGES = np.array(bands.band_edges_hz())
_OCTAVES = np.log2(_CENTRES / 1000.0)
# Independent bins in a band of one frame decide how much the level of its noise moves.
_FREEDOM = np.maximum(1.0, (_EDGES[2:] - _EDGES[:-2]) / 2 / 70.0)

# See `AugmentationConfig.low_caution`.
_LOW_HZ = 4000.0


@dataclass(frozen=True)
class AugmentationConfig:
    """How far examples stray from the recordings; see `Examples` for what each does."""

    frames: int = 400
    gain_db: float = 8.0
    eq_db: float = 6.0
    noise_share: float = 0.45
    noise_low_db: float = -115.0
    noise_high_db: float = -55.0
    room_share: float = 0.3
    mix_share: float = 0.15
    thin_share: float = 0.15
    compress_share: float = 0.3
    slope_share: float = 0.3
    hide_share: float = 0.5
    degraded_share: float = 0.35
    # Examples that begin or are interrupted in digital silence, as stems and gated recordings are.
    silence_share: float = 0.25
    blur_db: float = 1.0
    # How much a frame counts that lies `quiet_db` or more below its crop's loudest. A recording's own hiss is little
    # worth learning, but where pauses hardly count they are filled: with a tenth, by 4 to 7 dB too much.
    quiet_weight: float = 0.5
    quiet_db: float = 40.0
    # How much more it counts to be too loud than too soft, by category; 1 for those that are not named.
    caution: dict[str, float] = field(default_factory=dict)
    # The same for cutoffs of 4 kHz and below, from where it goes over into the other up to 8 kHz: what plays low says
    # little of what plays high, and a network that is unsure would come out far too soft.
    low_caution: dict[str, float] = field(default_factory=dict)
    # How much of all that makes a recording sound like another one, by category; 1 for those that are not named. A mix
    # has been equalised and compressed by people who listened, and what is made of it is none any more.
    strength: dict[str, float] = field(default_factory=dict)
    # Half of the cutoffs are drawn from these, a rate as often as it is named.
    rates_hz: tuple[float, ...] = (8000.0, 11025.0, 16000.0, 22050.0, 24000.0, 32000.0)
    categories: dict[str, float] = field(
        default_factory=lambda: {
            "speech": 0.55,
            "singing": 0.08,
            "instrument": 0.17,
            "music_mix": 0.15,
            "environment": 0.05,
            "amplifier": 0.08,
            "synthesizer": 0.06,
        }
    )


class Example(NamedTuple):
    """One training example or, stacked, a batch.

    Attributes:
        levels_db: Input levels, degraded or whole (masked by the predictor), shape (frames, bands).
        tonality: Of the input, same shape.
        mask: Bands that the predictor may see, shape (1, bands).
        target_db, harmonicity: What it should predict, shape (frames, bands).
        weight: 1 for bands to be judged: above the cutoff and below the true bandwidth, shape (1, bands).
        frame_weight: How much each frame counts, shape (frames,); see `AugmentationConfig.quiet_weight`.
        caution: How much more it counts to be too loud than too soft, shape (1, 1).
    """

    levels_db: Tensor
    tonality: Tensor
    mask: Tensor
    target_db: Tensor
    harmonicity: Tensor
    weight: Tensor
    frame_weight: Tensor
    caution: Tensor


Groups = dict[str, dict[str, list[ClipFeatures]]]


def _grouped(clips: Sequence[ClipFeatures]) -> Groups:
    groups: Groups = {}
    for clip in clips:
        groups.setdefault(clip.category, {}).setdefault(f"{clip.source}/{clip.speaker}", []).append(clip)
    return groups


class Examples:
    """Draws examples from clips: category by share, then speaker, then clip, then crop."""

    def __init__(
        self, clips: Sequence[ClipFeatures], config: AugmentationConfig, horizon: int, seed: int,
        fall: float = bands.HANN_FALL,
    ) -> None:  # fmt: skip
        self.config, self.horizon, self.seed, self._fall = config, horizon, seed, fall
        self._whole = _grouped([clip for clip in clips if not clip.cutoff_hz])
        self._degraded = _grouped([clip for clip in clips if clip.cutoff_hz])

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Example:
        """Return a process's share of the batch of a step, each field with a leading batch axis."""
        rows = [self._example(np.random.default_rng([self.seed, step, row])) for row in range(rank, size, world)]
        return Example(*(torch.stack(field) for field in zip(*rows, strict=True)))

    def _pick(self, groups: Groups, rng: np.random.Generator) -> ClipFeatures:
        names = [name for name in groups if self.config.categories.get(name, 0.0) > 0]
        shares = np.array([self.config.categories[name] for name in names])
        sources = groups[str(rng.choice(names, p=shares / shares.sum()))]
        sizes = np.array([sum(len(clip.levels_db) for clip in group) for group in sources.values()], dtype=float)
        # The square root raises the share of those with few clips and lets none dominate.
        group = list(sources.values())[int(rng.choice(len(sizes), p=np.sqrt(sizes) / np.sqrt(sizes).sum()))]
        return group[int(rng.integers(len(group)))]

    def _crop(self, clip: ClipFeatures, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return the power of the whole sound and, if it differs, of the input; and tonality and harmonicity."""
        length = self.config.frames + abs(self.horizon)
        start = int(rng.integers(max(1, len(clip.levels_db) - length + 1)))
        rows = np.arange(start, start + length) % len(clip.levels_db)
        versions = [clip.levels_db] if clip.input_db is None else [clip.levels_db, clip.input_db]
        power = np.stack([np.power(10.0, levels[rows].astype(np.float32) / 10) for levels in versions])
        harmonic = at_bands(clip.harmonic, rows, clip.speed, clip.sample_rate)
        return power, np.stack([clip.tonality[rows].astype(np.float32) / 255, harmonic])

    def _example(self, rng: np.random.Generator) -> Example:
        """Return one example; `power` is (1 or 2, frames, bands): the whole sound and, if it differs, the input."""
        config = self.config
        is_degraded = bool(self._degraded) and rng.random() < config.degraded_share
        clip = self._pick(self._degraded if is_degraded else self._whole, rng)
        strength = config.strength.get(clip.category, 1.0)
        (power, tone), trusted = self._crop(clip, rng), clip.bandwidth_hz
        gain = 10 ** (rng.normal(0.0, config.gain_db) / 10)
        shape = 10 ** (self._curve(rng, strength * config.eq_db) / 10)
        if rng.random() < strength * config.compress_share:
            power = _compress(power, rng.uniform(0.5, 1.4))
        if rng.random() < strength * config.mix_share:
            other = self._pick(self._whole, rng)
            added, added_tone = self._crop(other, rng)
            added *= power[0].mean() / max(added.mean(), 1e-12) * 10 ** (rng.uniform(-25.0, 0.0) / 10)
            tone = (tone * power[0] + added_tone * added[0]) / (power[0] + added[0])
            power, trusted = power + added, min(trusted, other.bandwidth_hz)
        if rng.random() < strength * config.room_share:
            power, tone = _reverberate(power, tone, rng)
        power = power * (gain * shape)
        kept = silence.draw(rng, power.shape[1], self._fall) if rng.random() < config.silence_share else None
        if kept is not None:
            power = np.stack([kept.target[:, None] * power[0], *(kept.input[:, None] * part for part in power[1:])])
            tone = np.stack([tone[0] * (kept.tonality > 0)[:, None], tone[1]])
        if rng.random() < strength * config.noise_share:
            noise = self._noise(rng, tone.shape[1])
            tone = tone * power[0] / (power[0] + noise)
            power = power + noise
        cutoff = clip.cutoff_hz if is_degraded else _cutoff(config, rng, trusted)
        return self._finish(power, tone, trusted, clip, cutoff, kept, strength, rng)

    def _finish(
        self, power: Array, tone: Array, trusted: float, clip: ClipFeatures, cutoff: float, kept: silence.Kept | None,
        strength: float, rng: np.random.Generator,
    ) -> Example:  # fmt: skip
        config = self.config
        levels = np.maximum(10 * np.log10(power + 1e-12), bands.FLOOR_DB).astype(np.float32)
        mask = torch_bands.band_mask(clip.sample_rate, 0.0, cutoff)
        weight = torch_bands.band_mask(clip.sample_rate, 0.0, trusted) * (1 - mask)
        if rng.random() < config.hide_share:
            mask = mask * _windows(rng)
        ahead, frames = self.horizon, config.frames
        seen = levels[-1, max(0, -ahead) :][:frames].copy()
        if rng.random() < strength * config.thin_share:
            seen += np.minimum(0.0, 24.0 * np.log2(_CENTRES / rng.uniform(150.0, 450.0))).astype(np.float32)
        if rng.random() < strength * config.slope_share:
            # A gentle filter has begun to fall before its cutoff.
            fall = np.clip(1 + np.log2(_CENTRES / cutoff) / rng.uniform(0.05, 0.4), 0.0, 1.0)
            seen -= (rng.uniform(1.0, 9.0) * fall).astype(np.float32)
        # What holds nothing stands at the floor exactly.
        seen += rng.normal(0.0, config.blur_db, seen.shape).astype(np.float32) * (seen > bands.FLOOR_DB)
        wanted = slice(max(0, ahead), max(0, ahead) + frames)
        frame_weight = self._frame_weight(power[0, wanted])
        if kept is not None:
            # Nothing is generated in silence, whatever is predicted.
            frame_weight[kept.target[wanted] == 0] = 0.0
        # The longer frame of tonality ends where the newest frame does, so its middle lies before.
        newest = np.maximum(np.arange(frames) + max(0, -ahead) - LAG_HOPS, 0)
        return Example(
            torch.from_numpy(np.maximum(seen, bands.FLOOR_DB)),
            torch.from_numpy(tone[0, newest].astype(np.float32)),
            mask[None],
            torch.from_numpy(levels[0, wanted]),
            torch.from_numpy(tone[1, wanted].astype(np.float32)),
            weight[None],
            torch.from_numpy(frame_weight),
            torch.full((1, 1), _caution(config, clip.category, cutoff)),
        )

    def _frame_weight(self, power: Array) -> NDArray[np.float32]:
        level_db = 10 * np.log10((power * (_EDGES[2:] - _EDGES[:-2])).sum(-1) + 1e-12)
        is_quiet = level_db < level_db.max() - self.config.quiet_db
        return np.where(is_quiet, self.config.quiet_weight, 1.0).astype(np.float32)

    def _curve(self, rng: np.random.Generator, spread_db: float) -> Array:
        knots = rng.normal(0.0, spread_db, 9)
        return np.interp(np.arange(bands.BAND_COUNT), np.linspace(0, bands.BAND_COUNT - 1, 9), knots).astype(np.float32)

    def _noise(self, rng: np.random.Generator, frames: int) -> Array:
        level = rng.uniform(self.config.noise_low_db, self.config.noise_high_db)
        slope = rng.uniform(-5.0, 1.0) * np.clip(_OCTAVES, -3.0, 5.0)
        mean = 10 ** ((level + slope + self._curve(rng, 3.0)) / 10)
        noise: Array = (mean * rng.gamma(_FREEDOM, 1.0 / _FREEDOM, (frames, bands.BAND_COUNT))).astype(np.float32)
        return noise


def _cutoff(config: AugmentationConfig, rng: np.random.Generator, trusted_hz: float) -> float:
    """Draw a cutoff: half log-uniform, half at the rates that people meet, with at least one band left to judge."""
    if rng.random() < 0.5:
        cutoff = 2000.0 * 9.0 ** rng.random()
    else:
        cutoff = 0.5 * float(rng.choice(config.rates_hz)) * rng.uniform(0.92, 1.0)
    return float(min(cutoff, trusted_hz / 1.25))


def _caution(config: AugmentationConfig, category: str, cutoff_hz: float) -> float:
    high, above = config.caution.get(category, 1.0), min(max(math.log2(cutoff_hz / _LOW_HZ), 0.0), 1.0)
    return float(config.low_caution.get(category, high) ** (1.0 - above) * high**above)


def _windows(rng: np.random.Generator) -> Tensor:
    """Return a mask with a few gaps of neighbouring bands, so that no single band is relied on (Park et al. 2019)."""
    mask = torch.ones(bands.BAND_COUNT)
    for _ in range(int(rng.integers(1, 4))):
        start = int(rng.integers(bands.BAND_COUNT))
        mask[start : start + int(rng.integers(1, 7))] = 0.0
    return mask


def _compress(power: Array, ratio: float) -> Array:
    """Scale each frame's broadband level about its mean, as a compressor or an expander would."""
    level = np.log(power[0].sum(-1, keepdims=True) + 1e-9)
    smooth = np.apply_along_axis(lambda row: np.convolve(row, np.full(9, 1 / 9), "same"), 0, level)
    gain = np.exp(((ratio - 1) * (smooth - smooth.max())).clip(-7, 7))
    return np.asarray(power * gain, dtype=np.float32)


def _reverberate(power: Array, tone: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Add an exponential tail to each band's energy; high bands decay sooner, as in air and on walls."""
    frames = power.shape[-2]
    t60 = rng.uniform(0.1, 0.9) * (0.4 + 0.6 / (1 + (_CENTRES / rng.uniform(2000.0, 12000.0)) ** 2))
    decay = 10 ** (-6 * np.arange(frames)[:, None] * bands.HOP_SECONDS / t60)
    decay /= decay.sum(0)
    wet = 10 ** (rng.uniform(-15.0, -1.0) / 10)
    size = 2 * frames
    tail = np.fft.irfft(np.fft.rfft(power, size, -2) * np.fft.rfft(decay, size, 0), size, -2)[..., :frames, :]
    tail = wet * np.maximum(tail, 0.0)
    total = power + tail
    return total.astype(np.float32), (tone * (power[0] + 0.5 * tail[0]) / np.maximum(total[0], 1e-12)).astype(
        np.float32
    )
