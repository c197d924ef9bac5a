"""Laws of the elementary functions: they are the library's, to single precision, wherever the kernels ask them."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.fast_math import cos_sin, exp, log


@pytest.mark.parametrize("value", np.linspace(-80, 80, 400, dtype=np.float32))
def test_exp(value: np.float32) -> None:
    assert exp(value) == pytest.approx(np.exp(np.float64(value)), rel=3e-6)


def test_exp_is_finite_or_infinite_and_not_negative_out_of_range() -> None:
    assert exp(np.float32(-np.inf)) == pytest.approx(0.0, abs=1e-37)
    assert exp(np.float32(-500)) == pytest.approx(0.0, abs=1e-37)
    assert exp(np.float32(500)) > 1e38
    assert np.isnan(exp(np.float32(np.nan)))


@pytest.mark.parametrize("power", np.linspace(-80, 80, 400))
def test_log(power: float) -> None:
    value = np.float32(np.exp(power))
    assert log(value) == pytest.approx(np.log(np.float64(value)), rel=3e-7, abs=1e-7)


@pytest.mark.parametrize("angle", np.linspace(-40, 40, 401, dtype=np.float32))
def test_cosine_and_sine(angle: np.float32) -> None:
    assert cos_sin(angle) == pytest.approx((np.cos(np.float64(angle)), np.sin(np.float64(angle))), abs=3e-6)
