"""What an engine works with: where its settings come from, and who receives what it played."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from models.stage import Block


class SettingsSource(Protocol):
    """Where the audio thread gets its settings from; never blocks."""

    def prepare(self, sample_rate: int) -> None:
        """Set the rate in which smoothing counts."""
        ...

    def drain(self, frames: int) -> Mapping[str, float]:
        """Apply the requests, smooth over so many samples and return every control's value."""
        ...


class Listener(Protocol):
    """Receives what was played; runs on the audio thread and never blocks."""

    def push(self, dry: Block, wet: Block) -> None:
        """Write a block of input and output, both (channels, samples)."""
        ...
