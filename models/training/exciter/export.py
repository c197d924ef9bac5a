"""Export of a learned exciter: its network, beside another artifact's predictor that controls the filter after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from models.artifact.load import part_of
from models.artifact.manifest import FINE, FOLDER, WEIGHTS, find_artifact, read_manifest
from models.exciters.causal_conv import folded
from models.exciters.two_stage import LearnedExtender
from models.training.exciter.examples import reaching
from models.training.exciter.run import WaveformRun, read_waveform_run
from models.training.predictor.export import figures_of, load_predictor, provenance_of, trained, write_artifact


def command(run_file: Path, folder: Path = Path("runs"), target: Path = FOLDER, figures: Path | None = None) -> Path:
    """Export the last checkpoint of a run, with the figures of an evaluation if there are any; return its folder.

    Raises:
        ValueError: with a sentence, where the run is unknown, has no checkpoint or can't be played.
    """
    run = read_waveform_run(run_file)
    weights, step = trained(run_file, run.name, folder)
    return export(run, weights, step, target / run.name, figures_of(run.name, figures) if figures else {})


def export(
    run: WaveformRun, weights: Mapping[str, Tensor], step: int, target: Path, achieved: Mapping[str, Any] | None = None
) -> Path:
    """Write an artifact beside its target and put it in place whole.

    Args:
        run: The run that made the weights.
        weights: Of its extender.
        step: How far the run had come.
        target: The artifact's folder; one that is there is replaced.
        achieved: Figures for the manifest.

    Raises:
        ValueError: with a sentence, where the run's exciter can't be played.
    """
    if not run.filtered or run.conditioned:
        raise ValueError(
            f"{run.name} can't be played: before the filter of an artifact there is only room for an exciter with "
            "'filtered = true' and without 'conditioned'"
        )
    learned = LearnedExtender(run.extender())
    learned.load_state_dict(weights)
    network = folded(learned.network)
    predictor, lent = load_predictor(run.predictor)
    config = replace(lent, exciter=run.network, network=network.config)
    record = _provenance(run, step)
    fine = part_of(load_file(find_artifact(run.predictor) / WEIGHTS), FINE)
    return write_artifact(config, predictor, network, run.name, run.about, record, target, achieved, fine)


def _provenance(run: WaveformRun, step: int) -> dict[str, Any]:
    used = reaching([clip for clip in run.clips() if clip.split == "train"], run.least_bandwidth_hz)
    lent = read_manifest(find_artifact(run.predictor)).provenance
    return provenance_of(run.full(), step, used) | {"predictor": {"artifact": run.predictor, "provenance": lent}}
