"""Export a stem from Ardour through the plug-in, by VST3 and by LV2, and compare it with the render.

    python -m scripts.studies.ardour_export [--rate 48000] [--seconds 4] [--keep FOLDER]

Needs the Debian package `ardour` (7.3 was tried) and what `highband plugin doctor` names. Ardour runs without a window:
a Lua script makes a session with the plug-in on a track, the stem is written into the session's file, and Ardour's own
command exports it twice. Ardour aborts now and then by itself, also without plug-ins, so each step is tried again up to
five times. The status is 1 if an export differs by more than 1e-6 from the render or from the other, whose blocks are
cut elsewhere: Ardour begins at any sample of its pre-roll.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from models.extender.controls import CONTROLS, defaults
from models.stage import Block
from plugin_host.bench.plugin import own_engine
from plugin_host.chain.program import build as build_sound
from plugin_host.plugin.build import build
from plugin_host.plugin.bundles import install
from plugin_host.plugin.lv2_ports import fixed_ports
from plugin_host.plugin.product import find_product
from plugin_host.render.render import render_samples

INSTALLED, SHARED = Path("/usr/lib/ardour7"), Path("/usr/share/ardour7")
CROSSOVER_HZ, TOLERANCE, TRIES = 6000.0, 1e-6, 5
# Ardour counts time in these a second.
SUPERCLOCK = 282_240_000
# By which Ardour finds the plug-in in each format.
NAMES = {"VST3": "Highband", "LV2": "urn:highband:highband"}
# A session with the plug-in on a stereo track.
BEGIN = """
AudioEngine:set_backend("None (Dummy)", "", "")
os.execute("rm -rf '{folder}'")
local session = assert(create_session("{folder}", "song", {rate}))
local track
for made in session:new_audio_track(2, 2, nil, 1, "stem", 0, ARDOUR.TrackMode.Normal, true):iter() do track = made end
local plugin = ARDOUR.LuaAPI.new_plugin(session, "{plugin}", ARDOUR.PluginType.{kind}, "")
assert(not plugin:isnil(), "Ardour does not find the plug-in")
track:add_processor_by_index(plugin, 0, nil, true)
"""
KEEP = """
assert(ARDOUR.LuaAPI.set_processor_param(plugin, {place}, {value}))
sleep(0.5)
print("latency " .. plugin:to_insert():signal_latency())
session:save_state("")
session, track, plugin = nil, nil, nil
close_session()
quit()
"""
SOURCE = '<Source name="{name}" type="audio" flags="" id="{id}" channel="0" origin="" gain="1"/>'
REGION = (
    '<Region name="stem" id="910" type="audio" start="a0" length="a{length}@a0" scale-amplitude="1" opaque="1" '
    'channels="2" first-edit="nothing" fade-in-active="0" fade-out-active="0" envelope-active="0" '
    'master-source-0="900" master-source-1="901" source-0="900" source-1="901"/>'
)
LOCATION = '<Location id="920" name="session" start="a0" end="a{length}" flags="IsSessionRange" locked="0"/>'


def main() -> int:
    """Export in both formats and print a line each; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=int, default=48000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--keep", type=Path, help="an empty folder that keeps sessions and exports")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, own_engine():
        home = (options.keep or Path(folder)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        install_plugins(home)
        sound = stem(options.seconds, options.rate)
        held = [compare(home, kind, sound, options.rate) for kind in NAMES]
    return 0 if all(held) else 1


def install_plugins(home: Path) -> None:
    """Install the plug-in in both formats, and let Ardour find it."""
    product = find_product()
    bundles = install(product, build(product), tuple(kind.lower() for kind in NAMES), home)
    # A scan counts only if it is a second younger than the plug-in.
    time.sleep(1.1)
    run(home, INSTALLED / "ardour-vst3-scanner", "-f", bundles[0])


def write_script(home: Path, kind: str, rest: str, **words: object) -> Path:
    """Write a script that makes a session with the plug-in and goes on with the rest; return its file."""
    script = home / f"{kind}.lua"
    script.write_text((BEGIN + rest).format(plugin=NAMES[kind], kind=kind, **words), encoding="utf-8")
    return script


def knob_place(kind: str, knob: str) -> int:
    """Return which of the plug-in's knobs one is; LV2 has a port of its own kind for bypass."""
    return [control.id for control in CONTROLS if kind == "VST3" or control.id != "bypass"].index(knob)


def stem(seconds: float, rate: int) -> Block:
    """Return lines below the crossover, every channel another, in bursts."""
    time_s = np.arange(int(seconds * rate)) / rate
    rows = [
        sum(np.sin(2 * np.pi * (180.0 + 25 * row) * k * time_s + k * k) / k for k in range(1, 29)) for row in range(2)
    ]
    sound: Block = (0.1 * np.stack(rows) * (0.3 + 0.7 * (time_s % 0.7 < 0.4))).astype(np.float32)
    return sound


def compare(home: Path, kind: str, sound: Block, rate: int) -> bool:
    """Export twice, print how far that is from the render, and return whether it holds."""
    folder, latency = make_session(home, kind, rate)
    add_stem(folder, sound, rate)
    chain = build_sound("", "live").chain
    expected = render_samples(chain, {**defaults(), "crossover": CROSSOVER_HZ}, sound, rate, block=4096)
    band, lags, placed = np.abs(expected - sound).max(), [], []
    for number in (1, 2):
        out = export(home, folder, kind, number)
        lags.append(best_lag(out, expected))
        placed.append(aligned(out, lags[-1], expected))
    difference = max(np.nanmax(np.abs(one - expected)) for one in placed)
    apart = np.nanmax(np.abs(placed[0] - placed[1]))
    print(
        f"{kind}: {latency}, lags {lags}, difference {difference:.1e} (the band itself {band:.1e}), "
        f"between both exports {apart:.1e}",
        flush=True,
    )
    return bool(max(difference, apart) <= TOLERANCE and band > 100 * TOLERANCE)


def aligned(out: Block, lag: int, expected: Block) -> Block:
    """Return an export as long as the render and without its lag, NaN where it has nothing."""
    placed = np.full_like(expected, np.nan)
    count = min(out.shape[1] - max(lag, 0), expected.shape[1] - max(-lag, 0))
    placed[:, max(-lag, 0) :][:, :count] = out[:, max(lag, 0) :][:, :count]
    return placed


def make_session(home: Path, kind: str, rate: int) -> tuple[Path, str]:
    """Make a session with the plug-in on a stereo track; returns its folder and the latency that Ardour reports."""
    folder, place = home / f"{kind}-session", knob_place(kind, "crossover")
    if kind == "LV2":
        place += sum("ControlPort" in port for port, _ in fixed_ports())
    script = write_script(home, kind, KEEP, folder=folder, rate=rate, place=place, value=CROSSOVER_HZ)
    lines = run(home, INSTALLED / "luasession", script).splitlines()
    latency = next(line for line in lines if line.startswith("latency"))
    return folder, latency


def add_stem(folder: Path, sound: Block, rate: int) -> None:
    """Put a stem on the track at the beginning of the song, which ends with it."""
    audio = folder / "interchange" / folder.name / "audiofiles"
    audio.mkdir(parents=True, exist_ok=True)
    sources = ""
    for place, row in enumerate(sound):
        name = f"stem%{'LR'[place]}.wav"
        soundfile.write(audio / name, row, rate, subtype="FLOAT")
        sources += SOURCE.format(name=name, id=900 + place)
    length = sound.shape[1] * SUPERCLOCK // rate
    path = folder / "song.ardour"
    text = path.read_text(encoding="utf-8")
    start = text.index('<Playlist id="')
    end = text.index("/>", start)
    text = f"{text[:end]}>{REGION.format(length=length)}</Playlist>{text[end + 2 :]}"
    text = text.replace("<Sources/>", f"<Sources>{sources}</Sources>")
    text = text.replace("<Locations/>", f"<Locations>{LOCATION.format(length=length)}</Locations>")
    # A panner in the middle would leave the sound as it is, but for rounding.
    path.write_text(text.replace('<PannerShell bypassed="0"', '<PannerShell bypassed="1"'), encoding="utf-8")


def export(home: Path, folder: Path, kind: str, number: int) -> Block:
    """Export the song and return it."""
    target = home / f"{kind}-{number}.wav"
    run(home, INSTALLED / "utils" / "ardour7-export", "-b", "float", "-o", target, folder, "song")
    return np.ascontiguousarray(soundfile.read(target, dtype="float32")[0].T)


def best_lag(out: Block, expected: Block) -> int:
    """Return by how many samples an export comes later than the render."""
    size = 1 << (out.shape[1] + expected.shape[1]).bit_length()
    product = np.fft.rfft(out[0], size) * np.conj(np.fft.rfft(expected[0], size))
    lag = int(np.argmax(np.fft.irfft(product)))
    return lag if lag < size // 2 else lag - size


def environment(home: Path) -> dict[str, str]:
    """Return the variables by which Ardour keeps to a home of its own and finds the plug-ins there."""
    return {
        **os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_CACHE_HOME": str(home / "cache"),
        "LV2_PATH": str(home / ".lv2"), "LD_LIBRARY_PATH": str(INSTALLED), "ARDOUR_DLL_PATH": str(INSTALLED),
        "ARDOUR_DATA_PATH": str(SHARED), "ARDOUR_CONFIG_PATH": "/etc/ardour7",
    }  # fmt: skip


def run(home: Path, *words: str | Path) -> str:
    """Run a program of Ardour's, again where it aborts or hangs, and return its output."""
    for _ in range(TRIES):
        try:
            return subprocess.run(
                list(words), env=environment(home), capture_output=True, text=True, check=True, timeout=100
            ).stdout
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"{Path(words[0]).name}: {error} {str(error.stderr)[-300:]}", file=sys.stderr)
    raise SystemExit(f"{Path(words[0]).name} has failed {TRIES} times")


if __name__ == "__main__":
    sys.exit(main())
