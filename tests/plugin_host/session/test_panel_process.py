"""A panel that a session started ends with it, also where that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from plugin_host.session.panel_process import free_port, is_served
from tests.plugin_host.panel.panel_host import ROOT, until

STARTER = """
import sys, time
from plugin_host.session.panel_process import PanelProcess
panel = PanelProcess(lambda: "tcp://127.0.0.1:9", int(sys.argv[1]), print)
panel.start()
time.sleep(600)
"""


def test_the_panel_of_a_host_that_is_killed_ends_by_itself() -> None:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    host = subprocess.Popen([sys.executable, "-c", STARTER, str(port)], env=environment | {"PYTHONPATH": str(ROOT)})
    try:
        until(lambda: is_served(port))
        host.send_signal(signal.SIGKILL)
        host.wait()
        until(lambda: not is_served(port))
    finally:
        host.kill()
