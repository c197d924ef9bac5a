"""Laws of the tape: whatever was added, the newest samples are there, for as long as it promised."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.buffers.delay_line import DelayLine


def test_the_newest_samples_are_what_was_added() -> None:
    rng = np.random.default_rng(0)
    tape, past = DelayLine(2, 300), np.zeros((2, 300), np.float32)
    for count in [1, 64, 128, 2000, 5000, 7, *rng.integers(1, 900, 50)]:
        block = rng.standard_normal((2, count)).astype(np.float32)
        assert tape.append(block)
        past = np.concatenate([past, block], 1)
        np.testing.assert_array_equal(tape.newest(count + 300), past[:, -count - 300 :])
        np.testing.assert_array_equal(tape.newest(100, 200), past[:, -300:-200])


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_it_reports_what_is_no_number_and_refuses_other_channels(strange: float) -> None:
    tape, block = DelayLine(2, 10), np.ones((2, 7), np.float32)
    block[1, 3] = strange
    assert not tape.append(block)
    with pytest.raises(ValueError, match="channels"):
        tape.append(block[:1])


def test_it_starts_with_silence() -> None:
    assert not DelayLine(1, 50).newest(50).any()
