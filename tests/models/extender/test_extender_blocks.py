"""Laws of the stream: blocks equal whole, reset forgets, runs repeat, whatever is prepared again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.artifact.load import load_extender
from models.extender.extender import Extender
from models.training.predictor.export import load_predictor
from plugin_host.checks.signals import delayed, play
from tests.models.extender.extenders import MOVED, music, prepared, whole
from tests.models.predictor.torch_inference import TorchInference

Case = tuple[Path, int, int]
RANDOM = tuple(int(size) for size in np.random.default_rng(5).integers(1, 1500, 40))


def label(sizes: tuple[int, ...]) -> str:
    return str(sizes[0]) if len(sizes) == 1 else "random"


@pytest.mark.parametrize("sizes", [(17,), (64,), (128,), (256,), (480,), (512,), (1024,), RANDOM], ids=label)
def test_blocks_equal_whole(case: Case, sizes: tuple[int, ...]) -> None:
    folder, rate, channels = case
    extender, sound = prepared(folder, rate, channels), music(rate, channels, 0.13)
    expected = whole(extender, sound)
    extender.reset()
    # The first part in one block, so that there is sound when many small ones come.
    first = extender.process(sound[:, :-4001], {})
    rest = play(extender, sound[:, -4001:], sizes, {})
    np.testing.assert_allclose(np.concatenate([first, rest], 1), expected, atol=1e-5, rtol=0)
    assert np.abs(expected - delayed(sound, extender.latency_samples)).max() > 0.001


def test_single_samples_equal_whole(artifact: Path) -> None:
    extender, sound = prepared(artifact, 48000, 2), music(48000, 2, 0.1)
    expected = whole(extender, sound, MOVED)
    extender.reset()
    first = extender.process(sound[:, :4123], MOVED)
    rest = play(extender, sound[:, 4123:], (1,), MOVED)
    np.testing.assert_allclose(np.concatenate([first, rest], 1), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("sizes", [(100,), (480,), RANDOM], ids=label)
def test_blocks_equal_whole_with_every_knob_moved(artifact: Path, sizes: tuple[int, ...]) -> None:
    extender, sound = prepared(artifact, 48000, 2), music(48000, 2)
    settings = {**MOVED, "crossover": 3300.0}
    expected = whole(extender, sound, settings)
    extender.reset()
    np.testing.assert_allclose(play(extender, sound, sizes, settings), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("sizes", [(480,), RANDOM], ids=label)
def test_blocks_equal_whole_while_it_listens_for_the_edge(artifact: Path, sizes: tuple[int, ...]) -> None:
    extender, sound = prepared(artifact, edge_hz=None), music(seconds=1.9)
    expected = whole(extender, sound)
    found = extender.crossover_hz
    assert found is not None, "the edge is found within two seconds"
    assert found == pytest.approx(5900, rel=0.04)
    extender.reset()
    np.testing.assert_allclose(play(extender, sound, sizes, {}), expected, atol=1e-5, rtol=0)


def test_reset_forgets_and_runs_repeat(case: Case) -> None:
    folder, rate, channels = case
    extender, sound = prepared(folder, rate, channels), music(rate, channels, 0.1)
    first = extender.process(sound, MOVED)
    extender.process(sound[:, :777], {"tone": -100.0})
    extender.reset()
    np.testing.assert_array_equal(extender.process(sound, MOVED), first)


def test_hops_and_noise_follow_the_timeline(artifact: Path) -> None:
    extender, sound, settings = prepared(artifact, 48000, 2), music(48000, 2, 1.0), {"tone": -100.0}
    expected = whole(extender, sound, settings)[:, -9000:]
    band = np.std(expected - delayed(sound, extender.latency_samples)[:, -9000:])
    gaps = []
    for position in (4321, 4321 + 100):
        extender.reset(position)
        gaps.append(np.std(extender.process(sound[:, 4321:], settings)[:, -9000:] - expected) / band)
    assert gaps[0] < 0.25, "only the network remembers what was before"
    assert gaps[1] > 0.5, "somewhere else on the timeline the noise is another"


def test_a_reset_at_a_position_repeats_in_any_blocks(artifact: Path) -> None:
    extender, sound = prepared(artifact, 48000, 2), music(48000, 2, 0.1)
    extender.reset(-777)
    first = extender.process(sound, MOVED)
    extender.reset(-777)
    np.testing.assert_allclose(play(extender, sound, (17,), MOVED), first, atol=5e-5, rtol=0)


def test_reset_forgets_the_measured_edge(artifact: Path) -> None:
    extender = prepared(artifact, edge_hz=None)
    whole(extender, music(seconds=1.9))
    assert extender.crossover_hz is not None
    extender.reset()
    assert extender.crossover_hz is None


def test_the_block_that_comes_in_is_left_alone(artifact: Path) -> None:
    extender, sound = prepared(artifact), music(seconds=0.05)
    kept = sound.copy()
    out = extender.process(sound, {})
    np.testing.assert_array_equal(sound, kept)
    assert not np.shares_memory(out, sound)
    assert out.dtype == np.float32


def test_what_is_no_number_never_leaves_it(artifact: Path) -> None:
    extender, sound = prepared(artifact), music(seconds=0.05)
    with pytest.raises(ArithmeticError, match="not numbers"):
        extender.process(sound, {"output": float("nan")})
    assert np.isfinite(extender.process(sound, {})).all()


def test_a_block_larger_than_prepared_is_taken(artifact: Path) -> None:
    extender, sound = prepared(artifact, 48000, 2), music(48000, 2)
    expected = play(extender, sound, (64,), {})
    extender.prepare(48000, 2, 64)
    np.testing.assert_allclose(extender.process(sound, {}), expected, atol=1e-5, rtol=0)


def test_another_rate_or_layout_is_prepared_from_scratch(artifact: Path) -> None:
    extender = load_extender(artifact)
    for rate, channels in ((48000, 1), (44100, 2), (48000, 3)):
        extender.set_bandwidth(6000.0)
        extender.prepare(rate, channels, 512)
        sound = music(rate, channels, 0.1)
        output = extender.process(sound, {})
        np.testing.assert_array_equal(output, prepared(artifact, rate, channels).process(sound, {}))


def test_the_extender_plays_what_the_network_defines(artifact: Path) -> None:
    network, config = load_predictor(artifact)
    fine = prepared(artifact).fine
    defined, sound = Extender(config, TorchInference(network), fine=fine), music(48000, 2)
    defined.set_bandwidth(6000.0)
    defined.prepare(48000, 2, 1024)
    expected = whole(defined, sound)
    np.testing.assert_allclose(whole(prepared(artifact, 48000, 2), sound), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("rate", [8000, 22050, 44099, 96001, 192000])
def test_a_rate_it_can_not_run_at_is_refused(artifact: Path, rate: int) -> None:
    with pytest.raises(ValueError, match=f"44.1 to 96 kHz, not {rate} Hz: resample"):
        unprepared(artifact).prepare(rate, 2, 512)


def test_no_channels_are_refused(artifact: Path) -> None:
    with pytest.raises(ValueError, match="at least one channel"):
        unprepared(artifact).prepare(48000, 0, 512)


def unprepared(folder: Path) -> Extender:
    return prepared(folder).sibling()
