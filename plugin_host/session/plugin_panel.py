"""The panel of one instance in a DAW: it opens in the browser when the plug-in switches it on, and ends with it."""

from __future__ import annotations

import threading
import time
import webbrowser
from collections.abc import Callable

from plugin_host.plugin.device import PluginDevice
from plugin_host.session.panel_process import HOST, PanelProcess, free_port, is_served

_PATIENCE_S, _LOOK_EVERY_S = 300.0, 0.1


class InstancePanel:
    """Follows the switch Panel of a plug-in.

    Args:
        device: The plug-in.
        address: Gives the instance's address for requests.
        report: Takes a sentence for the person at the DAW; any thread.
    """

    def __init__(self, device: PluginDevice, address: Callable[[], str], report: Callable[[str], None]) -> None:
        self._device, self._address, self._report = device, address, report
        self._process: PanelProcess | None = None
        self._ending = threading.Event()

    def follow(self) -> None:
        """Open or end the panel where the switch has moved."""
        news, region = self._device.news, self._device.region
        if bool(news.is_panel_wanted) == (self._process is not None):
            return
        if self._process is not None:
            self.stop()
            region.set_panel(0)
            return
        # A page of a worker that died is still open, and goes on where it was.
        port, is_open = news.panel_port or free_port(), bool(news.panel_port)
        self._process, self._ending = PanelProcess(self._address, port, self._report), threading.Event()
        self._process.start()
        region.set_panel(port)
        if not is_open:
            words = (self._process, port, self._ending)
            threading.Thread(target=self._show, args=words, name="browser", daemon=True).start()

    def stop(self) -> None:
        """End the panel."""
        self._ending.set()
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _show(self, process: PanelProcess, port: int, ending: threading.Event) -> None:
        """Open the page as soon as it is served."""
        patience, address = time.monotonic() + _PATIENCE_S, f"http://{HOST}:{port}/"
        while not is_served(port):
            if ending.wait(_LOOK_EVERY_S):
                return
            if time.monotonic() > patience or not process.is_running:
                self._report("the panel does not start: read engine.log, or run highband panel --instance NAME")
                return
        if not webbrowser.open(address):
            self._report(f"the panel is at {address}")
