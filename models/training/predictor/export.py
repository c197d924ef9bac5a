"""Export: a trained run becomes an artifact, with its compiled graph, its proof and where it all came from.

A run of a predictor becomes one with a plain exciter; a run of an exciter takes its predictor from another artifact.
"""

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
from safetensors.numpy import save as pack_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import Tensor, nn

from dsp.bands import BAND_COUNT
from models.artifact.load import build
from models.artifact.manifest import (
    EXCITER,
    FOLDER,
    FORMAT,
    GRAPH,
    MANIFEST,
    PROOF,
    WEIGHTS,
    find_artifact,
    read_manifest,
)
from models.artifact.self_test import RATE, hear, stimulus
from models.atomic_write import write_atomically
from models.extender.extender import Extender
from models.predictor.network import Past, Predictor
from models.predictor.onnx import INPUTS, OUTPUTS
from models.training import metrics
from models.training.checkpoint import averaged_weights
from models.training.data import corpus
from models.training.predictor.run import RunConfig, read_run
from models.training.predictor.start import origin

LICENCE = "GPL-3.0-or-later"
NOTE = "The weights are computed from the recordings listed here; none of them is contained."


def command(run_file: Path, folder: Path = Path("runs"), target: Path = FOLDER, figures: Path | None = None) -> Path:
    """Export the last checkpoint of a run, with the figures of an evaluation if there are any; return its folder.

    Raises:
        ValueError: with a sentence, where the run is unknown or has no checkpoint.
    """
    run = read_run(run_file)
    weights, step = trained(run_file, run.name, folder)
    before = origin(folder / run.name)
    achieved = figures_of(run.name, figures) if figures else {}
    return export(run, weights, step, target / run.name, before, achieved)


def trained(run_file: Path, name: str, folder: Path) -> tuple[dict[str, Tensor], int]:
    """Return the averaged weights of a run's last checkpoint and its step; raise ValueError where there is none."""
    checkpoint = folder / name / "last.safetensors"
    if not checkpoint.exists():
        raise ValueError(f"{checkpoint} is not there: run 'highband train {run_file}' first")
    return averaged_weights(checkpoint)


def prove(name_or_path: str | Path) -> Path:
    """Hear an artifact anew and write its proof, after the program's sound was changed on purpose; return its folder.

    Raises:
        ArtifactError: with a sentence, where there is no such artifact or it can't be built.
    """
    folder = find_artifact(name_or_path)
    extender = build(folder, read_manifest(folder), "torch")
    sound = stimulus()
    proof = pack_arrays({"input": sound, "output": hear(extender, sound)})
    write_atomically(folder / PROOF, proof)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][PROOF] = hashlib.sha256(proof).hexdigest()
    write_atomically(folder / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
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
    before: Sequence[Mapping[str, Any]] = (),
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
    made_from = provenance(run, step, before)
    return write_artifact(Extender(run.extender(), predictor), run.name, run.about, made_from, target, achieved)


def write_artifact(
    extender: Extender,
    name: str,
    about: str,
    made_from: Mapping[str, Any],
    target: Path,
    achieved: Mapping[str, Any] | None = None,
) -> Path:
    """Write an artifact beside its target and put it in place whole.

    Args:
        extender: With trained weights.
        name: Of the artifact.
        about: One sentence.
        made_from: Where the weights came from.
        target: The artifact's folder; one that is there is replaced.
        achieved: Figures for the manifest.
    """
    predictor, network = extender.predictor, extender.network
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    weights = dict(predictor.state_dict())
    if network is not None:
        weights |= {EXCITER + key: value for key, value in network.state_dict().items()}
    save_file({key: value.contiguous() for key, value in weights.items()}, partial / WEIGHTS)
    write_graph(predictor, partial / GRAPH)
    sound = stimulus()
    save_arrays({"input": sound, "output": hear(extender, sound)}, partial / PROOF)
    manifest = _manifest(name, about, extender, partial) | {
        "provenance": dict(made_from),
        "metrics": dict(achieved or {}),
    }
    (partial / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for file in partial.iterdir():
        # safetensors writes for its owner alone; an artifact is there to be shared.
        file.chmod(0o644)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(partial, target)
    return target


def _manifest(name: str, about: str, extender: Extender, folder: Path) -> dict[str, Any]:
    extender.prepare(RATE, 1, RATE)
    files = (WEIGHTS, GRAPH, PROOF)
    return {
        "format": FORMAT,
        "name": name,
        "about": about,
        "extender": asdict(extender.config),
        "weights": sum(weight.numel() for weight in _parameters(extender)),
        "latency_ms": round(1000 * extender.latency_samples / RATE, 3),
        "licence": LICENCE,
        "files": {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in files},
    }


def _parameters(extender: Extender) -> list[nn.Parameter]:
    networks: list[nn.Module | None] = [extender.predictor, extender.network]
    return [weight for network in networks if network is not None for weight in network.parameters()]


def provenance(run: RunConfig, step: int, before: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return what the weights of a predictor were made from; see `made_of`."""
    heard = [
        clip
        for clip in corpus.clips(run.corpus or corpus.DEFAULT_FOLDER, "train")
        if not clip.source.startswith(run.without)
    ]
    return {**made_of(run.full(), step, heard), "before": list(before)}


def made_of(run: Mapping[str, Any], step: int, heard: Sequence[corpus.Clip]) -> dict[str, Any]:
    """Return what weights were made from: run, step, commit, recordings and their licences."""
    return {
        "run": {name: value for name, value in run.items() if name != "corpus"},
        "step": step,
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

    def forward(self, levels_db: Tensor, tonality: Tensor, mask: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        told, following = self.predictor(levels_db, tonality, mask, Past(*past))
        return told.levels_db, told.tonality, *following


def write_graph(predictor: Predictor, file: Path) -> None:
    """Write the predictor as an ONNX graph whose batch and frames may have any size."""
    import onnx

    frames = torch.zeros(2, 3, BAND_COUNT)
    example = (frames, frames, torch.ones(2, 3, BAND_COUNT), *predictor.start(2))
    axes = {name: {0: "batch", 1: "frames"} for name in (*INPUTS[:3], *OUTPUTS[:2])}
    axes |= {name: {0: "batch"} for name in (INPUTS[3], INPUTS[5], OUTPUTS[2], OUTPUTS[4])}
    axes |= {name: {1: "batch"} for name in (INPUTS[4], OUTPUTS[3])}
    with warnings.catch_warnings():
        # The exporter by tracing keeps the GRU one node; the newer one unrolls it for a fixed number of frames.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            # The exporter puts back the mode it finds, into all that is inside too.
            _Flat(predictor).eval(),
            example,
            str(file),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=axes,
            opset_version=18,
            dynamo=False,
        )
    onnx.checker.check_model(str(file))
