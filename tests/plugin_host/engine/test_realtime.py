"""A process that is settled for audio keeps its memory: what requests and replaced chains leave behind is freed."""

from __future__ import annotations

import gc
import weakref

import pytest

from plugin_host.engine import realtime
from plugin_host.engine.realtime import collect_garbage, settle_process, unsettle_process


class Ring:
    """What refers to itself."""

    def __init__(self) -> None:
        self.own = self


def test_what_refers_to_itself_is_freed_while_no_collection_runs_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    # Memory that is locked would stay so for all tests.
    monkeypatch.setattr(realtime, "_lock_memory", lambda: "")
    settle_process()
    try:
        assert not gc.isenabled()
        ring = weakref.ref(Ring())
        assert ring() is not None
        collect_garbage()
        assert ring() is None
    finally:
        unsettle_process()
    assert gc.isenabled()
