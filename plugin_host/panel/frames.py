"""What the pages draw 30 times a second: written once for all of them, and sent as fast as each can draw."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from plugin_host.panel.host_mirror import PanelLink
from plugin_host.panel.labels import frame_of

# Half of the time between two frames of the telemetry.
_LOOK_EVERY_S = 1.0 / 60.0


class FrameDesk:
    """Serves the frames.

    Args:
        link: The host.
    """

    def __init__(self, link: PanelLink) -> None:
        self._link = link
        self._written, self._text = -1, ""

    async def serve(self, socket: WebSocket) -> None:
        """Send the newest frame whenever a page asks for the next, until it goes."""
        await socket.accept()
        sent = -1
        try:
            while True:
                while self._link.ticks == sent or self._link.away:
                    await asyncio.sleep(_LOOK_EVERY_S)
                sent = self._link.ticks
                await socket.send_text(self._newest())
                await socket.receive_text()
        except (WebSocketDisconnect, asyncio.CancelledError):
            # The page has gone, or the panel ends.
            return

    def _newest(self) -> str:
        link = self._link
        if self._written != link.ticks:
            self._written = link.ticks
            frame: dict[str, Any] = frame_of(link.spectra, link.stats, link.settings, link.knobs)
            self._text = json.dumps({**frame, "meters": link.meters}, separators=(",", ":"))
        return self._text
