"""Laws of the panel's line to a host: no change is missed for long, and with no page open the host has no reader."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import zmq

from plugin_host.control import zmq_server
from plugin_host.control.protocol import TOPICS
from plugin_host.panel import host_mirror
from plugin_host.panel.host_mirror import PanelLink
from tests.plugin_host.fake_host import running
from tests.plugin_host.panel.panel_host import until


def play(follow: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it on a thread of its own, as the browser of other tests has an event loop on this one."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(lambda: asyncio.run(follow())).result()


async def came(holds: Callable[[], bool]) -> None:
    await asyncio.to_thread(until, holds)


def test_a_change_that_found_no_room_on_its_way_is_seen_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    send, lost = zmq_server._send, list[bytes]()

    def send_but_changes(socket: zmq.Socket[bytes], parts: list[bytes]) -> None:
        lost.append(parts[0]) if parts[0] == b"changes" else send(socket, parts)

    async def follow() -> None:
        with running() as (control, store, _):
            link = PanelLink(control.address)
            link.start()
            with link.followed():
                await came(lambda: control._read == set(TOPICS) and bool(link.stats))
                monkeypatch.setattr(zmq_server, "_send", send_but_changes)
                store.request("amount", 2.0, "test")
                await came(lambda: lost == [b"changes"])
                await came(lambda: link.settings["amount"]["value"] == 2.0)
            link.stop()

    play(follow)


def test_a_host_is_read_while_a_page_is_open_and_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_mirror, "_LINGER_S", 0.0)

    async def follow() -> None:
        with running() as (control, store, _):
            link = PanelLink(control.address)
            link.start()
            await came(lambda: not link.away and "amount" in link.settings)
            assert not control._read
            for value in (2.0, 3.0):
                with link.followed(), link.followed():
                    await came(lambda: control._read == set(TOPICS))
                await came(lambda: not control._read)
                store.request("amount", value, "test")
            with link.followed():
                await came(lambda: link.settings["amount"]["value"] == 3.0)
            link.stop()

    play(follow)


def test_undo_waits_for_the_move_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = PanelLink._ask

    def ask_late(link: PanelLink, do: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        time.sleep(0.3)
        return ask(link, do, fields)

    async def follow() -> None:
        monkeypatch.setattr(PanelLink, "_ask", ask_late)
        with running() as (control, store, _):
            link = PanelLink(control.address)
            link.start()
            with link.followed():
                await came(lambda: not link.away and "amount" in link.settings)
                started = store.targets()["amount"]
                await asyncio.gather(link.ask("set", knob="amount", value=2.0, gesture="g"), link.ask("undo"))
            assert store.targets()["amount"] == started != 2.0
            link.stop()

    play(follow)
