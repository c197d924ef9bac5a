"""Take the pictures of the panel for the README, from the running product: `python scripts/screenshots.py`.

It plays a dull clip through `highband live --panel` and looks at the page with Chromium, light, dark and on a phone.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
RATE, DULL_RATE, SECONDS = 48000, 16000, 600
PORTS = 9481, 9482, 9483
PATIENCE_S = 300.0
# Long enough to fill the spectrogram of the widest screen, which scrolls 40 pixels a second.
LISTEN_S = 30.0
# What a screen of each width shows first.
SIZES = {"": (1440, 1000), "-1024": (1024, 1000), "-phone": (390, 844)}
LOOKS: dict[str, dict[str, Any]] = {
    f"panel{size}{'-dark' * (scheme == 'dark')}": {
        "color_scheme": scheme,
        "viewport": {"width": width, "height": height},
    }
    for size, (width, height) in SIZES.items()
    for scheme in ("light", "dark")
}
# Flat surfaces need few colours, and a page of documentation small pictures.
COLOURS = 96
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def write_dull_clip(path: Path) -> None:
    """Write a bundled clip, without its upper octaves, over and over."""
    clip, rate = soundfile.read(next((ROOT / "plugin_host" / "clips").glob("*.flac")), always_2d=True, dtype="float32")
    dull = soxr.resample(soxr.resample(clip, rate, DULL_RATE), DULL_RATE, RATE)
    repeats = SECONDS * RATE // len(dull) + 1
    soundfile.write(path, np.tile(np.broadcast_to(dull[:, :1], (len(dull), 2)), (repeats, 1)), RATE)


def start_host(folder: Path, artifact: str | None, preset: str) -> subprocess.Popen[bytes]:
    """Start the product on the dull clip."""
    addresses = [f"tcp://127.0.0.1:{port}" for port in PORTS[:2]]
    command = [
        sys.executable,
        "-m",
        "plugin_host.cli.main",
        "live",
        "--device",
        "file:dull.wav,out.wav",
        "--block",
        "1024",
    ]
    command += ["--control", addresses[0], "--telemetry", addresses[1], "--panel", "--panel-port", str(PORTS[2])]
    command += ["--preset", preset, *(["--artifact", artifact] if artifact else [])]
    return subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)})


def wait_for_page() -> None:
    """Wait until the panel answers."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORTS[2], timeout=5.0)
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        except OSError:
            if time.monotonic() > end:
                raise SystemExit("the panel did not answer; look at what highband live says") from None
            time.sleep(0.3)


def take(browser: Browser, folder: Path) -> None:
    """Open the page in every look in turn, let it listen, and write the pictures."""
    for name, look in LOOKS.items():
        page = browser.new_context(**look).new_page()
        page.on("console", lambda message: print(message.type, message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: print("page error", error))
        page.goto(f"http://127.0.0.1:{PORTS[2]}/")
        page.get_by_role("slider", name="Amount", exact=True).wait_for(timeout=PATIENCE_S * 1000.0)
        page.wait_for_timeout(LISTEN_S * 1000.0)
        path = folder / f"{name}.png"
        page.screenshot(path=path, timeout=PATIENCE_S * 1000.0)
        with Image.open(path) as picture:
            small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
        page.context.close()


def main() -> None:
    """Start everything, take the pictures, end everything."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--artifact", help="Trained model by name or folder; by default the shipped live one.")
    options.add_argument("--preset", default="phone-guest")
    options.add_argument("--output", type=Path, default=ROOT / "docs")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_dull_clip(Path(folder) / "dull.wav")
        host = start_host(Path(folder), chosen.artifact, chosen.preset)
        try:
            wait_for_page()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
                take(browser, chosen.output)
                browser.close()
        finally:
            host.send_signal(signal.SIGTERM)
            host.wait(PATIENCE_S)


if __name__ == "__main__":
    main()
