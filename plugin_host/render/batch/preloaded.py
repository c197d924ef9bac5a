"""Imported by the process that workers are copied from: it loads an extender once, so that no copy has to."""

from __future__ import annotations

import contextlib
import gc


def _load() -> None:
    from models.artifact.load import load_extender
    from plugin_host.render import provenance as provenance
    from plugin_host.render import render as render
    from plugin_host.render.batch import workers as workers

    # Whichever artifact a worker builds, its kernels are these. What is wrong with one is said where it is built.
    with contextlib.suppress(Exception):
        load_extender("live")


# What is loaded stays: to search it for garbage needs a fifth of the time, and each copy would write into all of it.
gc.disable()
_load()
gc.freeze()
gc.enable()
