"""What a device is, and what all that may go away have in common: they are waited for until they come back."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from plugin_host.engine.channels import chain_channels
from plugin_host.engine.engine import Engine

MOST_CHANNELS = 2
_SILENT_S = 1.0
_FIRST_RETRY_S, _LAST_RETRY_S = 0.25, 4.0


class DeviceError(ValueError):
    """A device that can't be used; one sentence that says what to do."""


class NoDeviceError(DeviceError):
    """There is no such device or server now; it may come."""


class Device(Protocol):
    """What plays an engine: `prepare`, `start`, then `poll` again and again from the main thread, then `stop`."""

    name: str
    rate: int
    inputs: int
    outputs: int
    block: int

    @property
    def latency_samples(self) -> int:
        """What the device adds to the chain's latency, in and out together."""
        ...

    @property
    def state(self) -> str:
        """For people: "ready", "playing", "lost" or "ended"."""
        ...

    @property
    def is_done(self) -> bool:
        """Whether the device ended by itself."""
        ...

    def prepare(self, engine: Engine) -> None:
        """Prepare the engine for this device."""
        ...

    def start(self) -> None:
        """Begin to play."""
        ...

    def poll(self) -> str | None:
        """Look after the device; return a sentence where something happened."""
        ...

    def stop(self) -> None:
        """End; may raise what went wrong on the way."""
        ...


@dataclass(frozen=True)
class DeviceOptions:
    """The requested device; None leaves the choice to the device.

    Attributes:
        input, output: A device's number or a part of its name.
        rate: In Hz.
        block: Samples of a block; on JACK the server's period counts instead.
        channels: On both sides.
    """

    input: str | None = None
    output: str | None = None
    rate: int | None = None
    block: int = 128
    channels: int | None = None


class ReconnectingDevice(ABC):
    """A device that may go away: `poll` notices it and tries to get it back, less and less often.

    A subclass finds its device in `_look`, and opens and closes it. What comes back in another form is prepared for
    anew; what can't be played then is waited for like what is gone.

    Attributes:
        name: For people.
        subject: The same as a sentence begins with it.
        rate: In Hz.
        inputs, outputs: Channels.
        block: Samples of a block.
    """

    name = subject = ""
    rate = inputs = outputs = block = 0

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._prepared: tuple[int, ...] | None = None
        self._is_lost = self._has_started = False
        self._retry_s, self._retry_at = _FIRST_RETRY_S, 0.0
        self._calls, self._called_at = -1, 0.0
        self._reason = ""

    @abstractmethod
    def _look(self) -> None:
        """Find the device and settle its name, rate, channels and block; raise NoDeviceError where there is none."""

    @abstractmethod
    def _open(self, engine: Engine) -> None:
        """Begin to play; raise DeviceError if the device refuses."""

    @abstractmethod
    def _close(self) -> None:
        """End, whatever state the device is in."""

    @abstractmethod
    def _is_active(self) -> bool:
        """Return whether the system still calls it active."""

    @property
    @abstractmethod
    def _longest_block(self) -> int:
        """Samples of the longest block that comes."""

    @property
    def is_done(self) -> bool:
        """Never: a device that is gone may come back."""
        return False

    @property
    def state(self) -> str:
        """For people: "ready", "playing" or "lost"."""
        return "lost" if self._is_lost else "playing" if self._has_started else "ready"

    def prepare(self, engine: Engine) -> None:
        """Prepare the engine for this device; raise ValueError if the chain can't play at its rate."""
        self._engine, self._prepared = engine, None
        engine.prepare(self.rate, chain_channels(self.inputs, self.outputs), self._longest_block)
        self._prepared = self._form()

    def start(self) -> None:
        """Begin to play; raise DeviceError if the device refuses."""
        if self._engine is None:
            raise ValueError("the engine is not prepared")
        self._open(self._engine)
        self._is_lost, self._has_started, self._reason = False, True, ""
        self._calls, self._called_at = -1, time.monotonic()

    def stop(self) -> None:
        """End."""
        self._close()

    def poll(self) -> str | None:
        """Notice that the device is gone, or try to get it back; return a sentence where something happened."""
        now = time.monotonic()
        if not self._is_lost:
            if self._is_alive(now):
                return None
            self._is_lost, self._retry_s, self._retry_at = True, _FIRST_RETRY_S, now
            return f"{self.subject} is gone; it is tried again until it comes back"
        if now < self._retry_at:
            return None
        self._retry_s = min(2.0 * self._retry_s, _LAST_RETRY_S)
        self._retry_at = now + self._retry_s
        return self._come_back()

    def _is_alive(self, now: float) -> bool:
        """Return whether blocks come; a stream whose server was killed may still call itself active."""
        if self._engine is not None and self._engine.load.calls != self._calls:
            self._calls, self._called_at = self._engine.load.calls, now
        return now - self._called_at < _SILENT_S and self._is_active()

    def _come_back(self) -> str | None:
        self._close()
        try:
            self._look()
            if self._engine is not None and self._form() != self._prepared:
                self._prepare_anew(self._engine)
            self.start()
        except NoDeviceError:
            self._close()
            return None
        except ValueError as error:
            self._close()
            return self._refused(error)
        return f"{self.subject} is back: {self.rate} Hz, block {self.block}"

    def _prepare_anew(self, engine: Engine) -> None:
        try:
            self.prepare(engine)
        except ValueError:
            # Its own advice is for files.
            raise DeviceError(f"the chain can't play at {self.rate} Hz; start it at 44100 to 96000 Hz") from None

    def _refused(self, error: ValueError) -> str | None:
        """Return why a device that is there again is not played, once for each reason."""
        reason = " ".join(str(error).split()).rstrip(".")
        if reason == self._reason:
            return None
        self._reason = reason
        return f"{self.subject} can't be played as it is now and is tried again: {reason}"

    def _form(self) -> tuple[int, ...]:
        return self.rate, self.inputs, self.outputs, self._longest_block
