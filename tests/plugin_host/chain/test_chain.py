"""Laws of the chain: one exact latency, bypass bit for bit, the dry signal where a stage fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.buffers.fifo import Fifo
from models.control import Control
from models.extender import controls as knobs
from models.stage import Block, Stage
from plugin_host.chain.chain import Chain
from plugin_host.chain.dry_wet import RESCUE_SAMPLES
from plugin_host.chain.effects import EffectsStage
from plugin_host.preset.file import EffectNode, Preset, PresetError, list_presets, load_preset, parse_preset

RATE = 48000
FADE = 480
PRESETS = pytest.mark.parametrize("preset", list_presets(), ids=lambda preset: preset.id)


class Doubler:
    """A stage with a latency, that doubles; it can be made to fail."""

    def __init__(self, latency: int, gain: float = 2.0) -> None:
        self._latency, self.gain, self.fails, self.fed = latency, gain, "", 0
        self.seen: dict[str, float] = {}

    @property
    def controls(self) -> Sequence[Control]:
        return knobs.CONTROLS

    @property
    def latency_samples(self) -> int:
        return self._latency

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        self._queue = Fifo(channels, self._latency + max_block, self._latency)

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        self.seen, self.fed = dict(settings), self.fed + block.shape[1]
        self._queue.push(block)
        out = self._queue.pop(block.shape[1])
        if self.fails == "raise":
            raise RuntimeError("out of order")
        if self.fails == "short":
            return out[:, 1:]
        return np.full_like(out, np.nan) if self.fails == "nan" else np.float32(self.gain) * out

    def reset(self, position: int = 0) -> None:
        self._queue.clear()


def noise(samples: int = 6000) -> Block:
    return np.random.default_rng(2).uniform(-0.3, 0.3, (2, samples)).astype(np.float32)


def play(stage: Stage, signal: Block, size: int = 512, values: dict[str, float] | None = None) -> Block:
    """Process in blocks of one size, or of random ones for size 0."""
    random, parts, start = np.random.default_rng(size), [], 0
    while start < signal.shape[1]:
        stop = start + (size or int(random.integers(1, 1024)))
        parts.append(stage.process(signal[:, start:stop], values or {}))
        start = stop
    return np.concatenate(parts, axis=1)


def chain(*stages: Doubler, after: Sequence[Stage] = ()) -> Chain:
    made = Chain(stages[:-1], stages[-1], after)
    made.prepare(RATE, 2, 512)
    return made


def delayed(signal: Block, latency: int) -> Block:
    return np.pad(signal, ((0, 0), (latency, 0)))[:, : signal.shape[1]]


def test_it_is_a_stage_and_adds_the_latencies_up() -> None:
    limiter = EffectsStage([EffectNode(effect="BrickwallLimiter", settings={"ceiling_db": 0})], name="after")
    made = chain(Doubler(10, 1.0), Doubler(33, 1.0), after=[limiter])
    assert isinstance(made, Stage)
    assert [(part.name, part.latency_samples) for part in made.stages] == [
        ("before", 10),
        ("extender", 33),
        ("after", 240),
    ]
    assert made.latency_samples == 283
    impulse = np.zeros((2, 2000), np.float32)
    impulse[:, 700] = 0.5
    np.testing.assert_allclose(play(made, impulse), delayed(impulse, 283), atol=1e-6)


@pytest.mark.parametrize("size", [1, 17, 64, 128, 256, 480, 1024, 0])
@pytest.mark.parametrize("bypass", [0.0, 1.0])
def test_blocks_equal_the_whole(size: int, bypass: float) -> None:
    limiter = EffectsStage([EffectNode(effect="BrickwallLimiter", settings={"ceiling_db": -12})], name="after")
    made, signal = chain(Doubler(70), after=[limiter]), noise()

    def switched(size: int) -> Block:
        made.reset()
        first = play(made, signal[:, :2000], size, {"bypass": bypass})
        return np.concatenate([first, play(made, signal[:, 2000:], size, {"bypass": 1.0 - bypass})], axis=1)

    np.testing.assert_allclose(switched(size), switched(512), atol=1e-6)


def test_bypass_is_the_delayed_input_bit_for_bit() -> None:
    extender = Doubler(70)
    made, signal = chain(Doubler(5), extender), noise()
    np.testing.assert_array_equal(play(made, signal, values={"bypass": 1.0, "delta": 1.0}), delayed(signal, 75))
    # The extender is fed all the while, and never sees the knob.
    assert extender.fed == signal.shape[1]
    assert extender.seen == {"delta": 1.0}


def test_bypass_is_reached_without_a_click_and_left_with_warm_stages() -> None:
    made, signal = chain(Doubler(70)), noise(8000)
    wet = np.float32(2.0) * delayed(signal, 70)
    parts = [play(made, signal[:, :2000])]
    parts.append(play(made, signal[:, 2000:5000], values={"bypass": 1.0}))
    parts.append(play(made, signal[:, 5000:]))
    output, dry = np.concatenate(parts, axis=1), delayed(signal, 70)
    np.testing.assert_array_equal(output[:, :2000], wet[:, :2000])
    np.testing.assert_array_equal(output[:, 2000 + FADE : 5000], dry[:, 2000 + FADE : 5000])
    np.testing.assert_array_equal(output[:, 5000 + FADE :], wet[:, 5000 + FADE :])
    share = (output - wet)[:, 2000:2480] / (dry - wet)[:, 2000:2480]
    np.testing.assert_allclose(share, np.tile(np.arange(1, 481) / 480, (2, 1)), atol=0.01)


@pytest.mark.parametrize("fails", ["raise", "short", "nan"])
def test_where_a_stage_fails_the_aligned_dry_signal_plays(fails: str) -> None:
    broken, last = Doubler(40), Doubler(30, 1.0)
    made, signal = chain(broken, last), noise()
    dry = delayed(signal, 70)
    first = play(made, signal[:, :2048])
    broken.fails = fails
    second = play(made, signal[:, 2048:4096])
    broken.fails = ""
    third = play(made, signal[:, 4096:])
    np.testing.assert_array_equal(first, 2 * dry[:, :2048])
    np.testing.assert_array_equal(second[:, RESCUE_SAMPLES:], dry[:, 2048 + RESCUE_SAMPLES : 4096])
    # A stage that failed may have missed time: the splice in what it holds passes first.
    np.testing.assert_array_equal(third[:, :64], dry[:, 4096:4160])
    settled = 512 + FADE
    np.testing.assert_array_equal(third[:, settled:], 2 * dry[:, 4096 + settled :])
    assert last.fed == signal.shape[1]
    sentence = str(made.take_error())
    assert sentence.startswith("before failed, the dry signal plays: ")
    assert made.take_error() is None


def test_a_failure_makes_no_step() -> None:
    made = chain(Doubler(0))
    held = np.full((2, 512), 0.25, np.float32)
    first = made.process(held, {})
    assert isinstance(made.stages[0].stage, Doubler)
    made.stages[0].stage.fails = "raise"
    output = np.concatenate([first, made.process(held, {}), made.process(held, {})], axis=1)
    assert np.abs(np.diff(output)).max() <= 0.25 / RESCUE_SAMPLES + 1e-6


class Lender(Doubler):
    """Gives the very block back that it got, until it fails."""

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        if self.fails:
            raise RuntimeError("made to fail")
        return block


def test_a_failure_makes_no_step_from_a_block_that_was_lent() -> None:
    lender = Lender(0)
    made, lent = chain(lender), np.linspace(0.0, 0.5, 512, dtype=np.float32)[None].repeat(2, 0)
    made.process(lent, {})
    lender.fails = "raise"
    # The caller's own memory, used again.
    lent += 0.5
    np.testing.assert_array_equal(made.process(lent, {}), lent)


@settings(max_examples=50)
@given(st.lists(st.sampled_from([0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e30]), min_size=1, max_size=40))
def test_whatever_goes_in_numbers_come_out(values: list[float]) -> None:
    made = chain(Doubler(3))
    block = np.array([values, values[::-1]], np.float32)
    for bypass in (0.0, 1.0):
        assert np.isfinite(made.process(block, {"bypass": bypass})).all()


def test_without_an_extender_only_bypass_is_left() -> None:
    made = Chain([], None, [])
    made.prepare(RATE, 2, 64)
    assert [control.id for control in made.controls] == ["bypass"]
    np.testing.assert_array_equal(play(made, noise(), 64), noise())


def test_effects_take_their_knobs_from_the_same_settings() -> None:
    preset = Preset.model_validate({"after": [{"effect": "Gain", "settings": {"gain_db": 0}}]})
    made = Chain.from_preset(preset, Doubler(0))
    made.prepare(RATE, 2, 512)
    assert [control.id for control in made.effect_controls] == ["after.0.gain_db"]
    output = play(made, noise(), values={"after.0.gain_db": -20.0})
    np.testing.assert_allclose(output[:, 4000:], 0.2 * noise()[:, 4000:], atol=1e-5)


@PRESETS
@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (48000, 2), (96000, 6)])
def test_every_preset_builds_and_processes(preset: Preset, rate: int, channels: int) -> None:
    made = Chain.from_preset(preset, Doubler(17, 1.0), live=True)
    made.prepare(rate, channels, 512)
    assert made.latency_samples == 17 + sum(part.latency_samples for part in made.stages if part.name != "extender")
    signal = np.random.default_rng(3).uniform(-0.5, 0.5, (channels, 8000)).astype(np.float32)
    values = preset.complete_settings()
    whole = play(made, signal, 500, values)
    assert np.isfinite(whole).all()
    assert 0.05 < np.abs(whole).max() <= 1.0
    assert made.error is None
    made.reset()
    np.testing.assert_allclose(play(made, signal, 37, values), whole, atol=1e-5)
    made.reset()
    np.testing.assert_array_equal(
        play(made, signal, 500, values | {"bypass": 1.0}), delayed(signal, made.latency_samples)
    )


@PRESETS
def test_no_preset_adds_more_than_two_milliseconds_nor_lets_a_raised_level_clip(preset: Preset) -> None:
    made = Chain.from_preset(preset, Doubler(0))
    made.prepare(RATE, 2, 512)
    assert made.latency_samples <= 0.002 * RATE
    loud = preset.settings.get("amount", 0.0) > 0.0 or any(node.settings.get("gain_db", 0) > 0 for node in preset.after)  # type: ignore[operator]
    if loud:
        output = play(made, np.float32(3.0) * noise(48000))[:, 4800:]
        assert np.abs(output).max() <= 10 ** (-1 / 20) + 1e-4


def test_a_preset_that_was_sent_loads_no_plug_in(tmp_path: Path) -> None:
    text = '{"name": "Sent", "after": [{"plugin": "/usr/lib/vst3/ZaMaximX2.vst3"}]}'
    with pytest.raises(PresetError, match=r"preset 'Sent': .*only a preset from a file of yours"):
        Chain.from_preset(parse_preset(text), None)
    (tmp_path / "mine.json").write_text(text)
    made = Chain.from_preset(load_preset(tmp_path / "mine.json"), Doubler(8))
    made.prepare(RATE, 2, 512)
    assert made.latency_samples == 488
