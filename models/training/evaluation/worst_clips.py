"""The hardest clips of an evaluation as a picture: input, restored and clean.

A mean hides buzz, metal and holes; the clips with the worst scores show them.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.atomic_write import write_atomically
from models.training import metrics
from models.training.data.corpus import Clip
from models.training.evaluation.scorecard import FULL_BAND_RATE, Score
from models.training.training_log import picture

Audio = NDArray[np.float32]
Signals = Callable[[Clip, int, str], tuple[Audio, Audio, Audio]]
MOST = 10
_COLUMNS = ("input", "restored", "clean")


def hardest(results: Sequence[Score], baseline: str, most: int = MOST) -> list[Score]:
    """Return the worst scores of systems that restore, the worst first, each clip once.

    Args:
        results: By ViSQOL where it was taken, else by LSD up to the clip's true bandwidth.
        baseline: The system that restores nothing, and is left out.
        most: At most so many.
    """
    worst: dict[str, Score] = {}
    judged = [score for score in results if score.system != baseline and score.rate < FULL_BAND_RATE]
    for score in sorted(judged, key=_quality):
        worst.setdefault(score.clip, score)
    return list(worst.values())[:most]


def draw(chosen: Sequence[Score], clips: Mapping[str, Clip], signals: Signals, target: Path) -> None:
    """Draw spectrograms of clips into a PNG that appears only when it is complete.

    Args:
        chosen: One row each.
        clips: By name.
        signals: Returns a clip's input, restored and clean signal at 48 kHz, shape (channels, samples), for a rate and
            a system.
        target: The .png file.

    Raises:
        OSError: If it can't be written.
    """
    figure = Figure(figsize=(13, 0.6 + 2.1 * len(chosen)), dpi=72, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(chosen), len(_COLUMNS), sharey=True, squeeze=False)
    for row, score in zip(grid, chosen, strict=True):
        for axis, name, signal in zip(row, _COLUMNS, signals(clips[score.clip], score.rate, score.system), strict=True):
            shown = picture(torch.from_numpy(signal.mean(0)))[0].numpy()
            axis.imshow(
                shown, origin="upper", aspect="auto", cmap="magma", vmin=0.0, vmax=1.0, interpolation="nearest",
                extent=(0, signal.shape[1] / metrics.RATE, 0, metrics.RATE / 2000),
            )  # fmt: skip
            axis.set_title(name, loc="right", fontsize=8)
        row[0].set_title(_title(score), loc="left", fontsize=8)
        row[0].set_ylabel("kHz")
    for axis in grid[-1]:
        axis.set_xlabel("s")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    write_atomically(target, drawn.getvalue())


def _quality(score: Score) -> float:
    return -score.lsd_true if math.isnan(score.visqol) else score.visqol


def _title(score: Score) -> str:
    measure = f"LSD {score.lsd_true:.2f}" if math.isnan(score.visqol) else f"ViSQOL {score.visqol:.2f}"
    return f"{Path(score.clip).stem[:34]}, {score.rate / 1000:g} kHz, {score.system}: {measure}"
