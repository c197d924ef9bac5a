"""The real command line around a model that is late by 50 samples and does nothing else; run as a program."""

from __future__ import annotations

import sys
import types
from pathlib import Path

from plugin_host.cli.main import main
from tests.plugin_host.stages import Delay


def load_extender(name: str = "live") -> Delay:
    return Delay(50)


load = types.ModuleType("models.artifact.load")
vars(load).update(load_extender=load_extender)
manifest = types.ModuleType("models.artifact.manifest")
vars(manifest).update(list_artifacts=list)
vars(manifest).update(find_artifact=lambda name: Path(__file__).parent, MANIFEST=Path(__file__).name)
sys.modules["models.artifact.load"] = load
sys.modules["models.artifact.manifest"] = manifest
main()
