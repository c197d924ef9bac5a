"""The program of a render: the stage and the settings that a preset, an artifact and single knobs add up to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.extender import controls as knobs

if TYPE_CHECKING:
    from models.stage import Stage
    from plugin_host.preset.schema import Preset
    from plugin_host.settings.automation import Automation

# The heavier model with look-ahead is the better one where no block has a deadline.
_FOR_FILES = ("studio", "live")


@dataclass(frozen=True)
class Sound:
    """A stage with its settings.

    Attributes:
        build: Builds the stage.
        settings: Every control's value in its unit.
        artifact: Name or path of the artifact.
        preset: Name of the preset, or "".
        identity: What else decides the sound, as plain values that change when it would change.
        warning: A sentence for the person where the preset was saved with another version of the artifact, or "".
    """

    build: Callable[[], Stage]
    settings: Mapping[str, float]
    artifact: str
    preset: str
    identity: Mapping[str, Any]
    warning: str = ""

    @cached_property
    def stage(self) -> Stage:
        """The extender, or the preset's chain around it, not yet prepared; ValueError says why there is none."""
        return self.build()


def choose(
    preset: str | None, assignments: Sequence[str], artifact: str | None, automation: Path | None = None
) -> Sound:
    """Find what the command line names; the stage is built when it is used first.

    Args:
        preset: Name or path of a preset.
        assignments: "knob=value" texts; they go over the preset's settings.
        artifact: Name or path of an artifact; by default the preset's, then the best one for files.
        automation: File of knob moves that a live session recorded; its default artifact is the live one's.

    Raises:
        ValueError: With one sentence on what is wrong and what is possible.
    """
    changes = dict(map(read_assignment, assignments))
    loaded = None
    if preset is not None:
        from plugin_host.preset.file import load_preset

        loaded = load_preset(preset)
    name = artifact or (loaded and loaded.artifact) or ("live" if automation else default_artifact())

    from plugin_host.preset.artifact_pin import hash_of, warning_for

    identity: dict[str, Any] = {"artifact": name, "weights": hash_of(name)}
    if loaded is not None:
        identity["preset"] = hashlib.sha256(loaded.to_text().encode()).hexdigest()
    moves = None
    if automation is not None:
        from plugin_host.settings.automation import read_automation

        moves = automation, read_automation(automation)
        identity["automation"] = hashlib.sha256(automation.read_bytes()).hexdigest()
    settings = {**knobs.defaults(), **(loaded.settings if loaded else {}), **changes}
    warning = warning_for(loaded, name) if loaded else ""
    build = partial(_build, loaded, name, moves)
    return Sound(build, settings, name, loaded.name if loaded else "", identity, warning)


def _build(preset: Preset | None, artifact: str, recorded: tuple[Path, Automation] | None) -> Stage:
    from models.artifact.load import load_extender

    stage: Stage = load_extender(artifact)
    if preset is not None:
        from plugin_host.chain.chain import Chain

        stage = Chain.from_preset(preset, stage)
    if recorded is not None:
        from plugin_host.settings.automation import AutomatedStage

        file, moves = recorded
        _refuse_foreign(moves, stage, file)
        stage = AutomatedStage(stage, moves)
    return stage


def read_assignment(text: str) -> tuple[str, float]:
    """Read "amount=-3 dB" as ("amount", -3.0); raise ValueError with a sentence if it can't be."""
    name, value = split_assignment(text)
    return name, knobs.control(name).from_text(value)


def split_assignment(text: str) -> tuple[str, str]:
    """Split "amount=-3 dB" into ("amount", "-3 dB"); raise ValueError with a sentence if it can't be."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"'{text}' is not of the form knob=value, such as amount=-3")
    return name.strip(), value.strip()


def _refuse_foreign(moves: Automation, stage: Stage, path: Path) -> None:
    """Refuse moves of effects that this chain lacks: the render would differ from what was played."""
    from plugin_host.chain.dry_wet import MATCH
    from plugin_host.chain.input_trim import TRIM

    known = {control.id for control in (*stage.controls, *getattr(stage, "effect_controls", ()), MATCH, TRIM)}
    if foreign := sorted(moves.knobs() - known):
        raise ValueError(
            f"{path} turns {foreign[0]}, which is not in this chain; name with --preset what was played, whose effects "
            "must have stayed the same meanwhile"
        )


def default_artifact() -> str:
    """Return the artifact for files: studio where it is installed, else live."""
    from models.artifact.manifest import list_artifacts

    installed = {info.name for info in list_artifacts()}
    return next((name for name in _FOR_FILES if name in installed), "live")
