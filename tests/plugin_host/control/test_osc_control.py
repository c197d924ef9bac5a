"""Laws of the OSC interface, over real UDP: the same settings, and strangers' bytes do nothing."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pythonosc import osc_bundle_builder, osc_message_builder, udp_client
from pythonosc.osc_message import OscMessage

from models.control import Control
from models.extender import controls as knobs
from plugin_host.control.osc_server import OscControl, OscError, address_of
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.fake_host import FakeHost

THRESHOLD = Control("after.0.threshold_db", "Threshold", "dB", -60.0, 0.0, -6.0)


@contextmanager
def listening() -> Iterator[tuple[OscControl, SettingsStore, FakeHost, udp_client.SimpleUDPClient]]:
    store, host = SettingsStore([*knobs.CONTROLS, THRESHOLD]), FakeHost()
    control = OscControl(store, host, port=0)
    control.start()
    sender = udp_client.SimpleUDPClient("127.0.0.1", control.port)
    try:
        yield control, store, host, sender
    finally:
        control.stop()
        sender._sock.close()


@pytest.mark.parametrize(
    ("address", "value", "knob", "expected"),
    [
        ("/parameter/extender/amount", -3.0, "amount", -3.0), ("/parameter/extender/tone", 40, "tone", 40.0),
        ("/parameter/extender/crossover", "6.3 kHz", "crossover", 6300.0), ("/bypass", 1, "bypass", 1.0),
        ("/parameter/after/0/threshold_db", -12.0, THRESHOLD.id, -12.0), ("/bypass", True, "bypass", 1.0),
        ("/parameter/after.0/threshold_db", "-9 dB", THRESHOLD.id, -9.0),
        ("/parameter/extender/delta", "on", "delta", 1.0),
    ],
)  # fmt: skip
def test_a_message_moves_its_knob(address: str, value: float | str, knob: str, expected: float) -> None:
    with listening() as (control, store, _, sender):
        news = store.subscribe()
        sender.send_message(address, value)
        (change,) = news.take(timeout_s=20.0)
        assert (change.origin, change.accepted[0].name, change.accepted[0].value) == ("osc", knob, expected)
        assert control.bad == 0


def test_a_bundle_and_a_preset() -> None:
    bundle = osc_bundle_builder.OscBundleBuilder(osc_bundle_builder.IMMEDIATELY)
    for name, value in (("tone", 10.0), ("drive", 3.0)):
        message = osc_message_builder.OscMessageBuilder(f"/parameter/extender/{name}")
        message.add_arg(value)
        bundle.add_content(message.build())
    with listening() as (_, store, host, sender):
        news = store.subscribe()
        sender.send(bundle.build())
        sender.send_message("/preset", "old-tape")
        causes: list[str] = []
        while "load" not in causes:
            causes += [change.cause for change in news.take(timeout_s=20.0)]
        assert causes == ["set", "set", "load"]
        assert host.loaded == ["old-tape"]


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("/parameter/extender/amount", 99.0), ("/parameter/extender/amount", float("nan")), ("/parameter", 1.0),
        ("/parameter/extender/nothing", 1.0), ("/preset", "../../etc/passwd"), ("/preset", 1.0), ("/else", 1.0),
        ("/parameter/extender/amount", [1.0, 2.0]), ("/parameter/extender/amount", b"blob"), ("/bypass", "perhaps"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_counted_and_ignored(address: str, value: float | str | bytes | list[float]) -> None:
    message = osc_message_builder.OscMessageBuilder(address)
    for one in value if isinstance(value, list) else [value]:
        message.add_arg(one)
    store, host = SettingsStore(knobs.CONTROLS), FakeHost()
    control = OscControl(store, host, port=0)
    control.receive(message.build().dgram)
    assert (control.messages, control.bad, host.loaded) == (0, 1, [])
    assert store.targets() == knobs.defaults()


def test_thousands_of_malformed_packets_do_no_harm() -> None:
    chance, whole = random.Random(2), osc_message_builder.OscMessageBuilder("/parameter/extender/tone")
    whole.add_arg(25.0)
    good = whole.build().dgram
    nested = good
    for _ in range(1000):
        nested = b"#bundle\0" + bytes(8) + len(nested).to_bytes(4, "big") + nested
    store = SettingsStore(knobs.CONTROLS)
    control = OscControl(store, FakeHost(), port=0)
    control.receive(nested)
    assert control.bad == 1
    for _ in range(4000):
        place = chance.randrange(len(good))
        packet = chance.choice([
            chance.randbytes(chance.randrange(200)), good[:place], good[:place] + chance.randbytes(3) + good[place:],
            b"#bundle\0" + chance.randbytes(chance.randrange(60)), b"/" + chance.randbytes(30),
        ])  # fmt: skip
        control.receive(packet)
    assert control.bad > 3000
    assert all(knobs.control(name).check(value) == value for name, value in store.targets().items())
    control.receive(good)
    assert store.targets()["tone"] == 25.0


@contextmanager
def surface() -> Iterator[tuple[socket.socket, Callable[[], tuple[str, float]]]]:
    """A surface that listens on a port of its own, and what it receives next."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(20.0)

        def receive() -> tuple[str, float]:
            message = OscMessage(ear.recv(1024))
            return message.address, message.params[0]

        yield ear, receive


def test_a_surface_gets_everything_once_and_then_what_others_turn() -> None:
    store = SettingsStore([*knobs.CONTROLS, THRESHOLD])
    with surface() as (ear, receive):
        control = OscControl(store, FakeHost(), 0, feedback=ear.getsockname()[1])
        control.start()
        sender = udp_client.SimpleUDPClient("127.0.0.1", control.port)
        try:
            everything = dict(receive() for _ in store.controls)
            assert everything["/parameter/after/0/threshold_db"] == -6.0
            assert set(everything) == {address_of(one.id) for one in store.controls}
            news = store.subscribe()
            sender.send_message("/parameter/extender/tone", 12.0)
            assert news.take(timeout_s=20.0)[0].origin == "osc"
            store.request("amount", -4.0, "panel")
            # Its own move does not come back before what another turned.
            assert receive() == ("/parameter/extender/amount", -4.0)
            sender.send_message("/snapshot", 1)
            again = dict(receive() for _ in store.controls)
            assert (again["/parameter/extender/amount"], again["/parameter/extender/tone"]) == (-4.0, 12.0)
        finally:
            control.stop()
            sender._sock.close()


@pytest.mark.parametrize("knob", ["amount", "bypass", "after.0.threshold_db", "compare.match"])
def test_what_is_sent_back_names_the_knob_that_it_came_from(knob: str) -> None:
    store = SettingsStore([Control(knob, knob, "", 0.0, 1.0, 0.0)])
    control = OscControl(store, FakeHost(), 0)
    control.receive(message_to(address_of(knob), 1.0))
    assert store.targets() == {knob: 1.0}


def message_to(address: str, value: float) -> bytes:
    builder = osc_message_builder.OscMessageBuilder(address)
    builder.add_arg(value)
    built: bytes = builder.build().dgram
    return built


def test_a_port_in_use_is_one_sentence() -> None:
    with listening() as (control, store, host, _), pytest.raises(OscError, match="is in use"):
        OscControl(store, host, control.port).start()
