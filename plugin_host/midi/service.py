"""The controller for other control interfaces: its map, shown and changed; learning; and where its knobs wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from plugin_host.midi.control_surface import Surface
from plugin_host.midi.map import STEPS, Binding, MidiMap
from plugin_host.settings.changes import SettingsError


class MidiService:
    """Reads and changes a surface; any thread.

    Args:
        surface: The controller at work.
        port: Returns the name of the port that is open, or "".
        map_name: What the person calls the map.
        save: Writes a map that was changed here; raises ValueError with one sentence if that fails.
        use: Plays from another port; raises ValueError with one sentence if that can't be.
    """

    def __init__(
        self, surface: Surface, port: Callable[[], str], map_name: str, save: Callable[[MidiMap], None],
        use: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._surface, self._port, self._name, self._save, self._use = surface, port, map_name, save, use
        self._map, self._revision = surface.midi_map, 1

    def now(self) -> dict[str, Any]:
        """Return what moves by itself: port, the knob that learns, where controls wait, and the map's revision.

        `ghosts` holds by knob the position 0..1 of a control that soft takeover keeps waiting.
        """
        # Before the map, which is replaced before learning ends.
        learning = self._surface.learning
        if self._surface.midi_map is not self._map:
            self._map = self._surface.midi_map
            self._revision += 1
        return {
            "port": self._port(),
            "map": self._name,
            "learning": learning,
            "ghosts": self._surface.waiting_positions(),
            "revision": self._revision,
        }

    def state(self) -> dict[str, Any]:
        """Return the same with the bindings and programs of the map, and the steps that a button can be bound to.

        `taken` holds what the last change of the map left without its control, as another has it now.
        """
        now, midi_map, replaced = self.now(), self._surface.midi_map, self._surface.replaced
        bindings = [_plain(binding) for binding in midi_map.bindings]
        steps = [{"id": step.id, "name": step.name, "curve": step.curve} for step, _ in STEPS.values()]
        taken = midi_map.taken_from(replaced) if replaced else []
        return {**now, "bindings": bindings, "programs": dict(midi_map.programs), "steps": steps, "taken": taken}

    def use_port(self, port: str) -> None:
        """Play from another port; raise SettingsError, "no_midi", if that can't be."""
        try:
            self._use(port)
        except ValueError as error:
            raise SettingsError("no_midi", str(error)) from None

    def learn(self, knob: str) -> None:
        """Bind the next control that moves to this knob; raise SettingsError if there is no such knob."""
        try:
            self._surface.learn(knob)
        except ValueError as error:
            raise SettingsError("unknown_knob", str(error)) from None

    def cancel(self) -> None:
        """Stop learning."""
        self._surface.cancel_learn()

    def bind(self, fields: Mapping[str, Any]) -> None:
        """Bind a control of the controller to a knob.

        Args:
            fields: A binding as a map's file gives it.

        Raises:
            SettingsError: "bad_binding", one sentence.
        """
        try:
            binding = Binding.model_validate(dict(fields))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])[:80]
            words = first["msg"] if first["type"] == "refused" or not place else f"{place}: {first['msg']}"
            raise SettingsError("bad_binding", words[:300]) from None
        self._change(_with(self._surface.midi_map, binding))

    def unbind(self, knob: str) -> None:
        """Remove the bindings of a knob; raise SettingsError if nothing does."""
        midi_map = self._surface.midi_map
        if all(one.control != knob for one in midi_map.bindings):
            raise SettingsError("bad_binding", f"nothing of the controller moves '{knob[:64]}'")
        self._change(midi_map.without(knob))

    def undo(self) -> None:
        """Use the map of before its last change again; raise SettingsError if there is none."""
        if self._surface.replaced is None:
            raise SettingsError("nothing_to_undo", "the controller's map was not changed yet")
        self._change(self._surface.replaced)

    def _change(self, midi_map: MidiMap) -> None:
        self._surface.use_map(midi_map)
        self._save(midi_map)


def _with(midi_map: MidiMap, binding: Binding) -> MidiMap:
    """Return a map with a binding; where it only changes how the same control works, all others stay."""
    places = [
        place
        for place, one in enumerate(midi_map.bindings)
        if (one.control, one.source, one.channel) == (binding.control, binding.source, binding.channel)
    ]
    if not places:
        return midi_map.with_binding(binding)
    bindings = [*midi_map.bindings]
    bindings[places[0]] = binding
    return midi_map.model_copy(update={"bindings": bindings})


def _plain(binding: Binding) -> dict[str, Any]:
    """Return a binding with everything that can be set, and how a person reads what it listens to."""
    kind, number = binding.source
    return {
        "control": binding.control, kind: number, "channel": binding.channel, "kind": binding.kind,
        "step": binding.step, "takeover": binding.takeover, "feedback": binding.feedback,
        "source": binding.source_text,
    }  # fmt: skip
