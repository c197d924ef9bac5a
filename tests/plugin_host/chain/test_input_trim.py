"""Laws of the input trim: nothing at 0 dB to the last bit, a gain without a step, and presets leave it alone."""

from __future__ import annotations

import numpy as np
import pytest

from models.stage import Block
from plugin_host.chain.input_trim import TRIM, InputTrim
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.gain import Gain


def noise(samples: int) -> Block:
    sound: Block = np.random.default_rng(5).standard_normal((2, samples)).astype(np.float32)
    return sound


def test_at_0_db_the_input_stays_as_it_is_and_at_others_it_is_multiplied() -> None:
    trim, block = InputTrim(), noise(100)
    trim.apply(block, 0.0)
    assert np.array_equal(block, noise(100))
    trim.reset()
    trim.apply(block, -6.0)
    assert block == pytest.approx(noise(100) * 10 ** (-6.0 / 20.0), rel=1e-6)


def test_it_moves_without_a_step_and_arrives() -> None:
    trim, gains = InputTrim(), []
    for trim_db in (0.0, 24.0, 24.0, -24.0, 0.0, 0.0):
        block = np.ones((1, 64), np.float32)
        trim.apply(block, trim_db)
        gains.append(block[0])
    whole = np.concatenate(gains)
    assert np.abs(np.diff(whole)).max() <= 1.01 * (10 ** (24 / 20) - 10 ** (-24 / 20)) / 64
    assert whole[-64:].tolist() == [1.0] * 64


def test_presets_and_slots_leave_it_alone() -> None:
    store = SettingsStore([*Gain().controls, TRIM])
    store.request(TRIM.id, 6.0, "test")
    store.load({}, "test")
    store.select_slot("B", "test")
    assert store.targets()[TRIM.id] == 6.0
