"""Filter gains: from analysed frames and the positions of the knobs to the gains of the LTV filters."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from dsp import bands, crossover
from dsp.band_power import FLOOR_POWER, LOG_PER_DB
from dsp.compile import kernel
from dsp.fft import Array
from models.extender import entry, envelope
from models.extender.config import ExtenderConfig, horizon
from models.extender.controls import NODES_HZ
from models.extender.envelope import GainSettings
from models.predictor.inference import Predicted

# Frames over which a source's levels are averaged before they are taken out. Without look-ahead they describe the
# past, and a long average does least harm where the signal changes (chosen on splits train and valid).
_AVERAGED_NOW = 12
_AVERAGED_LATE = 3
# A source softer than this in its bands is silence; an exciter at work is louder by far at any level of the input.
_SILENT_SOURCE = 1e-9


def averaged_frames(config: ExtenderConfig) -> int:
    """Return over how many frames a source's power is averaged."""
    return _AVERAGED_LATE if horizon(config.lookahead_hops) < 0 else _AVERAGED_NOW


class Measured(NamedTuple):
    """The measures of frames of input and source.

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


class GainMemory(NamedTuple):
    """What gains depend on beside the newest frames; each call of `compute_gains` moves it on.

    Attributes:
        sources: Power of the source's bands in the frames that count with the next one.
        late: Measures that wait for the delayed signal: power of input and source, gate, energy, reference.
        energy: Power of the hops before, for the attack.
        entry: Frames that are to be softer after an entry, shape (1,); see `models.extender.entry`.
    """

    sources: Array
    late: Array
    energy: Array
    entry: Array


def node_weights() -> Array:
    """Return each node's share of the curve at the centre of each band, shape (nodes, bands).

    Between two nodes the curve is a cubic over the octaves that is level at both: it meets each node's value, holds it
    around the node, and never goes beyond what the two say. It is constant below the first node and above the last.
    """
    nodes, centres = np.log2(list(NODES_HZ.values())), np.log2(bands.band_centres_hz())
    right = np.clip(np.searchsorted(nodes, centres), 1, len(nodes) - 1)
    way = np.clip((centres - nodes[right - 1]) / (nodes[right] - nodes[right - 1]), 0.0, 1.0)
    share = way * way * (3.0 - 2.0 * way)
    weights, columns = np.zeros((len(nodes), bands.BAND_COUNT), np.float32), np.arange(bands.BAND_COUNT)
    weights[right - 1, columns], weights[right, columns] = 1.0 - share, share
    return weights


@lru_cache(maxsize=64)
def curve_gains(nodes: tuple[float, ...]) -> Array:
    """Return what the curve adds to the gains of filters, as logarithms of power ratios, shape (bands,).

    Args:
        nodes: Values of `models.extender.controls.NODES_HZ` in dB.
    """
    gains: Array = np.array(nodes, np.float32) @ (node_weights() * np.float32(LOG_PER_DB))
    return gains


def unknown_memory(config: ExtenderConfig, channels: int) -> GainMemory:
    """Return the memory of a signal that has not begun."""
    lag = max(0, -horizon(config.lookahead_hops))
    late = np.full((channels, lag, 2 * bands.BAND_COUNT + 3), FLOOR_POWER, np.float32)
    late[..., -3:] = 0.0, 0.0, bands.FLOOR_DB
    sources = np.zeros((channels, averaged_frames(config) - 1, bands.BAND_COUNT + 1), np.float32)
    energy = np.zeros((channels, envelope.ONSET_PAST), np.float32)
    return GainMemory(sources, late, energy, np.zeros(1, np.float32))


@lru_cache
def crossovers() -> list[tuple[float, int]]:
    """Return the frequency of each step of the crossover and the first band above it."""
    steps = [crossover.step_hz(step) for step in range(crossover.step_count())]
    return [(crossover_hz, envelope.first_band(crossover_hz)) for crossover_hz in steps]


@kernel
def compute_gains(
    predicted: Predicted, measured: Measured, memory: GainMemory, settings: GainSettings, gains: Array, gates: Array
) -> None:
    """Put frames into the memory, and compute the gains of the filters at their ends: of the source, then of the noise.

    Args:
        predicted: The frames' envelope; overwritten.
        measured: In the frames; overwritten.
        memory: Of the frames before; goes on.
        settings: Of the knobs.
        gains: Where logarithms of power ratios go, shape (2 * channels, frames, bands).
        gates: Where the factors on all of a filter go, shape (2 * channels, frames).
    """
    channels = len(measured.source)
    _average(measured.source, memory.sources)
    _delay(measured, memory.late)
    if channels > 1:
        envelope.link(predicted.levels_db, measured.reference_db)
    if not settings.whitens:
        _level(measured.source)
    added_db = np.empty_like(measured.source)
    envelope.add_knobs(settings, measured.energy, memory.energy, added_db)
    entry.soften(memory.entry, added_db)
    envelope.source_gains(
        predicted, added_db, measured.present, measured.source, settings, gains[:channels], gains[channels:]
    )
    gates[:channels], gates[channels:] = measured.gate, measured.gate


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
def _delay(measured: Measured, late: Array) -> None:
    """Hold measures back until the delayed signal gets there; see `GainMemory.late`."""
    present, source, reference_db = measured.present, measured.source, measured.reference_db
    gate, energy = measured.gate, measured.energy
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
