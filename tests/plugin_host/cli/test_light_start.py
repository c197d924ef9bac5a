"""Law of a light start: whatever plays does so without torch and without ONNX Runtime, which take seconds to load."""

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
loaded = {}
for name, words in json.loads(sys.argv[1]).items():
    sys.argv = ["highband", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, name
    loaded[name] = sorted({"torch", "onnxruntime"} & set(sys.modules))
print(json.dumps(loaded))
"""
COMMANDS = {
    "render": ["render", "in.wav", "-o", "out.wav", "--artifact", "live"],
    "verify": ["verify", "in.wav", "--artifact", "live", "--blocks", "128"],
    "demo": ["demo", "-o", "demo", "--artifact", "live"],
    "live": ["live", "--control", "off", "--device", "file:in.wav,out.wav", "--fast"],
    "check": ["check", "live", "--level", "1"],
}


def test_what_plays_does_so_without_torch(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", 0.1 * np.random.default_rng(0).standard_normal((4800, 2)), 48000)
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(COMMANDS)], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, "XDG_STATE_HOME": str(tmp_path)}, capture_output=True, text=True,
        timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {name: [] for name in COMMANDS}
