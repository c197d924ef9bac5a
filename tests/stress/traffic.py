"""The traffic of a soak: settings by ZeroMQ, messages of a controller, and a reader of all telemetry."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from plugin_host.control.client import Client, HostError, NoHostError
from plugin_host.control.protocol import TOPICS
from tests.stress.player import BUSY_CCS, TIMED_CC

_SET_KNOBS = ("amount", "drive", "mix")
# A knob rests between two timed messages for longer than its glide takes.
_TIMED_EVERY_S = 0.2
_CONTROL_CHANGE = 0xB0


class Traffic:
    """Sends on one thread, as a thread for each would only make them wait for one another.

    Args:
        address: The host's, for requests.
        send_midi: Takes the bytes of one message.
        sets: Settings a second.
        messages: MIDI messages a second.

    Attributes:
        set_s: How long each set took, request to reply, in seconds.
        timed_at: When the messages of the timed knob were sent, on the machine's steady clock.
        midi: MIDI messages that were sent.
        news: Telemetry that came, by topic.
        failed: Sentences of sets that were refused or not answered.
    """

    def __init__(self, address: str, send_midi: Callable[[bytes], None], sets: int, messages: int) -> None:
        self._address, self._send, self._sets, self._messages = address, send_midi, sets, messages
        self.set_s: list[float] = []
        self.timed_at: list[float] = []
        self.midi = 0
        self.news: Counter[str] = Counter()
        self.failed: list[str] = []
        self._ticks = 0

    def run(self, seconds: float, look: Callable[[float], None]) -> None:
        """Send for so many seconds; `look` is called with the seconds so far about once a second."""
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()
        began = time.monotonic()
        next_look = 0.0
        with Client(self._address, origin="soak", timeout_s=5.0) as host:
            while (passed := time.monotonic() - began) < seconds:
                self._tick(host)
                if passed >= next_look:
                    next_look = passed + 1.0
                    look(passed)
                # What a slow answer made late is sent at once, so that the numbers a second hold.
                time.sleep(max(0.0, began + self._ticks / self._sets - time.monotonic()))

    def _tick(self, host: Client) -> None:
        self._ticks += 1
        due = self._ticks * self._messages // self._sets - self.midi
        for _ in range(due):
            self._send_next()
        knob = _SET_KNOBS[self._ticks % len(_SET_KNOBS)]
        began = time.monotonic()
        try:
            host.set(knob, float(self._ticks % 4))
            self.set_s.append(time.monotonic() - began)
        except (HostError, NoHostError) as error:
            self.failed.append(str(error))

    def _send_next(self) -> None:
        self.midi += 1
        every = max(1, round(_TIMED_EVERY_S * self._messages))
        if self.midi % every:
            numbers = tuple(BUSY_CCS)
            number, value = numbers[self.midi % len(numbers)], self.midi % 128
        else:
            number, value = TIMED_CC, 40 + 17 * (self.midi // every) % 48
            self.timed_at.append(time.monotonic())
        self._send(bytes((_CONTROL_CHANGE, number, value)))

    def _read(self) -> None:
        with Client(self._address, origin="soak reader") as host, suppress(NoHostError, HostError):
            for message in host.watch(TOPICS, timeout_s=2.0):
                self.news[message["topic"]] += 1


def delays(sent: Sequence[float], moved: Sequence[float]) -> list[float]:
    """Return how long after each message the first move came, leaving out what came after the next message."""
    found: list[float] = []
    waiting = sorted(moved)
    place = 0
    for number, at in enumerate(sent):
        until = sent[number + 1] if number + 1 < len(sent) else float("inf")
        while place < len(waiting) and waiting[place] < at:
            place += 1
        if place < len(waiting) and waiting[place] < until:
            found.append(waiting[place] - at)
    return found
