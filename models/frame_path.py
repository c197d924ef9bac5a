"""The path of frames: from the analysis of input and source over the predictor to the gains of the LTV filters.

It comes in two halves. `hear` works out what a frame tells whatever the knobs say, so it can run as soon as a frame's
last sample has come in; `gains` puts frames into the past and asks the knobs, when the hop after them begins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dsp import bands, crossover
from dsp.band_power import FLOOR_POWER, BandPower
from dsp.fourier import Array
from dsp.kernel import kernel
from models import envelope
from models.envelope import Shape, silence_gate
from models.extender_config import ExtenderConfig, horizon
from models.tape import Tape
from models.teller import Teller, Told

# Frames over which a source's levels are averaged before they are taken out. Without look-ahead they tell of the
# past, and a long average does least harm where the signal changes (chosen on splits train and valid).
_AVERAGED_NOW = 12
_AVERAGED_LATE = 3
_SOURCE_FLOOR = 2 * FLOOR_POWER


class Levels(NamedTuple):
    """What frames of the input say.

    Attributes:
        present: Power of the bands, shape (channels, frames, bands).
        gate: 0 in silence, else 1; shape (channels, frames), as what follows.
        energy: Power of the newest hop.
        lift: Root mean square of the first difference, which the exciter wants.
    """

    present: Array
    gate: Array
    energy: Array
    lift: Array


class Frames(NamedTuple):
    """All that is known of frames without a look at the knobs.

    Attributes:
        levels: Of the input.
        source: Power of the source's bands, shape (channels, frames, bands).
        told: By the predictor.
        step: The crossover that the predictor was told.
    """

    levels: Levels
    source: Array
    told: Told
    step: int | None


class Gains(NamedTuple):
    """What the LTV filters at the ends of frames shall do: those of the source in each channel, then of the noise.

    Attributes:
        power: Logarithms of power ratios, shape (2 * channels, frames, bands).
        gate: On all of a filter, shape (2 * channels, frames).
    """

    power: Array
    gate: Array


class FramePath:
    """Hears frames and tells gains; see the module.

    Args:
        config: Of the extender.
        sample_rate: Hz.
        teller: The predictor.

    Attributes:
        window, source_window: Samples of a frame of the input and of the source. The source is measured over half a
            window: what matters of it lies above 2 kHz, and less lag whitens better.
        source_lag: Samples from the end of a source's frame to the end of the input's frame.
    """

    def __init__(self, config: ExtenderConfig, sample_rate: int, teller: Teller) -> None:
        self._rate, self._teller, self._whitens = sample_rate, teller, config.whiten
        self._hop = bands.hop_samples(sample_rate)
        self.window = bands.window_samples(sample_rate)
        self.source_window = self.window // 2
        self._power = BandPower(sample_rate, self.window, fall=config.window_fall)
        self._noise_power = 48000.0 / sample_rate
        self._lag = max(0, -horizon(config.lookahead_hops))
        self._averaged = _AVERAGED_LATE if self._lag else _AVERAGED_NOW
        # A band above Nyquist holds nothing; taken as it is, it would be lifted, and the band below along with it.
        # Divided here by the number that is averaged, so that the mean is a sum.
        self._source_power = BandPower(
            sample_rate, self.source_window, _SOURCE_FLOOR, lifts_top=True, factor=1 / self._averaged
        )
        # With look-ahead the source is measured in the middle of the input's frame, else at its end.
        self.source_lag = self.source_window - self.source_window // 2 if self._lag else 0

    def reset(self, channels: int) -> None:
        """Forget the past."""
        self._channels = channels
        self._teller.start(channels)
        before = (channels, self._averaged - 1, bands.BAND_COUNT)
        self._sources = np.full(before, FLOOR_POWER / self._averaged, np.float32)
        # Behind the look-ahead: power of input and source, gate, energy.
        self._context = np.full((channels, self._lag, 2 * bands.BAND_COUNT + 2), FLOOR_POWER, np.float32)
        self._context[..., -2:] = 0.0
        self._energy = np.zeros((channels, envelope.ONSET_PAST), np.float32)
        self._masked_for: int | None = -1
        self._knobs: tuple[int, float, float, float] | None = None
        self._offset_db, self._first = np.zeros(bands.BAND_COUNT, np.float32), 0

    def measure(self, signal: Tape, before: int, number: int) -> Levels:
        """Return what the newest frames of the input say.

        Args:
            signal: The input.
            before: Samples since the last frame's end.
            number: Of frames, a hop apart.
        """
        start = signal.end - before - (number - 1) * self._hop - self.window
        gate, energy, lift = np.empty((3, self._channels, number), np.float32)
        _measure(signal.samples, start, self._hop, self.window, gate, energy, lift)
        return Levels(self._power(signal.samples, start, self._hop, number), gate, energy, lift)

    def hear(self, levels: Levels, source: Tape, before: int, step: int | None) -> Frames:
        """Return all that frames tell; nothing is put into the past yet.

        Args:
            levels: From `measure`.
            source: The coloured source.
            before: Samples since the last frame's end.
            step: Of the crossover.
        """
        number = levels.gate.shape[1]
        start = source.end - before - self.source_lag - (number - 1) * self._hop - self.source_window
        power = self._source_power(source.samples, start, self._hop, number)
        return Frames(levels, power, self._tell(levels, step), step)

    def hear_again(self, frames: Frames, step: int | None) -> Frames:
        """Return what frames tell about another crossover."""
        return frames._replace(told=self._tell(frames.levels, step), step=step)

    def _tell(self, levels: Levels, step: int | None) -> Told:
        if step != self._masked_for:
            top = self._rate / 2 if step is None else crossover.step_hz(step)
            self._mask = bands.band_mask(self._rate, 0.0, top).numpy()
            self._top = envelope.top_weights(self._mask)
            self._masked_for = step
        present_db, reference_db = np.empty_like(levels.present), np.zeros(levels.gate.shape, np.float32)
        _to_db(levels.present, self._top, present_db, reference_db)
        told = self._teller.tell(present_db, self._mask)
        if self._channels > 1:
            envelope.link(told.levels_db, reference_db)
        return told

    def gains(self, frames: Frames, values: Mapping[str, float]) -> Gains | None:
        """Put frames into the past and return what the filters at their ends shall do.

        Args:
            frames: From `hear`, in order, none left out.
            values: Of the knobs.

        Returns:
            What the filters at the frames' ends shall do; None where nothing is generated.
        """
        self._teller.keep()
        source = np.empty_like(frames.source)
        _average(frames.source, self._sources, source)
        present, source, gate, energy = self._delayed(frames.levels, source)
        if frames.step is not None:
            self._turn_knobs(frames.step, values)
        attack = values["attack"] / 100
        if frames.step is None:
            envelope.add_knobs(self._offset_db, attack, energy, self._energy, np.empty_like(source))
            return None
        if not self._whitens:
            source = np.broadcast_to(np.exp(np.log(source).mean(-1, keepdims=True)), source.shape).copy()
        channels, number, count = source.shape
        gains = Gains(np.empty((2 * channels, number, count), np.float32), np.empty((2 * channels, number), np.float32))
        _gains(
            *frames.told, self._offset_db, attack, energy, self._energy, present, source, gate, self._noise_power,
            values["tone"] / 100, self._first, *gains,
        )  # fmt: skip
        return gains

    def _turn_knobs(self, step: int, values: Mapping[str, float]) -> None:
        knobs = step, values["amount"], values["tilt"], values["ceiling"]
        if knobs != self._knobs:
            crossover_hz = crossover.step_hz(step)
            shape = Shape(crossover_hz, values["amount"], values["tilt"], max(values["ceiling"], crossover_hz))
            if self._knobs is None or step != self._knobs[0]:
                self._first = shape.first_band()
            self._knobs, self._offset_db = knobs, shape.offset_db()

    def _delayed(self, levels: Levels, source: Array) -> tuple[Array, Array, Array, Array]:
        """Hold what was measured back until the delayed signal gets there."""
        if not self._lag:
            return levels.present, source, levels.gate, levels.energy
        new = [levels.present, source, levels.gate[..., None], levels.energy[..., None]]
        kept = np.concatenate([self._context, np.concatenate(new, -1)], 1)
        self._context = kept[:, source.shape[1] :]
        now, count = kept[:, : source.shape[1]], bands.BAND_COUNT
        present, source = now[..., :count].copy(), now[..., count : 2 * count].copy()
        return present, source, now[..., -2].copy(), now[..., -1].copy()


@kernel
def _measure(signal: Array, start: int, hop: int, window: int, gate: Array, energy: Array, lift: Array) -> None:
    channels, frames = gate.shape
    for channel in range(channels):
        for frame in range(frames):
            first = start + frame * hop
            whole, newest, lifted = np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for i in range(first, first + window):
                whole += signal[channel, i] ** 2
            for i in range(first + window - hop, first + window):
                newest += signal[channel, i] ** 2
            for i in range(first + 1, first + window):
                lifted += (signal[channel, i] - signal[channel, i - 1]) ** 2
            gate[channel, frame] = silence_gate(float(whole) / window)
            energy[channel, frame] = newest / hop
            lift[channel, frame] = math.sqrt(lifted / (window - 1))


@kernel
def _to_db(power: Array, top: Array, levels: Array, reference: Array) -> None:
    """Tell levels in dB, and add up their mean by the weights of the highest trusted bands."""
    for channel in range(power.shape[0]):
        for frame in range(power.shape[1]):
            for band in range(power.shape[2]):
                level = 10.0 * math.log10(power[channel, frame, band])
                levels[channel, frame, band] = level
                reference[channel, frame] += top[band] * level


@kernel
def _average(power: Array, past: Array, sums: Array) -> None:
    """Tell the sum of each frame and the frames before it, and put the frames into the past.

    Args:
        power: Shape (channels, frames, bands).
        past: Of the frames that count with the next one, shape (channels, past, bands); overwritten.
        sums: Like `power`.
    """
    channels, frames, count = power.shape
    kept = past.shape[1]
    for channel in range(channels):
        for frame in range(frames):
            for band in range(count):
                total = power[channel, frame, band]
                for k in range(kept):
                    total += past[channel, k, band]
                sums[channel, frame, band] = total
            for k in range(kept - 1):
                past[channel, k] = past[channel, k + 1]
            past[channel, kept - 1] = power[channel, frame]


@kernel
def _gains(
    levels_db: Array, tonality: Array, offset_db: Array, attack: float, energy: Array, past: Array, present: Array,
    source: Array, gate: Array, noise: float, tone: float, first: int, gains: Array, gates: Array,
) -> None:  # fmt: skip
    channels = len(source)
    added_db = np.empty_like(source)
    envelope.add_knobs(offset_db, attack, energy, past, added_db)
    envelope.source_gains(
        levels_db, added_db, tonality, present, source, noise, tone, first, gains[:channels], gains[channels:]
    )
    gates[:channels], gates[channels:] = gate, gate
