"""Law of denormals: they count as zero where that was switched on, on this thread alone, and as themselves after."""

from __future__ import annotations

from threading import Thread

import numpy as np

from plugin_host.engine.denormals import flush_denormals


def products() -> list[float]:
    """Return the smallest number's half, computed by whatever numpy uses, and a denormal taken twice."""
    small = np.full(64, np.finfo(np.float32).tiny, np.float32)
    denormal = small.view(np.uint32).copy()
    denormal[:] = 1
    return [float((small * np.float32(0.5)).max()), float((denormal.view(np.float32) * np.float32(2.0)).max())]


def test_denormals_are_zero_while_they_are_flushed_on_this_thread_alone() -> None:
    elsewhere: list[list[float]] = []
    before = products()
    assert all(before)
    try:
        assert flush_denormals(True)
        assert products() == [0.0, 0.0]
        other = Thread(target=lambda: elsewhere.append(products()))
        other.start()
        other.join()
    finally:
        flush_denormals(False)
    assert products() == before
