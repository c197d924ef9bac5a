"""Turn a knob on the engine's side, as the panel does, while Ardour rolls, and print the automation that it records.

    python -m scripts.studies.ardour_records [--rate 48000]

By LV2, in Touch mode, without a window; needs what `scripts.studies.ardour_export` needs. A VST3 plug-in's gestures
come by a timer of the host's windows, so they can't be recorded without one. The status is 1 if a turn is missing or is
not recorded within 100 ms of Ardour's own time: Ardour says before and after each turn which sample it plays.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from models.extender.controls import CONTROLS
from plugin_host.bench.plugin import own_engine
from plugin_host.control.client import Client
from plugin_host.plugin.build import build
from plugin_host.plugin.bundles import install
from plugin_host.plugin.instances import control_address, instances
from plugin_host.plugin.lv2_ports import fixed_ports
from plugin_host.plugin.product import PluginError, find_product
from scripts.studies.ardour_export import INSTALLED, environment

PATIENCE_S, VALUES = 60.0, (-6.0, -3.0, -9.0)
# A turn is played with the block after the next, and the panel's way takes a moment.
MOST_LATE_S = 0.1
SCRIPT = """
AudioEngine:set_backend("None (Dummy)", "", "")
os.execute("rm -rf '{folder}'")
local session = assert(create_session("{folder}", "records", {rate}))
local track
for made in session:new_audio_track(2, 2, nil, 1, "stem", 0, ARDOUR.TrackMode.Normal, true):iter() do track = made end
local plugin = ARDOUR.LuaAPI.new_plugin(session, "urn:highband:highband", ARDOUR.PluginType.LV2, "")
assert(not plugin:isnil(), "Ardour does not find the plug-in")
track:add_processor_by_index(plugin, 0, nil, true)
local parameter = Evoral.Parameter(ARDOUR.AutomationType.PluginAutomation, 0, {port})
local control = plugin:to_automatable():automation_control(parameter, true)
control:set_automation_state(ARDOUR.AutoState.Touch)
session:request_roll(ARDOUR.TransportRequestSource.TRS_UI)
for line in io.lines() do
    if line == "end" then break end
    print(session:transport_sample())
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

    def __init__(self, home: Path, rate: int) -> None:
        # Behind the audio ports; as the plug-in's own index.
        knobs = [control.id for control in CONTROLS if control.id != "bypass"]
        port = 4 + len(list(fixed_ports())) + knobs.index("amount")
        script = home / "records.lua"
        script.write_text(SCRIPT.format(folder=home / "session", rate=rate, port=port), encoding="utf-8")
        self._process = subprocess.Popen(
            [INSTALLED / "luasession", script], env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def ask(self, word: str) -> str:
        """Write a line and return the next one."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def end(self) -> list[tuple[int, float]]:
        """Stop, and return what was recorded: samples and values."""
        lines, line = [], self.ask("end")
        assert self._process.stdout is not None
        while line and line != "done":
            lines.append(line.split())
            line = self._process.stdout.readline().strip()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return [(int(words[1]), float(words[2])) for words in lines if words[:1] == ["event"]]


def main() -> int:
    """Record and print; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=int, default=48000)
    options = parser.parse_args()
    product = find_product()
    with tempfile.TemporaryDirectory() as folder, own_engine():
        home = Path(folder)
        install(product, build(product), ("lv2",), home)
        rolling = Rolling(home, options.rate)
        address = wait_for_instance(rolling)
        moments = []
        with Client(address) as client:
            for value in VALUES:
                before = int(rolling.ask("where"))
                client.set("amount", value)
                moments.append((value, before, int(rolling.ask("where"))))
                time.sleep(1.0)
        recorded = rolling.end()
    held = [report(recorded, options.rate, *moment) for moment in moments]
    return 0 if all(held) else 1


def wait_for_instance(rolling: Rolling) -> str:
    """Return where the plug-in is controlled, as soon as an engine plays it."""
    end = time.monotonic() + PATIENCE_S
    while True:
        rolling.ask("where")
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
    late_s = (samples[0] - before) / rate
    print(
        f"{value:g} dB, turned at sample {before} to {after}: recorded at {samples[0]}, {1000 * late_s:.0f} ms behind"
    )
    return before <= samples[0] <= after + MOST_LATE_S * rate


if __name__ == "__main__":
    sys.exit(main())
