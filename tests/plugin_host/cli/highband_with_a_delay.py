"""The real command line around a stage that is slow and does nothing; run as a program by test_cli.py."""

from __future__ import annotations

import os
import sys
import time
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.stage import Block
from plugin_host.cli.main import main
from tests.plugin_host.stages import Delay


class Slow(Delay):
    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        time.sleep(float(os.environ.get("SLOW_S", "0")))
        return super().process(block, settings)


@dataclass(frozen=True)
class Info:
    name: str = "live"
    path: Path = Path("live")
    about: str = "does nothing"
    weights: int = 0
    latency_ms: float = 1.0
    metrics: dict[str, object] = field(default_factory=lambda: {"lsd": 1.25})
    licence: str = "CC0"


def load_extender(name: str = "live") -> Slow:
    if name != "live":
        raise ValueError(f"there is no artifact '{name}'; the artifacts are live")
    return Slow(50)


load = types.ModuleType("models.artifact.load")
vars(load).update(load_extender=load_extender)
manifest = types.ModuleType("models.artifact.manifest")
vars(manifest).update(list_artifacts=lambda: [Info()])
vars(manifest).update(find_artifact=lambda name: Path(__file__).parent, MANIFEST=Path(__file__).name)
vars(manifest).update(ArtifactError=ValueError)
sys.modules["models.artifact.load"] = load
sys.modules["models.artifact.manifest"] = manifest
main()
