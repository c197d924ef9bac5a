"""Dull recordings: how many that fall gently are found, how many are that do not, and how near presets bring them back.

`python -m scripts.studies.soft_edge CORPUS [--split NAME] [--clips N]` takes N full-band clips of each category, lets
them fall by 6 to 18 dB an octave from 1.5 to 5 kHz on, and adds hiss 35 to 50 dB below. The distance is the
log-spectral distance to the recording as it was, 2 to 20 kHz, in dB. Seeded.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dsp.bandwidth.tracker import BandwidthTracker
from models.artifact.load import load_extender
from models.stage import Block
from models.training.data import corpus
from models.training.data.corpus import Clip
from models.training.metrics import RATE
from plugin_host.chain.chain import Chain
from plugin_host.preset.file import load_preset
from plugin_host.render.bandwidth import measure_edge
from plugin_host.render.render import render_samples

PRESETS = ("default", "old-tape", "dull-vocal", "archive-restoration")
SECONDS, LIVE_SECONDS = 10.0, 40.0
_FULL_HZ = 17000.0
# Below this there is next to nothing to see of a fall, above nothing to gain.
_FOUND_HZ = (2500.0, 7000.0)


def chosen(folder: Path, split: str, count: int) -> dict[str, list[Clip]]:
    """Return clips that are full-band, so many of each category but of noises."""
    kinds: dict[str, list[Clip]] = defaultdict(list)
    for clip in corpus.clips(folder, split):
        if clip.true_bandwidth_hz >= _FULL_HZ and clip.category != "environment":
            kinds[clip.category].append(clip)
    return {kind: clips[:: max(1, len(clips) // count)][:count] for kind, clips in kinds.items()}


def dulled(clean: Block, chance: np.random.Generator) -> tuple[Block, float]:
    """Return a mono recording that falls and hisses, and where its level meets the hiss's, in Hz."""
    hertz = np.fft.rfftfreq(clean.shape[1], 1 / RATE)
    order, knee_hz = chance.choice([1, 1.5, 2, 3]), chance.uniform(1500, 5000)
    fallen = np.fft.irfft(np.fft.rfft(clean) / np.sqrt(1 + (hertz / knee_hz) ** (2 * order)), clean.shape[1])
    hiss = float(np.sqrt(np.square(clean).mean())) * 10 ** (-chance.uniform(35, 50) / 20)
    dull = (fallen + hiss * chance.standard_normal(clean.shape[1])).astype(np.float32)
    is_above = _smooth(np.square(np.abs(np.fft.rfft(fallen[0])))) > hiss**2 * clean.shape[1]
    return dull, float(hertz[np.flatnonzero(is_above)[-1]]) if is_above.any() else 0.0


def _smooth(power: np.ndarray) -> np.ndarray:
    width = len(power) // 100
    return np.convolve(power, np.full(width, 1 / width), "same")


def distances(clean: Block, dull: Block) -> Iterator[tuple[str, float]]:
    """Yield how far the dull recording is from the clean one, and what each preset makes of it without and with."""
    yield "as it is", _distance(dull, clean)
    for name in PRESETS:
        preset = load_preset(name)
        for finds_soft in (0.0, 1.0):
            chain = Chain.from_preset(preset, load_extender("live"))
            bright = render_samples(chain, {**preset.settings, "soft_edge": finds_soft}, dull, RATE)
            # A preset's own gain is no matter.
            gain = float((bright * dull).sum() / np.square(bright).sum())
            yield f"{name}, soft edge {'on' if finds_soft else 'off'}", _distance(gain * bright, clean)


def _distance(one: Block, other: Block) -> float:
    levels = [_levels(signal[0]) for signal in (one, other)]
    return float(np.sqrt(np.square(levels[0] - levels[1]).mean(1)).mean())


def _levels(signal: np.ndarray) -> np.ndarray:
    frames = np.lib.stride_tricks.sliding_window_view(signal, 2048)[::512] * np.hanning(2048)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1)))[:, round(2000 * 2048 / RATE) : round(20000 * 2048 / RATE)]
    levels: np.ndarray = 10 * np.log10(np.maximum(power, 1e-6))
    return levels


def moves(dull: Block) -> int:
    """Return how often the edge moves while the recording plays again and again."""
    sound, tracker = np.tile(dull, (1, max(1, round(LIVE_SECONDS * RATE / dull.shape[1])))), BandwidthTracker(RATE)
    tracker.finds_soft = True
    edges = [tracker.update(sound[:, at : at + 480]) for at in range(0, sound.shape[1], 480)]
    return int((np.diff(edges) != 0).sum())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--split", default="valid_unseen")
    parser.add_argument("--clips", type=int, default=8)
    options = parser.parse_args()
    chance, console = np.random.default_rng(7), Console()
    counts, figures = (
        defaultdict[str, list[int]](list),
        defaultdict[str, dict[str, list[float]]](lambda: defaultdict(list)),
    )
    for kind, clips in chosen(options.corpus, options.split, options.clips).items():
        for clip in track(clips, description=kind, console=console):
            clean = corpus.clean_48k(clip, SECONDS).mean(0, keepdims=True)
            dull, meets_hz = dulled(clean, chance)
            is_found = measure_edge([dull], RATE, finds_soft=True) < measure_edge([dull], RATE)
            is_clear = _FOUND_HZ[0] < meets_hz / 2 < _FOUND_HZ[1]
            counts["found where it can be"] += [int(is_found)] if is_clear else []
            counts["found in the untouched"].append(measure_edge([clean], RATE, True) < measure_edge([clean], RATE))
            counts["live: moves more than twice in 40 s"].append(moves(dull) > 2)
            for system, distance in distances(clean, dull):
                figures[system][kind].append(distance)
    for law, seen in counts.items():
        console.print(f"{law}: {sum(seen)} of {len(seen)}")
    kinds = list(next(iter(figures.values())))
    table = Table("LSD 2 to 20 kHz, dB", *kinds)
    for system, rows in figures.items():
        table.add_row(system, *(f"{np.mean(rows[kind]):.2f}" for kind in kinds))
    console.print(table)


if __name__ == "__main__":
    main()
