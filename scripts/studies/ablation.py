"""Ablation: what each part of the extender is worth, on the same clips and by the same measures in one run.

`python -m scripts.studies.ablation [OUT.json]` judges the shipped artifacts with one thing
changed at a time, the exact envelope as a ceiling, and whatever runs `runs/ablation-*.toml` have been trained, on
split valid.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track

from models import training
from models.artifact.load import load_extender
from models.extender import controls as knobs
from models.extender.extender import Extender
from models.predictor.kernel import KernelInference
from models.predictor.network import Predictor
from models.stage import Block
from models.training.checkpoint import averaged_weights
from models.training.data import corpus
from models.training.evaluation.evaluate import System, restore, scores, settle_arithmetic
from models.training.evaluation.scorecard import Score, rows, table, write
from models.training.predictor.run import read_run
from scripts.studies.oracle import exact_extender

RATES = (8000, 16000, 24000)
SECONDS = 6.0
_CLIPS_A_CATEGORY = 6
_RUNS = Path(training.__file__).parent / "runs"


def variants(clean: Block, trained: Mapping[str, Extender]) -> dict[str, System]:
    """Return the systems of the comparison for one clean recording, by name."""
    live, studio = trained["live"], trained["studio"]
    systems: dict[str, System] = {"sinc": lambda degraded, rate: degraded}
    systems |= {f"{name}: as shipped": _system(extender) for name, extender in trained.items()}
    systems |= {
        "live: noise only": _system(live, tone=-100.0),
        "live: harmonics only": _system(live, tone=100.0),
        "live: harmonics only, not whitened": _system(_changed(live, whiten=False), tone=100.0),
        "live: translation only": _system(_changed(live, exciter="translation"), tone=100.0),
        "live: translation only, not whitened": _system(
            _changed(live, exciter="translation", whiten=False), tone=100.0
        ),
        "live: translation beside noise": _system(_changed(live, exciter="translation")),
        "exact envelope, no look-ahead": _exact(live, clean),
        "exact envelope, look-ahead": _exact(studio, clean),
        "exact envelope, noise only": _exact(studio, clean, tone=-100.0),
        "exact envelope, 32 bands": _exact(studio, clean, 2),
        "exact envelope, 16 bands": _exact(studio, clean, 4),
    }
    return systems


def short_runs(folder: Path = Path("runs")) -> dict[str, Extender]:
    """Return the extenders of those `ablation-*.toml` runs that have been trained to their end."""
    results = {}
    for file in sorted(_RUNS.glob("ablation-*.toml")):
        run, checkpoint = read_run(file), folder / file.stem / "last.safetensors"
        if checkpoint.exists():
            weights, step = averaged_weights(checkpoint)
            predictor = Predictor(run.extender().predictor)
            predictor.load_state_dict(weights)
            size = sum(weight.numel() for weight in predictor.parameters()) // 1000
            inference = KernelInference(predictor.config, predictor.arrays())
            results[f"{run.name} ({size} k, {step} steps)"] = Extender(run.extender(), inference)
    return results


def _changed(extender: Extender, **fields: object) -> Extender:
    config = replace(extender.config, **fields)  # type: ignore[arg-type]
    return Extender(config, copy(extender.predictor), copy(extender.network), extender.fine)


def _system(extender: Extender, **settings: float) -> System:
    return partial(restore, extender, settings={**knobs.defaults(), **settings})


def _exact(extender: Extender, clean: Block, merge: int = 1, **settings: float) -> System:
    """Return a system that predicts the truth from the start at each call."""
    values = {**knobs.defaults(), **settings}
    return lambda degraded, rate: restore(exact_extender(extender, clean, merge), degraded, rate, values)


def main(out: Path | None = None) -> None:
    """Run the comparison, print the table and write its figures."""
    settle_arithmetic()
    console = Console()
    trained = {name: load_extender(name) for name in ("live", "studio")}
    extra = {name: _system(extender) for name, extender in short_runs().items()}
    every = corpus.clips(corpus.DEFAULT_FOLDER, "valid")
    chosen = [c for kind in ("speech", "instrument", "music_mix") for c in every if c.category == kind]
    kinds = {
        kind: [c for c in chosen if c.category == kind][:_CLIPS_A_CATEGORY] for kind in {c.category for c in chosen}
    }
    results: list[Score] = []
    clips = [clip for kind in sorted(kinds) for clip in kinds[kind]]
    for clip in track(clips, "judging", console=console, transient=True, disable=not console.is_terminal):
        systems = {**variants(corpus.clean_48k(clip, SECONDS), trained), **extra}
        results += scores([clip], systems, RATES, SECONDS, visqol=False)
    summary = rows(results)
    console.print(table(summary))
    if out is not None:
        write(out, results, summary, {"split": "valid", "seconds": SECONDS, "digest": corpus.digest(clips)})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
