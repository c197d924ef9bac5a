from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from models.stage import Block
from plugin_host.chain import program as live_sound
from plugin_host.chain.program import build
from plugin_host.control.host import load_preset, save_preset
from plugin_host.control.request import SavePreset
from plugin_host.devices.clocked import ClockedDevice
from plugin_host.session.host import LiveHost
from plugin_host.session.session import LiveSession
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.stages import Delay


class Heavy(Delay):
    """A model that takes longer than a block lasts."""

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        time.sleep(1.5 * block.shape[1] / 48000)
        return super().process(block, settings)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Delay]:
    made = {"live": Delay(10), "heavy": Heavy(20)}

    def load(name: str) -> Delay:
        return type(made[name])(made[name].latency_samples, float(made[name].gain))

    monkeypatch.setattr(live_sound, "load_model", load)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return made


def session(artifact: str, *, is_paced: bool = False) -> tuple[LiveSession, list[str]]:
    sound = build("", artifact)
    device = ClockedDevice(48000, 2, 512, is_paced=is_paced, noise=0.1)
    messages: list[str] = []
    return LiveSession(
        LiveHost(sound, SettingsStore(sound.controls), device, "low latency"), device, messages.append
    ), messages


def run_with(playing: LiveSession, visitor: threading.Thread) -> None:
    """Play while another thread asks for things."""
    playing.open()
    visitor.start()
    playing.run(lambda: not visitor.is_alive(), 3600.0)
    playing.close()


def test_a_preset_is_swapped_in_from_another_thread_while_it_plays(models: dict[str, Delay]) -> None:
    playing, messages = session("live")
    host = playing.host
    seen: list[object] = []

    def visit() -> None:
        load_preset(host.store, host, "dull-vocal", "test")
        while host.engine.is_swapping:
            time.sleep(0.01)
        seen.extend([host.stats(), [part["name"] for part in host.chain()], host.store.targets()])

    run_with(playing, threading.Thread(target=visit))
    assert messages == []
    stats, chain, targets = seen
    assert isinstance(stats, dict)
    assert (stats["preset"], stats["preset_title"]) == ("dull-vocal", "Dull vocal")
    assert stats["latency"]["extender"] == 10
    assert stats["latency"]["sum"] == sum(stats["latency"][part] for part in ("device", "before", "extender", "after"))
    assert set(stats["load"]) == {"callback", "before", "extender", "after"}
    assert chain == ["before", "extender", "after"]
    assert isinstance(targets, dict)
    assert targets["amount"] == 2.0
    assert "after.0.ceiling_db" in targets


def test_a_chain_from_outside_may_hold_effects_but_no_foreign_code(models: dict[str, Delay]) -> None:
    playing, _ = session("live")
    host = playing.host
    refusals: list[str] = []

    def visit() -> None:
        host.set_chain([{"effect": "HighpassFilter"}], [])
        wrong = {"effect": "BrickwallLimiter", "settings": {"lookahead_ms": 900}}
        for nodes in ([{"plugin": "/tmp/evil.vst3"}], [{"effect": "NoSuch"}], [wrong]):
            try:
                host.set_chain(nodes, [])
            except ValueError as error:
                refusals.append(str(error))
        host.save_preset("mine", "of the test", {"amount": -4.0})

    run_with(playing, threading.Thread(target=visit))
    assert [part["name"] for part in host.chain()] == ["before", "extender"]
    assert "can't be added from outside" in refusals[0]
    assert "NoSuch" in refusals[1]
    assert refusals[2] == "the chain stays as it is: lookahead_ms must be between 0.1 and 50 ms, not 900"
    assert (host.stats()["preset"], host.stats()["preset_title"]) == ("mine", "mine")
    again = build("mine", "live")
    assert again.preset.settings["amount"] == -4.0
    assert [part.name for part in again.chain.stages] == ["before", "extender"]


def test_a_preset_that_fails_leaves_the_old_one_playing(models: dict[str, Delay]) -> None:
    playing, _ = session("live")
    host = playing.host
    with pytest.raises(ValueError, match="no preset 'nonsense'"):
        host.load_preset("nonsense")
    assert host.sound.preset_name == ""


def test_overload_is_met_step_by_step_and_reported(models: dict[str, Delay]) -> None:
    playing, messages = session("heavy", is_paced=True)
    playing.open()
    patience = time.monotonic() + 30.0
    playing.run(lambda: "lighter model" in playing.host.relief() or time.monotonic() > patience)
    assert playing.host.relief() == ["spectra off", "lighter model"]
    assert playing.host.sound.artifact == "live"
    playing.close()
    assert messages[:2] == ["too many missed deadlines: spectra off", "too many missed deadlines: lighter model"]


def test_a_saved_preset_keeps_where_the_knobs_of_effects_were_turned(models: dict[str, Delay]) -> None:
    playing, _ = session("live")
    host = playing.host

    def visit() -> None:
        load_preset(host.store, host, "dull-vocal", "test")
        host.store.request_many({"after.0.ceiling_db": -7.5, "amount": -1.0, "compare.match": 1.0}, "test")
        save_preset(host.store, host, SavePreset(version=1, do="save_preset", name="turned", description="of the test"))

    run_with(playing, threading.Thread(target=visit))
    again = build("turned", "live")
    assert again.preset.after[0].settings["ceiling_db"] == -7.5
    assert again.preset.settings["amount"] == -1.0
    assert "compare.match" not in again.preset.settings
    assert next(knob for knob in again.controls if knob.id == "after.0.ceiling_db").default == -7.5


def test_a_comparison_measures_both_and_shows_the_offset(models: dict[str, Delay]) -> None:
    playing, messages = session("live")
    host = playing.host
    seen: list[dict[str, object]] = []

    def visit() -> None:
        host.store.request_many({"compare.match": 1.0, "bypass": 1.0}, "test")
        patience = time.monotonic() + 30.0
        while host.stats()["match"]["offset_db"] is None and time.monotonic() < patience:
            time.sleep(0.02)
        seen.append(host.stats()["match"])

    run_with(playing, threading.Thread(target=visit))
    (found,) = seen
    # Noise of 0.1 through a model that only takes its time.
    assert (found["on"], found["offset_db"], found["turned_down"]) == (True, 0.0, "")
    assert found["dry_lufs"] == pytest.approx(-14.0, abs=1.0)
    assert messages == []


def test_two_versions_play_side_by_side_and_the_sound_comes_back(models: dict[str, Delay]) -> None:
    playing, messages = session("live")
    host, store = playing.host, playing.host.store
    seen: list[object] = []
    models["studio"] = Delay(40, 0.5)

    def visit() -> None:
        host.compare([("slot", "A"), ("artifact", "studio")])
        patience = time.monotonic() + 30.0
        while host.stats()["comparison"]["offset_db"] is None and time.monotonic() < patience:
            time.sleep(0.02)
        seen.extend([host.stats(), host.engine.latency_samples])
        host.audition(1)
        host.compare([("preset", "dull-vocal"), ("input", "")])
        host.end_comparison()
        seen.append(host.stats()["comparison"])
        for sides in ([("slot", "C"), ("input", "")], [("preset", "nonsense"), ("input", "")]):
            with pytest.raises(ValueError, match=r"slot C is empty|no preset 'nonsense'"):
                host.compare(sides)

    run_with(playing, threading.Thread(target=visit))
    stats, latency, over = seen
    assert isinstance(stats, dict)
    # Half as loud is 6 dB less, and both wait for the later model.
    assert stats["comparison"]["offset_db"] == pytest.approx(-6.02, abs=0.05)
    assert stats["comparison"]["lufs"][0] == pytest.approx(stats["comparison"]["lufs"][1], abs=0.05)
    assert (latency, over, messages) == (40, None, [])
    assert store.snapshot().can_undo is False
    with pytest.raises(ValueError, match="begin again"):
        host.audition(0)


def test_a_preset_that_pins_another_content_of_its_artifact_is_reported_once(
    models: dict[str, Delay], tmp_path: Path
) -> None:
    playing, messages = session("live")
    host = playing.host
    path = tmp_path / "pinned.json"
    path.write_text('{"name": "Pinned", "artifact": "live", "artifact_hash": "0123456789abcdef"}')

    def visit() -> None:
        host.load_preset(str(path))
        host.set_chain([{"effect": "HighpassFilter"}], [])
        host.save_preset("again", "of the test", {})

    run_with(playing, threading.Thread(target=visit))
    assert len(messages) == 1
    assert "saved with another version of the artifact live" in messages[0]
    assert build("again", None).warning == ""
