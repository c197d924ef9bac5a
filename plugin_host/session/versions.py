"""The versions of the sound that a blind test can compare: what plays in a slot, a preset, an artifact, the input."""

from __future__ import annotations

from plugin_host.chain.chain import BYPASS, Chain
from plugin_host.chain.comparison import Version
from plugin_host.chain.dry_wet import MATCH
from plugin_host.chain.program import LiveSound, build_around
from plugin_host.preset.file import load_preset
from plugin_host.settings.store import SettingsStore

# A version plays as it is, whatever one listens to meanwhile.
_AS_IT_IS = {BYPASS: 0.0, MATCH.id: 0.0, "delta": 0.0}


def version_of(kind: str, name: str, sound: LiveSound, store: SettingsStore, artifact: str) -> Version:
    """Build a version, not yet prepared; call it on the main thread, where plug-ins want to be loaded.

    Args:
        kind: "slot", "preset", "artifact" or "input".
        name: Of the slot, the preset or the artifact.
        sound: What plays now.
        store: Its settings.
        artifact: Plays a preset that names none.

    Raises:
        ValueError: One sentence.
    """
    if kind == "input":
        return Version(Chain([], None, []), {})
    if kind == "preset":
        preset = load_preset(name)
        built = build_around(preset, name, preset.artifact or artifact)
        defaults = {control.id: control.default for control in built.controls}
        return Version(built.chain, {**defaults, **preset.settings, **_AS_IT_IS})
    settings = {**store.targets(), **(_slot(store, name) if kind == "slot" else {})}
    built = build_around(sound.preset, sound.preset_name, name if kind == "artifact" else sound.artifact)
    return Version(built.chain, {**settings, **_AS_IT_IS})


def _slot(store: SettingsStore, name: str) -> dict[str, float]:
    now = store.snapshot()
    if name not in now.slots:
        raise ValueError(f"slot {name} is empty; choose one of {', '.join(now.slots)}")
    return {} if name == now.slot else dict(now.kept[name])
