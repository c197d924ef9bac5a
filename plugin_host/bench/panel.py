"""Whether the sound notices the panel: the callback's load with open pages and without, in turns, in one run."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from models.atomic_write import write_atomically
from plugin_host.chain.program import build
from plugin_host.control.zmq_server import ZmqControl
from plugin_host.devices.clocked import ClockedDevice
from plugin_host.engine.realtime import settle_audio_thread, settle_process, unsettle_process
from plugin_host.session.host import LiveHost
from plugin_host.session.panel_process import PanelProcess, free_port, is_served
from plugin_host.settings.store import SettingsStore

_NOISE = 0.1
# White noise has no edge to follow, and an extender that finds nothing missing has little to do.
_CROSSOVER_HZ = 6000.0
_ANY = "tcp://127.0.0.1:0"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_FLAGS = (
    "--headless=new", "--no-first-run", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--window-size=1200,900",
)  # fmt: skip
PATIENCE_S = 60.0
# What starting a browser costs is over by then.
_SETTLING_S = 3.0
# The most that pages may add to the 99th percentile.
_MOST_MORE = 0.2


class BenchError(ValueError):
    """The measurement is not possible here; one sentence."""


@dataclass(frozen=True)
class Turn:
    """One measurement: the callback as shares of the deadline, and the part of it without the processor.

    Attributes:
        pages: How many were open.
    """

    pages: int
    p50: float
    p99: float
    waiting_p99: float
    missed: int


@dataclass(frozen=True)
class Plan:
    """The size of the measurement: see the help of `highband bench panel`."""

    block: int
    pages: int
    rounds: int
    seconds: float
    preset: str
    artifact: str | None
    rate: int = 48000
    channels: int = 2


def bench(plan: Plan, output: Path | None) -> bool:
    """Measure, print, and say whether the sound notices the pages; raises ValueError with one sentence."""
    browser = find_browser()
    turns = list(measure(plan, browser))
    without, beside = medians(turns)
    console = Console(highlight=False)
    console.print(_table(turns, without, beside))
    more = beside.p99 / without.p99 - 1.0 if without.p99 else 0.0
    console.print(
        f"p99 with {plan.pages} open pages is {100 * abs(more):.0f} % {'more' if more >= 0 else 'less'} than without "
        f"(medians of {plan.rounds} turns; at most {100 * _MOST_MORE:.0f} % more is allowed)",
        soft_wrap=True,
    )
    if output is not None:
        figures = {"plan": asdict(plan), "turns": [asdict(turn) for turn in turns], "p99_more": more}
        write_atomically(output, (json.dumps(figures, indent=2) + "\n").encode())
    return more <= _MOST_MORE


def find_browser() -> str:
    """Return a Chromium; raise BenchError if there is none."""
    for name in _BROWSERS:
        if path := shutil.which(name):
            return path
    raise BenchError("no Chromium was found to open pages with; install chromium or google-chrome")


def medians(turns: Sequence[Turn]) -> tuple[Turn, Turn]:
    """Return the median turn without pages and the one with them, figure by figure."""

    def middle(group: list[Turn]) -> Turn:
        def of(figure: Callable[[Turn], float]) -> float:
            return statistics.median(map(figure, group))

        p50, p99, waiting = of(lambda turn: turn.p50), of(lambda turn: turn.p99), of(lambda turn: turn.waiting_p99)
        return Turn(group[0].pages, p50, p99, waiting, sum(turn.missed for turn in group))

    return middle([turn for turn in turns if not turn.pages]), middle([turn for turn in turns if turn.pages])


def measure(plan: Plan, browser: str) -> Iterator[Turn]:
    """Play noise as `highband live` does and yield the turns as they are measured."""
    with playing(plan) as (host, control):
        for number in range(2 * plan.rounds):
            # Whatever else changes on the machine meanwhile must not always meet the same side first.
            has_pages = (number + number // 2) % 2 == 1
            with ExitStack() as open_pages:
                if has_pages:
                    open_pages.enter_context(pages(control.address, plan.pages, browser))
                time.sleep(_SETTLING_S)
                yield _turn(host, plan.pages if has_pages else 0, plan.seconds)


def _turn(host: LiveHost, pages: int, seconds: float) -> Turn:
    engine = host.engine
    engine.load.clear()
    engine.waiting.clear()
    time.sleep(seconds)
    load, waiting = engine.load.figures(), engine.waiting.figures()
    return Turn(pages, load["p50"], load["p99"], waiting["p99"], engine.load.missed)


@contextmanager
def playing(plan: Plan) -> Iterator[tuple[LiveHost, ZmqControl]]:
    """Play noise as `highband live` does."""
    sound = build(plan.preset, plan.artifact)
    store = SettingsStore(sound.controls)
    store.load({**sound.preset.settings, "crossover": _CROSSOVER_HZ}, "bench")
    device = ClockedDevice(plan.rate, plan.channels, plan.block, noise=_NOISE)
    host = LiveHost(sound, store, device, "low latency")
    device.prepare(host.engine)
    host.engine.on_enter = lambda: settle_audio_thread(lambda refusal: None)
    control = ZmqControl(store, host, _ANY, _ANY)
    settle_process()
    device.start()
    try:
        control.start()
        yield host, control
    finally:
        control.stop()
        device.stop()
        unsettle_process()


@contextmanager
def pages(address: str, count: int, browser: str) -> Iterator[tuple[list[Path], int]]:
    """Serve the panel as `highband live --panel` does and hold pages open before it, each in a browser of its own.

    Gives the browsers' profiles and the id of the panel's process.
    """
    port = free_port()
    panel = PanelProcess(lambda: address, port, lambda refusal: None)
    with ExitStack() as running:
        panel.start()
        running.callback(panel.stop)
        _wait(lambda: is_served(port), "the panel did not answer; try highband panel to see why")
        profiles = [Path(running.enter_context(_browser(browser, port))) for _ in range(count)]
        _wait(lambda: all(map(_shows_panel, profiles)), f"{browser} did not show the page; try it by hand")
        yield profiles, panel.pid


@contextmanager
def _browser(browser: str, port: int) -> Iterator[str]:
    # What a browser leaves behind at its end may still be written while the folder goes.
    with tempfile.TemporaryDirectory(prefix="highband-bench-", ignore_cleanup_errors=True) as profile:
        # The sandbox can't be had as root, where Chromium would not start at all.
        alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command = [browser, *_FLAGS, *alone, f"--user-data-dir={profile}", f"http://127.0.0.1:{port}/"]
        process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )  # fmt: skip
        try:
            yield profile
        finally:
            # The command may be a script, and a browser is many processes.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _shows_panel(profile: Path) -> bool:
    try:
        return bool(debugged(profile))
    except (OSError, ValueError, IndexError, KeyError):
        return False


def debugged(profile: Path) -> dict[str, str]:
    """Return how a browser describes its page of the panel to who debugs it; nothing where it shows none."""
    port = int((profile / "DevToolsActivePort").read_text().split()[0])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", "/json/list")
    found: list[dict[str, str]] = json.loads(connection.getresponse().read())
    return next((one for one in found if one["title"] == "Highband"), {})


def _wait(holds: Callable[[], bool], why: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise BenchError(why)
        time.sleep(0.1)


def _table(turns: Sequence[Turn], without: Turn, beside: Turn) -> Table:
    table = Table("pages", "p50", "p99", "waiting p99", "late blocks")
    for name, turn in [*((str(turn.pages), turn) for turn in turns), ("median, 0", without),
                       (f"median, {beside.pages}", beside)]:  # fmt: skip
        shares = [f"{100 * share:.1f} %" for share in (turn.p50, turn.p99, turn.waiting_p99)]
        table.add_row(name, *shares, str(turn.missed))
    return table
