"""A plug-in that is built once for these tests, a folder of its own for what runs, and an engine that serves it."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from plugin_host.plugin.build import build
from plugin_host.plugin.bundles import install
from plugin_host.plugin.instances import Instance, instances
from plugin_host.plugin.product import Product, engine_command, find_product
from tests.plugin_host.plugin.clap_host import ClapHost
from tests.stress.jack_dummy_server import NAME

Opener = Callable[..., ClapHost]
# A host may outlive its test by a moment; it must not start an engine then.
os.environ.setdefault("HIGHBAND_ENGINE", "off")


@pytest.fixture(scope="session")
def product() -> Product:
    return find_product()


@pytest.fixture(scope="session")
def library(product: Product) -> Path:
    """The library, built where `highband plugin build` would, which takes no time if nothing has changed."""
    return build(product)


@pytest.fixture(scope="session")
def home(product: Product, library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the plug-in in all three formats."""
    folder = tmp_path_factory.mktemp("home")
    install(product, library, home=folder)
    return folder


@pytest.fixture
def open_host(home: Path) -> Iterator[Opener]:
    """Open plug-ins in hosts that are closed when the test ends."""
    hosts: list[ClapHost] = []

    def opened(**wishes: Any) -> ClapHost:
        hosts.append(ClapHost(home / ".clap" / "highband.clap", **wishes))
        return hosts[-1]

    yield opened
    for host in hosts:
        host.close()


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of one test, in which no engine runs and none is started."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("HIGHBAND_ENGINE", "off")
    return tmp_path / "highband"


@pytest.fixture(scope="session")
def served_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A runtime folder with a server, which plays every instance in it."""
    folder = tmp_path_factory.mktemp("served")
    folder.chmod(0o700)
    server = start_server(folder)
    yield folder
    server.send_signal(signal.SIGTERM)
    server.wait(20)


@pytest.fixture
def served(served_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the server's instances."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(served_folder))
    monkeypatch.setenv("HIGHBAND_ENGINE", "on")
    return served_folder / "highband"


def refuse_priority() -> None:
    """Take the right to real-time priority from this process and all that it runs, also from root's."""
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    drop_from_bounding_set, nice = 24, 23
    ctypes.CDLL(None).prctl(drop_from_bounding_set, nice, 0, 0, 0)


def start_server(folder: Path, first: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    """Start the engine's server for a runtime folder, as a child and without leaving it; `first` runs in it before."""
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "JACK_DEFAULT_SERVER": NAME}
    # With it the panel would take itself for a test of its library.
    environment.pop("PYTEST_CURRENT_TEST", None)
    server = subprocess.Popen(
        engine_command(detached=False), env=environment, stdout=subprocess.DEVNULL, preexec_fn=first
    )
    log = folder / "highband" / "engine.log"
    patience = time.monotonic() + 60.0
    while not (log.exists() and "the engine is ready" in log.read_text()):
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < patience, "the server does not begin"
        time.sleep(0.05)
    return server


def music(seconds: float = 0.5, rate: int = 48000, channels: int = 2) -> NDArray[np.float32]:
    """Return lines that end at 6 kHz, every channel another."""
    time_s = np.arange(int(seconds * rate)) / rate
    rows = [
        sum(np.sin(2 * np.pi * (180.0 + 25 * row) * k * time_s + k * k) / k for k in range(1, 29))
        for row in range(channels)
    ]
    return (0.1 * np.stack(rows)).astype(np.float32)


def wait_for_engine(host: ClapHost, block: int = 256, seconds: float = 20.0) -> None:
    """Play silence in real time until the engine plays."""
    patience = time.monotonic() + seconds
    while not host.text("Engine").startswith("playing"):
        host.process(np.zeros((2, block), np.float32))
        assert time.monotonic() < patience, f"the engine does not play: {host.text('Engine')}"
        time.sleep(block / host.rate)


def newest_instance() -> Instance:
    """Return the plug-in of this process that was opened last."""
    return max(instances(), key=lambda instance: int(instance.path.name.split("-")[1]))
