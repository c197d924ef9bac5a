"""The result of a conformance check: one law and how it stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One law and how it stands.

    Attributes:
        law: What must hold, as a person says it.
        fault: One sentence on how it is broken, "" where it holds.
        note: A figure worth knowing.
    """

    law: str
    fault: str = ""
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the law is kept."""
        return not self.fault
