"""The host of a live session: the engine with presets, chains and all figures that control interfaces show."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from plugin_host.chain.comparison import Comparison
from plugin_host.chain.dry_wet import MATCH
from plugin_host.chain.loudness_match import LoudnessMatch
from plugin_host.chain.program import LiveSound, Recipe, build_around, path_of, with_effects
from plugin_host.devices.device import Device
from plugin_host.engine.engine import Engine
from plugin_host.preset.artifact_pin import pin_of
from plugin_host.preset.file import load_preset, save_preset, user_folder
from plugin_host.preset.nodes import nodes_of
from plugin_host.session.takes import Takes
from plugin_host.session.versions import version_of
from plugin_host.settings.store import SettingsStore

_PATIENCE_S = 60.0


class LiveHost:
    """Plays a sound; all but `do_tasks` may be called from any thread.

    What loads plug-ins is done on the main thread, which asks for it with `do_tasks`; the caller waits.

    Args:
        sound: What is played first.
        store: The settings; the sound's controls are declared here.
        device: Where it is played.
        mode: "low latency" or "safe", as `stats` reports.

    Attributes:
        engine: What plays.
        store: The settings.
        takes: The recordings.
        sound: What plays now.
        news: Sentences for the person at the host.
        relief: Names of the steps that the watchdog took.
        is_running: Whether the main thread asks for tasks.
    """

    def __init__(self, sound: LiveSound, store: SettingsStore, device: Device, mode: str) -> None:
        self.sound, self.store, self._device, self._mode = sound, store, device, mode
        # A preset that names no model is played by the one that the person chose.
        self._artifact = sound.artifact
        self._match = LoudnessMatch()
        self._comparison: Comparison | None = None
        sound.chain.compare_by(self._match)
        self.engine = Engine(sound.chain, store)
        self.takes = Takes(self.engine)
        self.news: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._warn(sound)
        self.relief: Callable[[], list[str]] = list
        self.is_running = False
        self._tasks: queue.SimpleQueue[tuple[Callable[[], None], Future[None]]] = queue.SimpleQueue()
        self._main = threading.get_ident()

    def stats(self) -> dict[str, Any]:
        """Return the engine's figures with latency in parts (samples), device state, mode and load shedding."""
        stats = self.engine.stats()
        device = self._device.latency_samples
        parts = {part.name: part.latency_samples for part in self.sound.chain.stages}
        stats["latency"] = {"unit": "samples", "device": device, **parts, "sum": device + self.engine.latency_samples}
        return {
            **stats,
            "mode": self._mode,
            "block": self._device.block,
            "device": {"name": self._device.name, "state": self._device.state},
            "relief": self.relief(),
            "preset": self.sound.preset_name,
            "preset_title": self.sound.preset.name if self.sound.preset_name else "",
            "recording": self.takes.state(),
            "artifact": self.sound.artifact,
            "crossover_hz": self.sound.chain.crossover_hz,
            "comparison": self._comparison.figures() if self._comparison is not None else None,
            "match": {"on": self.store.targets().get(MATCH.id) == 1.0, **self._match.figures()},
        }

    def meters(self) -> dict[str, Any]:
        """Return the levels; see `Engine.meters`."""
        return self.engine.meters()

    def spectra(self) -> tuple[list[float], list[float]]:
        """Return the levels of 64 bands in dBFS, in and out."""
        return self.engine.spectra()

    def chain(self) -> list[dict[str, Any]]:
        """Return the stages in order with their latencies, and the effects that the preset puts into them.

        Each effect comes with its node as `set_chain` takes it, with the whole path of its file, if it has one, and a
        plug-in with the choices that are no knobs.
        """
        preset = self.sound.preset
        effects = {"before": preset.before, "after": preset.after}
        return [
            {
                "name": part.name,
                "latency_samples": part.latency_samples,
                "effects": [
                    {
                        "title": node.title,
                        "bypass": node.bypass,
                        "settings": dict(node.settings),
                        "node": node.model_dump(exclude_none=True),
                        "choices": _choices(part.stage).get(place, {}),
                        "path": path_of(node, preset),
                    }
                    for place, node in enumerate(effects.get(part.name, []))
                ],
            }
            for part in self.sound.chain.stages
        ]

    def load_preset(self, name: str) -> None:
        """Swap in the chain of a preset and declare its knobs; the settings are moved by the caller.

        Raises:
            ValueError: One sentence; the old chain plays on.
        """
        self._on_main(lambda: self._load(name))

    def set_chain(self, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> None:
        """Swap in other effects around the model; raise ValueError, one sentence, where one is refused."""
        sound = self.sound
        preset = with_effects(sound.preset, before, after)
        self._on_main(lambda: self._play(build_around(preset, sound.preset_name, sound.artifact)))

    def record(self, is_on: bool) -> None:
        """Begin or end a take; raise ValueError, one sentence, where the folder can't be written."""
        self.takes.start() if is_on else self.takes.stop()

    def recordings(self) -> dict[str, Any]:
        """Return the state of the recording, and the takes there are."""
        return {**self.takes.state(), "takes": self.takes.listed()}

    def program(self) -> Recipe:
        """Return what plays, to be played again by `play`."""
        return self.sound.recipe

    def play(self, program: Recipe) -> None:
        """Build and swap in what played before; raise ValueError, one sentence, where that can't be any more."""
        self._on_main(lambda: self._play(build_around(*program)))

    def compare(self, sides: Sequence[tuple[str, str]]) -> None:
        """Play two versions side by side, of which the first is audible, until `end_comparison` or another chain.

        Args:
            sides: Kind and name of each, see `version_of`.

        Raises:
            ValueError: One sentence; the old chain plays on.
        """
        self._on_main(lambda: self._compare(sides))

    def audition(self, side: int) -> None:
        """Make one of the compared versions audible; raise ValueError, one sentence, if none are compared."""
        if self._comparison is None:
            raise ValueError("nothing is compared any more; begin again")
        self._comparison.audible = side

    def end_comparison(self) -> None:
        """Play the sound again that played before, with the settings of now."""
        if self._comparison is not None:
            self.play(self.sound.recipe)

    def save_preset(
        self, name: str, description: str, settings: Mapping[str, float], tags: Sequence[str] | None = None
    ) -> None:
        """Write chain and settings as a preset of the user's folder, which is what plays from then on.

        Raises:
            ValueError: It can't be written; one sentence.
        """
        artifact = self.sound.preset.artifact
        fields: dict[str, Any] = {
            "name": name,
            "description": description,
            "artifact": artifact,
            "artifact_hash": pin_of(artifact),
        }
        fields |= {} if tags is None else {"tags": list(tags)}
        turned = nodes_of(self.chain(), {knob: {"value": value} for knob, value in settings.items()})
        preset = self.sound.preset.replace(**fields, **turned, settings=self._knobs_of(settings))
        folder = user_folder()
        folder.mkdir(parents=True, exist_ok=True)
        save_preset(preset, folder / f"{name}.json")
        self._on_main(lambda: self._call(name))

    def play_sound(self, sound: LiveSound) -> None:
        """Swap in a sound that was built outside; raise ValueError if it can't play here."""
        self._on_main(lambda: self._play(sound))

    def change_model(self, like: LiveSound) -> None:
        """Play the same preset with another's artifact; raise ValueError, one sentence, if it fails."""
        sound = self.sound
        self._play(build_around(sound.preset, sound.preset_name, like.artifact))

    def measure(self) -> None:
        """Measure loudness for the match, and the latency of plug-ins; again and again, on the main thread."""
        self._match.look()
        if self._comparison is not None:
            self._comparison.match.look()
        self.sound.chain.look_for_latency()

    def do_tasks(self) -> None:
        """Do what other threads want done on the main thread."""
        while not self._tasks.empty():
            task, answer = self._tasks.get()
            try:
                task()
            except Exception as error:  # It belongs to the thread that waits for the result.
                answer.set_exception(error)
            else:
                answer.set_result(None)

    def _load(self, name: str) -> None:
        preset = load_preset(name)
        artifact = preset.artifact or self._artifact
        self._play(build_around(preset, name, artifact))

    def _compare(self, sides: Sequence[tuple[str, str]]) -> None:
        comparison = Comparison([version_of(*side, self.sound, self.store, self._artifact) for side in sides])
        self.engine.swap_chain(comparison)
        self._comparison = comparison

    def _play(self, sound: LiveSound) -> None:
        sound.chain.compare_by(self._match)
        self.engine.swap_chain(sound.chain)
        self._comparison = None
        self.store.declare(sound.controls)
        if sound.warning != self.sound.warning:
            self._warn(sound)
        self.sound = sound

    def _warn(self, sound: LiveSound) -> None:
        if sound.warning:
            self.news.put(sound.warning)

    def _call(self, preset_name: str) -> None:
        preset = self.sound.preset.replace(name=preset_name)
        self.sound = replace(self.sound, preset=preset, preset_name=preset_name)

    def _knobs_of(self, settings: Mapping[str, float]) -> dict[str, float]:
        """Leave out the knobs of effects, whose values the preset keeps in the effects."""
        own = {control.id for control in self.sound.chain.controls}
        return {name: value for name, value in settings.items() if name in own}

    def _on_main(self, task: Callable[[], None]) -> None:
        if threading.get_ident() == self._main or not self.is_running:
            task()
            return
        answer: Future[None] = Future()
        self._tasks.put((task, answer))
        answer.result(_PATIENCE_S)


def _choices(stage: Any) -> dict[int, dict[str, Any]]:
    """Return what the plug-ins of a run of effects let one choose, by their places."""
    found: dict[int, dict[str, Any]] = getattr(stage, "choices", {})
    return found
