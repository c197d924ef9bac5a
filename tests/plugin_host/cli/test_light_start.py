"""Law of a light start: whatever plays does so without torch and without ONNX Runtime, which take seconds to load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from plugin_host.cli.main import main
sys.argv[0] = "highband"
try:
    main()
except SystemExit as end:
    code = end.code
print("loaded:", *sorted({"torch", "onnxruntime"} & set(sys.modules)))
sys.exit(code)
"""
COMMANDS = {
    "render": ["render", "in.wav", "-o", "out.wav", "--artifact", "live"],
    "verify": ["verify", "in.wav", "--artifact", "live", "--blocks", "128"],
    "demo": ["demo", "-o", "demo", "--artifact", "live"],
    "live": ["live", "--control", "off", "--device", "file:in.wav,out.wav", "--fast"],
    "check": ["check", "live", "--level", "1"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_it_plays_without_torch(tmp_path: Path, command: str) -> None:
    soundfile.write(tmp_path / "in.wav", 0.1 * np.random.default_rng(0).standard_normal((4800, 2)), 48000)
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *COMMANDS[command]], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, "XDG_STATE_HOME": str(tmp_path)}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].strip() == "loaded:"
