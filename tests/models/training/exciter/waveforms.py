"""A tiny corpus and a tiny run: what the laws of training on waveforms are stated with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from models.training.data import corpus
from models.training.data.corpus import Clip
from models.training.exciter.run import WaveformRun

RATE = 48000
_MANIFEST = """\
path,source,licence,speaker,split,sample_rate,seconds,true_bandwidth_hz,category,language,channels,lossy_source,brickwall_hz
a.wav,Here,CC0,nobody,train,48000,1.0,20000,speech,en,1,,
b.wav,Here,CC0,nobody,train,44100,1.0,18000,instrument,,2,,
low.wav,Here,CC0,nobody,train,48000,1.0,9000,speech,en,1,,
c.wav,Here,CC0,nobody,valid,48000,1.0,20000,speech,en,1,,
d.wav,Here,CC0,nobody,valid,48000,1.0,20000,instrument,,1,,
"""


def tiny_corpus(folder: Path) -> list[Clip]:
    """Write a second of coloured noise and tones for each clip of the manifest, and return the clips."""
    (folder / "MANIFEST.csv").write_text(_MANIFEST)
    rng = np.random.default_rng(5)
    for name, rate, channels in (("a", 48000, 1), ("b", 44100, 2), ("low", 48000, 1), ("c", 48000, 1), ("d", 48000, 1)):
        time = np.arange(rate) / rate
        order = np.arange(1, 60)[:, None]
        tones = (np.sin(2 * np.pi * 220 * order * time) / order).sum(0)
        sound = 0.05 * tones[:, None] + 0.02 * rng.normal(size=(rate, channels))
        soundfile.write(folder / f"{name}.wav", sound, rate)
    return corpus.clips(folder)


def tiny_run(**differs: object) -> WaveformRun:
    """Return a run of a few steps on a small network."""
    values: dict[str, object] = {
        "kind": "waveform", "name": "tiny", "network": "seanet", "filtered": True, "conditioned": True, "seconds": 0.15,
        "sizes": {"inputs": 2, "channels": (2, 3, 4), "strides": (2, 8), "dilations": (1,)}, "steps": 4, "alone": 1,
        "rows": 2, "save_every": 2, "listen_every": 4, "critics": ("amplitude",), "warm_up": 1,
        "degradation": {"cutoff_low_hz": 4000.0, "cutoff_high_hz": 8000.0, "kinds": {"sinc": 1.0}},
    }  # fmt: skip
    return WaveformRun.model_validate({**values, **differs})
