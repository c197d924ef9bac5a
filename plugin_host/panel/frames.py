"""What the pages draw 30 times a second: written once for all of them, and sent as fast as each can draw."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from plugin_host.panel.host_mirror import PanelLink
from plugin_host.panel.labels import frame_of

# Half of the time between two frames of the telemetry.
_LOOK_EVERY_S = 1.0 / 60.0
# So often a page gets a word at least, by which it knows that the connection lives.
_SILENCE_S = 2.0


class FrameDesk:
    """Serves the frames.

    Args:
        link: The host.
    """

    def __init__(self, link: PanelLink) -> None:
        self._link = link
        self._written, self._text = -1, ""

    async def serve(self, socket: WebSocket) -> None:
        """Send the newest frame, or an empty one where there is none, whenever a page asks for the next."""
        await socket.accept()
        try:
            with self._link.followed():
                sent = -1
                while True:
                    await self._next(sent)
                    is_new = self._link.ticks != sent and not self._link.away
                    sent = self._link.ticks
                    await socket.send_text(self._newest() if is_new else "")
                    await socket.receive_text()
        except (WebSocketDisconnect, asyncio.CancelledError):
            # The page has gone, or the panel ends.
            return

    async def _next(self, sent: int) -> None:
        """Wait for a frame after the one that was sent, but no longer than a silence may last."""
        end = time.monotonic() + _SILENCE_S
        while (self._link.ticks == sent or self._link.away) and time.monotonic() < end:
            await asyncio.sleep(_LOOK_EVERY_S)

    def _newest(self) -> str:
        link = self._link
        if self._written != link.ticks:
            self._written = link.ticks
            frame: dict[str, Any] = frame_of(link.spectra, link.stats, link.settings, link.knobs)
            self._text = json.dumps({**frame, "meters": link.meters}, separators=(",", ":"))
        return self._text
