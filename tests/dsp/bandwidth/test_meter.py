"""Laws of the true bandwidth, on signals made here."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from dsp.bandwidth.edge import band_position, find_edge, frequency_hz
from dsp.bandwidth.histogram import LevelHistogram, hop_samples, window_samples
from dsp.bandwidth.meter import BandwidthMeter
from dsp.bandwidth.tracker import BandwidthTracker
from dsp.fft import Array

RATE = 48000


def noise(seconds: float, rate: int = RATE, seed: int = 0, channels: int = 1) -> Array:
    generator = torch.Generator().manual_seed(seed)
    samples: Array = (0.1 * torch.randn(channels, int(seconds * rate), generator=generator)).numpy()
    return samples


def shaped(samples: Array, rate: int, **kind: float) -> Array:
    """Filter by a magnitude response: brick=Hz, butter=Hz with order=n, fall=dB/octave from 1 kHz."""
    spectrum = torch.fft.rfft(torch.from_numpy(samples))
    frequency = torch.linspace(0, rate / 2, spectrum.shape[-1])
    gain = torch.ones_like(frequency)
    if "brick" in kind:
        gain = gain * (frequency < kind["brick"])
    if "butter" in kind:
        gain = gain / (1 + (frequency / kind["butter"]) ** (2 * kind["order"])).sqrt()
    if "fall" in kind:
        gain = gain * 10 ** (-kind["fall"] / 20 * torch.log2(frequency.clamp(min=100.0) / 1000.0))
    filtered: Array = torch.fft.irfft(spectrum * gain, n=samples.shape[-1]).numpy()
    return filtered


def spoken(samples: Array, rate: int) -> Array:
    """Modulate like syllables."""
    time = torch.arange(samples.shape[-1]) / rate
    modulated: Array = (torch.from_numpy(samples) * (0.02 + torch.sin(math.pi * 4 * time).square())).numpy()
    return modulated


def quantised(samples: Array) -> Array:
    return (np.round(samples * 32768) / 32768).astype(np.float32)


def measured(samples: Array, rate: int = RATE) -> float:
    meter = BandwidthMeter(rate)
    meter.add(samples)
    return meter.edge_hz()


def followed(tracker: BandwidthTracker, samples: Array, block: int = 4800) -> list[float]:
    return [tracker.update(samples[:, start : start + block]) for start in range(0, max(1, samples.shape[1]), block)]


@pytest.mark.parametrize("rate", [44100, 48000, 88200, 96000])
@pytest.mark.parametrize("edge", [2000, 3800, 5500, 8000, 12000, 16000, 19000])
def test_a_brick_wall_is_found_to_one_and_a_half_percent(rate: int, edge: int) -> None:
    assert measured(shaped(noise(3, rate), rate, brick=edge), rate) == pytest.approx(edge, rel=0.015)


@pytest.mark.parametrize("edge", [3000, 7000, 14000])
@pytest.mark.parametrize("fall", [0.0, 6.0, 12.0])
def test_the_floor_of_16_bits_and_the_fall_below_the_edge_change_nothing(edge: int, fall: float) -> None:
    music = spoken(shaped(noise(4), RATE, brick=edge, fall=fall), RATE)
    assert measured(quantised(music)) == pytest.approx(edge, rel=0.03)


@pytest.mark.parametrize("order", [12, 16])
@pytest.mark.parametrize("edge", [3000, 5000, 8000])
def test_a_gradual_filter_is_found_near_its_corner_and_never_20_db_down(edge: int, order: int) -> None:
    found = measured(quantised(shaped(noise(4), RATE, butter=edge, order=order, fall=4.0)))
    assert 0.88 * edge < found < 1.08 * edge
    assert found < edge * 99 ** (1 / (2 * order))


@pytest.mark.parametrize("fall", [0.0, 3.0, 6.0, 12.0, 18.0])
@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_a_smooth_spectrum_is_full_band_also_where_it_falls_into_the_floor(fall: float, rate: int) -> None:
    music = quantised(spoken(shaped(noise(4, rate), rate, fall=fall), rate))
    assert measured(music, rate) == rate / 2


def test_a_second_order_filter_is_left_alone() -> None:
    assert measured(quantised(shaped(noise(4), RATE, butter=5000, order=2, fall=4.0))) == RATE / 2


def test_partials_that_end_are_no_edge() -> None:
    time = torch.arange(4 * RATE) / RATE
    partials = sum((0.3 / k * torch.sin(2 * math.pi * 220 * k * time) for k in range(1, 12)), torch.zeros(4 * RATE))
    assert measured(quantised(partials.numpy()[None] + 1e-5 * noise(4))) == RATE / 2


def test_a_line_above_the_edge_does_not_hide_it() -> None:
    time = torch.arange(3 * RATE) / RATE
    pilot: Array = (0.01 * torch.sin(2 * math.pi * 15625 * time)).numpy()
    assert measured(shaped(noise(3), RATE, brick=5000) + pilot) == pytest.approx(5000, rel=0.015)


def test_a_click_in_the_cut_material_does_not_hide_the_edge() -> None:
    music = shaped(noise(4), RATE, brick=5000)
    music[:, RATE] += 1.0
    assert measured(music) == pytest.approx(5000, rel=0.015)


@pytest.mark.parametrize("edge", [19600, 20500, 22000])
@pytest.mark.parametrize("rate", [48000, 96000])
def test_from_19_5_khz_on_nothing_is_missing(edge: int, rate: int) -> None:
    assert measured(shaped(noise(3, rate), rate, brick=edge), rate) == rate / 2


def silent() -> Array:
    return np.zeros((2, 2 * RATE), np.float32)


def click() -> Array:
    samples = silent()
    samples[:, RATE] = 1.0
    return samples


def tone(frequency: float) -> Array:
    wave: Array = (0.5 * torch.sin(2 * math.pi * frequency * torch.arange(2 * RATE) / RATE)).expand(2, -1).numpy()
    return wave


NOTHING = {
    "silence": silent(),
    "click": click(),
    "tone": tone(440.0),
    "high tone": tone(5000.0),
    "DC": silent() + 0.5,
    "NaN": silent() + math.nan,
    "Inf": silent() + math.inf,
    "huge": silent() + np.float32(1e30),
    "too short": noise(0.05),
    "empty": np.zeros((2, 0), np.float32),
    "fade of noise": noise(2) * torch.linspace(1, 0, 2 * RATE).numpy(),
}


@pytest.mark.parametrize("name", NOTHING)
def test_without_evidence_the_answer_is_nyquist(name: str) -> None:
    assert measured(NOTHING[name]) == RATE / 2
    assert set(followed(BandwidthTracker(RATE), NOTHING[name])) <= {RATE / 2}


def test_silence_is_nyquist() -> None:
    assert BandwidthMeter(44100).edge_hz() == 22050


def test_frames_that_are_not_finite_are_left_out() -> None:
    music = shaped(noise(4), RATE, brick=6000)
    music[:, 30000] = math.nan
    assert measured(music) == pytest.approx(6000, rel=0.015)
    assert followed(BandwidthTracker(RATE), music)[-1] == pytest.approx(6000, rel=0.02)


@pytest.mark.parametrize("block", [17, 480, 1024, 50000])
def test_the_meter_does_not_mind_how_the_recording_is_cut(block: int) -> None:
    music = shaped(noise(1.5, channels=2), RATE, brick=7000)
    meter = BandwidthMeter(RATE)
    for start in range(0, music.shape[1], block):
        meter.add(music[:, start : start + block])
    assert meter.edge_hz() == pytest.approx(measured(music), rel=1e-3)


@pytest.mark.parametrize("block", [64, 480, 4096])
def test_the_tracker_decides_at_the_same_sample_however_the_signal_is_cut(block: int) -> None:
    music = np.concatenate([shaped(noise(3, channels=2), RATE, brick=4000), noise(6, channels=2, seed=1)], axis=1)
    edges = followed(BandwidthTracker(RATE), music, block)
    fine = followed(BandwidthTracker(RATE), music, 16)
    ends = [min((i + 1) * block, music.shape[1]) for i in range(len(edges))]
    assert [fine[math.ceil(end / 16) - 1] for end in ends] == edges
    assert len(set(edges)) == 2
    assert edges[-1] == RATE / 2


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("block", [64, 500, 512])
def test_no_block_bears_both_a_frame_and_a_judgement(rate: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for work in ("levels", "curve"):
        whole = getattr(LevelHistogram, work)
        monkeypatch.setattr(LevelHistogram, work, noted(whole, done, work))
    tracker = BandwidthTracker(rate)
    music = shaped(noise(5, rate), rate, brick=4000)
    seen = set()
    for start in range(0, music.shape[1], block):
        done.clear()
        tracker.update(music[:, start : start + block])
        seen.add(tuple(done))
    assert seen == {(), ("levels",), ("curve",)}


def noted(whole: Callable[..., object], done: list[str], work: str) -> Callable[..., object]:
    def call(*arguments: object) -> object:
        done.append(work)
        return whole(*arguments)

    return call


def test_the_meter_takes_a_tensor_as_it_takes_an_array() -> None:
    music = shaped(noise(2), RATE, brick=6000)
    meter = BandwidthMeter(RATE)
    meter.add(torch.from_numpy(music))
    assert meter.edge_hz() == measured(music)


def test_a_reset_tracker_is_a_new_one() -> None:
    used = BandwidthTracker(RATE)
    followed(used, shaped(noise(5), RATE, brick=4000))
    used.reset()
    music = shaped(noise(4, seed=2), RATE, brick=9000)
    assert followed(used, music) == followed(BandwidthTracker(RATE), music)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_the_first_decision_comes_within_two_seconds(rate: int) -> None:
    edges = followed(BandwidthTracker(rate), shaped(noise(2, rate), rate, brick=3800), rate // 10)
    assert edges[3] == rate / 2
    assert edges[-1] == pytest.approx(3800, rel=0.03)


def test_steady_material_moves_the_edge_once() -> None:
    music = quantised(spoken(shaped(noise(15), RATE, brick=5500, fall=6.0), RATE))
    assert len(set(followed(BandwidthTracker(RATE), music))) == 2


@pytest.mark.parametrize("level", [0.0, 1e-6, 1e-3])
def test_silence_and_pauses_change_nothing(level: float) -> None:
    tracker = BandwidthTracker(RATE)
    edge = followed(tracker, shaped(noise(4), RATE, brick=5500))[-1]
    assert set(followed(tracker, level * noise(8, seed=3))) == {edge}


def test_a_dull_passage_holds_the_edge() -> None:
    tracker = BandwidthTracker(RATE)
    edge = followed(tracker, quantised(shaped(noise(5), RATE, brick=8000)))[-1]
    dull = quantised(shaped(noise(10, seed=4), RATE, brick=8000, fall=24.0))
    assert set(followed(tracker, dull)) == {edge}


def test_what_is_not_cut_is_left_alone_at_once_and_the_edge_is_known_when_it_comes_back() -> None:
    tracker = BandwidthTracker(RATE)
    edge = followed(tracker, shaped(noise(5), RATE, brick=5000))[-1]
    for seconds in (0.2, 6.0):
        assert set(followed(tracker, noise(seconds, seed=5))) == {RATE / 2}
        assert followed(tracker, shaped(noise(0.2, seed=6), RATE, brick=5000))[-1] == pytest.approx(edge, rel=0.01)


def test_an_edge_that_is_new_comes_down_in_one_step() -> None:
    tracker = BandwidthTracker(RATE)
    followed(tracker, noise(5))
    edges = followed(tracker, shaped(noise(12, seed=7), RATE, brick=5000))
    assert set(edges[:5]) == {RATE / 2}
    assert edges[20:] == pytest.approx([5000] * len(edges[20:]), rel=0.03)
    assert len(set(edges)) == 2


def test_a_change_of_channels_keeps_the_edge() -> None:
    tracker = BandwidthTracker(RATE)
    edge = followed(tracker, shaped(noise(3), RATE, brick=5000))[-1]
    assert tracker.update(silent()) == edge


def test_positions_and_frequencies_make_a_round_trip() -> None:
    for hz in (700.0, 2000.0, 19500.0):
        assert frequency_hz(band_position(hz)) == pytest.approx(hz)


def test_a_curve_too_short_to_judge_has_no_edge() -> None:
    assert find_edge(np.zeros(40)) is None


@pytest.mark.parametrize("rate", [8000, 32000, 44100, 48000, 96000, 192000])
def test_frames_overlap_at_every_rate(rate: int) -> None:
    assert hop_samples(rate) < window_samples(rate)
