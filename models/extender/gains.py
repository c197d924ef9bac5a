"""The path of gains: from what frames tell and the positions of the knobs to what the LTV filters shall do."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from dsp import bands, crossover
from dsp.band_power import FLOOR_POWER
from dsp.compile import kernel
from dsp.fft import Array
from models.extender import envelope
from models.extender.config import ExtenderConfig, horizon
from models.extender.envelope import Shape

# Frames over which a source's levels are averaged before they are taken out. Without look-ahead they tell of the
# past, and a long average does least harm where the signal changes (chosen on splits train and valid).
_AVERAGED_NOW = 12
_AVERAGED_LATE = 3
# A source softer than this in its bands is silence; an exciter at work is louder by far at any level of the input.
_SILENT_SOURCE = 1e-9


def averaged_frames(config: ExtenderConfig) -> int:
    """Return over how many frames a source's power is averaged."""
    return _AVERAGED_LATE if horizon(config.lookahead_hops) < 0 else _AVERAGED_NOW


class GainPath:
    """Holds what gains depend on beside the newest frames; `tell_gains` tells them.

    Args:
        config: Of the extender.
        sample_rate: Hz.

    Attributes:
        whitens: Whether the source's own spectrum is taken out, or its level only.
        noise_power: Power of the noise in every band.
        sources: Power of the source's bands in the frames that count with the next one, and whether there was any.
        late: What was measured and waits for the delayed signal: power of input and source, gate, energy, reference.
        energy: Power of the hops before, for the attack.
        shape: The knobs that act on the envelope, as `turn_knobs` took them.
    """

    def __init__(self, config: ExtenderConfig, sample_rate: int) -> None:
        self.whitens, self.noise_power = config.whiten, 48000.0 / sample_rate
        self._lag, self._averaged = max(0, -horizon(config.lookahead_hops)), averaged_frames(config)

    def reset(self, channels: int) -> None:
        """Forget the past."""
        self.sources = np.zeros((channels, self._averaged - 1, bands.BAND_COUNT + 1), np.float32)
        self.late = np.full((channels, self._lag, 2 * bands.BAND_COUNT + 3), FLOOR_POWER, np.float32)
        self.late[..., -3:] = 0.0, 0.0, bands.FLOOR_DB
        self.energy = np.zeros((channels, envelope.ONSET_PAST), np.float32)
        self.shape = Shape(crossover.HIGHEST_HZ, 0.0, 0.0, crossover.HIGHEST_HZ, bands.BAND_COUNT - 1)

    def turn_knobs(self, step: int, values: Mapping[str, float]) -> None:
        """Take the knobs that act on the envelope, and the crossover that is generated from."""
        crossover_hz, first = _crossovers()[step]
        # Numbers of one type, or the kernels would be compiled once more.
        amount_db, tilt, ceiling_hz = float(values["amount"]), float(values["tilt"]), float(values["ceiling"])
        self.shape = Shape(crossover_hz, amount_db, tilt, max(ceiling_hz, crossover_hz), first)


@lru_cache
def _crossovers() -> list[tuple[float, int]]:
    """Return the frequency of each step of the crossover and the first band above it."""
    steps = [crossover.step_hz(step) for step in range(crossover.step_count())]
    return [(crossover_hz, envelope.first_band(crossover_hz)) for crossover_hz in steps]


@kernel
def tell_gains(
    told_db: Array, tonality: Array, reference_db: Array, present: Array, source: Array, gate: Array, energy: Array,
    sources: Array, late: Array, energy_before: Array, shape: Shape, attack: float, tone: float,
    noise_power: float, whitens: bool, gains: Array, gates: Array,
) -> None:  # fmt: skip
    """Put frames into the past, and tell what the filters at their ends shall do: of the source, then of the noise.

    Args:
        told_db: By the predictor, shape (channels, frames, bands); overwritten.
        tonality: By the predictor, same shape.
        reference_db: Of the frames, shape (channels, frames); overwritten.
        present: Power of the input's bands, like `told_db`; overwritten, as what follows.
        source: Power of the source's bands.
        gate: 0 where the input is silent, else 1; shape (channels, frames).
        energy: Power of each frame's newest hop.
        sources: Of `GainPath`; goes on.
        late: Of `GainPath`; goes on.
        energy_before: Of `GainPath`; goes on.
        shape: Of `GainPath`.
        attack: -1 softens, 1 stresses.
        tone: -1 all noise, 0 as predicted, 1 all harmonics.
        noise_power: Of `GainPath`.
        whitens: As `GainPath` says.
        gains: Where logarithms of power ratios go, shape (2 * channels, frames, bands).
        gates: Where the factors on all of a filter go, shape (2 * channels, frames).
    """
    channels = len(source)
    _average(source, sources)
    _wait(present, source, gate, energy, reference_db, late)
    if channels > 1:
        envelope.link(told_db, reference_db)
    if not whitens:
        _level(source)
    added_db = np.empty_like(source)
    envelope.add_knobs(shape, attack, energy, energy_before, added_db)
    of_source, of_noise = gains[:channels], gains[channels:]
    envelope.source_gains(
        told_db, added_db, tonality, present, source, noise_power, tone, shape.first_band, of_source, of_noise
    )
    gates[:channels], gates[channels:] = gate, gate


@kernel
def _average(power: Array, past: Array) -> None:
    """Put the mean of each frame and the frames before it in its place, and the frames into the past.

    Frames of silence do not count: a mean with them would stand far below what begins, and lift it.

    Args:
        power: Divided by the number of frames that are averaged, shape (channels, frames, bands); overwritten.
        past: Of the frames that count with the next one, shape (channels, past, bands + 1); 0 in the last place for
            silence; overwritten.
    """
    channels, frames, count = power.shape
    kept = past.shape[1]
    for channel in range(channels):
        for frame in range(frames):
            newest, total = power[channel, frame].copy(), np.float32(0.0)
            for band in range(count):
                total += newest[band]
            is_sound = np.float32(1.0) if total > count * _SILENT_SOURCE / (kept + 1) else np.float32(0.0)
            sounding = is_sound
            for k in range(kept):
                if past[channel, k, count] > 0:
                    sounding += np.float32(1.0)
                    for band in range(count):
                        power[channel, frame, band] += past[channel, k, band]
            for band in range(count):
                power[channel, frame, band] *= (kept + 1) / max(sounding, np.float32(1.0))
            for k in range(kept - 1):
                past[channel, k] = past[channel, k + 1]
            past[channel, kept - 1, :count], past[channel, kept - 1, count] = newest, is_sound


@kernel
def _wait(present: Array, source: Array, gate: Array, energy: Array, reference_db: Array, late: Array) -> None:
    """Hold what was measured back until the delayed signal gets there; see `GainPath.late`."""
    channels, frames, count = present.shape
    lag = late.shape[1]
    if lag == 0:
        return
    for channel in range(channels):
        for frame in range(frames):
            now = late[channel, 0].copy()
            for k in range(lag - 1):
                late[channel, k] = late[channel, k + 1]
            newest = late[channel, lag - 1]
            newest[:count], newest[count : 2 * count] = present[channel, frame], source[channel, frame]
            newest[2 * count], newest[2 * count + 1] = gate[channel, frame], energy[channel, frame]
            present[channel, frame], source[channel, frame] = now[:count], now[count : 2 * count]
            newest[2 * count + 2] = reference_db[channel, frame]
            gate[channel, frame], energy[channel, frame] = now[2 * count], now[2 * count + 1]
            reference_db[channel, frame] = now[2 * count + 2]


@kernel
def _level(source: Array) -> None:
    """Put the mean level of all bands in each band's place."""
    channels, frames, count = source.shape
    for channel in range(channels):
        for frame in range(frames):
            total = 0.0
            for band in range(count):
                total += np.log(source[channel, frame, band])
            source[channel, frame] = np.exp(total / count)
