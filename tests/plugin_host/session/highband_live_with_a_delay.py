"""The real command line around a model that is late by 50 samples and does nothing else; run as a program."""

from __future__ import annotations

import sys
import types

from plugin_host.cli.main import main
from tests.plugin_host.stages import Delay


def load_extender(name: str = "live") -> Delay:
    return Delay(50)


load = types.ModuleType("models.artifact.load")
vars(load).update(load_extender=load_extender)
sys.modules["models.artifact.load"] = load
main()
