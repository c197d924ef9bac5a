from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.extender.controls import CONTROLS
from models.stage import Block
from plugin_host.chain.chain import Chain
from plugin_host.engine.engine import Engine
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.gain import Gain
from tests.plugin_host.stages import Delay

RATE = 48000


class Broken(Delay):
    """A stage that raises while `is_broken`."""

    is_broken = False

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        if self.is_broken:
            raise RuntimeError("out of order")
        return super().process(block, settings)


def engine(stage: object, channels: int = 2, max_block: int = 256) -> Engine:
    made = Engine(stage, SettingsStore(CONTROLS))  # type: ignore[arg-type]
    made.is_timed = False
    made.prepare(RATE, channels, max_block)
    return made


def play(player: Engine, samples: Block, cuts: Sequence[int], outputs: int | None = None) -> Block:
    played, start = [], 0
    for cut in cuts:
        out = np.full((cut, outputs or samples.shape[0]), np.nan, np.float32)
        player.callback(np.ascontiguousarray(samples[:, start : start + cut].T), out)
        played.append(out.T)
        start += cut
    return np.concatenate(played, axis=1)


def noise(channels: int, count: int) -> Block:
    return (0.3 * np.random.default_rng(1).standard_normal((channels, count))).astype(np.float32)


def tone(count: int) -> Block:
    return np.tile(0.5 * np.sin(2 * np.pi * 440 / RATE * np.arange(count)), (2, 1)).astype(np.float32)


@given(st.lists(st.integers(1, 700), min_size=1, max_size=12))
def test_blocks_of_any_length_equal_the_chain_itself(cuts: list[int]) -> None:
    samples = noise(2, sum(cuts))
    played = play(engine(Delay(37, 0.5)), samples, cuts)
    reference = Delay(37, 0.5)
    reference.prepare(RATE, 2, sum(cuts))
    assert np.array_equal(played, reference.process(samples, {}))


def test_engine_and_chain_give_the_same_samples_for_the_same_settings() -> None:
    store = SettingsStore(CONTROLS)
    player = Engine(Gain(), store)
    player.is_timed = False
    player.prepare(RATE, 2, 128)
    other = SettingsStore(CONTROLS)
    other.prepare(RATE)
    samples, stage = noise(2, 128 * 30), Gain()
    for block in range(30):
        if block == 5:
            store.request("amount", -12.0, "test")
            other.request("amount", -12.0, "test")
        piece = samples[:, 128 * block : 128 * block + 128]
        assert np.array_equal(play(player, piece, [128]), stage.process(piece, other.drain(128)))


@pytest.mark.parametrize(("inputs", "channels", "outputs"), [(1, 1, 2), (2, 1, 1), (2, 2, 1), (1, 2, 2), (4, 2, 6)])
def test_channels_that_differ_are_mapped(inputs: int, channels: int, outputs: int) -> None:
    samples = noise(inputs, 64)
    out = play(engine(Delay(), channels), samples, [64], outputs)
    first = samples.mean(0) if inputs > 1 and 1 in (channels, outputs) else samples[0]
    assert np.allclose(out[0], first, atol=1e-6)
    assert np.isfinite(out).all()
    if channels == 1 or inputs == 1:
        assert np.array_equal(out[0], out[-1])


def test_what_is_not_a_number_becomes_silence() -> None:
    samples = noise(2, 512)
    samples[:, 100:110] = np.nan
    samples[0, 300] = np.inf
    out = play(engine(Delay(10)), samples, [128] * 4)
    assert np.isfinite(out).all()
    assert not out[:, 110:120].any()
    assert np.array_equal(out[:, 400:], samples[:, 390:502])


@pytest.mark.parametrize("in_a_chain", [False, True])
def test_a_failing_stage_gives_the_delayed_dry_signal_without_a_click_and_comes_back(in_a_chain: bool) -> None:
    stage = Broken(50, 0.25)
    player = engine(Chain([], stage, []) if in_a_chain else stage)
    samples = tone(128 * 60)
    played = [play(player, samples[:, : 128 * 20], [128] * 20)]
    stage.is_broken = True
    played.append(play(player, samples[:, 128 * 20 : 128 * 40], [128] * 20))
    assert "out of order" in str(player.take_error())
    stage.is_broken = False
    played.append(play(player, samples[:, 128 * 40 :], [128] * 20))
    out = np.concatenate(played, axis=1)
    late = np.pad(samples, ((0, 0), (50, 0)))[:, : out.shape[1]]
    assert np.allclose(out[:, 128 * 21 : 128 * 40], late[:, 128 * 21 : 128 * 40], atol=1e-6)
    assert np.allclose(out[:, 128 * 50 :], 0.25 * late[:, 128 * 50 :], atol=1e-6)
    # The tone itself steps by 0.03; the splice in a stage's own delay line is kept out of the sound.
    assert np.abs(np.diff(out)).max() < 0.06


def test_a_swap_has_no_click_and_ends_in_the_new_chain() -> None:
    player = engine(Delay(0, 1.0))
    samples = tone(128 * 60)
    before = play(player, samples[:, : 128 * 10], [128] * 10)
    player.swap_chain(Delay(300, 0.5))
    after = play(player, samples[:, 128 * 10 :], [128] * 50)
    out = np.concatenate([before, after], axis=1)
    assert np.abs(np.diff(out)).max() < 0.04
    assert not player.is_swapping
    assert player.latency_samples == 300
    late = np.pad(samples, ((0, 0), (300, 0)))[:, : out.shape[1]]
    settled = 128 * 10 + 300 + round(0.02 * RATE) + 256
    assert np.array_equal(out[:, settled:], 0.5 * late[:, settled:])


def test_a_chain_that_cannot_play_here_is_refused_and_the_old_one_plays_on() -> None:
    player = Engine(Delay(), SettingsStore(CONTROLS))
    player.prepare(96000, 2, 128)

    class Refusing(Delay):
        def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
            raise ValueError("not here")

    with pytest.raises(ValueError, match="not here"):
        player.swap_chain(Refusing())
    assert not player.is_swapping


def test_after_a_missed_deadline_one_block_is_dry_and_time_goes_on() -> None:
    stage = Delay(64, 0.5)
    player = engine(stage)
    player.is_timed = True
    samples = tone(128 * 40)
    play(player, samples[:, : 128 * 4], [128] * 4)
    # A deadline that nobody can keep.
    player._rate = 10**12
    play(player, samples[:, 128 * 4 : 128 * 5], [128])
    player._rate, player.is_timed = RATE, False
    calls = len(stage.blocks)
    out = play(player, samples[:, 128 * 5 :], [128] * 35)
    assert player.missed == 1
    assert len(stage.blocks) == calls + 34
    late = samples[:, 128 * 5 - 64 : -64]
    assert np.allclose(out[:, 64:128], late[:, 64:128], atol=1e-6)
    assert np.allclose(out[:, 128 * 10 :], 0.5 * late[:, 128 * 10 :], atol=1e-6)
    assert np.abs(np.diff(out)).max() < 0.04


def test_resting_spares_the_chain_and_plays_dry() -> None:
    stage = Delay(64, 0.5)
    player = engine(stage)
    samples = tone(128 * 20)
    player.rest()
    calls = len(stage.blocks)
    out = play(player, samples, [128] * 20)
    assert len(stage.blocks) == calls
    assert np.allclose(out[:, 64:], samples[:, :-64], atol=1e-6)


def test_a_store_that_fails_gives_silence_and_is_reported() -> None:
    player = engine(Delay())

    class Fails:
        def drain(self, frames: int) -> Mapping[str, float]:
            raise OSError("gone")

    player._store = Fails()  # type: ignore[assignment]
    assert not play(player, noise(2, 64), [64]).any()
    assert "gone" in str(player.take_error())
    assert player.take_error() is None


def test_stats_meters_and_spectra_show_what_plays() -> None:
    player = engine(Delay(7, 0.5))
    out = np.zeros((128, 2), np.float32)
    samples = np.tile(np.sin(2 * np.pi * 1000 / RATE * np.arange(128 * 375)), (2, 1)).astype(np.float32)
    play(player, samples, [128] * 375)
    player.callback(samples[:, :128].T, out, True)
    stats, meters = player.stats(), player.meters()
    assert stats["xruns"] == 1
    assert stats["blocks"] == 376
    assert stats["position"] == 376 * 128
    assert stats["latency"] == {"chain": 7}
    assert set(stats["load"]["callback"]) == {"p50", "p99", "p99.9", "max"}
    assert meters["in"]["peak_db"] == pytest.approx([0.0, 0.0], abs=0.1)
    assert meters["out"]["rms_db"] == pytest.approx([-9.0, -9.0], abs=0.3)
    assert not meters["true_peak_over"]
    input_db, played = player.spectra()
    loudest = int(np.argmax(input_db))
    edges = np.geomspace(20, RATE / 2, 65)
    assert edges[loudest] <= 1000 <= edges[loudest + 1]
    assert input_db[loudest] - played[loudest] == pytest.approx(6.0, abs=0.2)


def test_a_true_peak_between_samples_is_seen() -> None:
    player = engine(Delay())
    # At a quarter of the rate and an eighth of a turn off, every sample is at 0.707 of the wave's peak.
    wave = np.sin(np.pi / 2 * np.arange(8192) + np.pi / 4)
    play(player, np.tile(1.3 * wave, (2, 1)).astype(np.float32), [128] * 64)
    assert player.meters()["out"]["peak_db"][0] < 0.0
    assert player.meters()["true_peak_over"]
