"""Laws of the fine edge: a wall's place to a few Hz, and nothing moved where there is no wall."""

from __future__ import annotations

import numpy as np
import pytest

from plugin_host.render.inspect.fine_edge import LongTermSpectrum
from tests.plugin_host.render.inspect.recordings import RATE, cut, falling, recording


def spectrum(samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> LongTermSpectrum:
    measured = LongTermSpectrum(RATE)
    for start in range(0, samples.shape[1], RATE):
        measured.add(samples[:, start : start + RATE])
    return measured


@pytest.mark.parametrize("hertz", [3000.0, 7990.0, 15750.0, 18612.0])
def test_a_wall_is_found_to_a_few_hertz(hertz: float) -> None:
    measured = spectrum(cut(recording(1), hertz))
    for guess in (0.985 * hertz, hertz, 1.012 * hertz):
        assert measured.refined(guess) == pytest.approx(hertz, abs=45)


def test_what_is_no_wall_stays_where_it_was() -> None:
    for samples in (recording(2), falling(recording(3), -18.0), np.zeros((1, RATE), np.float32)):
        measured = spectrum(samples)
        assert [measured.refined(guess) for guess in (2500.0, 9000.0, 23900.0)] == [2500.0, 9000.0, 23900.0]
