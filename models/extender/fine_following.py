"""Following: the levels of input and band, frame by frame, and the gain that the fine network sets by them.

The network is run for a few frames at once, as no level depends on a gain, and not at all where there is no band.
"""

from __future__ import annotations

import numpy as np

from dsp.compile import kernel
from dsp.fast_math import exp, log
from dsp.fft import Array
from dsp.lanes import LANES, load, moved, spread, store
from models.extender.fine_envelope import (
    FLOOR,
    INPUT_BANDS,
    MOST_BELS,
    MOST_DB,
    NEPERS_A_DB,
    REFERENCE,
    SILENT,
    FineNetwork,
    FrameGrid,
    Memory,
)
from models.predictor.layers import product, tanh

# Frames at once: their levels stay in the processor's first cache.
_FRAMES = 16
# Frames whose gains count in the next one.
_COUNTING = 2
# What is kept from frame to frame of the powers in the long run, which is some 0.4 s, and how far they may be changed:
# in sound that goes on, and how much further after silence.
_KEPT = 1 - 1 / 600
_FREE_DB, _FURTHER_DB = 6.0, 20.0
_LN_10 = float(np.log(10.0))
# By lanes, see `poles`: those of the input and of the band in the first channel of two, then in the other; those that
# are low-passes; and those whose lower neighbour is subtracted.
_INPUT, _BAND = np.arange(8) < INPUT_BANDS, np.arange(8) == INPUT_BANDS
_OF_INPUT, _OF_BAND = (np.kron([1, 0, 0, 1], one).astype(np.float32) for one in (_INPUT, _BAND))
_IS_HIGH, _IS_LOW = (np.tile(one, 2).astype(np.float32) for one in (_BAND, ~_BAND))
_HAS_LOWER = np.tile(_INPUT & (np.arange(8) > 0), 2).astype(np.float32)


@kernel
def follow(
    signal: Array, at: int, position: int, grid: FrameGrid, poles: Array, network: FineNetwork, memory: Memory,
    has_band: bool, band: Array,
) -> None:  # fmt: skip
    """Multiply a generated band by the fine envelope.

    Args:
        signal: The input, shape (channels, time).
        at: Where in it the samples lie that belong to the band's.
        position: Of the band's first sample in the timeline, on which the frames lie.
        grid: From `frame_grid`.
        poles: From `poles`.
        network: Decides the gain.
        memory: From `start`, then as the block before left it; overwritten.
        has_band: Whether there is more than silence in the band.
        band: Above the crossover, shape (channels, count); overwritten.
    """
    channels, count, samples = band.shape[0], band.shape[1], grid.samples
    features = np.empty((_FRAMES * channels, len(grid.lags) * INPUT_BANDS + len(grid.band_lags)), np.float32)
    # Whole lanes, of which the first counts.
    nepers = np.empty((_FRAMES * channels, LANES), np.float32)
    done = 0
    while done < count:
        place, phase = position + done, (position + done) % samples
        stretch = min(_FRAMES * samples - phase, count - done)
        frames = (phase + stretch) // samples
        first = 0 if has_band else max(0, frames - _COUNTING)
        _listen(signal, at + done + grid.ahead, band, done, stretch, place, first, grid, poles, memory, features)
        if frames > first:
            rows = (frames - first) * channels
            _run(network, features[:rows], nepers[:rows])
        if has_band:
            _turn(band, done, min(samples - phase, stretch), phase, memory.gains)
        for frame in range(frames):
            row = (frame - first) * channels
            _end_frame((place // samples + frame) % memory.levels.shape[2], nepers, row, memory)
            begun = (frame + 1) * samples - phase
            if has_band and begun < stretch:
                _turn(band, done + begun, min(samples, stretch - begun), 0, memory.gains)
        done += stretch


@kernel
def _turn(band: Array, at: int, count: int, phase: int, gains: Array) -> None:
    for channel in range(band.shape[0]):
        samples, factors = band[channel, at : at + count], gains[channel, phase : phase + count]
        for i in range(count):
            samples[i] *= factors[i]


@kernel
def _listen(
    signal: Array, at: int, band: Array, begin: int, count: int, position: int, first: int, grid: FrameGrid,
    poles: Array, memory: Memory, features: Array,
) -> None:  # fmt: skip
    """Put the levels of the frames that end into the past, and write the features of all but the first of them."""
    channels, kinds, kept = memory.levels.shape
    frame, pairs = position // grid.samples, len(memory.filters)
    frames = (position + count) // grid.samples - frame
    powers = np.empty((pairs, frames, LANES), np.float32)
    for pair in range(pairs):
        own, other = 2 * pair, min(2 * pair + 1, channels - 1)
        _split(
            signal[own, at : at + count], signal[other, at : at + count], band[own, begin : begin + count],
            band[other, begin : begin + count], poles, memory.filters[pair], memory.last[own : other + 1],
            position % grid.samples, grid.samples, powers[pair],
        )  # fmt: skip
    bels = powers.ravel()
    for k in range(len(bels)):
        # What is beyond full scale must not be remembered for longer than a sound.
        power = min(bels[k] / np.float32(grid.samples), np.float32(1.0)) + np.float32(10.0**FLOOR)
        bels[k] = log(power) / np.float32(_LN_10)
    for k in range(frames):
        slot = (frame + k) % kept
        for channel in range(channels):
            levels = powers[channel // 2, k, channel % 2 * (LANES // 2) :]
            for kind in range(kinds):
                memory.levels[channel, kind, slot] = levels[kind]
        if k >= first:
            start = (k - first) * channels
            _write_features(memory.levels, slot, grid, features[start : start + channels])


@kernel
def _split(
    signal: Array, other: Array, band: Array, other_band: Array, poles: Array, filters: Array, last: Array, phase: int,
    samples: int, powers: Array,
) -> None:  # fmt: skip
    """Write the powers of the frames that end: of the input between its splits, and of the generated band.

    The input's first difference goes through low-passes of two poles, of which neighbours are subtracted from each
    other, the band through a high-pass of two, which holds back what may have come through below the crossover.
    """
    pole, rest = load(poles, 0), spread(np.float32(1.0)) - load(poles, 0)
    is_low, is_high, has_lower = load(_IS_LOW, 0), load(_IS_HIGH, 0), load(_HAS_LOWER, 0)
    of_input, of_other = load(_OF_INPUT, 0), load(_OF_INPUT, LANES)
    of_band, of_other_band = load(_OF_BAND, 0), load(_OF_BAND, LANES)
    once, twice, power = load(filters[0], 0), load(filters[1], 0), load(filters[2], 0)
    before, other_before, frame, count = last[0], last[-1], 0, len(signal)
    done = 0
    while done < count:
        stretch = min(samples - phase, count - done)
        for i in range(done, done + stretch):
            new = spread(signal[i] - before) * of_input + spread(other[i] - other_before) * of_other
            new = new + spread(band[i]) * of_band + spread(other_band[i]) * of_other_band
            before, other_before = signal[i], other[i]
            once = pole * once + rest * new
            passed = is_low * once + is_high * (new - once)
            twice = pole * twice + rest * passed
            passed = is_low * twice + is_high * (passed - twice)
            step = passed - has_lower * moved(passed)
            power = power + step * step
        done, phase = done + stretch, phase + stretch
        if phase == samples:
            store(powers[frame], 0, power)
            power, phase, frame = spread(np.float32(0.0)), 0, frame + 1
    store(filters[0], 0, once)
    store(filters[1], 0, twice)
    store(filters[2], 0, power)
    last[0], last[-1] = before, other_before
    for k in range(LANES):
        # What dies away is not followed into denormals.
        for row in range(2):
            if abs(filters[row, k]) < np.float32(1e-20):
                filters[row, k] = np.float32(0.0)


@kernel
def _write_features(levels: Array, slot: int, grid: FrameGrid, features: Array) -> None:
    """Write levels at their lags, those of the input against its highest band's mean and the band's against its own."""
    channels, kinds, kept = levels.shape
    bands, most = kinds - 1, np.float32(MOST_BELS)
    for channel in range(channels):
        reference, of_band, sounding = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        # The last frames are all that are kept, or lie side by side but for where the newest is put over the oldest.
        first, last = (0, kept) if kept == REFERENCE else (slot + 1 - REFERENCE, slot + 1)
        for begin, end in ((max(first, 0), last), (min(first, 0) + kept, kept)):
            highest, generated = levels[channel, bands - 1, begin:end], levels[channel, bands, begin:end]
            for i in range(len(generated)):
                is_sounding = np.float32(generated[i] > np.float32(SILENT))
                reference += highest[i]
                of_band += is_sounding * generated[i]
                sounding += is_sounding
        reference, of_band = reference / np.float32(REFERENCE), of_band / max(sounding, np.float32(1.0))
        seen, at = features[channel], 0
        for lag in grid.lags:
            place = slot - lag if slot >= lag else slot - lag + kept
            for band in range(bands):
                seen[at + band] = min(max(levels[channel, band, place] - reference, -most), most)
            at += bands
        for lag in grid.band_lags:
            level = levels[channel, bands, slot - lag if slot >= lag else slot - lag + kept]
            seen[at] = min(max(level - of_band, -most), most) if level > np.float32(SILENT) else -most
            at += 1


@kernel
def _run(network: FineNetwork, features: Array, nepers: Array) -> None:
    """Write the gains that the network wants in front of the rows, shape (rows, LANES)."""
    hidden = np.empty((len(features), network.mix.outputs), np.float32)
    mixed = np.empty_like(hidden)
    product(network.enter, features, hidden)
    _rectify(hidden)
    product(network.mix, hidden, mixed)
    _rectify(mixed)
    product(network.leave, mixed, nepers)
    for row in range(len(nepers)):
        nepers[row, 0] = np.float32(MOST_DB * NEPERS_A_DB) * tanh(nepers[row, 0])


@kernel
def _rectify(values: Array) -> None:
    for row in range(values.shape[0]):
        for k in range(values.shape[1]):
            values[row, k] = max(values[row, k], np.float32(0.0))


@kernel
def _end_frame(slot: int, nepers: Array, row: int, memory: Memory) -> None:
    """Compute the gains of the next frame, from those at its end; a row below 0 stands for what was wanted last."""
    samples = memory.gains.shape[1]
    for channel in range(len(memory.gains)):
        level, wanted = memory.levels[channel, memory.levels.shape[1] - 1, slot], memory.wanted[channel]
        before = exp(level * np.float32(_LN_10))
        # A silent band is not changed, so that it makes no difference whether there is none.
        change = wanted[0] + wanted[1] if level > np.float32(SILENT) else np.float32(0.0)
        beyond = _beyond(before, before * exp(change), memory.powers[channel])
        if row < 0:
            continue
        wanted[0], wanted[1] = wanted[1], nepers[row + channel, 0]
        first, last = memory.nepers[channel], wanted[1] - beyond
        rise = (last - first) / np.float32(samples)
        gains = memory.gains[channel]
        for i in range(samples):
            gains[i] = exp(first + rise * np.float32(i))
        memory.nepers[channel] = last


@kernel
def _beyond(before: np.float32, after: np.float32, powers: Array) -> np.float32:
    """Add the powers of a frame, and return the nepers by which the long run is changed too far; less after silence."""
    kept, one = np.float32(_KEPT), np.float32(1.0)
    powers[0] = kept * powers[0] + before
    powers[1] = kept * powers[1] + after
    powers[2] = kept * powers[2] + (one - kept) * np.float32(before > np.float32(10.0**SILENT))
    free = np.float32(NEPERS_A_DB) * (np.float32(_FREE_DB) + np.float32(_FURTHER_DB) * (one - powers[2]))
    added = np.float32(0.5) * log(powers[1] / powers[0])
    beyond: np.float32 = added - min(max(added, -free), free)
    return beyond
