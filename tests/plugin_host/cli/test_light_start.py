"""Laws of a light start: what plays does so without torch and ONNX Runtime, which take seconds to load.

A command whose files are rendered by other processes does without what renders, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[3]
# One process runs them all, the lightest first, and writes what each has loaded so far.
PROGRAM = """
import json, sys
from plugin_host.cli.main import main
loaded, heavy = {}, sys.argv[2:]
for name, words in json.loads(sys.argv[1]).items():
    sys.argv = ["highband", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, name
    loaded[name] = sorted(set(heavy) & set(sys.modules))
print(json.dumps(loaded))
"""
COMMANDS = {
    "render": ["render", "in.wav", "-o", "out.wav", "--artifact", "live"],
    "verify": ["verify", "in.wav", "--artifact", "live", "--blocks", "128"],
    "demo": ["demo", "-o", "demo", "--artifact", "live"],
    "live": ["live", "--control", "off", "--device", "file:in.wav,out.wav", "--fast"],
    "check": ["check", "live", "--level", "1"],
}


def loaded_by(commands: dict[str, list[str]], heavy: set[str], folder: Path) -> dict[str, list[str]]:
    """Return which of the heavy modules a process has loaded after each command."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands), *heavy], cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "XDG_STATE_HOME": str(folder)}, capture_output=True, text=True,
        timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return loaded


def write(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal((4800, 2)), 48000)


def test_what_plays_does_so_without_torch(tmp_path: Path) -> None:
    write(tmp_path / "in.wav")
    assert loaded_by(COMMANDS, {"torch", "onnxruntime"}, tmp_path) == {name: [] for name in COMMANDS}


def test_a_command_with_workers_does_without_what_renders(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write(tmp_path / "in" / f"{name}.wav")
    words = ["render", "in", "-o", "out", "--artifact", "live", "--loudness", "-20", "--jobs"]
    commands = {"workers": [*words, "2"], "alone": [*words, "1", "--overwrite"]}
    loaded = loaded_by(commands, {"numba", "numpy", "soundfile", "dsp.compile"}, tmp_path)
    assert loaded == {"workers": [], "alone": ["dsp.compile", "numba", "numpy", "soundfile"]}
