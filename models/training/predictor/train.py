"""The training loop: reads top to bottom; `highband train RUN.toml` comes here.

One process on the CPU or a GPU, or several by `torchrun -m models.training.predictor.train RUN.toml`: each
takes its share of a step's examples and the gradients are averaged, so the result depends on the run and not on
the machine.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, distributed

from dsp.tonality import LAG_HOPS
from models.exciters import torch_bands
from models.predictor.network import Predictor
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.data.augmentation import Example, Examples
from models.training.data.features import ClipFeatures, load_features
from models.training.data.harmonicity import at_bands
from models.training.data.synthetic_features import amplified, synthesized
from models.training.predictor import losses
from models.training.predictor.run import RunConfig, read_run
from models.training.predictor.spectral_loss import SpectralLoss
from models.training.predictor.start import start
from models.training.weight_average import follow

CUTOFFS_HZ = (4000.0, 8000.0, 12000.0)
_BETAS = (0.9, 0.98)
_CLIP_NORM = 1.0
# Hops in the 2048 samples that log-spectral distance looks at.
_LSD_SPAN = 8
# A frame whose top lies this far below the loudest one is not asked for its level.
_LOUD_DB = 40.0


def command(run_file: Path, folder: Path = Path("runs"), cache: Path = Path(".cache/features")) -> Path:
    """Train a run to its end, going on from its last checkpoint; return its folder.

    Raises:
        ValueError: with a sentence for people, where the run or the corpus can't be used.
    """
    run = read_run(run_file)
    rank, world = _join()
    home = folder / run.name
    home.mkdir(parents=True, exist_ok=True)
    clips = run.clips()
    fall, of = run.window_fall, {name: [clip for clip in clips if clip.split == name] for name in ("train", "valid")}
    if not of["train"]:
        raise ValueError("the corpus holds no clip of split train: give a folder with a MANIFEST.csv that has some")
    training = load_features(of["train"], run.speeds, cache, run.degradations, fall)
    training += amplified(of["train"], run.amplifiers, cache, fall) + synthesized(run.synthesizers, cache, fall)
    judged = load_features(of["valid"], (1.0,), cache, fall=fall)
    # Optimiser moments that die away would be reckoned with at a hundredth of the speed. It is a switch of the whole
    # program's arithmetic, so whoever calls `train` keeps their own.
    torch.set_flush_denormal(True)
    train(run, training, judged, home, rank, world)
    return home


def train(
    run: RunConfig, training: list[ClipFeatures], judged: list[ClipFeatures], home: Path, rank: int = 0, world: int = 1
) -> Predictor:
    """Train on features and return the averaged network; checkpoints and a log go to the run's folder."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(run.seed)
    network = Predictor(run.extender().predictor).to(device)
    last = home / "last.safetensors"
    if not last.exists():
        start(run, network, home)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=run.rate, betas=_BETAS, weight_decay=run.decay)
    examples = Examples(training, run.examples(), run.extender().predictor.horizon, run.seed, run.window_fall)
    judge = Judge(run).to(device)
    step = load_checkpoint(last, network, average, optimiser, run.full()) if last.exists() else 0
    began, first, recent = time.monotonic(), step, []
    while step < run.steps:
        # Dropout draws from a seed of its own step, so that a resumed run equals one that never stopped.
        torch.manual_seed(run.seed * 1_000_003 + step * world + rank)
        batch = Example(*(field.to(device) for field in examples.batch(step, run.rows, rank, world)))
        loss = judge(network, batch)
        optimiser.zero_grad()
        loss.backward()
        _share_gradients(network, world)
        torch.nn.utils.clip_grad_norm_(network.parameters(), _CLIP_NORM)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(run, step)
        optimiser.step()
        step += 1
        follow(average, network, run.average, step)
        recent.append(float(loss.detach()))
        if rank == 0 and (step % run.save_every == 0 or step == run.steps):
            save_checkpoint(last, step, network, average, optimiser, run.full())
            pace = (time.monotonic() - began) / (step - first)
            _log(
                home,
                {"step": step, "loss": round(float(np.mean(recent)), 4), "seconds_a_step": round(pace, 3)}
                | {"valid": evaluate(run, average, judged, device)},
            )
            recent = []
    network.load_state_dict(average)
    return network.cpu().eval()


class Judge(torch.nn.Module):
    """The loss of a batch: envelope and harmonicity always, the spectral loss where the run asks for it."""

    def __init__(self, run: RunConfig) -> None:
        super().__init__()
        self.run = run
        self.spectral = SpectralLoss() if run.spectrum else None

    def forward(self, network: Predictor, batch: Example) -> Tensor:
        """Return the weighted sum of the losses, a scalar."""
        run, rows, device = self.run, len(batch.levels_db), batch.levels_db.device
        past = network.start(rows)
        output, _ = network(
            batch.levels_db, batch.tonality, batch.mask, type(past)(*(part.to(device) for part in past))
        )
        importance = losses.band_importance(batch.weight, run.evenness)
        judged = slice(run.settle, None)
        predicted_db, true_db = output.levels_db[:, judged], batch.target_db[:, judged]
        counts = batch.frame_weight[:, judged]
        distances = [
            losses.envelope_loss(
                losses.pooled_db(predicted_db, span),
                losses.pooled_db(true_db, span),
                importance,
                batch.caution,
                losses.pooled_weight(counts, span),
            )
            for span in run.spans
        ]
        loss = torch.stack(distances).mean()
        loss = loss + run.harmonicity * losses.harmonicity_loss(
            output.tonality[:, judged], batch.harmonicity[:, judged], importance, counts
        )
        loss = loss + run.level * losses.level_loss(predicted_db, true_db, batch.weight, counts)
        if self.spectral is not None:
            few = slice(0, run.spectrum_rows)
            loss = loss + run.spectrum * self.spectral(
                output.levels_db[few, judged], batch.target_db[few, judged], batch.weight[few]
            )
        return loss


def learning_rate(run: RunConfig, step: int) -> float:
    """Return the learning rate of a step: a straight warm-up, then half a cosine down to a thousandth."""
    warm = min(1.0, (step + 1) / run.warm_up)
    return run.rate * warm * (0.5 + 0.4995 * math.cos(math.pi * step / run.steps))


def evaluate(
    run: RunConfig, weights: dict[str, Tensor], clips: list[ClipFeatures], device: torch.device
) -> dict[str, dict[str, float]]:
    """Return the means of `Predicted.measures` by category."""
    network = Predictor(run.extender().predictor).to(device).eval()
    network.load_state_dict(weights)
    values: dict[str, dict[str, list[float]]] = {}
    with torch.inference_mode():
        for clip in clips:
            for cutoff in CUTOFFS_HZ:
                if cutoff < 0.85 * clip.bandwidth_hz:
                    measured = predicted(network, clip, cutoff, device).measures(cutoff)
                    for name, value in measured.items():
                        values.setdefault(clip.category, {}).setdefault(name, []).append(value)
    return {kind: {name: round(float(np.mean(v)), 4) for name, v in rows.items()} for kind, rows in values.items()}


class Predicted(NamedTuple):
    """What a network predicts of a clip and what is true: levels in dB and harmonicity, shape (frames, bands).

    `weight` is 1 for the bands that are judged, shape (bands,).
    """

    levels_db: Tensor
    true_db: Tensor
    harmonicity: Tensor
    true_harmonicity: Tensor
    weight: Tensor

    def distance(self, cutoff_hz: float) -> float:
        """Return the expected log-spectral distance (field's definition A) of noise of the predicted envelope."""
        predicted_db, true_db = (
            losses.pooled_db(levels[None], _LSD_SPAN)[0] for levels in (self.levels_db, self.true_db)
        )
        error = (((predicted_db - true_db) / 10).square() * losses.band_importance(self.weight, 0.0)).sum(-1)
        return float(torch.sqrt((1 - cutoff_hz / 24000) * (losses.NOISE_SPREAD + error)).mean())

    def measures(self, cutoff_hz: float) -> dict[str, float]:
        """Return the distance, and of loud frames the bias and the error of the level and the mean harmonicities."""
        share = losses.band_importance(self.weight, 0.0)
        predicted_db, true_db = (losses.level_db(levels, self.weight) for levels in (self.levels_db, self.true_db))
        is_loud = true_db > true_db.max() - _LOUD_DB
        error = (predicted_db - true_db)[is_loud]
        lines, true_lines = ((part * share).sum(-1)[is_loud] for part in (self.harmonicity, self.true_harmonicity))
        name = f"{cutoff_hz:.0f}"
        return {
            name: self.distance(cutoff_hz),
            f"{name} bias": float(error.mean()),
            f"{name} error": float(error.abs().mean()),
            f"{name} lines": float(lines.mean()),
            f"{name} true lines": float(true_lines.mean()),
            f"{name} lines error": float((lines - true_lines).abs().mean()),
        }


def predicted(network: Predictor, clip: ClipFeatures, cutoff_hz: float, device: torch.device) -> Predicted:
    """Return what a network predicts of a clip that is cut at a frequency."""
    levels = torch.from_numpy(clip.levels_db.astype(np.float32)).to(device)
    mask = torch_bands.band_mask(clip.sample_rate, 0.0, cutoff_hz).to(device)
    past = network.start(1)
    inputs = levels if clip.input_db is None else torch.from_numpy(clip.input_db.astype(np.float32)).to(device)
    rows = np.arange(len(levels))
    tones = clip.tonality[np.maximum(rows - LAG_HOPS, 0)].astype(np.float32) / 255
    output, _ = network(
        inputs[None],
        torch.from_numpy(tones)[None].to(device),
        mask[None, None],
        type(past)(*(part.to(device) for part in past)),
    )
    true_lines = torch.from_numpy(at_bands(clip.harmonic, rows, clip.speed, clip.sample_rate)).to(device)
    ahead, count = network.config.horizon, len(levels)
    mine, other = slice(max(0, -ahead), count - max(0, ahead)), slice(max(0, ahead), count - max(0, -ahead))
    weight = torch_bands.band_mask(clip.sample_rate, 0.0, clip.bandwidth_hz).to(device) * (1 - mask)
    return Predicted(output.levels_db[0][mine], levels[other], output.tonality[0][mine], true_lines[other], weight)


def _join() -> tuple[int, int]:
    """Join the processes that torchrun started, if any; return this one's rank and their number."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return int(os.environ.get("RANK", "0")), world


def _share_gradients(network: Predictor, world: int) -> None:
    if world > 1:
        for weight in network.parameters():
            if weight.grad is not None:
                distributed.all_reduce(weight.grad)
                weight.grad /= world


def _log(home: Path, line: dict[str, Any]) -> None:
    text = json.dumps(line)
    with (home / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(text + "\n")
    print(text, flush=True)


if __name__ == "__main__":
    try:
        command(Path(sys.argv[1]))
    except ValueError as problem:
        sys.exit(str(problem))
