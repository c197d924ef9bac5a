"""Turn a knob on the engine's side, as the panel does, while Ardour rolls, and print the automation that it records.

    python -m scripts.studies.ardour_records [--rate 48000]

By VST3 and LV2, in Touch mode, without a window; needs what `scripts.studies.ardour_export` needs. The status is 1 if a
turn is missing or is not recorded within 100 ms of Ardour's own time: Ardour says before and after each turn which
sample it plays.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from plugin_host.bench.plugin import own_engine
from plugin_host.control.client import Client
from plugin_host.plugin.instances import control_address, instances
from plugin_host.plugin.lv2_ports import fixed_ports
from plugin_host.plugin.product import PluginError
from scripts.studies.ardour_export import INSTALLED, NAMES, environment, install_plugins, knob_place, write_script

PATIENCE_S, VALUES = 60.0, (-6.0, -3.0, -9.0)
# A turn is played with the block after the next, and the panel's way takes a moment.
MOST_LATE_S = 0.1
# In samples: Ardour keeps automation in beats.
ROUNDING = 16
ROLL = """
local parameter = Evoral.Parameter(ARDOUR.AutomationType.PluginAutomation, 0, {port})
local control = plugin:to_automatable():automation_control(parameter, true)
control:set_automation_state(ARDOUR.AutoState.Touch)
session:request_roll(ARDOUR.TransportRequestSource.TRS_UI)
for line in io.lines() do
    if line == "end" then break end
    print("sample", session:transport_sample())
    io.flush()
end
session:request_stop(false, false, ARDOUR.TransportRequestSource.TRS_UI)
sleep(1)
for event in control:alist():list():events():iter() do print("event", event.when:samples(), event.value) end
print("done")
io.flush()
session, track, plugin, control, parameter = nil, nil, nil, nil, nil
close_session()
quit()
"""


class Rolling:
    """Ardour, which rolls until it is asked for what it has recorded."""

    def __init__(self, home: Path, kind: str, rate: int) -> None:
        port = knob_place(kind, "amount")
        if kind == "LV2":
            # All ports are counted, the audio ones first.
            port += 4 + len(list(fixed_ports()))
        script = write_script(home, kind, ROLL, folder=home / kind, rate=rate, port=port)
        self._process = subprocess.Popen(
            [INSTALLED / "luasession", script], env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def where(self) -> int:
        """Return which sample plays."""
        self._write("where")
        return int(next(words[1] for words in self._lines() if words[:1] == ["sample"]))

    def end(self) -> list[tuple[int, float]]:
        """Stop, and return what was recorded: samples and values."""
        self._write("end")
        recorded = [(int(words[1]), float(words[2])) for words in self._lines() if words[:1] == ["event"]]
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return recorded

    def _write(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def _lines(self) -> Iterator[list[str]]:
        """Yield the words of what Ardour prints, among which are lines of its own, until it is done."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line == "done\n":
                return
            yield line.split()


def main() -> int:
    """Record and print; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=int, default=48000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, own_engine():
        home = Path(folder)
        install_plugins(home)
        held = [record(home, kind, options.rate) for kind in NAMES]
    return 0 if all(held) else 1


def record(home: Path, kind: str, rate: int) -> bool:
    """Turn the knob while Ardour rolls, print a line for each turn, and return whether all were recorded."""
    rolling, moments = Rolling(home, kind, rate), []
    with Client(wait_for_instance(rolling)) as client:
        for value in VALUES:
            before = rolling.where()
            client.set("amount", value)
            moments.append((value, before, rolling.where()))
            time.sleep(1.0)
    recorded = rolling.end()
    print(kind)
    held = [report(recorded, rate, *moment) for moment in moments]
    return all(held)


def wait_for_instance(rolling: Rolling) -> str:
    """Return where the plug-in is controlled, as soon as an engine plays it."""
    end = time.monotonic() + PATIENCE_S
    while True:
        rolling.where()
        try:
            (instance,) = instances()
            return control_address(instance.name)
        except (PluginError, ValueError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def report(recorded: list[tuple[int, float]], rate: int, value: float, before: int, after: int) -> bool:
    """Print when a turn was made and recorded, and return whether that is the same moment."""
    samples = [sample for sample, shown in recorded if abs(shown - value) < 1e-5]
    if not samples:
        print(f"{value:g} dB, turned at sample {before} to {after}: not recorded")
        return False
    late_ms = 1000 * max(0, samples[0] - before) / rate
    print(f"{value:g} dB, turned at sample {before} to {after}: recorded at {samples[0]}, {late_ms:.0f} ms behind")
    return before - ROUNDING <= samples[0] <= after + MOST_LATE_S * rate


if __name__ == "__main__":
    sys.exit(main())
