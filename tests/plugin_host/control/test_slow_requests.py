"""Laws of requests that build: others are answered meanwhile, undo comes after them, a client knows that they run."""

from __future__ import annotations

import threading
import time

import pytest

from models.extender import controls as knobs
from plugin_host.control.client import Client, HostError, NoHostError
from tests.plugin_host.fake_host import client, running


def test_a_host_that_builds_is_waited_for_and_an_undo_comes_after_what_it_builds() -> None:
    with running() as (control, store, host), client(control, timeout_s=0.2) as asker, client(control) as other:
        go_on, begun = threading.Event(), threading.Event()

        def build(name: str) -> None:
            begun.set()
            assert go_on.wait(20.0)
            host.loaded.append(name)

        host.load_preset = build  # type: ignore[method-assign]
        loading = threading.Thread(target=lambda: asker.ask("load_preset", name="phone-guest"))
        undoing = threading.Thread(target=other.undo)
        loading.start()
        assert begun.wait(20.0)
        undoing.start()
        # Three times the client's patience; meanwhile the host answers others.
        time.sleep(0.6)
        with client(control) as third:
            assert third.get("amount")["value"] == 0.0
        assert loading.is_alive()
        go_on.set()
        loading.join()
        undoing.join()
        assert host.loaded == ["phone-guest", ""]
        assert store.targets() == knobs.defaults()


def test_a_host_that_builds_for_too_long_is_said_to_be_working_and_a_missing_one_to_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("plugin_host.control.client._BUILDING_S", 0.2)
    go_on = threading.Event()
    with running() as (control, _, host), client(control, timeout_s=0.2) as asker:

        def hang(before: object, after: object) -> None:
            go_on.wait(20.0)

        host.set_chain = hang  # type: ignore[method-assign]
        with pytest.raises(HostError, match="still working on set_chain") as refused:
            asker.ask("set_chain", before=[], after=[])
        assert refused.value.kind == "working"
        go_on.set()
        address = control.address
    with Client(address, timeout_s=0.2) as asker, pytest.raises(NoHostError, match="no host answers"):
        asker.ask("set_chain", before=[], after=[])
