"""A line between browser and panel that a test breaks, as a network does that forgets connections without a word."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Line:
    """What is sent to `url` goes to a panel, until the line is broken.

    Attributes:
        url: What a browser opens.
    """

    def __init__(self, port: int) -> None:
        self._port, self._loop = port, asyncio.new_event_loop()
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self._pumps, self._panels = set[asyncio.Task[None]](), set[asyncio.StreamWriter]()
        self._browsers = set[asyncio.StreamWriter]()
        self._thread = threading.Thread(target=self._loop.run_forever, name="line")

    def start(self) -> None:
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.url = f"http://127.0.0.1:{port}/"

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def silence(self) -> None:
        """Carry nothing more on any connection that there is, which stays open at both ends; new ones wait."""
        self._loop.call_soon_threadsafe(self._silence)

    def lose(self) -> None:
        """Close what is silent at the panel's end."""
        self._loop.call_soon_threadsafe(self._lose)

    def heal(self) -> None:
        """Carry new connections; those that were silenced stay silent."""
        self._loop.call_soon_threadsafe(self._is_whole.set)

    def _silence(self) -> None:
        self._is_whole.clear()
        for pump in self._pumps:
            pump.cancel()

    def _lose(self) -> None:
        for writer in self._panels:
            writer.transport.abort()
        self._panels.clear()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        self._server.close()
        self._silence()
        self._is_whole.set()
        self._lose()
        for writer in self._browsers:
            writer.transport.abort()
        await asyncio.sleep(0.1)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _carry(self, from_browser: asyncio.StreamReader, to_browser: asyncio.StreamWriter) -> None:
        self._browsers.add(to_browser)
        await self._is_whole.wait()
        from_panel, to_panel = await asyncio.open_connection("127.0.0.1", self._port)
        self._panels.add(to_panel)
        for reader, writer in ((from_browser, to_panel), (from_panel, to_browser)):
            pump = self._loop.create_task(_pump(reader, writer))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    line = Line(port)
    line.start()
    try:
        yield line
    finally:
        line.stop()
