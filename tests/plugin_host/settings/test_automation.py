from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact.manifest import FOLDER
from models.extender.controls import CONTROLS, defaults
from models.stage import Block, Stage
from plugin_host.engine.engine import Engine
from plugin_host.render.render import render_samples
from plugin_host.settings.automation import AutomatedStage, AutomationError, AutomationWriter, read_automation
from plugin_host.settings.store import SettingsStore
from tests.models.extender.extenders import music, prepared
from tests.plugin_host.gain import Gain

HEAD = '{"highband_automation": 1, "sample_rate": 48000}\n'


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "moves.jsonl"
    writer = AutomationWriter(path, 44100)
    writer.add([(0, {"amount": 0.0, "mix": 100.0}), (128, {"amount": -1.5})])
    assert not path.exists()
    writer.add([(300, {"mix": 1 / 3})])
    writer.close()
    moves = read_automation(path)
    assert moves.sample_rate == 44100
    assert moves.at(0) == moves.at(127) == {"amount": 0.0, "mix": 100.0}
    assert moves.at(128) == {"amount": -1.5, "mix": 100.0}
    assert moves.at(10**9) == {"amount": -1.5, "mix": 1 / 3}
    assert [entry.name for entry in tmp_path.iterdir()] == ["moves.jsonl"]


def test_a_block_is_cut_where_values_change(tmp_path: Path) -> None:
    path = tmp_path / "moves.jsonl"
    path.write_text(HEAD + "".join(f'{{"at": {at}, "set": {{"amount": {at}}}}}\n' for at in (0, 100, 130)))
    pieces = list(read_automation(path).stretches(64, 128))
    assert pieces == [(36, {"amount": 0.0}), (30, {"amount": 100.0}), (62, {"amount": 130.0})]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not a file of knob moves"),
        ("[]\n", "is not a file of knob moves"),
        (HEAD, "holds no knob moves"),
        ('{"highband_automation": 2, "sample_rate": 48000}\n', "newer Highband"),
        ('{"highband_automation": 1, "sample_rate": 0}\n', "line 1"),
        (HEAD + '{"at": 5, "set": {}}\n', "line 2: the samples must begin at 0"),
        (HEAD + '{"at": 0, "set": {}}\n{"at": 0, "set": {}}\n', "line 3"),
        (HEAD + '{"at": 0, "set": {"amount": NaN}}\n', "line 2: expected"),
        (HEAD + '{"at": 0, "set": {"amount": true}}\n', "line 2: expected"),
        (HEAD + "nonsense\n", "line 2: expected"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "moves.jsonl"
    path.write_text(text)
    with pytest.raises(AutomationError, match=sentence):
        read_automation(path)


@given(st.binary(max_size=200))
def test_random_bytes_never_crash_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.jsonl"
    path.write_bytes(HEAD.encode() + data)
    with suppress(AutomationError):
        read_automation(path)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(AutomationError, match="can't be written"):
        AutomationWriter(tmp_path / "gone/moves.jsonl", 48000)


def test_the_amount_curve_that_glides_live_is_the_render(tmp_path: Path) -> None:
    samples = music(48000, 2, 0.5)
    live, moves = _played(prepared(FOLDER / "live", 48000, 2), samples, "curve_8k", -9.0, tmp_path)
    stage = AutomatedStage(prepared(FOLDER / "live", 48000, 2), read_automation(moves))
    np.testing.assert_allclose(render_samples(stage, defaults(), samples, 48000), live, atol=1e-5)
    still = render_samples(prepared(FOLDER / "live", 48000, 2), defaults(), samples, 48000)
    assert np.abs(live - still).max() > 1e-3


def _played(stage: Stage, samples: Block, knob: str, value: float, folder: Path) -> tuple[Block, Path]:
    """Play a sound through an engine while a knob moves; return what came out, and the file of the move."""
    store = SettingsStore(CONTROLS)
    engine = Engine(stage, store)
    engine.is_timed = False
    engine.keep_moves()
    engine.prepare(48000, 2, 128)
    output = np.zeros((samples.shape[1], 2), np.float32)
    for start in range(0, samples.shape[1], 128):
        if start == 640:
            store.request(knob, value, "test")
        engine.callback(samples[:, start : start + 128].T, output[start : start + 128])
    assert engine.take_error() is None
    writer = AutomationWriter(folder / "moves", 48000)
    writer.add(engine.moves)
    writer.close()
    return output.T, folder / "moves"


@pytest.mark.parametrize("block", [1000, 128, 37])
def test_a_render_replays_what_was_played_to_the_same_samples(tmp_path: Path, block: int) -> None:
    samples = np.random.default_rng(5).standard_normal((2, 128 * 40)).astype(np.float32)
    output, moves = _played(Gain(), samples, "amount", -12.0, tmp_path)
    stage = AutomatedStage(Gain(), read_automation(moves))
    assert np.array_equal(render_samples(stage, defaults(), samples, 48000, block=block), output)
    with pytest.raises(ValueError, match="recorded at 48000 Hz"):
        stage.prepare(44100, 2, 128)
