"""Checkpoints: everything a run needs to go on as if it had never stopped, as safetensors plus JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from models.atomic_write import write_atomically


def save_checkpoint(
    file: Path,
    step: int,
    network: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    run: dict[str, Any],
) -> None:
    """Write a checkpoint to a temporary name and put it in place in one step."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    write_atomically(file, save(tensors, metadata={"step": str(step), "run": json.dumps(run, sort_keys=True)}))


def load_checkpoint(
    file: Path, network: nn.Module, average: dict[str, Tensor], optimiser: torch.optim.Optimizer, run: dict[str, Any]
) -> int:
    """Restore a run in place and return the step it goes on with; raise ValueError where it is another run's."""
    with safe_open(file, "pt") as stored:
        about = stored.metadata() or {}
        if json.loads(about.get("run", "null")) != json.loads(json.dumps(run)):
            raise ValueError(f"{file} belongs to a run with other settings: move it away or train under another name")
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (not a dict)
    network.load_state_dict(_under(tensors, "network."))
    for name, value in _under(tensors, "average.").items():
        average[name].copy_(value)
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in _under(tensors, "optimiser.").items():
        index, name = key.split(".", 1)
        states.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
    return int(about["step"])


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def run_of(file: Path) -> tuple[dict[str, Any], int]:
    """Return the run that a checkpoint belongs to, as plain values, and the step it was saved at."""
    with safe_open(file, "pt") as stored:
        about = stored.metadata() or {}
        return json.loads(about["run"]), int(about["step"])


def averaged_weights(file: Path) -> tuple[dict[str, Tensor], int]:
    """Return the averaged network of a checkpoint and the step it was saved at."""
    with safe_open(file, "pt") as stored:
        names = [name for name in stored.keys() if name.startswith("average.")]  # noqa: SIM118 (not a dict)
        weights = {name.removeprefix("average."): stored.get_tensor(name) for name in names}
        return weights, int((stored.metadata() or {})["step"])
