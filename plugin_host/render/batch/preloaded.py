"""Imported by the process that workers are copied from: it loads an extender once, so that no copy has to."""

from __future__ import annotations

import contextlib

from models.artifact.load import load_extender
from models.artifact.manifest import ArtifactError

# Whichever artifact a worker builds, its kernels are these.
with contextlib.suppress(ArtifactError):
    load_extender("live")
