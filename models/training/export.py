"""Export: a trained run becomes an artifact, with its compiled graph, its proof and where it all came from."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import Tensor, nn

from dsp.bands import BAND_COUNT
from models import artifact
from models.compiled import INPUTS, OUTPUTS
from models.extender import Extender
from models.predictor import Past, Predictor
from models.proof import RATE, hear, stimulus
from models.training import corpus, metrics
from models.training.checkpoint import averaged_weights, run_of
from models.training.run_config import RunConfig, read_run

LICENCE = "GPL-3.0-or-later"
NOTE = "The weights are computed from the recordings listed here; none of them is contained."


def command(
    run_file: Path, folder: Path = Path("runs"), target: Path = artifact.FOLDER, figures: Path | None = None
) -> Path:
    """Export the last checkpoint of a run, with the figures of an evaluation if there are any; return its folder.

    Raises:
        ValueError: with a sentence, where the run is unknown or has no checkpoint.
    """
    run = read_run(run_file)
    checkpoint = folder / run.name / "last.safetensors"
    if not checkpoint.exists():
        raise ValueError(f"{checkpoint} is not there: run 'highband train {run_file}' first")
    weights, step = averaged_weights(checkpoint)
    before = [run_of(folder / run.start / "last.safetensors")] if run.start else []
    achieved = figures_of(run.name, figures) if figures else {}
    return export(run, weights, step, target / run.name, before, achieved)


def prove(name_or_path: str | Path) -> Path:
    """Hear an artifact anew and write its proof, after the program's sound was changed on purpose; return its folder.

    Raises:
        ArtifactError: with a sentence, where there is no such artifact or it can't be built.
    """
    folder = artifact.find_artifact(name_or_path)
    extender = artifact.build(folder, artifact.read_manifest(folder), "torch")
    sound = stimulus()
    save_arrays({"input": sound, "output": hear(extender, sound)}, folder / artifact.PROOF)
    (folder / artifact.PROOF).chmod(0o644)
    manifest = json.loads((folder / artifact.MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][artifact.PROOF] = hashlib.sha256((folder / artifact.PROOF).read_bytes()).hexdigest()
    partial = folder / f".{artifact.MANIFEST}.partial"
    partial.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, folder / artifact.MANIFEST)
    return folder


def figures_of(name: str, file: Path) -> dict[str, Any]:
    """Return what an evaluation's file says of an artifact: the means by category and rate."""
    content = json.loads(file.read_text(encoding="utf-8"))
    rows = [row for row in content["rows"] if Path(row["system"]).name == name]
    if not rows:
        raise ValueError(f"{file} has no figures of {name}: name the file that 'highband evaluate -a {name} -o' wrote")
    clips = f"{content['split']}, {content['source'] or 'all sources'}, {rows[0]['clips']} clips"
    told = {"lsd": "LSD", "visqol": "ViSQOL"}
    return {"judged on": clips} | {
        f"{row['category']} {row['rate'] / 1000:g} kHz {label}": _rounded(row["mean"][key])
        for row in rows
        if row["rate"] < metrics.RATE
        for key, label in told.items()
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def export(
    run: RunConfig,
    weights: dict[str, Tensor],
    step: int,
    target: Path,
    before: Sequence[tuple[dict[str, Any], int]] = (),
    achieved: Mapping[str, Any] | None = None,
) -> Path:
    """Write an artifact beside its target and put it in place whole.

    Args:
        run: The run that made the weights.
        weights: Of the predictor.
        step: How far the run had come.
        target: The artifact's folder; one that is there is replaced.
        before: Runs, with their steps, from whose weights this one started.
        achieved: Figures for the manifest.
    """
    predictor = Predictor(run.extender().predictor).eval()
    predictor.load_state_dict(weights)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file({name: value.contiguous() for name, value in predictor.state_dict().items()}, partial / artifact.WEIGHTS)
    write_graph(predictor, partial / artifact.GRAPH)
    extender = Extender(run.extender(), predictor)
    sound = stimulus()
    save_arrays({"input": sound, "output": hear(extender, sound)}, partial / artifact.PROOF)
    manifest = _manifest(run, extender, partial) | {
        "provenance": provenance(run, step, before),
        "metrics": dict(achieved or {}),
    }
    (partial / artifact.MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for file in partial.iterdir():
        # safetensors writes for its owner alone; an artifact is there to be shared.
        file.chmod(0o644)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(partial, target)
    return target


def _manifest(run: RunConfig, extender: Extender, folder: Path) -> dict[str, Any]:
    extender.prepare(RATE, 1, RATE)
    files = (artifact.WEIGHTS, artifact.GRAPH, artifact.PROOF)
    return {
        "format": artifact.FORMAT,
        "name": run.name,
        "about": run.about,
        "extender": asdict(run.extender()),
        "weights": sum(weight.numel() for weight in extender.predictor.parameters()),
        "latency_ms": round(1000 * extender.latency_samples / RATE, 3),
        "licence": LICENCE,
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files},
    }


def provenance(run: RunConfig, step: int, before: Sequence[tuple[dict[str, Any], int]] = ()) -> dict[str, Any]:
    """Return what the weights were made from: run, step, commit, recordings and their licences."""
    heard = [
        clip
        for clip in corpus.clips(run.corpus or corpus.DEFAULT_FOLDER, "train")
        if not clip.source.startswith(run.without)
    ]
    values = run.full()
    values.pop("corpus")
    return {
        "run": values,
        "step": step,
        "before": [{"run": {**past, "corpus": None}, "step": reached} for past, reached in before],
        "commit": _commit(),
        "torch": torch.__version__,
        "note": NOTE,
        "data": {"digest": corpus.digest(heard), "licences": corpus.licences(heard)},
    }


def _commit() -> str:
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


class _Flat(nn.Module):
    """The predictor with its past as plain tensors, as a graph takes them."""

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        self.predictor = predictor

    def forward(self, levels_db: Tensor, mask: Tensor, frames: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        told, past = self.predictor(levels_db, mask, Past(frames, state))
        return told.levels_db, told.tonality, past.frames, past.state


def write_graph(predictor: Predictor, file: Path) -> None:
    """Write the predictor as an ONNX graph whose batch and frames may have any size."""
    import onnx

    past = predictor.start(2)
    example = (torch.zeros(2, 3, BAND_COUNT), torch.ones(2, 3, BAND_COUNT), *past)
    axes = {name: {0: "batch", 1: "frames"} for name in (*INPUTS[:2], *OUTPUTS[:2])}
    axes |= {name: {0: "batch"} for name in (INPUTS[2], OUTPUTS[2])}
    axes |= {name: {1: "batch"} for name in (INPUTS[3], OUTPUTS[3])}
    with warnings.catch_warnings():
        # The exporter by tracing keeps the GRU one node; the newer one unrolls it for a fixed number of frames.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Flat(predictor),
            example,
            str(file),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=axes,
            opset_version=18,
            dynamo=False,
        )
    onnx.checker.check_model(str(file))
