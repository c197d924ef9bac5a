"""Evaluation: degrade clean recordings, restore them as the product does, and say how near they come.

Whatever turns a degraded signal into a restored one can take part: artifacts through the path that `render` uses,
baselines, ablations. All meet the same clips and the same metrics, because figures of different runs don't compare.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from models.stage import FollowsBandwidth, Stage
from models.training import metrics, top_band
from models.training.aligned import MAX_BLOCK, play
from models.training.data import corpus
from models.training.data.corpus import Clip
from models.training.data.lowpass import resample_to
from models.training.evaluation.scorecard import Score, rows, table, top_tables, write

Audio = NDArray[np.float32]
System = Callable[[Audio, int], Audio]
RATE = metrics.RATE
SINC = "sinc"
FULL_BAND_HZ = 20000.0
_LOWEST_RATE = 2000

# Columns of what is printed where there is no terminal, at least.
_WIDTH = 120


def restore(extender: Stage, degraded: Audio, rate: int, settings: Mapping[str, float]) -> Audio:
    """Restore a signal through the product's own block path, the latency taken out.

    Args:
        extender: Any stage; one that has a known bandwidth is given the signal's.
        degraded: Shape (channels, samples).
        rate: Hz.
        settings: Values of the knobs.

    Returns:
        The restored signal: same shape, aligned to the sample.
    """
    extender.prepare(rate, degraded.shape[0], MAX_BLOCK)
    if isinstance(extender, FollowsBandwidth):
        extender.set_bandwidth(edge_hz(degraded, rate))
    return play(extender, degraded, settings)


def edge_hz(audio: Audio, rate: int) -> float:
    """Return the frequency up to which a signal has content, as the product finds it for a file."""
    from dsp.bandwidth.meter import BandwidthMeter

    meter = BandwidthMeter(rate)
    meter.add(audio)
    return float(meter.edge_hz())


def artifact_systems(names: Sequence[str], changes: Mapping[str, float] | None = None) -> dict[str, System]:
    """Return artifacts by name as systems, every knob at its default but for the changes."""
    if not names:
        return {}
    from models.artifact.load import load_extender
    from models.extender.controls import defaults

    return {name: partial(restore, load_extender(name), settings={**defaults(), **(changes or {})}) for name in names}


def scores(
    clips: Sequence[Clip],
    systems: Mapping[str, System],
    rates: Sequence[int],
    seconds: float | None = None,
    visqol: bool = True,
) -> Iterator[Score]:
    """Judge systems, clip by clip.

    Args:
        clips: Clean recordings.
        systems: By name; each gets a degraded signal and 48000 and returns the restored one.
        rates: Rates in Hz to which the clips are degraded; at 48000 only clips of full band are judged.
        seconds: Only the start of each clip.
        visqol: Whether to take the slowest measure.

    Yields:
        A score for each clip, rate and system.

    Raises:
        ValueError: If a system returns another shape than it was given.
    """
    for clip in clips:
        clean = corpus.clean_48k(clip, seconds)
        for rate in rates:
            if rate >= RATE and clip.true_bandwidth_hz < FULL_BAND_HZ:
                continue
            degraded = resample_to(clean, RATE, rate)
            edge = edge_hz(degraded, RATE)
            for name, system in systems.items():
                restored = system(degraded, RATE)
                if restored.shape != clean.shape:
                    raise ValueError(f"{name} returned {restored.shape} for {clean.shape}; it must keep the shape")
                yield _score(name, clip, rate, clean, degraded, restored, edge, visqol)


def chosen(
    folder: Path, split: str | None, category: str | None, limit: int | None, source: str | None = None
) -> list[Clip]:
    """Return the clips of a folder; a limit takes them evenly from the whole list, so that it stays a fair sample."""
    every = [clip for clip in corpus.clips(folder, split, category) if clip.source.startswith(source or "")]
    if not every:
        raise ValueError(f"{folder} holds no clip whose source begins with '{source}'")
    if limit is None or limit >= len(every):
        return every
    if limit < 1:
        raise ValueError(f"the limit must be at least 1 clip, not {limit}")
    return [every[k * len(every) // limit] for k in range(limit)]


def command(
    folder: Path,
    artifacts: list[str],
    rates: list[int],
    split: str | None,
    category: str | None,
    limit: int | None,
    seconds: float,
    visqol: bool,
    out: Path | None,
    source: str | None = None,
    changes: Mapping[str, float] | None = None,
    picture: Path | None = None,
) -> None:
    """Judge artifacts against sinc on a folder of clean recordings, print the table and write the figures.

    Args:
        folder: Corpus with a manifest, or any folder of audio.
        artifacts: Names of artifacts.
        rates: Hz to degrade to; full-band material is always judged besides.
        split: Only this split of the manifest.
        category: Only this category.
        limit: Most clips; None for all.
        seconds: Start of each clip that is judged; 0 for the whole clip.
        visqol: Whether to take ViSQOL, the slowest measure.
        out: JSON file for all scores and rows; None for none.
        source: Only clips whose source in the manifest begins so.
        changes: Knobs of the artifacts that are not at their defaults.
        picture: PNG file for the spectrograms of the hardest clips; None for none.

    Raises:
        ValueError: A sentence that says what to choose instead.
    """
    wrong = [rate for rate in rates if not _LOWEST_RATE <= rate < RATE]
    if wrong:
        raise ValueError(f"the rate must be between {_LOWEST_RATE} and {RATE - 1} Hz, not {wrong[0]}")
    clips = chosen(folder, split, category, limit, source)
    systems: dict[str, System] = {SINC: _unchanged, **artifact_systems(artifacts, changes)}
    settle_arithmetic()
    console = Console()
    if not console.is_terminal:
        # A file or a pipe has room for the tables.
        console.width = max(console.width, _WIDTH)
    results: list[Score] = []
    for clip in track(clips, "judging", console=console, transient=True, disable=not console.is_terminal):
        results += scores([clip], systems, [*rates, RATE], seconds or None, visqol)
    summary = rows(results)
    console.print(table(summary), *top_tables(summary))
    if out is not None:
        about = {"folder": folder.name, "split": split, "category": category, "source": source, "seconds": seconds}
        write(out, results, summary, about | {"settings": dict(changes or {}), "digest": corpus.digest(clips)})
    if picture is not None:
        _draw_hardest(results, clips, systems, seconds or None, picture)


def _draw_hardest(
    results: Sequence[Score], clips: Sequence[Clip], systems: Mapping[str, System], seconds: float | None, target: Path
) -> None:
    # Nothing else here needs the library that draws.
    from models.training.evaluation.worst_clips import draw, hardest

    def signals(clip: Clip, rate: int, system: str) -> tuple[Audio, Audio, Audio]:
        clean = corpus.clean_48k(clip, seconds)
        degraded = resample_to(clean, RATE, rate)
        return degraded, systems[system](degraded, RATE), clean

    if worst := hardest(results, SINC):
        draw(worst, {clip.name: clip for clip in clips}, signals, target)


def settle_arithmetic() -> None:
    """Compute as every host does: threads wait for each other on small work, and denormals cost ten times as much."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def _unchanged(degraded: Audio, rate: int) -> Audio:
    return degraded


def _score(
    name: str, clip: Clip, rate: int, clean: Audio, degraded: Audio, restored: Audio, edge: float, visqol: bool
) -> Score:
    cutoff_hz = rate / 2
    return Score(
        system=name,
        clip=clip.name,
        source=clip.source,
        category=clip.category,
        rate=rate,
        seconds=round(clean.shape[1] / RATE, 3),
        lsd=metrics.lsd(clean, restored),
        lsd_true=metrics.lsd(clean, restored, high_hz=clip.true_bandwidth_hz),
        lsd_hf=metrics.lsd_hf(clean, restored, cutoff_hz) if rate < RATE else math.nan,
        lsd_lf=metrics.lsd_lf(clean, restored, cutoff_hz),
        visqol=metrics.visqol(clean, restored) if visqol else math.nan,
        si_sdr_db=metrics.si_sdr_db(clean, restored),
        null_db=metrics.null_db(degraded, restored, edge, RATE),
        lsd_20k=metrics.lsd(clean, restored, high_hz=20000.0),
        top=top_band.measures(clean, restored, cutoff_hz, clip.true_bandwidth_hz) if rate < RATE else {},
    )
