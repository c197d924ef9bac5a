"""The law of ready kernels: once an engine is prepared, no knob makes the audio thread compile or load code."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own: what other tests made ready would hide it.
_SCRIPT = """
import gc
import numpy as np
from numba.core.dispatcher import Dispatcher
from models.artifact.load import load_extender
from plugin_host.chain.chain import Chain
from plugin_host.chain.dry_wet import MATCH
from plugin_host.chain.loudness_match import LoudnessMatch
from plugin_host.engine.engine import Engine
from plugin_host.settings.store import SettingsStore

chain = Chain([], load_extender("live"), [])
chain.compare_by(LoudnessMatch())
store = SettingsStore([*chain.controls, MATCH])
store.request("crossover", 6000.0, "test")
engine = Engine(chain, store)
engine.prepare(48000, 2, 2048)
kernels = [one for one in gc.get_objects() if issubclass(type(one), Dispatcher)]

def known():
    return {f"{one.py_func.__module__}.{one.py_func.__qualname__}": list(one.signatures) for one in kernels}

before = known()
moves = [
    ("crossover", 8000.0), ("crossover", 0.0), ("width", 0.0), ("bypass", 1.0), ("bypass", 0.0), ("delta", 1.0),
    ("crossover", 19999.0), ("tone", 50), ("amount", -3), ("drive", 6), ("compare.match", 1.0), ("crossover", 3000),
]
for block in (128, 512):
    sound = 0.1 * np.random.default_rng(0).standard_normal((block, 2)).astype(np.float32)
    out = np.zeros_like(sound)
    for knob, value in moves:
        store.request(knob, value, "test")
        for _ in range(max(4, 4096 // block)):
            engine.callback(sound, out)
assert engine.take_error() is None and len(before) > 20
late = {name: signatures for name, signatures in known().items() if signatures != before[name]}
print(sorted(late))
"""


def test_a_knob_makes_no_kernel_late() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "[]"
