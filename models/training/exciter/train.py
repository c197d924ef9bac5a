"""The training loop of waveforms: reads top to bottom; `highband train RUN.toml` comes here for runs of this kind.

On the CPU or a GPU by the same command. The generator learns alone first, then against the discriminators; what is
evaluated is a running average of its weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from dsp.exciter import NOISE_LENGTH
from models.exciters.two_stage import Generated, LearnedExtender
from models.training.checkpoint import averaged_weights, load_checkpoint, save_checkpoint
from models.training.data.corpus import Clip
from models.training.exciter.balancer import Balancer
from models.training.exciter.examples import WaveExamples, reaching
from models.training.exciter.losses import WaveformJudge
from models.training.exciter.run import WaveformRun, read_waveform_run
from models.training.exciter.validation import listen
from models.training.training_log import TrainingLog
from models.training.weight_average import follow

_BETAS = (0.8, 0.99)
_DECAY = 0.01
_CRITICS_CLIP = 10.0
# Far enough apart that no two steps near each other get the same noise.
_NOISE_STRIDE = 7919
LAST = "last.safetensors"


def command(run_file: Path, folder: Path = Path("runs")) -> Path:
    """Train a run to its end, going on from its last checkpoint; return its folder.

    Raises:
        ValueError: with a sentence for people, where the run or the corpus can't be used.
    """
    run = read_waveform_run(run_file)
    home = folder / run.name
    home.mkdir(parents=True, exist_ok=True)
    clips = run.clips()
    training = [clip for clip in clips if clip.split == "train"]
    judged = reaching([clip for clip in clips if clip.split == "valid"], run.least_bandwidth_hz)
    # Optimiser moments that die away would be reckoned with at a hundredth of the speed.
    torch.set_flush_denormal(True)
    train(run, training, judged, home)
    return home


def train(run: WaveformRun, training: Sequence[Clip], judged: Sequence[Clip], home: Path) -> LearnedExtender:
    """Train on clips and return the averaged extender; checkpoints and a log go to the run's folder."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(run.seed)
    extender, critics = LearnedExtender(run.extender()), run.judges()
    balancer, judge = Balancer(run.shares()), WaveformJudge(run, critics).to(device)
    parts = nn.ModuleDict({"extender": extender, "critics": critics, "balancer": balancer}).to(device)
    average = {name: value.detach().clone() for name, value in extender.state_dict().items()}
    optimiser = torch.optim.AdamW(parts.parameters(), lr=run.rate, betas=_BETAS, weight_decay=_DECAY)
    examples, last = WaveExamples(training, run), home / LAST
    step = load_checkpoint(last, parts, average, optimiser, run.full()) if last.exists() else 0
    log, began, first, recent = TrainingLog(home), time.monotonic(), step, _Means()
    while step < run.steps:
        batch = examples.batch(step).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            excitation = extender.excite(batch.degraded, batch.predicted_db, batch.crossovers_hz, _noise_at(run, step))
        restored = extender.finish(batch.degraded, excitation, batch.predicted_db, batch.crossovers_hz)
        losses = judge(Generated(excitation, restored), batch, step >= run.alone)
        optimiser.zero_grad(set_to_none=True)
        # The generator's losses must not reach the discriminators' weights, and do not: they stop at its output.
        excitation.backward(balancer(losses.generator, excitation))
        if losses.critics is not None:
            losses.critics.backward()
            nn.utils.clip_grad_norm_(critics.parameters(), _CRITICS_CLIP)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(run, step)
        optimiser.step()
        step += 1
        follow(average, extender, run.average, step)
        recent.add(losses.generator | ({} if losses.critics is None else {"critics": losses.critics}))
        if step % run.save_every == 0 or step == run.steps:
            save_checkpoint(last, step, parts, average, optimiser, run.full())
            pace = (time.monotonic() - began) / (step - first)
            log.line(step, recent.collected() | {"seconds_a_step": pace})
        if step % run.listen_every == 0 or step == run.steps:
            listen(run, average, judged, log, step)
    log.close()
    return averaged(run, average)


def learning_rate(run: WaveformRun, step: int) -> float:
    """Return the learning rate of a step."""
    warm = min(1.0, (step + 1) / run.warm_up)
    return run.rate * warm * (0.505 + 0.495 * math.cos(math.pi * step / run.steps))


def averaged(run: WaveformRun, weights: dict[str, Tensor]) -> LearnedExtender:
    """Return the extender of a run with these weights, on the CPU, ready to play."""
    extender = LearnedExtender(run.extender())
    extender.load_state_dict({name: value.cpu() for name, value in weights.items()})
    return extender.eval()


def trained(run: WaveformRun, folder: Path) -> tuple[LearnedExtender, int]:
    """Return the averaged extender of a run's checkpoint in a folder of runs, and its step."""
    weights, step = averaged_weights(folder / run.name / LAST)
    return averaged(run, weights), step


def _noise_at(run: WaveformRun, step: int) -> int:
    return (run.seed + step * _NOISE_STRIDE) % NOISE_LENGTH


class _Means:
    """Means of the losses since they were last collected."""

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}

    def add(self, losses: Mapping[str, Tensor]) -> None:
        for name, loss in losses.items():
            self._seen.setdefault(name, []).append(float(loss.detach()))

    def collected(self) -> dict[str, float]:
        seen, self._seen = self._seen, {}
        return {name: sum(values) / len(values) for name, values in seen.items()}
