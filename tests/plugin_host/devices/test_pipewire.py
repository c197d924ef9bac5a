"""The product as an insert on PipeWire, which here runs without a sound card, in folders and on a bus of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugin_host.session.live_program import ROOT, wait_for

_PROGRAMS = ("dbus-run-session", "pipewire", "pw-cli", "pw-jack", "pw-link", "wireplumber")
_CARD = (
    "{ factory.name=support.null-audio-sink node.name=card media.class=Audio/Sink object.linger=true "
    "audio.position=[FL FR] }"
)
_ABSENT = [name for name in _PROGRAMS if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(_ABSENT), reason=f"not installed: {', '.join(_ABSENT)}")


def ports(environment: dict[str, str]) -> str:
    return subprocess.run(["pw-link", "-i"], env=environment, capture_output=True, text=True, check=False).stdout


@pytest.fixture
def pipewire(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables by which programs find the server."""
    tmp_path.chmod(0o700)
    home = {name: str(tmp_path) for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    environment = {**os.environ, **home, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    # Both end with the shell, which ends with its input.
    script = "pipewire & wireplumber & read end; kill %1 %2; wait"
    server = subprocess.Popen(
        ["dbus-run-session", "--", "bash", "-c", script], env=environment, stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lambda: (tmp_path / "pipewire-0").exists())
        create = ["pw-cli", "create-node", "adapter", _CARD]
        wait_for(lambda: subprocess.run(create, env=environment, capture_output=True, check=False).returncode == 0)
        wait_for(lambda: "card:playback_FR" in ports(environment))
        yield environment
    finally:
        assert server.stdin is not None
        server.stdin.close()
        try:
            server.wait(30)
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)


def test_the_latencies_that_pipewire_counts_on_are_measured(pipewire: dict[str, str]) -> None:
    words = ["pw-jack", sys.executable, "-m", "tests.plugin_host.devices.product_insert"]
    program = subprocess.run(words, env=pipewire, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert program.returncode == 0, program.stderr
    found = json.loads(program.stdout.splitlines()[-1])
    assert all(declared == measured == low == high for declared, measured, low, high in found), found
    assert found[1][0] == 2816
    assert len({declared for declared, *_ in found}) == 3
