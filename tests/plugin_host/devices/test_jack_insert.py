from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from models.extender.controls import CONTROLS
from plugin_host.devices.device import DeviceError, DeviceOptions
from plugin_host.devices.jack import JackDevice, jack_module
from plugin_host.engine.engine import Engine
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.devices.loop import probing, wait_for_delay
from tests.plugin_host.devices.product_insert import ALONE, capture_latency, latencies
from tests.plugin_host.session.live_program import wait_for
from tests.plugin_host.stages import Delay
from tests.stress.jack_dummy_server import NAME, PERIOD, DummyServer


class Insert:
    """A device on the server with a delay that can be changed, as a preset changes it."""

    def __init__(self, options: DeviceOptions, latency: int = 50) -> None:
        self.device, self.engine = JackDevice(options), Engine(Delay(latency), SettingsStore(CONTROLS))
        self.device.prepare(self.engine)
        self.device.start()

    def poll_until(self, is_so: Callable[[], bool]) -> None:
        wait_for(lambda: self.device.poll() is None and is_so())


@contextmanager
def inserted(options: DeviceOptions, latency: int = 50) -> Iterator[Insert]:
    insert = Insert(options, latency)
    try:
        yield insert
    finally:
        insert.device.stop()


def wait_for_counted(device: JackDevice, latency: int) -> None:
    """Wait until the probe behind the insert is given its latency; the server counts in its own time."""
    wait_for(lambda: capture_latency(device, "highband-probe-01:in_1") == (latency, latency))


def test_the_graph_counts_on_the_latency_that_is_measured(server: DummyServer) -> None:
    with inserted(ALONE) as insert, probing(is_insert=True) as probe:
        for latency in (50, 2817, 0):
            if insert.engine.latency_samples != latency:
                insert.engine.swap_chain(Delay(latency))
            insert.poll_until(lambda wanted=latency: insert.engine.latency_samples == wanted)  # type: ignore[misc]
            insert.device.poll()
            wait_for_delay(probe, latency)
            wait_for_counted(insert.device, latency)


def test_the_latencies_of_the_product_itself_are_counted_on(server: DummyServer) -> None:
    found = latencies()
    assert all(declared == measured == low == high for declared, measured, low, high in found)
    assert found[1][0] == 2816
    assert len({declared for declared, *_ in found}) == 3


def test_the_way_to_the_loudspeakers_is_counted_too(server: DummyServer) -> None:
    # What reaches the loudspeakers is later than what came in by the card's period and the chain.
    late = {"system:playback_1": PERIOD + 70, "highband:in_1": PERIOD, "highband:out_1": PERIOD + 70}
    with inserted(DeviceOptions(), 70) as insert:
        # The server counts anew, in its own time, after each port that was joined.
        insert.poll_until(
            lambda: (
                {port: capture_latency(insert.device, port) for port in late}
                == {port: (samples, samples) for port, samples in late.items()}
            )
        )


def test_a_patch_made_by_hand_is_the_same_after_a_restart(server: DummyServer) -> None:
    def wire(tool: str, *ports: str) -> None:
        subprocess.run([tool, "-s", NAME, *ports], check=True)

    with inserted(DeviceOptions()) as insert:
        device = insert.device
        insert.poll_until(lambda: len(device.patch) == 4)
        wire("jack_disconnect", "highband:out_1", "system:playback_1")
        wire("jack_disconnect", "system:capture_2", "highband:in_2")
        wire("jack_connect", "system:capture_1", "highband:in_2")
        patch = [("in_1", "system:capture_1"), ("in_2", "system:capture_1"), ("out_2", "system:playback_2")]
        insert.poll_until(lambda: device.patch == patch)
        for number in (signal.SIGTERM, signal.SIGKILL):
            server.stop(number)
            wait_for(lambda: device.poll() is not None or device.state == "lost")
            server.start()
            wait_for(lambda: device.poll() is not None)
            insert.poll_until(lambda: device.state == "playing" and device.patch == patch)
            assert server.wires().count("   system:") == 3


def test_the_transport_is_followed_where_it_starts_and_jumps(
    server: DummyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: list[tuple[int, int]] = []
    with inserted(ALONE) as insert:
        engine = insert.engine
        monkeypatch.setattr(engine, "seek", lambda position, forget: sought.append((position, engine.position)))
        person = jack_module().Client("person", no_start_server=True)
        person.activate()
        try:
            for place in (480_000, 96_000):
                person.transport_frame = place
                person.transport_start()
                # A busy server may leave the first cycles out.
                wait_for(lambda place=place: any(place <= one < place + 96_000 for one, _ in sought))  # type: ignore[misc]
                played = engine.position
                wait_for(lambda: engine.position > played + 20 * PERIOD)  # noqa: B023 - called at once
        finally:
            person.transport_stop()
            person.close()
    assert sum(later < place for (place, _), (later, _) in pairwise(sought)) == 1
    # Never where the song goes on as the engine does; a cycle that a busy server leaves out is a jump, too.
    for (place, played), (later, played_then) in pairwise(sought):
        assert later - place != played_then - played


def test_a_port_that_comes_back_is_wired_again(server: DummyServer) -> None:
    wires = [("in_1", "highband-probe:out_1"), ("out_1", "highband-probe:in_1")]
    with inserted(ALONE) as insert:
        for _ in range(2):
            with probing() as probe:
                probe.activate()
                if not insert.device.patch:
                    probe.connect("highband:in_1", "highband:out_1")
                insert.poll_until(lambda: server.wires().count("   highband-probe:") == 2)
                insert.poll_until(lambda: insert.device.patch == wires)
            for _ in range(4):
                insert.device.poll()
            assert insert.device.patch == wires


def test_a_client_that_leaves_in_the_middle_of_a_block_leaves_the_interpreter(server: DummyServer) -> None:
    # It would wait for ever; so it is another process.
    subprocess.run([sys.executable, "-m", "tests.plugin_host.devices.leaving_client"], check=True, timeout=60)


def test_a_server_at_a_rate_that_was_not_requested_is_refused(server: DummyServer) -> None:
    with pytest.raises(DeviceError, match="start it with -r 96000"):
        JackDevice(DeviceOptions(rate=96000))


def test_a_server_at_another_rate_is_followed_or_refused(server: DummyServer) -> None:
    with inserted(ALONE) as insert:
        device, said = insert.device, list[str]()

        def is_patched() -> bool:
            said.extend(filter(None, [device.poll()]))
            return device.state == "playing" or any("192000" in sentence for sentence in said)

        for rate in (192000, 44100):
            server.stop(signal.SIGKILL)
            wait_for(lambda: device.poll() is not None or device.state == "lost")
            server.start(rate=rate)
            said.clear()
            wait_for(is_patched)
            if rate == 192000:
                assert "can't play at 192000 Hz; start it at 44100 to 96000 Hz" in said[-1]
                assert device.state == "lost"
        assert insert.engine.stats()["sample_rate"] == 44100
