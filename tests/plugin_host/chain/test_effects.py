"""Laws of the effects as a stage: blocks equal whole, the latency is exact, knobs do not click, NaN stays inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from models.stage import Block, Stage
from plugin_host.chain.effects import EffectsStage
from plugin_host.preset.effect_catalogue import EFFECTS
from plugin_host.preset.file import EffectNode, PluginNode, PresetError

RATE = 48000
SIZES = (1, 17, 64, 128, 256, 480, 512, 1024, 0)
VST3 = next(iter(Path("/usr").glob("lib*/**/vst3/ZaMaximX2.vst3")), Path("/usr/lib/vst3/ZaMaximX2.vst3"))
VST3_LATENCY = 480
# It takes one channel and no more.
MONO = VST3.with_name("ZamComp.vst3")


def noise(channels: int, samples: int) -> Block:
    return np.random.default_rng(1).uniform(-0.3, 0.3, (channels, samples)).astype(np.float32)


def native(name: str, **settings: float | str) -> EffectNode:
    return EffectNode(effect=name, settings=settings)


def plugin(**fields: Any) -> PluginNode:
    return PluginNode(plugin=str(VST3), **fields)


def stage(*nodes: EffectNode | PluginNode, channels: int = 2, block: int = 1024, **options: Any) -> EffectsStage:
    made = EffectsStage(nodes, folder=Path("/"), **options)
    made.prepare(RATE, channels, block)
    return made


def play(made: Stage, signal: Block, size: int, settings: dict[str, float] | None = None) -> Block:
    """Process in blocks of one size, or of random ones for size 0."""
    random, parts, start = np.random.default_rng(size), [], 0
    while start < signal.shape[1]:
        stop = start + (size or int(random.integers(1, 1024)))
        parts.append(made.process(signal[:, start:stop], settings or {}))
        start = stop
    out = np.concatenate(parts, axis=1)
    assert out.shape == signal.shape
    assert out.dtype == np.float32
    return out


def settings_of(name: str) -> dict[str, float | str]:
    """Settings at which the effect does something to the noise."""
    return {
        "Compressor": {"threshold_db": -20, "ratio": 4},
        "NoiseGate": {"threshold_db": -20},
        "Delay": {"delay_seconds": 0.01},
        "BrickwallLimiter": {"ceiling_db": -20},
    }.get(name, {})  # type: ignore[return-value]


RUNS: dict[str, Sequence[EffectNode | PluginNode]] = {
    **{name: [native(name, **settings_of(name))] for name, kind in EFFECTS.items() if not kind.file},
    "strip": [native("HighpassFilter"), native("Compressor", threshold_db=-20, ratio=4), native("BrickwallLimiter")],
    "plug-in": [plugin(settings={"threshold_db": -18.0})],
    "mono plug-in": [native("HighpassFilter"), PluginNode(plugin=str(MONO)), native("BrickwallLimiter")],
    "plug-in and look-ahead": [native("BrickwallLimiter"), native("HighpassFilter"), plugin()],
}
EVERY = pytest.mark.parametrize("name", RUNS)


@EVERY
@pytest.mark.parametrize("channels", [1, 2])
def test_blocks_equal_the_whole(name: str, channels: int) -> None:
    made, signal = stage(*RUNS[name], channels=channels), noise(channels, 6000)
    whole = play(made, signal, 6000)
    assert np.abs(whole).max() > 0.001
    for size in SIZES:
        made.reset()
        np.testing.assert_allclose(play(made, signal, size), whole, atol=1e-6)
    assert made.error is None


@EVERY
def test_silence_stays_silent_and_the_past_is_forgotten(name: str) -> None:
    made, silence = stage(*RUNS[name]), np.zeros((2, 4096), np.float32)
    play(made, noise(2, 4096), 512)
    made.reset()
    # A coarse quantiser has no zero, and a codec dithers; both stay below -80 dB.
    assert np.abs(play(made, silence, 512)).max() < 1e-4


@pytest.mark.parametrize(
    ("nodes", "latency"),
    [
        ([native("Gain", gain_db=0)], 0),
        ([native("BrickwallLimiter", ceiling_db=0)], 240),
        ([native("BrickwallLimiter", ceiling_db=0, lookahead_ms=1.5)], 72),
        ([plugin()], VST3_LATENCY),
        ([native("BrickwallLimiter", ceiling_db=0), plugin()], 240 + VST3_LATENCY),
    ],
    ids=["gain", "look-ahead", "short look-ahead", "plug-in", "both"],
)
@pytest.mark.parametrize("block", [32, 512])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_impulse_lands_at_the_declared_latency(
    nodes: list[EffectNode | PluginNode], latency: int, block: int, channels: int
) -> None:
    made = stage(*nodes, channels=channels, block=block)
    assert made.latency_samples == latency
    signal = np.zeros((channels, 4096), np.float32)
    signal[:, 1000] = 0.5
    np.testing.assert_allclose(play(made, signal, block)[:, latency:], signal[:, : 4096 - latency], atol=1e-6)


@pytest.mark.parametrize("name", ["Resample", "MP3Compressor"])
def test_effects_that_come_in_bursts_are_aligned(name: str) -> None:
    settings = {"target_sample_rate": 24000.0} if name == "Resample" else {"vbr_quality": 0.0}
    made = stage(native(name, **settings))
    time = np.arange(24000) / RATE
    signal = (0.3 * np.sin(2 * np.pi * 440 * time) * np.hanning(24000)).astype(np.float32)[None].repeat(2, 0)
    delay = made.latency_samples
    output = play(made, np.pad(signal, ((0, 0), (0, delay))), 300)[:, delay:]
    assert delay > 0
    assert np.abs(output - signal).max() < 0.01


def test_a_wrong_declaration_is_corrected_by_the_impulse(monkeypatch: pytest.MonkeyPatch) -> None:
    made = EffectsStage([plugin()], folder=Path("/"))
    honest, late = made._board.process, np.zeros((2, 100), np.float32)

    def dishonest(block: Block, only_plugins: bool = False) -> Block:
        nonlocal late
        queue = np.concatenate([late, honest(block, only_plugins)], axis=1)
        out, late = queue[:, : queue.shape[1] - 100], queue[:, queue.shape[1] - 100 :]
        return out

    monkeypatch.setattr(made._board, "process", dishonest)
    made.prepare(RATE, 2, 512)
    assert made.latency_samples == VST3_LATENCY + 100


def test_a_larger_block_than_prepared_keeps_the_state() -> None:
    made, signal = stage(native("Reverb"), plugin(), block=64), noise(2, 8192)
    whole = play(made, signal, 64)
    made.reset()
    np.testing.assert_allclose(play(made, signal, 4096), whole, atol=1e-6)


def test_the_preset_s_settings_reach_a_plug_in_and_last_over_a_reset() -> None:
    plain, held = stage(plugin()), stage(plugin(settings={"threshold_db": -18.0, "output_ceiling_db": -18.0}))
    signal = noise(2, 9600)
    for _ in range(2):
        assert np.abs(play(plain, signal, 480)).max() > 0.25
        assert np.abs(play(held, signal, 480)).max() < 0.2
        plain.reset()
        held.reset()


def test_a_plug_in_s_state_comes_back() -> None:
    made = stage(plugin(settings={"output_ceiling_db": -12.0, "threshold_db": -12.0}))
    made.process(noise(2, 512), {})
    state = made._board.effects[0].state()  # type: ignore[union-attr]
    again = stage(plugin(state=state))
    signal = noise(2, 4800)
    made.reset()
    np.testing.assert_allclose(play(again, signal, 480), play(made, signal, 480), atol=1e-6)


def sine() -> Block:
    return (0.5 * np.sin(2 * np.pi * 200 * np.arange(24000) / RATE)).astype(np.float32)[None]


@pytest.mark.parametrize(
    ("node", "knob", "value"),
    [
        (native("Gain", gain_db=0), "gain_db", -60.0),
        (native("HighpassFilter"), "cutoff_frequency_hz", 5000.0),
        (native("Compressor", threshold_db=0, ratio=10), "threshold_db", -40.0),
        (native("PeakFilter", cutoff_frequency_hz=200), "gain_db", -24.0),
        (native("Reverb"), "dry_level", 0.0),
    ],
)
def test_a_knob_is_audible_and_makes_no_click(node: EffectNode, knob: str, value: float) -> None:
    made, signal = stage(node, channels=1, name="before"), sine()
    assert f"before.0.{knob}" in [control.id for control in made.controls]
    first = play(made, signal[:, :12000], 2000)
    second = play(made, signal[:, 12000:], 2000, {f"before.0.{knob}": value})
    output = np.concatenate([first, second], axis=1)[0]
    made.reset()
    still = play(made, signal, 2000)[0]
    assert np.abs(output[-2000:] - still[-2000:]).max() > 0.05
    # The sine's own step is 0.013; 0.3 dB of half of full scale are 0.018 more.
    assert np.abs(np.diff(output[2000:])).max() < 0.035


def test_a_knob_s_way_does_not_depend_on_the_blocks() -> None:
    made, signal = stage(native("Gain"), native("HighpassFilter"), name="after"), noise(2, 6000)
    turned = {"after.0.gain_db": -20.0, "after.1.cutoff_frequency_hz": 4000.0}
    whole = play(made, signal, 6000, turned)
    for size in SIZES:
        made.reset()
        np.testing.assert_allclose(play(made, signal, size, turned), whole, atol=1e-6)


def test_a_plug_in_s_knob_is_audible_and_forgotten() -> None:
    made, signal = stage(plugin(), name="x"), noise(2, 24000)
    before = play(made, signal, 480)
    turned = play(made, signal, 480, {"x.0.output_ceiling_db": -20.0, "x.0.threshold_db": -20.0})
    assert np.abs(turned[:, -4800:]).max() < 0.5 * np.abs(before[:, -4800:]).max()
    made.reset()
    np.testing.assert_allclose(play(made, signal, 480), before, atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e38])
@EVERY
def test_nothing_but_numbers_comes_out_and_the_stage_recovers(name: str, bad: float) -> None:
    made, signal = stage(*RUNS[name]), noise(2, 12000)
    signal[:, 1000:1010] = bad
    output = play(made, signal, 128)
    assert np.isfinite(output).all()
    # A reverb, an echo and a slow release remember 1e38 for longer than any signal lasts; the rest is back in 100 ms.
    if bad != 1e38:
        assert np.abs(output[:, 1010 + RATE // 10 :]).max() > 0.001


def test_a_plug_in_that_fails_is_silent_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stage(native("Gain", gain_db=0))
    honest = made._board.process
    monkeypatch.setattr(made._board, "process", lambda block, only_plugins=False: np.full_like(block, np.nan))
    np.testing.assert_array_equal(made.process(noise(2, 64), {}), 0.0)
    assert "not numbers" in str(made.error)
    monkeypatch.setattr(made._board, "process", honest)
    np.testing.assert_array_equal(made.process(noise(2, 64), {}), noise(2, 64))


def test_a_cutoff_above_half_the_rate_is_stable() -> None:
    for name in ("LowpassFilter", "HighpassFilter", "HighShelfFilter", "PeakFilter"):
        made = EffectsStage([native(name, cutoff_frequency_hz=24000.0)])
        made.prepare(44100, 1, 512)
        assert np.abs(play(made, noise(1, 44100), 512)).max() < 2.0
        assert made.error is None


def test_missing_and_refused_plug_ins_are_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.vst3").write_text("no plug-in")
    cases: list[tuple[EffectNode | PluginNode, Path | None, str]] = [
        (PluginNode(plugin="none.vst3"), tmp_path, "does not exist"),
        (PluginNode(plugin="text.vst3"), tmp_path, "can't be loaded"),
        (plugin(), None, "only a preset from a file of yours"),
        (plugin(settings={"loudness": 1}), tmp_path, "it has"),
        (plugin(settings={"threshold_db": 99}), tmp_path, "refuses its settings"),
        (native("Convolution"), tmp_path, "needs impulse_response_filename"),
        (native("Convolution", impulse_response_filename="none.wav"), tmp_path, "does not exist"),
        (native("Convolution", impulse_response_filename="text.vst3"), tmp_path, "can't be loaded"),
    ]
    for node, folder, words in cases:
        with pytest.raises(PresetError, match=words) as caught:
            EffectsStage([node], folder=folder)
        assert "\n" not in str(caught.value)


def test_a_convolution_plays_the_file_beside_the_preset(tmp_path: Path) -> None:
    response = np.zeros(64, np.float32)
    response[10] = 1.0
    soundfile.write(tmp_path / "room.wav", response, RATE, subtype="FLOAT")
    made = EffectsStage([native("Convolution", impulse_response_filename="room.wav")], folder=tmp_path)
    made.prepare(RATE, 1, 512)
    signal = noise(1, 4096)
    output = play(made, signal, 512)
    level = np.abs(output).max() / np.abs(signal).max()
    np.testing.assert_allclose(output[:, 10:], level * signal[:, :-10], atol=0.01)


def test_effects_that_are_too_late_are_refused_live_and_bypassed_ones_left_out() -> None:
    with pytest.raises(PresetError, match="too late"):
        EffectsStage([native("MP3Compressor")], live=True)
    made = stage(EffectNode(effect="MP3Compressor", bypass=True), native("Gain", gain_db=0), live=True)
    assert made.latency_samples == 0
    assert [control.id for control in made.controls] == ["effects.1.gain_db"]
