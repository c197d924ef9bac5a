"""The subject of the checks: an artifact, a preset's whole chain, or somebody else's class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.control import Control
from models.stage import FollowsBandwidth, Stage
from plugin_host.chain.chain import Chain
from plugin_host.chain.stage_class import CLASS, StageClassError, load_stage
from plugin_host.checks.signals import EDGE_HZ
from plugin_host.preset.file import Preset, PresetError, load_preset

Kind = Literal["artifact", "preset", "class"]


class SubjectError(ValueError):
    """There is nothing to examine under this name; one sentence."""


@dataclass(frozen=True)
class Subject:
    """A stage and how it is set.

    Attributes:
        name: As the person named it.
        kind: What it is.
        stage: Prepared anew for each law.
        controls: All knobs that `process` reads, those of effects too.
        settings: Where they stand, in their units.
        preset: What a chain was built from.
    """

    name: str
    kind: Kind
    stage: Stage
    controls: tuple[Control, ...]
    settings: Mapping[str, float]
    preset: Preset | None = None

    def prepared(
        self, rate: int = 48000, channels: int = 2, max_block: int = 1024, edge_hz: float | None = EDGE_HZ
    ) -> Stage:
        """Return the stage, prepared; where it follows the bandwidth, it receives the edge of `signals.music`.

        Args:
            rate: In Hz.
            channels: How many.
            max_block: In samples.
            edge_hz: Of the sound; None lets the stage measure it.

        Raises:
            ValueError: The stage can't do this rate or layout.
        """
        if isinstance(self.stage, FollowsBandwidth):
            self.stage.set_bandwidth(edge_hz)
        self.stage.prepare(rate, channels, max_block)
        return self.stage

    def control(self, name: str) -> Control | None:
        """Return the knob with this id, or None."""
        return next((control for control in self.controls if control.id == name), None)


def subject_of(name: str, stage: Stage, kind: Kind = "class", preset: Preset | None = None) -> Subject:
    """Describe a stage whose knobs stand at their defaults, or where a preset puts them."""
    controls = (*stage.controls, *getattr(stage, "effect_controls", ()))
    stored = preset.settings if preset is not None else {}
    settings = {control.id: stored.get(control.id, control.default) for control in controls}
    return Subject(name, kind, stage, controls, settings, preset)


def find_subject(name: str, artifact: str | None = None) -> Subject:
    """Load what a name means: an artifact's name or folder, `module:Class`, or a preset's name or path.

    Args:
        name: As the person wrote it.
        artifact: The model in a preset's chain; by default the preset's, else "live".

    Raises:
        ValueError: There is no such thing, or it can't be loaded; one sentence.
    """
    from models.artifact.load import load_extender
    from models.artifact.manifest import MANIFEST, list_artifacts

    if name in {info.name for info in list_artifacts()} or (Path(name) / MANIFEST).is_file():
        return subject_of(name, load_extender(name), "artifact")
    if CLASS.fullmatch(name):
        try:
            return subject_of(name, load_stage(name))
        except StageClassError as error:
            raise SubjectError(str(error)) from None
    return _of_preset(name, artifact)


def _of_preset(name: str, artifact: str | None) -> Subject:
    from models.artifact.load import load_extender

    try:
        preset = load_preset(name)
    except PresetError as error:
        if "there is no preset" not in str(error):
            raise
        raise SubjectError(
            f"there is no artifact or preset '{name}'; give one of highband artifacts or highband presets, a path, "
            "or module:Class for a stage of your own"
        ) from None
    model = load_extender(artifact or preset.artifact or "live")
    return subject_of(name, Chain.from_preset(preset, model), "preset", preset)
