"""The real command line around a model that is late by 50 samples and does nothing else; run as a program."""

from __future__ import annotations

import sys
import types
from pathlib import Path

from plugin_host.cli.main import main
from tests.plugin_host.stages import Delay


def load_extender(name: str = "live", runtime: str = "torch") -> Delay:
    return Delay(50)


artifact = types.ModuleType("models.artifact.artifact")
vars(artifact).update(load_extender=load_extender, list_artifacts=list)
vars(artifact).update(find_artifact=lambda name: Path(__file__).parent, MANIFEST=Path(__file__).name)
sys.modules["models.artifact.artifact"] = artifact
main()
