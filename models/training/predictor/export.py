"""Export: a trained run becomes an artifact, with its graph, its proof and where it all came from.

A run of a predictor becomes one with a plain exciter; a run of an exciter takes its predictor from another artifact.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.numpy import save as pack_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import Tensor

from models.artifact.load import build, extender_config
from models.artifact.manifest import (
    EXCITER,
    FINE,
    FOLDER,
    FORMAT,
    GRAPH,
    MANIFEST,
    PROOF,
    WEIGHTS,
    find_artifact,
    read_manifest,
)
from models.artifact.self_test import RATE, play, stimulus
from models.atomic_write import write_atomically
from models.exciters.player import Network, NetworkExciter
from models.extender.config import ExtenderConfig
from models.extender.extender import Extender
from models.extender.fine_envelope import network_of
from models.predictor.kernel import KernelInference
from models.predictor.network import Predictor
from models.training import metrics
from models.training.checkpoint import averaged_weights
from models.training.data import corpus
from models.training.fine.fit import fit_for
from models.training.predictor.onnx_graph import write_graph
from models.training.predictor.run import RunConfig, read_run, without_folders
from models.training.predictor.start import origin, predictor_weights

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
    """Play an artifact's self-test anew and write its proof, after a change of sound on purpose; return its folder.

    Raises:
        ArtifactError: with a sentence, where there is no such artifact or it can't be built.
    """
    folder = find_artifact(name_or_path)
    extender = build(folder, read_manifest(folder))
    sound = stimulus()
    proof = pack_arrays({"input": sound, "output": play(extender, sound)})
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
    count = sum(row["clips"] for row in rows if row["rate"] == rows[0]["rate"])
    clips = f"{content['split']}, {content['source'] or 'all sources'}, {count} clips"
    measures = {"lsd": "LSD", "visqol": "ViSQOL"}
    return {"judged on": clips} | {
        f"{row['category']} {row['rate'] / 1000:g} kHz {label}": _rounded(row["mean"][key])
        for row in rows
        if row["rate"] < metrics.RATE
        for key, label in measures.items()
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
    if run.blend is not None:
        other = predictor_weights(find_artifact(run.blend))
        weights = {name: (value + other[name]) / 2 for name, value in weights.items()}
    predictor.load_state_dict(weights)
    record = provenance(run, step, before)
    fine = fit_for(run.extender(), predictor, used_clips(run), run.fine_steps)
    return write_artifact(run.extender(), predictor, None, run.name, run.about, record, target, achieved, fine)


def load_predictor(name_or_path: str | Path) -> tuple[Predictor, ExtenderConfig]:
    """Return the network of an artifact, as it was trained, and the config of its extender.

    Raises:
        ArtifactError: With a sentence, where there is no such artifact or its weights don't fit.
    """
    folder = find_artifact(name_or_path)
    config = extender_config(read_manifest(folder))
    network = Predictor(config.predictor).eval()
    network.load_state_dict(predictor_weights(folder))
    return network, config


def write_artifact(
    config: ExtenderConfig,
    predictor: Predictor,
    network: Network | None,
    name: str,
    about: str,
    record: Mapping[str, Any],
    target: Path,
    achieved: Mapping[str, Any] | None = None,
    fine: Mapping[str, Tensor] | None = None,
) -> Path:
    """Write an artifact beside its target and put it in place whole.

    Args:
        config: Of the extender.
        predictor: Trained.
        network: The trained exciter, where the config names one.
        name: Of the artifact.
        about: One sentence.
        record: Where the weights came from.
        target: The artifact's folder; one that is there is replaced.
        achieved: Figures for the manifest.
        fine: Weights of the fine envelope.
    """
    exciter = None if network is None else NetworkExciter(network)
    fine = fine or {}
    following = network_of({name: value.numpy() for name, value in fine.items()}, config.lookahead_hops > 0)
    extender = Extender(config, KernelInference(predictor.config, predictor.arrays()), exciter, following)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    weights = dict(predictor.state_dict()) | {FINE + key: value for key, value in fine.items()}
    if network is not None:
        weights |= {EXCITER + key: value for key, value in network.state_dict().items()}
    save_file({key: value.contiguous() for key, value in weights.items()}, partial / WEIGHTS)
    write_graph(predictor, partial / GRAPH)
    sound = stimulus()
    save_arrays({"input": sound, "output": play(extender, sound)}, partial / PROOF)
    size = sum(weight.numel() for weight in weights.values())
    manifest = _manifest(name, about, extender, partial) | {
        "weights": size,
        "provenance": dict(record),
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
        "weights": 0,
        "latency_ms": round(1000 * extender.latency_samples / RATE, 3),
        "licence": LICENCE,
        "files": {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in files},
    }


def provenance(run: RunConfig, step: int, before: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return what the weights of a predictor were made from; see `provenance_of`."""
    return {**provenance_of(run.full(), step, used_clips(run)), "before": list(before)}


def used_clips(run: RunConfig) -> list[corpus.Clip]:
    """Return the recordings that a run trains on."""
    return [clip for clip in run.clips() if clip.split == "train"]


def provenance_of(run: Mapping[str, Any], step: int, used: Sequence[corpus.Clip]) -> dict[str, Any]:
    """Return what weights were made from: run, step, commit, recordings and their licences."""
    return {
        "run": without_folders(run),
        "step": step,
        "commit": _commit(),
        "torch": torch.__version__,
        "note": NOTE,
        "data": {"digest": corpus.digest(used), "licences": corpus.licences(used)},
    }


def _commit() -> str:
    arguments = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    answer = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"
