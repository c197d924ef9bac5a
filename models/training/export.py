"""Export: a trained run becomes an artifact, with its compiled graph, its proof and where it all came from."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import warnings
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
from models.training import corpus
from models.training.checkpoint import averaged_weights
from models.training.run_config import RunConfig, read_run

LICENCE = (
    "GPL-3.0-or-later, as the program; the weights are computed from the recordings listed under provenance.data, "
    "none of which is contained"
)


def command(run_file: Path, folder: Path = Path("runs"), target: Path = artifact.FOLDER) -> Path:
    """Export the last checkpoint of a run and return the artifact's folder.

    Raises:
        ValueError: with a sentence, where the run is unknown or has no checkpoint.
    """
    run = read_run(run_file)
    checkpoint = folder / run.name / "last.safetensors"
    if not checkpoint.exists():
        raise ValueError(f"{checkpoint} is not there: run 'highband train {run_file}' first")
    weights, step = averaged_weights(checkpoint)
    return export(run, weights, step, target / run.name)


def export(run: RunConfig, weights: dict[str, Tensor], step: int, target: Path) -> Path:
    """Write an artifact beside its target and put it in place whole."""
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
    manifest = _manifest(run, extender, step, partial)
    (partial / artifact.MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    os.replace(partial, target)
    return target


def _manifest(run: RunConfig, extender: Extender, step: int, folder: Path) -> dict[str, Any]:
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
        "provenance": provenance(run, step),
        "metrics": {},
    }


def provenance(run: RunConfig, step: int) -> dict[str, Any]:
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
        "commit": _commit(),
        "torch": torch.__version__,
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
