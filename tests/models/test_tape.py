"""Laws of the tape: whatever was added, the newest samples are there, for as long as it promised."""

from __future__ import annotations

import numpy as np

from models.tape import Tape


def test_the_newest_samples_are_what_was_added() -> None:
    rng = np.random.default_rng(0)
    tape, past = Tape(2, 300), np.zeros((2, 300), np.float32)
    for count in [1, 64, 128, 2000, 5000, 7, *rng.integers(1, 900, 50)]:
        block = rng.standard_normal((2, count)).astype(np.float32)
        tape.extend(count)[:] = block
        past = np.concatenate([past, block], 1)
        np.testing.assert_array_equal(tape.newest(count + 300), past[:, -count - 300 :])
        np.testing.assert_array_equal(tape.newest(100, 200), past[:, -300:-200])


def test_it_starts_with_silence() -> None:
    assert not Tape(1, 50).newest(50).any()
