"""Laws of odd plug-ins: one that crashes is named, none gets a block that is too long, and latency is followed."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest

from models.stage import Block
from plugin_host.chain import plugin_probe
from plugin_host.chain.chain import Chain
from plugin_host.chain.effects import EffectsStage
from plugin_host.preset.file import PluginNode, PresetError

RATE = 48000
SOURCE, FRAMEWORK = Path(__file__).with_name("odd_plugin"), Path("/usr/share/dpf")


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the plug-in of this folder."""
    if shutil.which("g++") is None or not FRAMEWORK.is_dir():
        pytest.skip("needs a C++ compiler and DPF: scripts/system-packages.sh installs them")
    bundle = tmp_path_factory.mktemp("plug-ins") / "Odd.vst3"
    binary = bundle / "Contents" / f"{platform.machine()}-linux" / "Odd.so"
    binary.parent.mkdir(parents=True)
    subprocess.run(
        ["g++", "-O1", "-fPIC", "-shared", "-std=c++17", "-fvisibility=hidden", "-DDISTRHO_PLUGIN_TARGET_VST3",
         f"-I{SOURCE}", f"-I{FRAMEWORK}/distrho", f"-I{FRAMEWORK}", str(SOURCE / "Odd.cpp"),
         str(FRAMEWORK / "distrho/DistrhoPluginMain.cpp"), "-o", str(binary), "-lpthread", "-ldl"],
        check=True,
    )  # fmt: skip
    return bundle


def noise(samples: int) -> Block:
    return np.random.default_rng(5).uniform(-0.3, 0.3, (2, samples)).astype(np.float32)


def chain(plugin: Path, block: int, **settings: float) -> Chain:
    node = PluginNode(plugin=str(plugin), settings=dict(settings))
    made = Chain([], None, [EffectsStage([node], name="after", folder=Path("/"))])
    made.prepare(RATE, 2, block)
    return made


def play(made: Chain, sound: Block, settings: dict[str, float]) -> Block:
    return np.concatenate(
        [made.process(sound[:, at : at + 128], settings) for at in range(0, sound.shape[1], 128)], axis=1
    )


def test_a_plug_in_gets_no_longer_block_than_hosts_give(odd: Path) -> None:
    made, sound = chain(odd, RATE, delay=100.0), noise(2 * RATE)
    assert made.latency_samples == 100
    parts = [made.process(sound[:, :RATE], {}), made.process(sound[:, RATE:], {})]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1)[:, 100:], sound[:, :-100])


@pytest.mark.parametrize(("when", "fault"), [("load", "SIGABRT"), ("play", "SIGSEGV")])
def test_a_plug_in_that_crashes_is_named_and_not_loaded(
    odd: Path, monkeypatch: pytest.MonkeyPatch, when: str, fault: str
) -> None:
    plugin_probe._fault.cache_clear()
    monkeypatch.setenv("ODD_CRASH", when)
    with pytest.raises(PresetError, match=re.escape(f"the plug-in Odd ({odd}) crashes ({fault}), so it is not loaded")):
        chain(odd, 128)
    plugin_probe._fault.cache_clear()


def test_a_plug_in_that_hangs_is_named(odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin_probe._fault.cache_clear()
    monkeypatch.setattr(plugin_probe, "_PATIENCE_S", 0.01)
    with pytest.raises(PresetError, match=r"does not answer within 0\.01 s"):
        chain(odd, 128)
    plugin_probe._fault.cache_clear()


def test_the_probe_tries_a_plug_in_once_and_again_when_its_file_changes(
    odd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []

    def run(command: list[str], input: bytes, **_: object) -> subprocess.CompletedProcess[bytes]:
        runs.append(json.loads(input)["path"])
        return subprocess.CompletedProcess(command, -11)

    plugin_probe._fault.cache_clear()
    monkeypatch.setattr(subprocess, "run", run)
    assert plugin_probe.fault_of(odd, None, None, {}) == plugin_probe.fault_of(odd, None, None, {})
    assert runs == [str(odd)]
    plugin_probe.fault_of(odd, None, None, {"delay": 3.0})
    assert runs == [str(odd)] * 2
    plugin_probe._fault.cache_clear()


@pytest.mark.parametrize("on_another_thread", [False, True])
def test_a_latency_that_changes_during_play_is_followed_and_reported(odd: Path, on_another_thread: bool) -> None:
    made, sound = chain(odd, 128), noise(RATE // 2)

    def played(settings: dict[str, float]) -> Block:
        outputs: list[Block] = []
        player = threading.Thread(target=lambda: outputs.append(play(made, sound, settings)))
        if not on_another_thread:
            return play(made, sound, settings)
        player.start()
        player.join()
        made.look_for_latency()
        return outputs[0]

    np.testing.assert_array_equal(played({}), sound)
    late = {"after.0.delay": 480.0}
    played(late)
    wet = played(late)
    assert made.latency_samples == made.stages[0].latency_samples == 480
    assert "the chain is 480 samples late now, 0 before" in str(made.take_error())
    np.testing.assert_array_equal(wet[:, 480:], sound[:, :-480])
    dry = played({**late, "bypass": 1.0})
    np.testing.assert_array_equal(dry[:, 480:], sound[:, :-480])
    # Back to no latency while the dry signal plays: it moves without a step.
    made.process(np.full((2, 128), 0.1, np.float32), {**late, "bypass": 1.0})
    for _ in range(60):
        still = made.process(np.full((2, 128), 0.1, np.float32), {"bypass": 1.0})
    np.testing.assert_allclose(still, 0.1, atol=1e-6)
    made.reset()
    assert made.latency_samples == 0
