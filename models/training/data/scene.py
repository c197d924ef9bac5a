"""The scene: level, microphone, room and noise that a recording might as well have had, in its full band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Audio = NDArray[np.float32]
_EQ_TAPS = 1023
_EQ_LOW_HZ, _EQ_HIGH_HZ = 50.0, 24000.0
_LEAST_DECAY = 1e-3
_SILENT = 1e-9


def recorded(sound: Audio, peak: float, floor_db: float, rng: np.random.Generator) -> Audio:
    """Return a sound as a recording holds it: brought to a peak, over white noise (dB re full scale, RMS)."""
    level = peak / max(float(np.abs(sound).max()), _SILENT)
    return (sound * level + rng.standard_normal(sound.shape) * 10 ** (floor_db / 20)).astype(np.float32)


@dataclass(frozen=True)
class Scene:
    """A change of scene; the clean and the degraded signal of a pair share it.

    Attributes:
        seed: Of the room's echoes and the noise's samples.
        gain_db: Level.
        eq_db: Gains of a smooth equaliser at points spread evenly in octaves from 50 Hz to 24 kHz; empty for none.
        noise_db: Level of the added noise, dB below full scale (RMS); None for none.
        noise_slope_db: Its slope, dB per octave.
        decay_s: Time in which the room's echo falls by 60 dB; None for no room.
        echo_db: Energy of the echo against the direct sound.
    """

    seed: int = 0
    gain_db: float = 0.0
    eq_db: tuple[float, ...] = ()
    noise_db: float | None = None
    noise_slope_db: float = 0.0
    decay_s: float | None = None
    echo_db: float = -12.0

    def apply(self, clean: Audio, rate: int) -> Audio:
        """Return the signal in this scene: same shape (channels, samples), aligned, not driven above full scale."""
        if not clean.size:
            return clean.copy()
        rng = np.random.default_rng(self.seed)
        changed = clean * np.float32(10 ** (self.gain_db / 20))
        if self.eq_db:
            changed = signal.oaconvolve(changed, self._equaliser(rate)[None], mode="full", axes=1)
            changed = changed[:, _EQ_TAPS // 2 : _EQ_TAPS // 2 + clean.shape[1]]
        if self.decay_s is not None:
            changed = signal.oaconvolve(
                changed, self._room(self.decay_s, clean.shape[0], rate, rng), mode="full", axes=1
            )
            changed = changed[:, : clean.shape[1]]
        if self.noise_db is not None:
            changed = changed + self._noise(self.noise_db, clean.shape, rate, rng)
        highest = max(float(np.abs(clean).max()), 1.0)
        return (changed * min(1.0, highest / max(float(np.abs(changed).max()), 1e-9))).astype(np.float32)

    def text(self) -> str:
        """Describe it in a few words."""
        words = [f"gain {self.gain_db:+.1f} dB"]
        if self.eq_db:
            words.append(f"equaliser {min(self.eq_db):+.0f} to {max(self.eq_db):+.0f} dB")
        if self.decay_s is not None:
            words.append(f"room of {self.decay_s:.2f} s at {self.echo_db:.0f} dB")
        if self.noise_db is not None:
            words.append(f"noise at {self.noise_db:.0f} dB, {self.noise_slope_db:+.0f} dB/octave")
        return ", ".join(words)

    def _equaliser(self, rate: int) -> NDArray[np.float64]:
        grid = np.linspace(0, rate / 2, 513)
        points = np.linspace(np.log2(_EQ_LOW_HZ), np.log2(_EQ_HIGH_HZ), len(self.eq_db))
        gains_db = np.interp(np.log2(np.maximum(grid, _EQ_LOW_HZ)), points, self.eq_db)
        return np.asarray(signal.firwin2(_EQ_TAPS, grid, 10 ** (gains_db / 20), fs=rate), dtype=np.float64)

    def _room(self, decay_s: float, channels: int, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
        length = max(2, round(decay_s * rate))
        echoes = rng.standard_normal((channels, length)) * _LEAST_DECAY ** (np.arange(length) / length)
        echoes[:, : min(length // 2, rate // 200)] = 0.0
        echoes *= 10 ** (self.echo_db / 20) / np.linalg.norm(echoes, axis=1, keepdims=True)
        echoes[:, 0] = 1.0
        return np.asarray(echoes, dtype=np.float64)

    def _noise(
        self, level_db: float, shape: tuple[int, ...], rate: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        spectrum = np.fft.rfft(rng.standard_normal(shape), axis=1)
        octaves = np.log2(np.maximum(np.fft.rfftfreq(shape[1], 1 / rate), _EQ_LOW_HZ) / _EQ_LOW_HZ)
        noise = np.fft.irfft(spectrum * 10 ** (self.noise_slope_db * octaves / 20), shape[1], axis=1)
        loudness = max(float(np.sqrt(np.mean(noise**2))), 1e-12)
        return np.asarray(noise * 10 ** (level_db / 20) / loudness, dtype=np.float64)
