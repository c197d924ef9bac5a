"""The path of frames: from the analysis of input and source to what the predictor tells, whatever the knobs say.

It can run as soon as a frame's last sample has come in; `models.extender.gains` goes on where the hop after it begins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp import bands, crossover
from dsp.band_power import FLOOR_POWER, LOG_PER_DB, BandPower, measure_power
from dsp.buffers.delay_line import DelayLine
from dsp.compile import kernel
from dsp.fast_math import log
from dsp.fft import Array
from dsp.tonality import ToneTables, measure_tonality, tone_tables
from models.extender import envelope
from models.extender.config import ExtenderConfig, horizon
from models.extender.envelope import silence_gate
from models.extender.gains import averaged_frames
from models.predictor.inference import Inference, Predicted

_SOURCE_FLOOR = 2 * FLOOR_POWER


class Heard(NamedTuple):
    """What frames of input and source say.

    Attributes:
        present: Power of the input's bands, shape (channels, frames, bands).
        source: Power of the source's bands, divided by the number of frames that are averaged; same shape.
        levels_db: Of the input's bands, same shape.
        tonality: Of the input's bands, same shape.
        gate: 0 where the input is silent, else 1; shape (channels, frames), as what follows.
        energy: Power of the input's newest hop.
        reference_db: Level just below the crossover.
    """

    present: Array
    source: Array
    levels_db: Array
    tonality: Array
    gate: Array
    energy: Array
    reference_db: Array


class Frames(NamedTuple):
    """All that is known of frames without a look at the knobs.

    Attributes:
        heard: In input and source.
        predicted: By the predictor.
        step: The crossover that the predictor was told.
    """

    heard: Heard
    predicted: Predicted
    step: int | None


class FramePath:
    """Hears frames; see the module.

    Args:
        config: Of the extender.
        sample_rate: Hz.
        predictor: Runs the network.

    Attributes:
        window, source_window: Samples of a frame of the input and of the source. The source is measured over half a
            window: what matters of it lies above 2 kHz, and less lag whitens better.
        source_lag: Samples from the end of a source's frame to the end of the input's frame.
        reach: Samples of the input that are looked at, up to a frame's end.
    """

    def __init__(self, config: ExtenderConfig, sample_rate: int, predictor: Inference) -> None:
        self._rate, self._predictor = sample_rate, predictor
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
        # With look-ahead the source is measured in the middle of the input's frame, else at its end.
        is_late = horizon(config.lookahead_hops) < 0
        self.source_lag = self.source_window - self.source_window // 2 if is_late else 0
        self._masks: dict[int | None, tuple[Array, Array]] = {}

    def reset(self, channels: int) -> None:
        """Forget the past."""
        self._channels = channels
        self._predictor.reset(channels)
        self._one = self._room(1)
        # What a crossover that moves will call is ready before it does.
        self._one.present.fill(FLOOR_POWER)
        _tell_db(self._one.present, self._mask(None)[1], self._one.levels_db, self._one.reference_db)

    def _room(self, frames: int) -> Heard:
        whole, single = (self._channels, frames, bands.BAND_COUNT), (self._channels, frames)
        return Heard(
            np.empty(whole, np.float32), np.empty(whole, np.float32), np.empty(whole, np.float32),
            np.empty(whole, np.float32), np.empty(single, np.float32), np.empty(single, np.float32),
            np.empty(single, np.float32),
        )  # fmt: skip

    def hear(self, signal: DelayLine, source: DelayLine, before: int, number: int, step: int | None) -> Frames:
        """Return all that the newest frames tell, good until the next call; nothing is put into the past yet.

        Args:
            signal: The input.
            source: The coloured source.
            before: Samples since the last frame's end.
            number: Of frames, a hop apart.
            step: Of the crossover.
        """
        heard = self._one if number == 1 else self._room(number)
        back = before + (number - 1) * self._hop
        mask, top = self._mask(step)
        _listen(
            signal.samples, signal.end - back - self.window, source.samples,
            source.end - back - self.source_lag - self.source_window, self._hop, *self._power.tables,
            *self._source_power.tables, self._tones, top, *heard,
        )  # fmt: skip
        return Frames(heard, self._predictor.predict(heard.levels_db, heard.tonality, mask), step)

    def hear_again(self, frames: Frames, step: int | None) -> Frames:
        """Return what frames tell about another crossover."""
        heard = frames.heard
        mask, top = self._mask(step)
        _tell_db(heard.present, top, heard.levels_db, heard.reference_db)
        return Frames(heard, self._predictor.predict(heard.levels_db, heard.tonality, mask), step)

    def keep(self) -> None:
        """Put the frames that were heard last into the past."""
        self._predictor.commit()

    def _mask(self, step: int | None) -> tuple[Array, Array]:
        """Return which bands may be trusted below a crossover, and the weights of the highest of them."""
        if step not in self._masks:
            top_hz = self._rate / 2 if step is None else crossover.step_hz(step)
            mask: Array = bands.band_mask(self._rate, 0.0, top_hz)
            self._masks[step] = mask, envelope.top_weights(mask)
        return self._masks[step]


@kernel
def _listen(
    signal: Array, start: int, source: Array, source_start: int, hop: int, window: Array, first: NDArray[np.int64],
    end: NDArray[np.int64], weights: Array, n_fft: int, floor: float, source_window: Array,
    source_first: NDArray[np.int64], source_end: NDArray[np.int64], source_weights: Array, source_n_fft: int,
    source_floor: float, tones: ToneTables, top: Array, present: Array, source_power: Array, levels_db: Array,
    tones_now: Array, gate: Array, energy: Array, reference_db: Array,
) -> None:  # fmt: skip
    measure_power(signal, start, hop, window, first, end, weights, n_fft, floor, present)
    measure_power(
        source,
        source_start,
        hop,
        source_window,
        source_first,
        source_end,
        source_weights,
        source_n_fft,
        source_floor,
        source_power,
    )
    measure_tonality(signal, start + len(window) - len(tones.window), hop, tones, tones_now)
    _measure_energy(signal, start, hop, len(window), gate, energy)
    _tell_db(present, top, levels_db, reference_db)


@kernel
def _measure_energy(signal: Array, start: int, hop: int, window: int, gate: Array, energy: Array) -> None:
    channels, frames = gate.shape
    for channel in range(channels):
        for frame in range(frames):
            first = start + frame * hop
            whole, mean, newest = np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for i in range(first, first + window):
                mean += signal[channel, i]
            mean /= np.float32(window)
            for i in range(first, first + window):
                # A direct current is silence, too.
                whole += (signal[channel, i] - mean) ** 2
            for i in range(first + window - hop, first + window):
                newest += signal[channel, i] ** 2
            gate[channel, frame] = silence_gate(float(whole) / window)
            energy[channel, frame] = newest / hop


@kernel
def _tell_db(power: Array, top: Array, levels_db: Array, reference_db: Array) -> None:
    """Tell levels in dB, and their mean by the weights of the highest trusted bands."""
    for channel in range(power.shape[0]):
        for frame in range(power.shape[1]):
            reference = np.float32(0.0)
            for band in range(power.shape[2]):
                level = log(power[channel, frame, band]) / np.float32(LOG_PER_DB)
                levels_db[channel, frame, band] = level
                reference += top[band] * level
            reference_db[channel, frame] = reference
