"""Analysis: measure frames of input and source, and predict the envelope from them, whatever the knobs say.

It can run as soon as a frame's last sample has come in; `models.extender.gains` goes on where the hop after it begins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsp import bands, crossover
from dsp.band_power import FLOOR_POWER, LOG_PER_DB, BandPower, PowerTables, measure_power
from dsp.buffers.delay_line import DelayLine
from dsp.compile import BoundKernel, kernel
from dsp.fast_math import log
from dsp.fft import Array
from dsp.tonality import ToneTables, measure_tonality, tone_tables
from models.extender import envelope
from models.extender.config import ExtenderConfig, horizon
from models.extender.envelope import silence_gate
from models.extender.gains import Measured, averaged_frames
from models.predictor.inference import Inference, Predicted

_SOURCE_FLOOR = 2 * FLOOR_POWER


class Tables(NamedTuple):
    """The tables of the measures: of the input's power, the source's power and the input's tonality."""

    power: PowerTables
    source_power: PowerTables
    tones: ToneTables


class _Mask(NamedTuple):
    """The bands that may be trusted below a crossover, the weights of the highest, and how many to the last."""

    trusted: Array
    top: Array
    extent: int


class Frames(NamedTuple):
    """Frames that were analysed; no knob but the crossover enters.

    Attributes:
        measured: In input and source.
        predicted: Their envelope.
        step: The crossover that it was predicted for.
    """

    measured: Measured
    predicted: Predicted
    step: int | None


class Analysis:
    """Analyses frames; see the module.

    Args:
        config: Of the extender.
        sample_rate: Hz.
        predictor: Runs the network.

    Attributes:
        predictor: The same; it holds the past.
        window, source_window: Samples of a frame of the input and of the source. The source is measured over half a
            window: what matters of it lies above 2 kHz, and less lag whitens better.
        source_lag: Samples from the end of a source's frame to the end of the input's frame.
        reach: Samples of the input that are looked at, up to a frame's end.
    """

    STATE = ("predictor",)

    def __init__(self, config: ExtenderConfig, sample_rate: int, predictor: Inference) -> None:
        self._rate, self.predictor = sample_rate, predictor
        self._hop = bands.hop_samples(sample_rate)
        self.window = bands.window_samples(sample_rate)
        self.source_window = self.window // 2
        self._tones = tone_tables(sample_rate)
        self.reach = max(self.window, len(self._tones.window))
        self._power = BandPower(sample_rate, self.window, fall=config.window_fall)
        # A band above Nyquist holds nothing; taken as it is, it would be lifted, and the band below along with it.
        # Divided here by the number that is averaged, so that the mean is a sum.
        self._source_power = BandPower(
            sample_rate, self.source_window, _SOURCE_FLOOR, lifts_top=True, factor=1 / averaged_frames(config)
        )
        self._tables = Tables(self._power.tables, self._source_power.tables, self._tones)
        # With look-ahead the source is measured in the middle of the input's frame, else at its end.
        is_late = horizon(config.lookahead_hops) < 0
        self.source_lag = self.source_window - self.source_window // 2 if is_late else 0
        self._masks: dict[int | None, _Mask] = {}

    def reset(self, channels: int) -> None:
        """Forget the past."""
        self._channels = channels
        self.predictor.reset(channels)
        self._one = self._room(1)
        # The kernel that a moving crossover calls is loaded before it moves.
        self._one.present.fill(FLOOR_POWER)
        _write_levels(self._mask(None).top, self._one)

    def _room(self, frames: int) -> Measured:
        whole, single = (self._channels, frames, bands.BAND_COUNT), (self._channels, frames)
        return Measured(
            np.empty(whole, np.float32), np.empty(whole, np.float32), np.empty(whole, np.float32),
            np.empty(whole, np.float32), np.empty(single, np.float32), np.empty(single, np.float32),
            np.empty(single, np.float32),
        )  # fmt: skip

    def analyse(self, signal: DelayLine, source: DelayLine, before: int, number: int, step: int | None) -> Frames:
        """Measure the newest frames and predict their envelope, good until the next call; the past stays as it is.

        Args:
            signal: The input.
            source: The coloured source.
            before: Samples since the last frame's end.
            number: Of frames, a hop apart.
            step: Of the crossover.
        """
        measured = self._one if number == 1 else self._room(number)
        back = before + (number - 1) * self._hop
        mask = self._mask(step)
        # One alone may be predicted again for another crossover.
        tones = bands.BAND_COUNT if number == 1 else mask.extent
        start, source_start = signal.end - back - self.window, source.end - back - self.source_lag - self.source_window
        _bound_measure.call(
            signal.samples, start, source.samples, source_start, self._hop, self._tables, mask.top, tones, measured
        )
        return Frames(measured, self.predictor.predict(measured.levels_db, measured.tonality, mask.trusted), step)

    def predict_again(self, frames: Frames, step: int | None) -> Frames:
        """Predict the envelope of frames again, for another crossover."""
        measured = frames.measured
        mask = self._mask(step)
        _write_levels(mask.top, measured)
        return Frames(measured, self.predictor.predict(measured.levels_db, measured.tonality, mask.trusted), step)

    def _mask(self, step: int | None) -> _Mask:
        if step not in self._masks:
            trusted = bands.band_mask(self._rate, 0.0, crossover.lowest_hz(step, self._rate))
            self._masks[step] = _Mask(trusted, envelope.top_weights(trusted), int(trusted.nonzero()[0][-1]) + 1)
        return self._masks[step]


@kernel
def _measure(
    signal: Array, start: int, source: Array, source_start: int, hop: int, tables: Tables, top: Array, tones: int,
    measured: Measured,
) -> None:  # fmt: skip
    window, longer = len(tables.power.window), len(tables.tones.window)
    measure_power(signal, start, hop, tables.power, measured.present)
    measure_power(source, source_start, hop, tables.source_power, measured.source)
    tone_window, first, end, weights, n_fft = tables.tones
    below = ToneTables(tone_window, first[:tones], end[:tones], weights, n_fft)
    measure_tonality(signal, start + window - longer, hop, below, measured.tonality)
    measured.tonality[:, :, tones:] = 0
    _measure_energy(signal, start, hop, window, measured.gate, measured.energy)
    _write_levels(top, measured)


_bound_measure = BoundKernel(_measure)


@kernel
def _measure_energy(signal: Array, start: int, hop: int, window: int, gate: Array, energy: Array) -> None:
    channels, frames = gate.shape
    for channel in range(channels):
        for frame in range(frames):
            first = start + frame * hop
            samples = signal[channel, first : first + window]
            whole, mean, newest = np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for i in range(window):
                mean += samples[i]
            mean /= np.float32(window)
            for i in range(window):
                # A direct current is silence, too.
                whole += (samples[i] - mean) * (samples[i] - mean)
            samples = samples[window - hop :]
            for i in range(hop):
                newest += samples[i] * samples[i]
            gate[channel, frame] = silence_gate(float(whole) / window)
            energy[channel, frame] = newest / hop


@kernel
def _write_levels(top: Array, measured: Measured) -> None:
    """Write the levels of present power in dB, and their mean by the weights of the highest trusted bands."""
    power = measured.present
    for channel in range(power.shape[0]):
        for frame in range(power.shape[1]):
            reference = np.float32(0.0)
            for band in range(power.shape[2]):
                level = log(power[channel, frame, band]) / np.float32(LOG_PER_DB)
                measured.levels_db[channel, frame, band] = level
                reference += top[band] * level
            measured.reference_db[channel, frame] = reference
