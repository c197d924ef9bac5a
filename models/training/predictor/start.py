"""Where a run starts: from nothing, from another run, or from a shipped artifact, whose network may be smaller."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.artifact.load import part_of
from models.artifact.manifest import WEIGHTS, find_artifact, read_manifest
from models.atomic_write import write_atomically
from models.predictor.network import Predictor
from models.training.checkpoint import averaged_weights, run_of
from models.training.predictor.run import RunConfig, without_folders

_ORIGIN = "start.json"


def start(run: RunConfig, network: Predictor, home: Path) -> None:
    """Give a network the weights that its run starts from, and write down where they came from.

    Args:
        run: Says what it starts from.
        network: Newly made, as large as what it starts from or larger.
        home: The run's folder, beside those of other runs.
    """
    if run.start is not None:
        file = home.parent / run.start / "last.safetensors"
        grow(averaged_weights(file)[0], network)
        before, step = run_of(file)
        runs = [*origin(file.parent), {"run": without_folders(before), "step": step}]
    elif run.artifact is not None:
        folder = find_artifact(run.artifact)
        grow(predictor_weights(folder), network)
        record = read_manifest(folder).provenance
        runs = [*record.get("before", []), {key: record[key] for key in ("run", "step") if key in record}]
    else:
        runs = []
    write_atomically(home / _ORIGIN, (json.dumps(runs) + "\n").encode())


def predictor_weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights of an artifact's predictor."""
    from safetensors.torch import load_file

    return part_of(load_file(folder / WEIGHTS), "")


def origin(home: Path) -> list[dict[str, Any]]:
    """Return the runs, with their steps, that a run's weights had come from before it began."""
    runs: list[dict[str, Any]] = json.loads((home / _ORIGIN).read_text(encoding="utf-8"))
    return runs


@torch.no_grad()
def grow(weights: dict[str, Tensor], network: Predictor) -> None:
    """Give a network the function of a smaller one: its new units see everything and are not yet listened to.

    Args:
        weights: Of the smaller network, of the same layers and kernel.
        network: New units keep their random weights; what leads from them to old ones becomes 0 (Net2Net, Chen,
            Goodfellow and Shlens 2016).
    """
    width, hidden = weights["enter.weight"].shape[0], weights["recur.weight_hh_l0"].shape[1]
    state = network.state_dict()
    for name, new in state.items():
        old = weights[name]
        new_rows, old_rows = _rows(name, new, old, network.config.hidden, hidden)
        if old.dim() == 1:
            new[new_rows] = old[old_rows]
            continue
        columns = _columns(name, old.shape[1], network.config.width, width)
        new[new_rows] = 0.0
        new[new_rows[:, None], columns] = old[old_rows]
    network.load_state_dict(state)


def _rows(name: str, new: Tensor, old: Tensor, hidden: int, old_hidden: int) -> tuple[Tensor, Tensor]:
    """Return where the rows of a smaller layer go; a recurrent layer's are those of three gates."""
    if name.startswith("recur."):
        inside = torch.arange(old_hidden)
        gates = torch.arange(len(new) // hidden)[:, None]
        return (gates * hidden + inside).flatten(), torch.arange(len(old))
    return torch.arange(len(old)), torch.arange(len(old))


def _columns(name: str, count: int, width: int, old_width: int) -> Tensor:
    """Return where the columns of a smaller layer go: `mix` sees what enters and, behind it, what is recalled."""
    columns = torch.arange(count)
    return torch.where(columns < old_width, columns, columns - old_width + width) if name == "mix.weight" else columns
