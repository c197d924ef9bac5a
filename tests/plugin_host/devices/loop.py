"""A way through JACK, measured until a measurement is whole: a busy server leaves cycles out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np

from plugin_host.bench.latency_probe import LoopProbe
from tests.plugin_host.session.live_program import wait_for


@contextmanager
def probing(is_insert: bool = False) -> Iterator[LoopProbe]:
    """Join the server as a probe, and leave it."""
    probe = LoopProbe(is_insert)
    try:
        yield probe
    finally:
        probe.close()


def wait_for_delay(
    probe: LoopProbe, latency: int, into: str = "highband:in_1", out_of: str = "highband:out_1", within: int = 0
) -> None:
    """Measure until what comes out is later than what goes in by a latency, give or take `within` samples."""

    def is_late_by_it() -> bool:
        with suppress(RuntimeError):
            return abs(probe.measure(into, out_of) - latency) <= within
        return False

    wait_for(is_late_by_it)


def wait_for_bits(probe: LoopProbe, latency: int) -> None:
    """Measure until every sample of the burst comes back as it was sent."""
    burst = np.flatnonzero(probe.sent)

    def has_come_back() -> bool:
        wait_for_delay(probe, latency)
        return np.array_equal(probe.received[burst + latency], probe.sent[burst])

    wait_for(has_come_back)
