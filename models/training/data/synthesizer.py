"""Phrases of a synthesizer, drawn at random: what electronic music is made of and few free recordings hold alone.

Oscillators, a ladder filter that opens and closes, envelopes and the usual effects. Its filter decides where the sound
ends, as a closed pad or a bass has no top whatever the bandwidth of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import soxr
from numpy.typing import NDArray
from pedalboard import Bitcrush, Chorus, Delay, Distortion, LadderFilter, Phaser, Plugin, Reverb

from models.training.data.scene import recorded

Audio = NDArray[np.float32]
Float = NDArray[np.floating[Any]]
Wave = Literal["saw", "pulse", "triangle", "fm", "noise"]
WAVES: tuple[Wave, ...] = ("saw", "pulse", "triangle", "fm", "noise")
RATE = 48000
# Naive waveforms fold back; at four times the rate what folds lies 15 dB (at the top) to 30 dB (at 4 kHz) below what
# belongs there, measured for a saw at 1.3 kHz: it moves no envelope.
_OVERSAMPLING = 4
# Shorter than the 50 ms or so over which the ladder smooths its own cutoff.
_FILTER_BLOCK = 96
_SCALE = (0, 3, 5, 7, 10, 12, 15)
_CHORDS = ((0,), (0,), (0, 7), (0, 4, 7), (0, 3, 7, 10), (0, 5, 7))
_PEAK = 0.5


@dataclass(frozen=True)
class Envelope:
    """Attack and decay, and the level that is held."""

    attack_s: float
    decay_s: float
    sustain: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Draw one, from a pluck to a slow swell."""
        return cls(0.001 * 500.0 ** rng.random(), 0.03 * 60.0 ** rng.random(), float(rng.choice([0.0, 0.2, 0.6, 1.0])))

    def over(self, seconds: Float, held: float) -> Float:
        """Return the envelope at times after a note's start that is held so long, in 0..1."""
        rise = np.clip(seconds / self.attack_s, 0.0, 1.0)
        fall = self.sustain + (1 - self.sustain) * np.exp(-np.maximum(seconds - self.attack_s, 0.0) / self.decay_s)
        return np.asarray(rise * fall * np.exp(-np.maximum(seconds - held, 0.0) / 0.02), dtype=np.float64)


@dataclass(frozen=True)
class Synthesizer:
    """A patch and the phrase that it plays.

    Attributes:
        seed: Of the notes, phases and noise.
        waves, detune: One oscillator each and how far it is off, in semitones.
        shape: Pulse width; of frequency modulation the depth, 20 shape^2 radians, and the ratio, 1 + 4 shape rounded.
        root: MIDI note of the phrase's lowest key.
        chord: Semitones that sound together.
        step_s: Time from note to note.
        loudness, opening: Envelopes of a note's level and of the filter, which follows within 50 ms or so.
        cutoff_hz, octaves, resonance: The filter at rest, how far its envelope opens it, and its resonance.
        is_steep: Four poles rather than two.
        effects: After the filter, by name.
        floor_db: Level of the recording's noise, dB re full scale (RMS).
    """

    seed: int
    waves: tuple[Wave, ...]
    detune: tuple[float, ...]
    shape: float
    root: int
    chord: tuple[int, ...]
    step_s: float
    loudness: Envelope
    opening: Envelope
    cutoff_hz: float
    octaves: float
    resonance: float
    is_steep: bool
    effects: tuple[str, ...]
    floor_db: float

    @classmethod
    def draw(cls, seed: int) -> Self:
        """Draw a patch, from basses and pads to bright leads and noises; the same seed draws the same."""
        rng = np.random.default_rng(seed)
        voices = int(rng.integers(1, 4))
        effects = [name for name, (share, _, _) in _EFFECTS.items() if rng.random() < share]
        return cls(
            seed=seed,
            waves=tuple(WAVES[k] for k in rng.choice(len(WAVES), voices, p=(0.4, 0.25, 0.1, 0.17, 0.08))),
            detune=tuple(float(rng.choice([0.0, 0.0, 12.0, -12.0, 7.0]) + rng.normal(0.0, 0.1)) for _ in range(voices)),
            shape=rng.uniform(0.1, 0.5),
            root=int(rng.integers(26, 68)),
            chord=_CHORDS[rng.integers(len(_CHORDS))],
            step_s=0.1 * 20.0 ** rng.random(),
            loudness=Envelope.draw(rng),
            opening=Envelope.draw(rng),
            cutoff_hz=150.0 * 80.0 ** rng.random(),
            octaves=rng.uniform(0.0, 5.0),
            resonance=rng.uniform(0.0, 0.8),
            is_steep=bool(rng.random() < 0.6),
            effects=tuple(effects),
            floor_db=rng.uniform(-140.0, -85.0),
        )

    def play(self, seconds: float) -> Audio:
        """Return the phrase at `RATE`, shape (samples,), `seconds` long, which must be above 0."""
        rng = np.random.default_rng(self.seed)
        fine = RATE * _OVERSAMPLING
        dry, opened = np.zeros(round(seconds * fine)), np.zeros(round(seconds * RATE))
        for start in np.arange(0.0, seconds - self.step_s / 2, self.step_s):
            held, key = self.step_s * rng.uniform(0.3, 1.1), self.root + int(rng.choice(_SCALE))
            first = round(start * fine)
            times = np.arange(min(len(dry) - first, round((held + 0.2) * fine))) / fine
            strength = self.loudness.over(times, held) * rng.uniform(0.4, 1.0)
            dry[first : first + len(times)] += self._notes(key, times, rng) * strength
            room = opened[round(start * RATE) :][: len(times) // _OVERSAMPLING]
            np.maximum(room, self.opening.over(times[::_OVERSAMPLING][: len(room)], held), out=room)
        sound = self._filtered(soxr.resample(dry, fine, RATE)[: len(opened)], opened)
        for name in self.effects:
            sound = _effect(name, rng)(sound, RATE)
        return recorded(sound, _PEAK * rng.uniform(0.1, 1.0), self.floor_db, rng)

    def _notes(self, key: int, times: Float, rng: np.random.Generator) -> Float:
        total = np.zeros(len(times))
        for above in self.chord:
            for wave, off in zip(self.waves, self.detune, strict=True):
                pitch = 440.0 * 2 ** ((key + above + off - 69) / 12)
                total += _oscillation(wave, pitch * times + rng.random(), self.shape, rng)
        return np.asarray(total / np.sqrt(len(self.chord) * len(self.waves)), dtype=np.float64)

    def _filtered(self, sound: Float, opened: Float) -> Audio:
        mode = LadderFilter.LPF24 if self.is_steep else LadderFilter.LPF12
        ladder = LadderFilter(mode, self.cutoff_hz, resonance=self.resonance)
        source, out = np.ascontiguousarray(sound[None], dtype=np.float32), []
        for first in range(0, len(sound), _FILTER_BLOCK):
            ladder.cutoff_hz = float(min(self.cutoff_hz * 2 ** (self.octaves * opened[first]), 20000.0))
            out.append(ladder.process(source[:, first : first + _FILTER_BLOCK], RATE, reset=False))
        return np.asarray(np.concatenate(out, axis=1)[0], dtype=np.float32)


# How often each occurs, what it is, and the ranges of its first settings.
_EFFECTS: dict[str, tuple[float, Callable[..., Plugin], tuple[tuple[float, float], ...]]] = {
    "distortion": (0.2, Distortion, ((3.0, 30.0),)),
    "bitcrush": (0.05, Bitcrush, ((6.0, 12.0),)),
    "chorus": (0.3, Chorus, ((0.2, 3.0), (0.1, 0.6))),
    "phaser": (0.1, Phaser, ((0.2, 3.0),)),
    "delay": (0.25, Delay, ((0.1, 0.5), (0.0, 0.5), (0.1, 0.4))),
    "reverb": (0.45, Reverb, ((0.2, 0.9), (0.2, 0.8), (0.05, 0.4))),
}


def _effect(name: str, rng: np.random.Generator) -> Plugin:
    _, build, ranges = _EFFECTS[name]
    return build(*(rng.uniform(low, high) for low, high in ranges))


def _oscillation(wave: Wave, turns: Float, shape: float, rng: np.random.Generator) -> Float:
    phase = turns % 1.0
    if wave == "saw":
        return 2 * phase - 1
    if wave == "pulse":
        return (phase < shape) - shape
    if wave == "triangle":
        return np.asarray(4 * np.abs(phase - 0.5) - 1)
    if wave == "fm":
        bend = 20 * shape**2 * np.sin(2 * np.pi * turns * round(1 + 4 * shape))
        return np.asarray(np.sin(2 * np.pi * turns + bend))
    return rng.standard_normal(len(turns))
