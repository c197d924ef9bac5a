"""Telemetry of the ZeroMQ interface, on real sockets: by topic for those who read, and no work for nobody."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import zmq

from tests.plugin_host.fake_host import client, running


def test_telemetry_comes_by_topic_and_changes_carry_origin_and_sequence() -> None:
    with running() as (control, store, _), client(control) as host:
        news = host.watch(("meters", "spectra", "changes", "stats"), timeout_s=20.0)
        seen: dict[str, Any] = {}
        while not {"meters", "spectra", "stats", "changes"} <= seen.keys():
            message = next(news)
            seen[message["topic"]] = message["data"]
            if "changes" not in seen:
                # Only now the subscription is known to have arrived.
                store.request("amount", 2.0, "midi")
        news.close()
        assert seen["meters"]["in"]["peak_db"] == [None]
        assert seen["spectra"] == {"in": [-60.0] * 4, "out": [-50.0] * 4}
        assert (seen["changes"]["origin"], seen["changes"]["settings"]["amount"]["text"]) == ("midi", "2 dB")
        assert seen["changes"]["sequence"] >= 1


def test_with_no_reader_nothing_is_published_and_the_thread_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    waits, measured, poll = list[int | None](), list[int](), zmq.Poller.poll

    def counted() -> dict[str, Any]:
        measured.append(1)
        return {}

    def watched(self: zmq.Poller, timeout: int | None = None) -> list[Any]:
        if threading.current_thread().name == "highband-zmq":
            waits.append(timeout)
        return poll(self, timeout)

    monkeypatch.setattr(zmq.Poller, "poll", watched)
    with running() as (control, _, player):
        monkeypatch.setattr(player, "meters", counted)
        with client(control) as host:
            for value in range(5):
                host.set("amount", value)
        assert set(waits) == {None}, "without an end, until a request comes"
        assert not measured
        with client(control) as host:
            news = host.watch(("meters", "changes"), timeout_s=20.0)
            for _ in range(2):
                assert next(news)["topic"] == "meters", "what changed before has no reader now"
            assert waits[-1] is not None
            news.close()
