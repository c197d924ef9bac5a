"""What is turned in the panel or elsewhere on the engine's side is recorded by the host, in every format, without echo.

Time is the host's own here, in samples: a block waits for the engine, as in a bounce, so that nothing depends on the
machine's speed. As many hosts do, these give back what they have recorded, some blocks later.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from models.extender.controls import BY_ID
from plugin_host.control.client import Client
from plugin_host.plugin.instances import control_address, instances
from plugin_host.plugin.product import PluginError, knob_id
from tests.plugin_host.plugin.clap_host import GESTURE_BEGIN, GESTURE_END, VALUE, ClapHost
from tests.plugin_host.plugin.lv2_host import FIRST_KNOB, FREE_WHEELING, KNOBS, Lv2Host, initial_ports
from tests.plugin_host.plugin.vst3_host import BEGIN, END, PERFORM, Vst3Host

RATE, MOST_S, REST_S = 48000, 0.1, 0.25
AMOUNT = BY_ID["amount"]
Recorded = list[tuple[str, float]]


class Side:
    """A host with the plug-in: it plays silence and records what the plug-in does to the knob Amount.

    Attributes:
        recorded: "begin", "value" and "end" with the knob's value, in order.
        given_back: Values that the host gives back with later blocks, None for a block without.
        samples: How many it has played.
        name: The instance's.
        has_gestures: Whether the format knows where a gesture begins and ends.
    """

    name, has_gestures = "", True

    def __init__(self) -> None:
        self.recorded: Recorded = []
        self.given_back: deque[float | None] = deque([None, None])
        self.samples = 0

    def play(self, block: int = 256, value: float | None = None) -> None:
        """Play a block, in which the host turns the knob if there is a value."""
        echo = self.given_back.popleft()
        before = len(self.recorded)
        self.samples += block
        self._play(np.zeros((2, block), np.float32), echo if value is None else value)
        fresh = [value for kind, value in self.recorded[before:] if kind == "value"]
        self.given_back.append(fresh[-1] if fresh else None)

    def _play(self, block: np.ndarray, value: float | None) -> None: ...
    def close(self) -> None: ...


class ClapSide(Side):
    """In a CLAP host."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.host = ClapHost(home / ".clap" / "highband.clap", is_offline=True)
        self.close = self.host.close  # type: ignore[method-assign]

    def _play(self, block: np.ndarray, value: float | None) -> None:
        events = [] if value is None else [self.host.event("Amount", AMOUNT.to_text(value))]
        self.host.moves.clear()
        self.host.process(block, events)
        kinds = {GESTURE_BEGIN: "begin", VALUE: "value", GESTURE_END: "end"}
        for kind, identity, position in self.host.moves:
            if identity == knob_id(AMOUNT):
                self.recorded.append((kinds[kind], AMOUNT.from_position(position) if kind == VALUE else 0.0))


class Vst3Side(Side):
    """In a VST3 host, which calls the plug-in's timer as often as that asked for, by the time of its samples.

    Args:
        name: The host's; with one it has no timer.
    """

    def __init__(self, home: Path, name: str = "") -> None:
        super().__init__()
        (library,) = (home / ".vst3" / "highband.vst3").rglob("*.so")
        self.host = Vst3Host(library, is_offline=True, name=name)
        self._due = 0.0

    def _play(self, block: np.ndarray, value: float | None) -> None:
        moves = [] if value is None else [(knob_id(AMOUNT), AMOUNT.to_position(value))]
        self.host.edits.clear()
        self.host.process(block, moves)
        if self.host.has_timer and self.samples >= self._due:
            self._due = self.samples + RATE * self.host.timer_ms / 1000
            self.host.tick()
        kinds = {BEGIN: "begin", PERFORM: "value", END: "end"}
        for kind, identity, position in self.host.edits:
            if identity == knob_id(AMOUNT):
                self.recorded.append((kinds[kind], AMOUNT.from_position(position) if kind == PERFORM else 0.0))

    def close(self) -> None:
        self.host.close()
        assert not self.host.has_timer


class Lv2Side(Side):
    """In an LV2 host that takes requests to change a port, or, as Ardour does, events that say so."""

    port = FIRST_KNOB + KNOBS.index("amount")

    def __init__(self, home: Path, moves: int = 0) -> None:
        super().__init__()
        values = {**initial_ports(), FREE_WHEELING: 1.0}
        self.has_gestures = moves > 0
        self.host = Lv2Host(home / ".lv2" / "highband.lv2" / "highband.so", values, moves)

    def _play(self, block: np.ndarray, value: float | None) -> None:
        if value is not None:
            self.host.ports[self.port].value = value
        self.host.requests.clear()
        self.host.process(block)
        kinds = {"start": "begin", "": "value", "finalize": "value", "end": "end"}
        self.recorded += [(kinds[kind], value) for kind, port, value in self.host.requests if port == self.port]

    def close(self) -> None:
        self.host.close()


SIDES: dict[str, Callable[[Path], Side]] = {
    "clap": ClapSide,
    "vst3": Vst3Side,
    "vst3-ardour": lambda home: Vst3Side(home, "Ardour"),
    "lv2-requests": Lv2Side,
    "lv2-ardour": lambda home: Lv2Side(home, FIRST_KNOB + len(KNOBS)),
}


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest, home: Path, served: Path) -> Iterator[Side]:
    others = {instance.name for instance in instances()}
    made = SIDES[request.param](home)
    (made.name,) = (instance.name for instance in instances() if instance.name not in others)
    yield made
    made.close()


@pytest.fixture
def client(side: Side) -> Iterator[Client]:
    """A client of the instance, whose engine plays."""
    patience = time.monotonic() + 30.0
    while True:
        side.play()
        try:
            address = control_address(side.name)
            break
        except PluginError:
            assert time.monotonic() < patience
    with Client(address) as made:
        yield made


def test_a_knob_turned_elsewhere_is_recorded_within_100_ms(side: Side, client: Client) -> None:
    for block, value in ((64, -6.0), (256, -3.0), (2048, -9.0)):
        client.set("amount", value)
        side.recorded.clear()
        began = side.samples
        while not any(kind == "value" and abs(shown - value) < 1e-5 for kind, shown in side.recorded):
            side.play(block)
            assert side.samples - began <= MOST_S * RATE


def test_instances_of_several_formats_in_one_host_have_names_of_their_own(home: Path, runtime: Path) -> None:
    sides = [side(home) for side in SIDES.values()]
    try:
        names = [instance.name for instance in instances()]
    finally:
        for side in sides:
            side.close()
    assert len(set(names)) == len(SIDES)


def test_a_drag_is_one_gesture_that_what_the_host_gives_back_does_not_disturb(side: Side, client: Client) -> None:
    values = [-0.5 * step for step in range(1, 13)]
    for value in values:
        client.set("amount", value)
        for _ in range(2):
            side.play()
            assert client.get("amount")["value"] == value
    began = side.samples
    while side.has_gestures and side.recorded[-1][0] != "end":
        side.play()
        assert side.samples - began <= 2 * REST_S * RATE
    for _ in range(8):
        side.play()
        assert client.get("amount")["value"] == values[-1]
    kinds = [kind for kind, _ in side.recorded]
    if side.has_gestures:
        assert [kinds.pop(0), kinds.pop()] == ["begin", "end"]
    recorded = [value for kind, value in side.recorded if kind == "value"]
    assert kinds == ["value"] * len(values)
    assert recorded == pytest.approx(values, abs=1e-5)


def test_the_hosts_own_moves_do_not_come_back(side: Side, client: Client) -> None:
    client.set("amount", -6.0)
    for _ in range(8):
        side.play()
    side.recorded.clear()
    side.play(value=3.0)
    patience = time.monotonic() + 30.0
    while client.get("amount")["value"] != 3.0:
        assert time.monotonic() < patience
    # Also back to what it was given before.
    side.play(value=-6.0)
    while client.get("amount")["value"] != -6.0:
        assert time.monotonic() < patience
    for _ in range(60):
        side.play()
    assert "value" not in [kind for kind, _ in side.recorded]
