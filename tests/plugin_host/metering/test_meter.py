"""Laws of the meters: they agree with a slow and plain measurement of the same samples."""

from __future__ import annotations

from array import array

import numpy as np
import pytest

from models.stage import Block
from plugin_host.metering.levels import BANDS, FLOOR_DB, Meter, NewestSamples
from plugin_host.metering.load import LapMeter, LoadMeter

RATES = (44100, 48000, 96000)


def sine(hz: float, peak: float, rate: int, seconds: float = 0.4, phase: float = 0.3) -> Block:
    wave = peak * np.sin(2 * np.pi * hz / rate * np.arange(round(seconds * rate)) + phase)
    return np.stack([wave, 0.5 * wave]).astype(np.float32)


def fed(samples: Block, rate: int, block: int = 480) -> Meter:
    meter = Meter(rate, len(samples))
    for start in range(0, samples.shape[1], block):
        meter.update(samples[:, start : start + block])
    return meter


@pytest.mark.parametrize("size", [7, 64])
def test_the_newest_samples_are_read_in_order_however_they_were_written(size: int) -> None:
    ring, everything = NewestSamples(2, size), np.zeros((2, size), np.float32)
    source = np.random.default_rng(size)
    for length in (1, 3, size, 5, 2 * size + 1, 2):
        block = source.standard_normal((2, length)).astype(np.float32)
        ring.write(block)
        everything = np.concatenate([everything, block], axis=1)
        for count in (1, size // 2, size - 1):
            assert np.array_equal(ring.read(count), everything[:, -count:])
            assert np.array_equal(ring.read(count, ring.written - 1), everything[:, -count - 1 : -1])
        assert ring.written == everything.shape[1] - size


@pytest.mark.parametrize("rate", RATES)
def test_levels_are_those_of_the_newest_samples(rate: int) -> None:
    levels = fed(np.concatenate([sine(997.0, 0.9, rate), sine(997.0, 0.25, rate)], axis=1), rate).levels()
    assert levels["peak_db"] == pytest.approx([-12.04, -18.06], abs=0.02)
    assert levels["rms_db"] == pytest.approx([-15.05, -21.07], abs=0.02)
    silent = Meter(rate, 1).levels()
    assert silent["peak_db"] == silent["rms_db"] == [silent["true_peak_db"]] == [FLOOR_DB]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("share", [0.02, 0.25, 1 / 3, 0.5, 0.7, 0.8])
def test_a_true_peak_is_seen_wherever_the_samples_fall(rate: int, share: float) -> None:
    # At four times the rate the highest point may lie between two looks.
    seen = 1.02 / np.cos(np.pi * share / 8)
    for phase in np.linspace(0.0, 3.0, 7):
        assert fed(sine(share * rate / 2, seen, rate, 0.1, phase), rate).levels()["true_peak_db"] > 0.0
        assert fed(sine(share * rate / 2, 0.97, rate, 0.1, phase), rate).levels()["true_peak_db"] <= 0.0


def test_a_sample_beyond_full_scale_is_over_in_any_channel() -> None:
    samples = np.zeros((2, 4800), np.float32)
    samples[1, -100] = -1.01
    assert fed(samples, 48000).levels()["true_peak_db"] > 0.0


@pytest.mark.parametrize("rate", RATES)
def test_every_band_holds_its_bins_and_a_narrow_one_the_nearest(rate: int) -> None:
    samples = (0.1 * np.random.default_rng(3).standard_normal((2, 4096))).astype(np.float32)
    window = np.hanning(4096)
    power = (np.abs(np.fft.rfft(samples * window)) ** 2).mean(0) * (2.0 / window.sum()) ** 2
    edges, bins = np.geomspace(20.0, rate / 2, BANDS + 1), np.fft.rfftfreq(4096, 1 / rate)
    spectrum_db = fed(samples, rate).spectrum_db()
    assert len(spectrum_db) == BANDS
    for low, high, level in zip(edges[:-1], edges[1:], spectrum_db, strict=True):
        inside = (bins >= low) & (bins < high)
        if not inside.any():
            inside[np.abs(bins - (low * high) ** 0.5).argmin()] = True
        assert level == pytest.approx(10 * np.log10(power[inside].sum()), abs=0.06)


def test_percentiles_are_calls_that_came_and_only_the_newest_count() -> None:
    load = LoadMeter(kept=1000)
    assert load.figures() == {"p50": 0.0, "p99": 0.0, "p99.9": 0.0, "max": 0.0}
    for share in np.random.default_rng(0).permutation(np.arange(1, 1001)):
        load.add(float(share) / 2000, 1.0)
    assert load.figures() == pytest.approx({"p50": 0.25, "p99": 0.495, "p99.9": 0.4995, "max": 0.5})
    for _ in range(1000):
        load.add(0.125, 1.0)
    assert load.figures() == pytest.approx({"p50": 0.125, "p99": 0.125, "p99.9": 0.125, "max": 0.5})
    assert load.add(2.0, 1.0)
    assert (load.calls, load.missed) == (2001, 1)


class Growing(array):  # type: ignore[type-arg]
    """Marks to which the audio thread adds a call while they are copied."""

    laps: LapMeter

    def __bytes__(self) -> bytes:
        copied = self.tobytes()
        self.laps.add(0.5, [1.0, 1.25])
        return copied


def test_a_call_that_is_added_while_figures_are_made_divides_nothing_by_zero() -> None:
    laps = LapMeter(1, kept=4)
    laps._marks = Growing("d", laps._marks)
    laps._marks.laps = laps
    assert laps.figures() == [{"p50": 0.0, "p99": 0.0, "p99.9": 0.0, "max": 0.0}]
    assert laps.figures() == [{"p50": 0.5, "p99": 0.5, "p99.9": 0.5, "max": 0.5}]


def test_laps_are_listed_step_by_step_of_the_newest_calls() -> None:
    laps = LapMeter(2, kept=4)
    nothing = {"p50": 0.0, "p99": 0.0, "p99.9": 0.0, "max": 0.0}
    assert laps.figures() == [nothing, nothing]
    for call in range(6):
        # The first step takes a tenth of the deadline more from call to call, the second always a quarter.
        began = 10.0 * call
        laps.add(0.5, [began, began + 0.05 * call, began + 0.05 * call + 0.125])
    first, second = laps.figures()
    assert first == pytest.approx({"p50": 0.3, "p99": 0.5, "p99.9": 0.5, "max": 0.5})
    assert second == pytest.approx({"p50": 0.25, "p99": 0.25, "p99.9": 0.25, "max": 0.25})
    laps.clear()
    assert laps.figures() == [nothing, nothing]
