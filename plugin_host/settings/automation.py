"""Recorded knob moves: lines of JSON, each with the sample from which its values hold."""

from __future__ import annotations

import json
import math
import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from models.control import Control
from models.stage import Block, Stage
from plugin_host.files.audio_error import reason

FORMAT = 1


class AutomationError(ValueError):
    """A file of knob moves that can't be used, in one sentence for people."""


@dataclass(frozen=True)
class Automation:
    """Values of controls over time; each holds from its sample to the next point, without smoothing.

    Attributes:
        sample_rate: In Hz, that the samples count in.
        starts: Rising samples; the first is 0.
        values: Every control's value from each of the starts on.
    """

    sample_rate: int
    starts: tuple[int, ...]
    values: tuple[Mapping[str, float], ...]

    def at(self, sample: int) -> Mapping[str, float]:
        """Return every control's value at a sample."""
        return self.values[max(0, bisect_right(self.starts, sample) - 1)]

    def knobs(self) -> set[str]:
        """Return the names of all controls that are moved."""
        return {name for values in self.values[-1:] for name in values}

    def stretches(self, start: int, count: int) -> Iterator[tuple[int, Mapping[str, float]]]:
        """Cut a block where values change: yields the samples of each piece with the values that hold there.

        Args:
            start: The block's first sample.
            count: Its samples.
        """
        end = start + count
        while start < end:
            following = bisect_right(self.starts, start)
            stop = min(end, self.starts[following]) if following < len(self.starts) else end
            yield stop - start, self.at(start)
            start = stop


class AutomatedStage:
    """A stage whose knobs move as they were recorded, so that a render gives the samples that were played live.

    It measures the bandwidth on the way, as the live host does, instead of being given that of the file.
    """

    def __init__(self, stage: Stage, automation: Automation) -> None:
        self._stage, self._automation = stage, automation
        self._position = 0

    @property
    def controls(self) -> Sequence[Control]:
        """The stage's."""
        return self._stage.controls

    @property
    def latency_samples(self) -> int:
        """The stage's."""
        return self._stage.latency_samples

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Prepare the stage and go to the first sample; raise ValueError if the moves count at another rate."""
        if sample_rate != self._automation.sample_rate:
            raise ValueError(
                f"the knob moves were recorded at {self._automation.sample_rate} Hz, this is {sample_rate} Hz: "
                "render the recording that belongs to them"
            )
        self._stage.prepare(sample_rate, channels, max_block)
        self._position = 0

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Process in pieces, each with its recorded values over the given ones."""
        parts, start = [], 0
        for count, values in self._automation.stretches(self._position, block.shape[1]):
            parts.append(self._stage.process(block[:, start : start + count], {**settings, **values}))
            start += count
        self._position += block.shape[1]
        return np.concatenate(parts, axis=1) if parts else block.copy()

    def reset(self, position: int = 0) -> None:
        """Reset the stage and go to a sample."""
        self._stage.reset(position)
        self._position = position

    def take_error(self) -> Exception | None:
        """Return the stage's last fault and forget it."""
        fault: Exception | None = getattr(self._stage, "take_error", lambda: None)()
        return fault


class AutomationWriter:
    """Writes moves as they come; the file appears under its name when it is closed.

    Raises:
        AutomationError: The place can't be written.
    """

    def __init__(self, path: Path, sample_rate: int) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}.partial")
        try:
            self._file: TextIO = open(self._partial, "w", encoding="utf-8")  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise AutomationError(f"{path} can't be written: {reason(error)}") from None
        self._write({"highband_automation": FORMAT, "sample_rate": sample_rate})

    def add(self, moves: Iterable[tuple[int, Mapping[str, float]]]) -> None:
        """Append moves: the sample from which they hold, and the changed values."""
        for start, values in moves:
            self._write({"at": start, "set": dict(values)})

    def close(self) -> None:
        """Put the file in place; raise AutomationError if the disk refuses."""
        try:
            with self._file as file:
                file.flush()
                os.fsync(file.fileno())
            os.replace(self._partial, self._path)
        except OSError as error:
            raise AutomationError(f"{self._path} can't be written: {reason(error)}") from None

    def _write(self, line: Mapping[str, Any]) -> None:
        try:
            self._file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise AutomationError(f"{self._path} can't be written: {reason(error)}") from None


def read_automation(path: Path) -> Automation:
    """Read what an `AutomationWriter` wrote; raise AutomationError with the line that is wrong."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise AutomationError(f"{path} can't be read: {reason(error)}") from None
    except UnicodeDecodeError:
        raise AutomationError(f"{path} is not a file of knob moves; record one with --automation-out") from None
    rate = _read_head(path, lines)
    starts: list[int] = []
    values: list[Mapping[str, float]] = []
    for number, line in enumerate(lines[1:], 2):
        start, changed = _read_move(path, number, line)
        if start <= (starts[-1] if starts else -1) or (not starts and start != 0):
            raise AutomationError(f"{path} line {number}: the samples must begin at 0 and rise")
        starts.append(start)
        values.append({**(values[-1] if values else {}), **changed})
    if not starts:
        raise AutomationError(f"{path} holds no knob moves")
    return Automation(rate, tuple(starts), tuple(values))


def _read_head(path: Path, lines: list[str]) -> int:
    head = _parse(lines[0]) if lines else None
    if head is None or not isinstance(head.get("highband_automation"), int):
        raise AutomationError(f"{path} is not a file of knob moves; record one with --automation-out")
    if head["highband_automation"] > FORMAT:
        raise AutomationError(f"{path} was made by a newer Highband: upgrade to use it")
    rate = head.get("sample_rate")
    if not isinstance(rate, int) or rate <= 0:
        raise AutomationError(f"{path} line 1: sample_rate must be a whole number above 0")
    return rate


def _read_move(path: Path, number: int, line: str) -> tuple[int, dict[str, float]]:
    move = _parse(line) or {}
    start, changed = move.get("at"), move.get("set")
    if not isinstance(start, int) or not isinstance(changed, dict) or not all(map(_is_number, changed.values())):
        raise AutomationError(f'{path} line {number}: expected {{"at": sample, "set": {{knob: value}}}}')
    return start, {name: float(value) for name, value in changed.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _parse(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
