"""Proof that blocks equal whole: a file through a stage in blocks of several sizes against the file at once."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.stage import Block, FollowsBandwidth, Stage
from plugin_host.files.audio_reader import AudioFileError, AudioReader
from plugin_host.files.resample import output_rate, played_rate, resampled
from plugin_host.render.bandwidth import finds_soft_edges, measure_edge

TOLERANCE = 1e-5
BLOCK_SIZES = (1, 17, 64, 128, 256, 480, 512, 1024, 0)
# A call costs about as much for one sample as for a hundred: tiny blocks get a shorter stretch of the file.
_MOST_CALLS = 12_000
_LARGEST_RANDOM = 2048


@dataclass(frozen=True)
class Comparison:
    """How one cutting of the file compares with the whole.

    Attributes:
        block: Samples of a block; 0 means blocks of random lengths.
        compared: Samples per channel that were compared.
        worst: The largest difference of two samples, as a share of full scale.
        worst_at: Where it is, in samples.
    """

    block: int
    compared: int
    worst: float
    worst_at: int

    @property
    def holds(self) -> bool:
        """Whether the difference is no more than rounding."""
        return self.worst <= TOLERANCE


def load(path: Path, seconds: float) -> tuple[Block, int]:
    """Return the first seconds of a file, shape (channels, samples), and the rate at which render plays it."""
    with AudioReader(path) as reader:
        rate = played_rate(output_rate(reader.rate))
        start = reader.read_at(0, max(1, round(seconds * reader.rate)))
        if not start.shape[1]:
            raise AudioFileError(f"{path} holds no audio; export it again")
        return np.concatenate(list(resampled([start], reader.rate, rate, reader.channels)), axis=1), rate


def compare(
    stage: Stage, settings: Mapping[str, float], samples: Block, rate: int, sizes: Sequence[int] = BLOCK_SIZES
) -> Iterator[Comparison]:
    """Play the samples whole, then in blocks of each size, and yield how far each is from the whole.

    Args:
        stage: The stage or chain; it is prepared here, anew for each size.
        settings: Control values in their units.
        samples: Shape (channels, samples).
        rate: In Hz.
        sizes: Block sizes; 0 stands for random lengths from 1 to 2048.
    """
    length = samples.shape[1]
    finds_soft = finds_soft_edges(settings)
    edge_hz = measure_edge([samples], rate, finds_soft) if isinstance(stage, FollowsBandwidth) else None
    whole = _play(stage, settings, samples, rate, [length], edge_hz)
    for size in sizes:
        count = min(length, _MOST_CALLS * size if size else length)
        cuts = list(_cuts(size, count))
        parts = _play(stage, settings, samples[:, :count], rate, cuts, edge_hz)
        # NaN compares as no difference; it must count as the worst one.
        gap = np.nan_to_num(np.abs(parts - whole[:, :count]), nan=np.inf).max(axis=0)
        yield Comparison(size, count, float(gap.max()), int(gap.argmax()))


def _cuts(size: int, count: int) -> Iterator[int]:
    chance = random.Random(0)
    while count > 0:
        taken = min(count, size or chance.randint(1, _LARGEST_RANDOM))
        yield taken
        count -= taken


def _play(
    stage: Stage, settings: Mapping[str, float], samples: Block, rate: int, cuts: Sequence[int], edge_hz: float | None
) -> Block:
    stage.prepare(rate, samples.shape[0], max(cuts))
    if isinstance(stage, FollowsBandwidth):
        stage.set_bandwidth(edge_hz if settings.get("crossover", 0.0) == 0.0 else None)
    ends = np.cumsum(cuts)
    return np.concatenate(
        [stage.process(samples[:, end - cut : end], settings) for cut, end in zip(cuts, ends, strict=True)], axis=1
    )
