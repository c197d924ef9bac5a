"""Laws of `import highband`: what it accepts, what it gives back, and what it stands beside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import highband
import plugin_host
from models.control import Control
from models.extender.controls import CONTROLS
from models.stage import Stage
from plugin_host.chain.chain import Chain
from plugin_host.control.client import Client
from plugin_host.engine.engine import Engine
from plugin_host.preset.file import load_preset
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.gain import Gain
from tests.plugin_host.stages import Delay

ROOT = Path(__file__).resolve().parents[2]
RATE = 48000
NOISE = np.random.default_rng(3).uniform(-0.4, 0.4, (2, 1200)).astype(np.float32)
HALF = 10 ** (-6 / 20)

# What librosa, soundfile, torchaudio and their users hold.
ACCEPTED: dict[str, Any] = {
    "librosa, mono": NOISE[0],
    "librosa, mono=False": NOISE,
    "soundfile, mono": NOISE[0].astype(np.float64),
    "soundfile, transposed": np.asfortranarray(NOISE.T.astype(np.float64)).T,
    "every second sample": np.repeat(NOISE, 2, axis=1)[:, ::2],
    "backwards": NOISE[:, ::-1],
    "one channel": NOISE[:1],
    "64 channels": np.tile(NOISE, (32, 1)),
    "one sample": NOISE[0, :1],
    "nothing": NOISE[0, :0],
    "nothing, stereo": NOISE[:, :0],
    "torchaudio": torch.from_numpy(NOISE.copy()),
    "tensor, 1-D": torch.from_numpy(NOISE[0].copy()),
    "tensor, float64": torch.from_numpy(NOISE.astype(np.float64)),
    "tensor that learns": torch.from_numpy(NOISE.copy()).requires_grad_(),
    "tensor, transposed": torch.from_numpy(NOISE.T.copy()).T,
}


@pytest.mark.parametrize("samples", ACCEPTED.values(), ids=ACCEPTED)
def test_what_comes_back_is_of_the_same_kind(samples: Any) -> None:
    before = samples.detach().clone() if isinstance(samples, torch.Tensor) else samples.copy()
    out, rate = highband.restore(samples, RATE, artifact=Gain(), amount=-6)
    assert (type(out), out.dtype, tuple(out.shape), rate) == (type(samples), samples.dtype, tuple(samples.shape), RATE)
    assert type(rate) is int
    expected, result = (np.asarray(one.detach() if isinstance(one, torch.Tensor) else one) for one in (before, out))
    np.testing.assert_allclose(result, expected.astype(np.float32) * np.float32(HALF), atol=1e-7)
    assert (np.asarray(samples.detach() if isinstance(samples, torch.Tensor) else samples) == np.asarray(before)).all()


@pytest.mark.parametrize(
    ("samples", "error", "sentence"),
    [
        (NOISE.T, ValueError, "give the transpose, samples.T"),
        (torch.from_numpy(NOISE.T.copy()), ValueError, "give the transpose, samples.T"),
        (NOISE[None], ValueError, "not (1, 2, 1200); give one recording"),
        (np.array(0.5, np.float32), ValueError, "(channels, time)"),
        ((NOISE * 32767).astype(np.int16), TypeError, "not int16; convert and scale them"),
        (torch.from_numpy(NOISE.copy()).half(), TypeError, "not float16"),
        (torch.from_numpy(NOISE.copy()).bfloat16(), TypeError, "not bfloat16"),
        ([0.1, 0.2], TypeError, "not list"),
        ("song.wav", TypeError, "highband.render_file"),
    ],
)
def test_what_is_no_recording_is_refused_in_a_sentence(samples: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error) as refused:
        highband.restore(samples, RATE, artifact=Gain())
    assert sentence in str(refused.value)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 22050.0, np.int64(32000), 44100, 48000, 96000])
def test_low_rates_are_raised_and_others_stay(rate: float) -> None:
    out, new_rate = highband.restore(NOISE, rate, artifact=Delay(64))
    assert new_rate == (int(rate) if rate >= 44100 else 48000)
    assert out.shape == (2, round(NOISE.shape[1] * new_rate / rate))
    if rate == new_rate:
        assert (out == NOISE).all()


@pytest.mark.parametrize("rate", [0, -48000, 22050.5, float("nan"), float("inf"), 48, "48000", None, (48000,)])
def test_a_rate_that_is_none_is_refused(rate: Any) -> None:
    with pytest.raises(ValueError, match="sample rate must be a whole number of Hz"):
        highband.restore(NOISE, rate, artifact=Gain())


@pytest.mark.parametrize(
    ("settings", "gain"),
    [({"amount": -6}, HALF), ({"amount": "-6 dB"}, HALF), ({"amount": "-6dB"}, HALF),
     ({"amount": np.float32(-6)}, HALF),
     ({"crossover": "auto"}, 1.0), ({"crossover": "6.3 kHz"}, 1.0), ({"crossover": 6300}, 1.0), ({"delta": "off"}, 1.0),
     ({"delta": False}, 1.0)],
)  # fmt: skip
def test_settings_are_numbers_or_the_words_of_the_command_line(settings: dict[str, Any], gain: float) -> None:
    out, _ = highband.restore(NOISE, RATE, artifact=Gain(), **settings)
    np.testing.assert_allclose(out, NOISE * np.float32(gain), atol=1e-7)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"brightness": 3}, "there is no knob 'brightness'; the knobs are crossover, amount"),
        ({"amount": 99}, "amount must be between -24 and 12 dB, not 99"),
        ({"amount": "loud"}, "amount must be between -24 and 12 dB, not 'loud'"),
        ({"amount": float("nan")}, "amount must be between -24 and 12 dB, not nan"),
        ({"bypass": "perhaps"}, "bypass must be on or off"),
        ({"preset": "nonsense"}, "there is no preset 'nonsense'"),
        ({"artifact": "nonsense"}, "there is no artifact 'nonsense'"),
    ],
)
def test_wrong_settings_are_refused_as_the_command_line_does(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("'", ".")):
        highband.restore(NOISE, RATE, **{"artifact": Gain(), **settings})


def test_a_preset_sets_knobs_and_brings_its_effects(tmp_path: Path) -> None:
    file = tmp_path / "quiet.json"
    file.write_text('{"settings": {"amount": -6.0}, "after": [{"effect": "Gain", "settings": {"gain_db": -6.0}}]}')
    for preset in (file, str(file), load_preset(file)):
        out, _ = highband.restore(NOISE, RATE, artifact=Gain(), preset=preset)
        np.testing.assert_allclose(out, NOISE * np.float32(HALF * HALF), atol=1e-6)
        louder, _ = highband.restore(NOISE, RATE, artifact=Gain(), preset=preset, amount=0)
        np.testing.assert_allclose(louder, NOISE * np.float32(HALF), atol=1e-6)


def test_the_shipped_model_restores_what_it_is_given_by_name_or_loaded() -> None:
    loaded = highband.load("live")
    dull = np.cumsum(NOISE, axis=1) * np.float32(0.02)
    by_name, rate = highband.restore(dull, 16000, artifact="live", crossover="7 kHz")
    again, _ = highband.restore(dull, 16000, artifact=loaded, crossover=7000)
    assert (by_name == again).all()
    plain, _ = highband.restore(dull, 16000, artifact=Gain())
    assert rate == 48000
    assert np.abs(by_name - plain).max() > 0.0


def test_a_long_recording_in_blocks_is_as_it_is_whole() -> None:
    long = np.tile(NOISE, (1, 120))
    stage = Delay(100)
    out, _ = highband.restore(long, RATE, artifact=stage)
    assert (out == long).all()
    assert max(stage.blocks) < long.shape[1]


def test_a_file_is_rendered(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", NOISE.T, RATE, subtype="FLOAT")
    done = highband.render_file(tmp_path / "in.wav", str(tmp_path / "out.wav"), artifact=Gain(), amount="-6 dB")
    assert (done.rate, done.channels) == (RATE, 2)
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.wav")[0].T, NOISE * HALF, atol=1e-6)
    with pytest.raises(ValueError, match=r"gone\.wav"):
        highband.render_file(tmp_path / "gone.wav", tmp_path / "out.wav", artifact=Gain())


def test_every_name_is_there_and_others_are_named() -> None:
    assert {"restore", "load", "Chain", "Client", "Stage", "load_preset", "render_file", "SettingsStore", "Engine",
            "__version__"} <= set(dir(highband))  # fmt: skip
    assert all(getattr(highband, name) is getattr(plugin_host, name) for name in dir(highband) if name != "__version__")
    assert (highband.Chain, highband.Stage, highband.Control) == (Chain, Stage, Control)
    assert highband.__version__[0].isdigit()
    with pytest.raises(AttributeError, match="highband has no 'enhance'; it has Chain"):
        _ = highband.enhance


def test_what_is_shown_of_an_object_says_what_it_is() -> None:
    chain, store = Chain([], Delay(64), []), SettingsStore(CONTROLS)
    assert repr(chain) == "<Chain: extender; latency 64 samples>"
    assert repr(store) == f"<SettingsStore: {len(CONTROLS)} knobs, change 0>"
    engine = Engine(chain, store)
    engine.prepare(48000, 2, 128)
    assert repr(engine) == "<Engine at 48000 Hz: <Chain: extender; latency 64 samples>>"
    with Client("tcp://127.0.0.1:9") as client:
        assert repr(client) == "<Client of tcp://127.0.0.1:9>"
    assert repr(highband.load("studio")).startswith("<Extender: harmonics; latency ")


def run(folder: Path, program: str, *options: str) -> subprocess.CompletedProcess[str]:
    # As a script's folder or the working folder does, this one comes before where Highband is.
    path = f"import sys; sys.path[:0] = [{str(folder)!r}]; sys.path.append({str(ROOT)!r})\n"
    return subprocess.run(
        [sys.executable, *options, "-c", path + program], cwd=folder, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def test_importing_costs_nothing_until_something_is_used(tmp_path: Path) -> None:
    done = run(tmp_path, "import highband; print(*sorted({'numpy', 'torch', 'numba', 'pydantic'} & set(sys.modules)))")
    assert (done.stdout, done.stderr) == ("\n", "")


def test_it_stands_beside_packages_of_the_same_names(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("value = 'theirs'\n")
    (tmp_path / "models" / "transformer.py").write_text("layers = 12\n")
    (tmp_path / "dsp.py").write_text("gain = 0.5\n")
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "__init__.py").write_text("")
    program = (
        "import highband, models, dsp, models.transformer, presets\n"
        "print(models.value, models.transformer.layers, dsp.gain, presets.__file__.startswith(sys.path[0]))\n"
        "import dsp.audio\n"
        "print(highband.load_preset('dull-vocal').name, highband.restore.__module__, highband.Control.__name__)\n"
    )
    for order in (program, "import models, dsp\n" + program):
        done = run(tmp_path, order)
        assert (done.stdout, done.stderr) == ("theirs 12 0.5 True\nDull vocal plugin_host.render.api Control\n", "")


def test_a_module_that_both_have_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("")
    (tmp_path / "models" / "stage.py").write_text("")
    done = run(tmp_path, "import highband")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert f"can't be imported beside {tmp_path / 'models' / '__init__.py'}, which has a 'stage' as its own" in last
    assert "rename" in last
