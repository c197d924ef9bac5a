"""The panel's line to a host: while a page is open it follows every change; it asks what the page asks, and waits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from plugin_host.control.client import Client, NoHostError
from plugin_host.control.keys import Keys
from plugin_host.control.protocol import TOPICS
from plugin_host.control.request import SLOW, STEPS

ORIGIN = "panel"
# What follows the host looks again soon; a request that a busy machine answers late was still granted.
_LOOK_S, _PATIENCE_S = 2.0, 10.0
# Load figures come 7.5 times a second from a host that lives, so that a longer silence is worth a question.
_SILENCE_S = 1.5
_RETRY_S = 0.3
# So long a host is followed after the last page has gone.
_LINGER_S = 5.0


class PanelLink:
    """A running host as the pages see it; every page of a panel shares one.

    The attributes are replaced and never changed in place, so any thread may read them.

    Args:
        address: The host's address for requests.
        keys: The client's keys, where the host is on another machine.

    Attributes:
        away: Why there is no host, in one sentence; "" while there is one.
        knobs: The declarations of the host's knobs.
        settings: Each knob's value, text and position.
        state: The rest of the host's snapshot: slot, slots, can_undo, can_redo, locked, chain.
        meters, spectra, stats: The newest telemetry.
        midi: The controller with its map, or None where the host plays without one.
        plugins: What is installed at the host: id, name and path.
        moved: Rises with every change of settings, state or presence.
        ticks: Rises with every spectrum.
    """

    def __init__(self, address: str, keys: Keys | None = None) -> None:
        self._address, self._keys = address, keys
        self.away = f"no host answers at {address} yet"
        self.knobs: list[dict[str, Any]] = []
        self.settings: dict[str, dict[str, Any]] = {}
        self.state: dict[str, Any] = {"slot": "A", "slots": ["A"], "can_undo": False, "can_redo": False}
        self.state |= {"locked": [], "chain": []}
        self.meters: dict[str, Any] = {}
        self.spectra: dict[str, Any] = {}
        self.stats: dict[str, Any] = {}
        self.midi: dict[str, Any] | None = None
        self.plugins: list[dict[str, str]] = []
        self.moved = self.ticks = 0
        self._sequence = 0
        self._numbers: dict[str, int] = {}
        self._is_stale = False
        self._pages = 0
        self._stop, self._awake = threading.Event(), threading.Event()
        self._follower = threading.Thread(target=self._follow, name="highband-panel-link", daemon=True)
        # One worker keeps the moves of a drag in order; what takes seconds to build must not hold them up.
        self._asking, self._building = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._asker: Client | None = None

    def start(self) -> None:
        """Begin to follow the host."""
        self._follower.start()

    def stop(self) -> None:
        """End; requests under way are not waited for."""
        self._stop.set()
        self._awake.set()
        self._asking.submit(self._drop_asker)
        for pool in (self._asking, self._building):
            pool.shutdown(wait=False)

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Send a request and return the reply.

        Raises:
            HostError: The host refused.
            NoHostError: There is no host.
        """
        if self.away:
            raise NoHostError(self.away)
        loop = asyncio.get_running_loop()
        if do in SLOW | STEPS:
            # Not before what was asked before it: the last move of a drag is a part of what undo takes back.
            await loop.run_in_executor(self._asking, int)
            reply = await loop.run_in_executor(self._building, self._build, do, fields)
        else:
            reply = await loop.run_in_executor(self._asking, self._ask, do, fields)
        self._is_stale = True
        return reply

    def _ask(self, do: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        if self._asker is None:
            self._asker = self._client()
        try:
            return self._asker.ask(do, **fields)
        except NoHostError:
            # What still waits in the socket must not move knobs when the host is back, minutes later.
            self._drop_asker()
            raise

    def _build(self, do: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        with self._client() as client:
            return client.ask(do, **fields)

    def _client(self, patience_s: float = _PATIENCE_S) -> Client:
        return Client(self._address, self._keys, origin=ORIGIN, timeout_s=patience_s)

    def _drop_asker(self) -> None:
        if self._asker is not None:
            self._asker.close()
            self._asker = None

    @contextlib.contextmanager
    def followed(self) -> Iterator[None]:
        """Follow the host while a page is open; with none open the host has nothing to measure for this panel.

        For the thread of the panel's event loop.
        """
        self._pages += 1
        self._awake.set()
        try:
            yield
        finally:
            self._pages -= 1
            # A page that is loaded again is back at once.
            asyncio.get_running_loop().call_later(_LINGER_S, self._rest)

    def _rest(self) -> None:
        if not self._pages and not self._stop.is_set():
            self._awake.clear()

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                with self._client(_LOOK_S) as client:
                    self._read_all(client)
                    self._awake.wait()
                    self._follow_one(client)
            except NoHostError as error:
                self._miss(str(error))
            except Exception as error:  # Whatever a host sends: the thread that follows it must not end.
                self._miss(f"the host at {self._address} can't be understood: {' '.join(str(error).split())}")
            self._stop.wait(_RETRY_S)

    def _follow_one(self, client: Client) -> None:
        """Follow a host until it falls silent, or the last page is closed."""
        has_begun = False
        with contextlib.closing(client.watch(TOPICS, _SILENCE_S)) as news:
            for message in news:
                if self._stop.is_set() or not self._awake.is_set():
                    return
                # What moved between the snapshot and the first message is in neither.
                if not has_begun or message["number"] <= self._numbers.get(message["topic"], 0):
                    self._numbers.clear()
                    self._read_all(client)
                    has_begun = True
                self._numbers[message["topic"]] = message["number"]
                self._apply(client, message["topic"], message["data"])

    def _apply(self, client: Client, topic: str, data: dict[str, Any]) -> None:
        if topic == "changes":
            self._apply_change(client, data)
        elif topic == "spectra":
            self.spectra = data
            self.ticks += 1
        elif topic == "meters":
            self.meters = data
        elif topic == "midi":
            self._apply_midi(client, data)
        else:
            self.stats = data
            # A change that found no room in the queue is never published again.
            if data.get("sequence", self._sequence) > self._sequence:
                self._read_all(client)
            # Changes do not say whether there is something to undo.
            elif self._is_stale:
                self._read_state(client)

    def _apply_change(self, client: Client, change: Mapping[str, Any]) -> None:
        if change["cause"] == "controls" or change["sequence"] > self._sequence + 1:
            self._read_all(client)
        elif change["cause"] == "lock":
            self._read_state(client)
        elif change["sequence"] == self._sequence + 1:
            self._sequence = change["sequence"]
            self.settings = {**self.settings, **change["settings"]}
            self.state = {**self.state, "slot": change["slot"]}
            self._is_stale = True
            self.moved += 1

    def _apply_midi(self, client: Client, now: dict[str, Any]) -> None:
        midi = {**(self.midi or {}), **now}
        if midi == self.midi:
            return
        if self.midi is None or self.midi["revision"] != now["revision"]:
            midi = client.ask("midi")["midi"]
        self.midi = midi
        self.moved += 1

    def _read_all(self, client: Client) -> None:
        self.knobs = client.ask("describe")["knobs"]
        self.midi = client.ask("midi")["midi"]
        self.plugins = client.ask("plugins")["plugins"]
        self._read_state(client)

    def _read_state(self, client: Client) -> None:
        self._is_stale = False
        snapshot = client.snapshot()
        self._sequence, self.settings = snapshot["sequence"], snapshot["settings"]
        self.state = {name: snapshot[name] for name in ("slot", "slots", "can_undo", "can_redo", "locked", "chain")}
        self.away = ""
        self.moved += 1

    def _miss(self, why: str) -> None:
        if why != self.away:
            self.away = why
            self.moved += 1
