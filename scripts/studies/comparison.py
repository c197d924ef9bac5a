"""The comparison of learned exciters: same recordings, same budget, same clips, one table.

`python -m scripts.studies.comparison OUT.json [RUNS]` judges sinc, the shipped `live` extender and every run
`runs/learned-*.toml` that has been trained, on split valid, and measures how white each excitation is.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dsp.exciter import noise_table
from models import training
from models.atomic_write import write_atomically
from models.training.data import corpus
from models.training.data.corpus import Clip
from models.training.data.lowpass import resample_to
from models.training.evaluation.evaluate import (
    SINC,
    Audio,
    System,
    artifact_systems,
    edge_hz,
    scores,
    settle_arithmetic,
)
from models.training.evaluation.scorecard import Row, Score, rows, table, without_nan
from models.training.exciter.run import WaveformRun, read_waveform_run
from models.training.exciter.train import LAST, trained
from models.training.metrics import RATE
from models.training.predictor.export import load_predictor
from scripts.studies import learned_system
from scripts.studies.learned_system import LearnedSystem, costs

RATES = (8000, 16000)
SECONDS = 2.0
DSP = "DSP exciter + LTV"
NOISE = "white noise"
_RUNS = Path(training.__file__).parent / "runs"
# In the order of the table: what it is, and the run that trains it.
SYSTEMS: Mapping[str, str] = {
    "SEANet": "learned-seanet",
    "SEANet + LTV": "learned-seanet-ltv",
    "SEANet + LTV, no feature loss": "learned-seanet-ltv-plain",
    "SEANet + LTV, noise as well": "learned-seanet-ltv-noise",
    "SEANet-2": "learned-seanet2",
    "SEANet-2 + LTV": "learned-seanet2-ltv",
    "WaveNet (HiFi-GAN)": "learned-wavenet",
    "HiFi-GAN-2": "learned-hifigan2",
    "HiFi-GAN-2 + LTV": "learned-hifigan2-ltv",
}


def learned_systems(folder: Path) -> dict[str, tuple[LearnedSystem, WaveformRun, int]]:
    """Return those systems that have been trained, by name, with their runs and steps."""
    results = {}
    predictor, config = load_predictor("live")
    for name, run_name in SYSTEMS.items():
        run = read_waveform_run(_RUNS / f"{run_name}.toml")
        if (folder / run.name / LAST).exists():
            extender, step = trained(run, folder)
            results[name] = (LearnedSystem(extender, predictor, config.window_fall), run, step)
    return results


def compared(
    clips: Sequence[Clip], systems: Mapping[str, System], seconds: float = SECONDS, visqol: bool = True
) -> tuple[list[Score], dict[str, float]]:
    """Judge systems on clips.

    Returns:
        The scores, and each system's real-time factor: seconds of sound restored in a second, on one thread.
    """
    clocks = {name: _Clock(system) for name, system in systems.items()}
    results: list[Score] = []
    console = Console()
    for clip in track(clips, "judging", console=console, transient=True, disable=not console.is_terminal):
        results += scores([clip], clocks, RATES, seconds, visqol)
    return results, {name: round(clock.factor(), 2) for name, clock in clocks.items()}


def flatness(systems: Mapping[str, LearnedSystem], clips: Sequence[Clip], seconds: float = SECONDS) -> dict[str, float]:
    """Return the mean spectral flatness of each system's excitation above the crossover, 0..1.

    A baseline's excitation is the band itself, so its flatness is that of the sound. White noise stands beside them.
    """
    noise = torch.from_numpy(noise_table())[None]
    results: dict[str, list[float]] = {name: [] for name in [NOISE, *systems]}
    for clip in clips:
        clean = corpus.clean_48k(clip, seconds)
        for rate in RATES:
            degraded = resample_to(clean, RATE, rate)
            edge = edge_hz(degraded, RATE)
            results[NOISE].append(learned_system.flatness(noise, edge, clip.trusted_hz))
            for name, system in systems.items():
                results[name].append(system.flatness(degraded, edge, clip.trusted_hz))
    return {name: round(float(np.mean(values)), 4) for name, values in results.items()}


class _Clock:
    """A system and the processor time that it takes."""

    def __init__(self, system: System) -> None:
        self._system, self._sounded, self._worked = system, 0.0, 0.0

    def __call__(self, degraded: Audio, rate: int) -> Audio:
        begun = time.process_time()
        restored = self._system(degraded, rate)
        self._worked += time.process_time() - begun
        self._sounded += degraded.size / rate
        return restored

    def factor(self) -> float:
        return self._sounded / max(self._worked, 1e-9)


def summary(
    results: Sequence[Score],
    factors: Mapping[str, float],
    flat: Mapping[str, float],
    learned: Mapping[str, tuple[LearnedSystem, WaveformRun, int]],
) -> dict[str, Any]:
    """Return everything there is to say of the comparison, as plain data."""
    systems: dict[str, Any] = {}
    for name, factor in factors.items():
        systems[name] = {"real_time_factor": factor, "latency_samples": 0, "flatness": flat.get(name)}
        if name in learned:
            system, run, step = learned[name]
            cost = costs(system)
            systems[name] |= {
                "weights": cost.exciter,
                "predictor_weights": cost.predictor,
                "block_ms": cost.block_ms,
                "run": f"models/training/runs/{run.name}.toml",
                "seed": run.seed,
                "steps": step,
                "seconds_of_audio": round(step * run.rows * run.seconds),
            }
    white = {"white_noise_flatness": flat.get(NOISE)}
    return {"format": 1, **white, "systems": systems, "rows": [_plain(row) for row in rows(results)]}


def _plain(row: Row) -> dict[str, Any]:
    values = asdict(row)
    del values["median"]
    values["mean"] = {name: None if np.isnan(value) else round(value, 3) for name, value in row.mean.items()}
    return values


def chosen(folder: Path) -> list[Clip]:
    """Return the clips of split valid that reach as high as what was trained on."""
    return [
        clip
        for clip in corpus.clips(folder, "valid")
        if clip.category != "environment" and clip.trusted_hz >= min(16000.0, RATE / 2)
    ]


def cost_table(systems: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return what the systems cost, as a table for people."""
    drawn = Table("system", "weights", "real-time factor", "ms a block", "latency, samples", "flatness")
    for name, values in systems.items():
        keys = ("weights", "real_time_factor", "block_ms", "latency_samples", "flatness")
        cells = (values.get(key) for key in keys)
        drawn.add_row(name, *("-" if cell is None else f"{cell:,}" for cell in cells))
    return drawn


def main(out: Path, folder: Path = Path("runs")) -> None:
    """Run the comparison, print the tables and write its figures."""
    settle_arithmetic()
    learned = learned_systems(folder)
    systems: dict[str, System] = {SINC: lambda degraded, rate: degraded, DSP: artifact_systems(["live"])["live"]}
    systems |= {name: system for name, (system, _, _) in learned.items()}
    clips = chosen(corpus.DEFAULT_FOLDER)
    results, factors = compared(clips, systems)
    flat = flatness({name: system for name, (system, _, _) in learned.items()}, clips)
    content = summary(results, factors, flat, learned)
    live, _ = load_predictor("live")
    content["systems"][DSP]["predictor_weights"] = sum(weight.numel() for weight in live.parameters())
    content |= {"split": "valid", "seconds": SECONDS, "digest": corpus.digest(clips)}
    console = Console()
    console.print(table(rows(results)))
    console.print(cost_table(content["systems"]))
    write_atomically(out, (json.dumps(without_nan(content), indent=1, allow_nan=False) + "\n").encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(Path(name) for name in sys.argv[2:3]))
