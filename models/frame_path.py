"""The path of frames: from the analysis of input and source over the predictor to the gains of the LTV filters.

It comes in two halves. `hear` works out what a frame tells whatever the knobs say, so it can run as soon as a frame's
last sample has come in; `gains` puts frames into the past and asks the knobs, when the hop after them begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dsp import bands, crossover
from dsp.band_power import FLOOR_POWER, BandPower, mean_square, to_db
from dsp.fourier import Array
from dsp.ltv import overlapping
from models import envelope
from models.envelope import Shape
from models.extender_config import ExtenderConfig, horizon
from models.teller import Teller, Told

# Frames over which a source's levels are averaged before they are taken out. Without look-ahead they tell of the
# past, and a long average does least harm where the signal changes (chosen on splits train and valid).
_AVERAGED_NOW = 12
_AVERAGED_LATE = 3
_SOURCE_FLOOR = 2 * FLOOR_POWER


class Levels(NamedTuple):
    """What frames of the input say, shape (channels, frames, bands) or (channels, frames, 1).

    Attributes:
        present: Power of the bands.
        gate: 0 in silence, else 1.
        energy: Power of the newest hop.
    """

    present: Array
    gate: Array
    energy: Array


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
        self._power = BandPower(sample_rate, self.window)
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
        self._shape: Shape | None = None

    def measure(self, frames: Array) -> Levels:
        """Return what frames of the input say, shape (channels, frames, window)."""
        gate, energy = envelope.silence_gate(mean_square(frames)), mean_square(frames[..., -self._hop :])
        return Levels(self._power(frames), gate[..., None], energy[..., None])

    def hear(self, levels: Levels, source_frames: Array, step: int | None) -> Frames:
        """Return all that frames tell; nothing is put into the past yet.

        Args:
            levels: From `measure`.
            source_frames: Shape (channels, frames, source_window).
            step: Of the crossover.
        """
        return Frames(levels, self._source_power(source_frames), self._tell(levels, step), step)

    def hear_again(self, frames: Frames, step: int | None) -> Frames:
        """Return what frames tell about another crossover."""
        return frames._replace(told=self._tell(frames.levels, step), step=step)

    def _tell(self, levels: Levels, step: int | None) -> Told:
        if step != self._masked_for:
            top = self._rate / 2 if step is None else crossover.step_hz(step)
            self._mask = bands.band_mask(self._rate, 0.0, top).numpy()
            self._top = envelope.top_weights(self._mask)[:, None]
            self._masked_for = step
        present_db = to_db(levels.present)
        told = self._teller.tell(present_db, self._mask)
        if self._channels == 1:
            return told
        return told._replace(levels_db=envelope.linked(told.levels_db, present_db @ self._top))

    def gains(self, frames: Frames, values: Mapping[str, float]) -> tuple[Array, Array] | None:
        """Put frames into the past and return what the filters at their ends shall do.

        Args:
            frames: From `hear`, in order, none left out.
            values: Of the knobs.

        Returns:
            Gains of coloured source and noise as logarithms of power ratios, shape (channels, 2, frames, bands), and a
            factor on all that comes of them, shape (channels, 1, frames, 1); None where nothing is generated.
        """
        self._teller.keep()
        present, source, gate, energy = self._delayed(frames.levels, self._averaged_source(frames.source))
        history = np.concatenate([self._energy, energy[..., 0]], -1)
        self._energy = history[:, energy.shape[1] :]
        if frames.step is None:
            return None
        attack, wanted = values["attack"] / 100, frames.told.levels_db + self._offset(frames.step, values)
        if attack:
            wanted += envelope.onset_db(history, attack)
        if not self._whitens:
            source = np.exp(np.log(source).mean(-1, keepdims=True))
        missing = envelope.missing_power(wanted, present)
        shares = envelope.mixture(frames.told.tonality, values["tone"] / 100)
        sources = envelope.source_gains(missing, shares, source, self._noise_power)
        return sources.take(self._held, -1), gate[:, None]

    def _offset(self, step: int, values: Mapping[str, float]) -> Array:
        crossover_hz = crossover.step_hz(step)
        shape = Shape(crossover_hz, values["amount"], values["tilt"], max(values["ceiling"], crossover_hz))
        if shape != self._shape:
            self._shape, self._offset_db, self._held = shape, shape.offset_db(), shape.held_bands()
        return self._offset_db

    def _averaged_source(self, power: Array) -> Array:
        powers = np.concatenate([self._sources, power], 1)
        self._sources = powers[:, power.shape[1] :]
        if power.shape[1] == 1:
            mean: Array = np.add.reduce(powers, 1, keepdims=True)
        else:
            mean = np.add.reduce(overlapping(powers.swapaxes(1, 2), self._averaged, 1), -1).swapaxes(1, 2)
        return mean

    def _delayed(self, levels: Levels, source: Array) -> tuple[Array, Array, Array, Array]:
        """Hold what was measured back until the delayed signal gets there."""
        if not self._lag:
            return levels.present, source, levels.gate, levels.energy
        kept = np.concatenate([self._context, np.concatenate([levels.present, source, *levels[1:]], -1)], 1)
        self._context = kept[:, source.shape[1] :]
        now, count = kept[:, : source.shape[1]], bands.BAND_COUNT
        return now[..., :count], now[..., count : 2 * count], now[..., -2:-1], now[..., -1:]
