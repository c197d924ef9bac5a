"""The fit of a gradual low-pass finds its 3 dB, whatever its family, its order and the lines in between."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from dsp.bandwidth.low_pass import Levels, fit_low_pass

RATE, CELL_HZ = 48000, 25.0
CELLS = np.arange(940)


def filtered(order: int, edge_hz: float, family: str) -> tuple[Levels, float, float]:
    """Return a falling spectrum with roughness and lines after a filter, and where that is 3 and 6 dB down."""
    sections = (
        signal.ellip(order, 0.5, 80, edge_hz, fs=RATE, output="sos")
        if family == "elliptic"
        else signal.cheby1(order, 0.5, edge_hz, fs=RATE, output="sos")
    )
    _, response = signal.sosfreqz(sections, (CELLS + 1) * CELL_HZ, fs=RATE)
    chance = np.random.default_rng(order)
    rough = np.convolve(chance.normal(0, 3, len(CELLS)), np.ones(8) / 8**0.5, "same")
    lines = 20.0 * (CELLS % 40 == 0)
    passed = abs(response)
    low, high = (float(CELL_HZ * (np.flatnonzero(passed > 10 ** (-loss / 20))[-1] + 1)) for loss in (3, 6))
    return -0.02 * CELLS + rough + lines + 20 * np.log10(passed + 1e-6), low, high


@pytest.mark.parametrize("family", ["elliptic", "chebyshev"])
@pytest.mark.parametrize("order", [5, 6, 8])
@pytest.mark.parametrize(("edge_hz", "guess_hz"), [(5000.0, 5300.0), (11000.0, 10000.0)])
def test_the_fit_finds_the_corner(family: str, order: int, edge_hz: float, guess_hz: float) -> None:
    levels, low, high = filtered(order, edge_hz, family)
    assert low - 200 < CELL_HZ * fit_low_pass(levels, guess_hz / CELL_HZ).cell < high + 200


def test_a_steeper_fall_has_a_higher_order() -> None:
    orders = [fit_low_pass(filtered(order, 9000.0, "chebyshev")[0], 9000 / CELL_HZ).order for order in (4, 8, 14)]
    assert orders == sorted(orders)
    assert orders[0] < orders[-1]
