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

from models.extender.controls import CONTROLS
from plugin_host.bench.plugin import own_engine
from plugin_host.control.client import Client
from plugin_host.plugin.build import build
from plugin_host.plugin.bundles import install
from plugin_host.plugin.instances import control_address, instances
from plugin_host.plugin.lv2_ports import fixed_ports
from plugin_host.plugin.product import PluginError, find_product
from scripts.studies.ardour_export import INSTALLED, environment, run

NAMES = {"VST3": "Highband", "LV2": "urn:highband:highband"}
PATIENCE_S, VALUES = 60.0, (-6.0, -3.0, -9.0)
# A turn is played with the block after the next, and the panel's way takes a moment.
MOST_LATE_S = 0.1
# In samples: Ardour keeps automation in beats.
ROUNDING = 16
SCRIPT = """
AudioEngine:set_backend("None (Dummy)", "", "")
os.execute("rm -rf '{folder}'")
local session = assert(create_session("{folder}", "records", {rate}))
local track
for made in session:new_audio_track(2, 2, nil, 1, "stem", 0, ARDOUR.TrackMode.Normal, true):iter() do track = made end
local plugin = ARDOUR.LuaAPI.new_plugin(session, "{plugin}", ARDOUR.PluginType.{kind}, "")
assert(not plugin:isnil(), "Ardour does not find the plug-in")
track:add_processor_by_index(plugin, 0, nil, true)
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
        knobs = [control.id for control in CONTROLS if kind == "VST3" or control.id != "bypass"]
        words = {"plugin": NAMES[kind], "kind": kind, "rate": rate, "port": knobs.index("amount")}
        if kind == "LV2":
            # All ports are counted, the audio ones first.
            words["port"] = 4 + len(list(fixed_ports())) + knobs.index("amount")
        script = home / f"{kind}.lua"
        script.write_text(SCRIPT.format(folder=home / kind, **words), encoding="utf-8")
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
    product = find_product()
    with tempfile.TemporaryDirectory() as folder, own_engine():
        home = Path(folder)
        bundles = install(product, build(product), tuple(kind.lower() for kind in NAMES), home)
        # A scan counts only if it is a second younger than the plug-in.
        time.sleep(1.1)
        run(home, INSTALLED / "ardour-vst3-scanner", "-f", bundles[0])
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
