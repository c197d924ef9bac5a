"""The scorecard: what systems made of clips, summed up by category and rate."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from rich import box
from rich.table import Table

from models.atomic_write import write_atomically
from models.training import top_band

FORMAT = 1
FULL_BAND_RATE = 48000
MEASURES: Mapping[str, str] = {
    "lsd": "LSD",
    "lsd_20k": "LSD to 20 kHz",
    "lsd_true": "LSD true band",
    "lsd_hf": "LSD-HF",
    "lsd_lf": "LSD-LF",
    "visqol": "ViSQOL",
    "si_sdr_db": "SI-SDR dB",
    "null_db": "null dB",
}
# How sure a mean is: resamples of the clips, and the share of them that its interval holds.
_RESAMPLES, _COVERED = 1000, 0.95


@dataclass(frozen=True)
class Score:
    """What one system made of one clip at one rate; a measure is NaN where it can't be taken.

    Attributes:
        system, clip, source, category: Which system, and on what.
        rate: Hz of the degraded clip; 48000 is the clip in full band, where nothing should be changed.
        seconds: Length that was judged.
        lsd: Log-spectral distance over all bins.
        lsd_true: The same below the clip's true bandwidth only.
        lsd_hf, lsd_lf: The same above and below half the rate.
        visqol: Predicted opinion score.
        si_sdr_db: Scale-invariant signal-to-distortion ratio.
        null_db: What was changed below the detected edge, against what is there.
        lsd_20k: LSD up to 20 kHz.
        top: The measures of `models.training.top_band`, by name.
    """

    system: str
    clip: str
    source: str
    category: str
    rate: int
    seconds: float
    lsd: float
    lsd_true: float
    lsd_hf: float
    lsd_lf: float
    visqol: float
    si_sdr_db: float
    null_db: float
    lsd_20k: float = math.nan
    top: dict[str, float] = field(default_factory=dict)

    def value(self, measure: str) -> float:
        """Return a measure by its name in `MEASURES` or `models.training.top_band.NAMES`."""
        return float(self.top.get(measure, math.nan) if measure in top_band.NAMES else getattr(self, measure))


@dataclass(frozen=True)
class Row:
    """The scores of one system at one rate in one category: means and medians by measure.

    `interval` holds the ends between which a mean lies for 95 % of the clips' resamples (percentile bootstrap).
    """

    category: str
    rate: int
    system: str
    clips: int
    seconds: float
    mean: dict[str, float]
    median: dict[str, float]
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)


def rows(results: Sequence[Score]) -> list[Row]:
    """Return means and medians of every category, rate and system, in the order of the scores."""
    groups: dict[tuple[str, int, str], list[Score]] = {}
    for score in results:
        groups.setdefault((score.category, score.rate, score.system), []).append(score)
    order = {category: place for place, category in enumerate(sorted({key[0] for key in groups}))}
    return [
        Row(
            *key,
            clips=len(group),
            seconds=round(sum(score.seconds for score in group), 2),
            mean={measure: _over_numbers(np.mean, group, measure) for measure in (*MEASURES, *top_band.NAMES)},
            median={measure: _over_numbers(np.median, group, measure) for measure in (*MEASURES, *top_band.NAMES)},
            interval={measure: _interval(group, measure) for measure in (*MEASURES, *top_band.NAMES)},
        )
        for key, group in sorted(groups.items(), key=lambda item: (order[item[0][0]], item[0][1]))
    ]


def table(summary: Sequence[Row]) -> Table:
    """Return the means as a table for people; the medians are in the file that `write` makes."""
    return _table(summary, MEASURES)


def top_tables(summary: Sequence[Row]) -> list[Table]:
    """Return level and lines of the generated band as a table for people, and its level around onsets as another."""
    restored = [row for row in summary if row.rate < FULL_BAND_RATE]
    around = {name: label for name, label in top_band.NAMES.items() if name.startswith("onset")}
    rest = {name: label for name, label in top_band.NAMES.items() if name not in around}
    return [_table(restored, rest), _table(restored, around)]


def _table(summary: Sequence[Row], measures: Mapping[str, str]) -> Table:
    drawn = Table("category", "rate", "system", "clips", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for label in measures.values():
        # On several lines, so that the table fits a terminal of 80 columns.
        drawn.add_column(label.replace(" ", "\n"), justify="right", no_wrap=True)
    before: tuple[str, int] | None = None
    for row in summary:
        if before not in (None, (row.category, row.rate)):
            drawn.add_section()
        before = (row.category, row.rate)
        rate = "full" if row.rate >= FULL_BAND_RATE else f"{row.rate / 1000:g} kHz"
        drawn.add_row(row.category, rate, row.system, str(row.clips), *(_cell(row, measure) for measure in measures))
    return drawn


def write(out: Path, results: Sequence[Score], summary: Sequence[Row], about: Mapping[str, object]) -> None:
    """Write scores and rows as JSON, whole or not at all; a measure that could not be taken is null."""
    content = {
        "format": FORMAT,
        **about,
        "rows": [asdict(row) for row in summary],
        "scores": [asdict(s) for s in results],
    }
    write_atomically(out, (json.dumps(without_nan(content), indent=1, allow_nan=False) + "\n").encode())


def _over_numbers(average: Callable[[list[float]], object], group: Sequence[Score], measure: str) -> float:
    numbers = [value for score in group if not math.isnan(value := score.value(measure))]
    return float(np.asarray(average(numbers))) if numbers else math.nan


def _interval(group: Sequence[Score], measure: str) -> tuple[float, float]:
    numbers = np.array([value for score in group if not math.isnan(value := score.value(measure))])
    if not len(numbers):
        return math.nan, math.nan
    drawn = np.random.default_rng(0).integers(len(numbers), size=(_RESAMPLES, len(numbers)))
    low, high = np.quantile(numbers[drawn].mean(1), (0.5 - _COVERED / 2, 0.5 + _COVERED / 2))
    return float(low), float(high)


def _cell(row: Row, measure: str) -> str:
    digits = 1 if measure.endswith("_db") else 2
    mean = row.mean[measure]
    return "-" if math.isnan(mean) else f"{mean:.{digits}f}"


def without_nan(value: object) -> object:
    """Return plain data with None for what is no number, as JSON has no word for it."""
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
