"""Albums: all outputs of a folder are brought to a loudness together, by one gain, so that they keep their balance."""

from __future__ import annotations

import os
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plugin_host.chain.file_program import Sound
from plugin_host.render.batch.journal import Journal, content_digest
from plugin_host.render.batch.plan import Job, Plan
from plugin_host.render.batch.storage import is_remote, trace_of
from plugin_host.render.batch.task import Result, Task, tape_key
from plugin_host.render.loudness import LoudnessTarget

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass
class Albums:
    """The albums of a plan.

    Attributes:
        sound: With which they are rendered.
        journal: Keeps what was measured.
        target: Where each album is brought to.
        failed: Numbers of jobs that could not be measured, and belong to no album.
    """

    sound: Sound
    journal: Journal
    target: LoudnessTarget
    failed: array[int] = field(default_factory=lambda: array("q"))
    _keys: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _numbers: dict[str, int] = field(default_factory=dict)

    def unknown(self, plan: Plan, *, longest_first: bool) -> Iterator[Job]:
        """Yield the jobs whose loudness has to be measured."""
        for number, job in plan.jobs(longest_first=longest_first):
            digest = self._digest(job)
            if digest and self.journal.energies([key := tape_key(digest, self.sound, job.target)]):
                self._add(job, key)
            else:
                self._numbers[job.target] = number
                yield job

    def _digest(self, job: Job) -> str | None:
        """Return the hash of an input; of one that was rendered before, its content decides and not its time."""
        digest = self.journal.input_digest(job.source)
        if digest is None and self.journal.key_of(job.target) and not is_remote(job.source):
            trace = trace_of(job.source)
            try:
                digest = content_digest(job.source)
            except OSError:
                return None
            self.journal.note_input(job.source, digest, trace)
        return digest

    def conclude(self, task: Task, result: Result) -> str:
        """Note what was measured, and return the fault where it could not be."""
        job = task.job
        if result.energies is None:
            self.failed.append(self._numbers[job.target])
            self.journal.fail(job, result.fault)
            return result.fault
        key = tape_key(result.input_digest, self.sound, job.target)
        self.journal.note_input(job.source, result.input_digest, result.input_trace)
        self.journal.note_energies(key, result.energies)
        self.journal.give_up(job)
        self._add(job, key)
        return ""

    def _add(self, job: Job, key: str) -> None:
        self._keys[os.path.dirname(job.target)].append(key)

    def levels(self) -> dict[str, LoudnessTarget]:
        """Return the target, with its gain, of each folder."""
        return {folder: self.target.of_album(self._energies(keys)) for folder, keys in self._keys.items()}

    def _energies(self, keys: Iterable[str]) -> list[NDArray[np.float64]]:
        # In an order that does not depend on which of them ended first.
        return self.journal.energies(sorted(keys))
