"""What the control interfaces need of the program that plays the sound."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from plugin_host.control.request import SavePreset
from plugin_host.preset.nodes import knobs_of
from plugin_host.settings.changes import Change, SettingsError
from plugin_host.settings.snapshots import comparable
from plugin_host.settings.store import SettingsStore

# A name and never a path: what a message says must not choose a folder.
PRESET_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,78}[A-Za-z0-9_-])?")


class Controller(Protocol):
    """A MIDI controller and its map. Every method may be called from any thread; refusals are `SettingsError`s."""

    def now(self) -> Mapping[str, Any]:
        """Return port, map, the knob that learns, where controls wait for soft takeover, and the map's revision."""
        ...

    def state(self) -> Mapping[str, Any]:
        """Return the same with the bindings and programs of the map."""
        ...

    def learn(self, knob: str) -> None:
        """Bind the next control that moves to this knob."""
        ...

    def cancel(self) -> None:
        """Stop learning."""
        ...

    def use_port(self, port: str) -> None:
        """Play from another port: part of its name, "" for the first, "virtual" to offer one, "off" for none."""
        ...

    def bind(self, fields: Mapping[str, Any]) -> None:
        """Add or replace a binding, given as a map's file gives it."""
        ...

    def unbind(self, knob: str) -> None:
        """Remove a knob's bindings."""
        ...

    def undo(self) -> None:
        """Put the map back to what it was before its last change."""
        ...


class Host(Protocol):
    """What plays. Every method may be called from any thread and waits for no audio.

    Refusals are ValueErrors of one sentence.
    """

    def stats(self) -> Mapping[str, Any]:
        """Return load per stage, latency in parts, interruptions and state, as JSON values."""
        ...

    def meters(self) -> Mapping[str, Any]:
        """Return levels of input and output in dB, as JSON values."""
        ...

    def spectra(self) -> tuple[Sequence[float], Sequence[float]]:
        """Return the levels of the bands in dB, in and out."""
        ...

    def chain(self) -> Sequence[Mapping[str, Any]]:
        """Return the stages in order, as JSON values."""
        ...

    def load_preset(self, name: str) -> None:
        """Swap in the chain of a preset and declare its knobs to the store; the settings are moved by the caller."""
        ...

    def set_chain(self, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> None:
        """Swap in other effects around the model, given as a preset gives them, and declare their knobs.

        A message must not make the host load foreign code or read files: it must refuse effects with files, and
        plug-ins that are not installed, unless the present chain holds them already.
        """
        ...

    def record(self, is_on: bool) -> None:
        """Begin or end a take of input and output."""
        ...

    def recordings(self) -> Mapping[str, Any]:
        """Return whether something is recorded, where, for how long, and the takes there are, as JSON values."""
        ...

    def compare(self, sides: Sequence[tuple[str, str]]) -> None:
        """Play two versions side by side, equally loud, the first audible.

        Args:
            sides: Of each its kind ("slot", "preset", "artifact" or "input") and its name, never a path.
        """
        ...

    def audition(self, side: int) -> None:
        """Make one of the compared versions audible, within a block."""
        ...

    def end_comparison(self) -> None:
        """Play again what played before; nothing where none are compared."""
        ...

    def program(self) -> object:
        """Return what plays in a form that `play` takes; equal where the same plays."""
        ...

    def play(self, program: Any) -> None:
        """Play an earlier program again and declare its knobs to the store; the settings are moved by the caller."""
        ...

    def save_preset(
        self, name: str, description: str, settings: Mapping[str, float], tags: Sequence[str] | None = None
    ) -> None:
        """Write chain and settings as a preset of the user's folder under a name that was checked; None keeps tags."""
        ...


def list_presets() -> list[dict[str, Any]]:
    """Return what a list shows of every preset that can be loaded by name."""
    from plugin_host.preset import file as preset
    from plugin_host.preset.favourites import favourites

    chosen = favourites()
    return [
        {
            "name": one.id, "title": one.name, "description": one.description, "tags": one.tags,
            "kind": "user" if one.file else "bundled", "favourite": one.id in chosen,
        }
        for one in preset.list_presets()
    ]  # fmt: skip


def mark_favourite(name: str, is_favourite: bool) -> list[str]:
    """Make a preset a favourite or no longer, and return all of them; raise SettingsError where there is none."""
    from plugin_host.preset import favourites

    if name not in [one["name"] for one in list_presets()]:
        raise SettingsError("unknown_preset", f"there is no preset '{name[:80]}' to be a favourite")
    favourites.mark_favourite(name, is_favourite)
    return sorted(favourites.favourites())


def next_preset(host: Host, way: int) -> str:
    """Return the name of the preset that comes next in the list (way 1), or of the one before (-1)."""
    names = [one["name"] for one in list_presets()]
    playing = host.stats().get("preset")
    # From a preset that is in no list, such as one from a file, both ways lead to the list's ends.
    place = names.index(playing) if playing in names else min(0, -way)
    return str(names[(place + way) % len(names)])


def list_plugins() -> list[dict[str, str]]:
    """Return id, name and path of every plug-in that is installed on this machine."""
    from plugin_host.chain.plugin_catalogue import installed

    return [{"id": one.id, "name": one.name, "path": str(one.path)} for one in installed()]


def diff_preset(store: SettingsStore, host: Host, name: str) -> dict[str, dict[str, str]]:
    """Return what a preset would change; see `preset_diff.changes_by`.

    Raises:
        SettingsError: "unknown_preset" or "bad_preset".
    """
    from plugin_host.preset import diff as preset_diff
    from plugin_host.preset import file as preset

    check_preset_name(name)
    try:
        return preset_diff.changes_by(preset.load_preset(name), store.targets(), host.chain())
    except ValueError as error:
        raise SettingsError(_kind_of(name), str(error)) from None


def load_preset(store: SettingsStore, host: Host, name: str, origin: str) -> Change:
    """Play a preset: its chain is swapped in and its settings are one step of undo.

    Raises:
        SettingsError: "unknown_preset" or "bad_preset"; nothing was changed.
    """
    from plugin_host.preset import file as preset

    check_preset_name(name)
    try:
        chosen = preset.load_preset(name)
        with store.one_step(host.program):
            host.load_preset(name)
            # A chain without the model has fewer knobs.
            known = store.targets()
            return store.load({knob: value for knob, value in chosen.settings.items() if knob in known}, origin)
    except SettingsError:
        raise
    except ValueError as error:
        raise SettingsError(_kind_of(name), str(error)) from None


def set_chain(
    store: SettingsStore, host: Host, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]],
    origin: str,
) -> None:  # fmt: skip
    """Put other effects around the model, with their knobs where the nodes say, as one step of undo.

    Raises:
        ValueError: An effect is refused; nothing was changed.
    """
    with store.one_step(host.program):
        host.set_chain(before, after)
        # A knob keeps its place and not its effect, where the effects are of one kind.
        targets = store.targets()
        wanted = knobs_of({"before": before, "after": after}, targets)
        if moved := {knob: value for knob, value in wanted.items() if value != targets[knob]}:
            store.request_many(moved, origin)


def save_preset(store: SettingsStore, host: Host, request: SavePreset) -> None:
    """Keep what plays as a preset of the user's own folder.

    Raises:
        SettingsError: "bad_preset_name", "preset_exists" or "bad_preset".
    """
    name = check_preset_name(request.name)
    known = {one["name"].casefold(): one["kind"] for one in list_presets()}.get(name.casefold())
    if known == "bundled":
        raise SettingsError("preset_exists", f"'{name}' is a bundled preset, which stays; choose another name")
    if known is not None and not request.overwrite:
        raise SettingsError("preset_exists", f"there is a preset '{name}' already; choose another name or overwrite it")
    settings = comparable(store.targets())
    try:
        host.save_preset(name, request.description, settings, request.tags)
    except ValueError as error:
        raise SettingsError("bad_preset", str(error)) from None


def check_preset_name(name: str) -> str:
    """Return the name, or raise SettingsError "bad_preset_name" if it could be anything but a plain name."""
    if PRESET_NAME.fullmatch(name) is None or name.lower().endswith(".json"):
        raise SettingsError(
            "bad_preset_name",
            "the name of a preset is up to 80 letters, digits, spaces, '.', '_' and '-', without a folder or an ending",
        )
    return name


def _kind_of(name: str) -> str:
    known = {one["name"].casefold() for one in list_presets()}
    return "bad_preset" if name.strip().casefold() in known else "unknown_preset"
