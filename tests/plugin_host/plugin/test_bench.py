"""The measurements of the hop: a host in the library itself plays every block through the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin_host.bench.plugin import _ECHO, _measure, _measure_bare
from plugin_host.plugin.product import OWN


@pytest.mark.parametrize(("stage", "buffer", "offline"), [(_ECHO, 0, False), (OWN, 256, True)], ids=["hop", "bounce"])
def test_every_block_is_measured(library: Path, served: Path, stage: str, buffer: int, offline: bool) -> None:
    found = _measure(library, stage, 1, 256, buffer, 0.5, is_offline=offline)
    assert found.blocks == 93
    assert 0.0 < found.p50_us <= found.p99_us <= found.longest_us
    assert found.late <= found.blocks
    if not offline:
        assert found.seconds > 0.4, "it is paced"


def test_what_the_machine_itself_takes_is_measured_beside(library: Path, served: Path) -> None:
    found = _measure_bare(library, 256, 0.5)
    assert found.blocks == 93
    assert 0.0 < found.p50_us <= found.p99_us <= found.longest_us
    assert not list(served.glob("*.region")), "it leaves nothing for the engine"
