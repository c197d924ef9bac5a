"""Laws of soft takeover: nothing jumps, however fast the hand, and whatever else moves the setting wins."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plugin_host.midi.bindings import SoftTakeover

positions = st.floats(0.0, 1.0)


def test_far_away_nothing_moves() -> None:
    takeover = SoftTakeover(0.02)
    assert [takeover.offer(p, 0.5) for p in (0.0, 0.2, 0.4, 0.47, 0.3)] == [False] * 5


def test_near_enough_takes_hold_and_keeps_it() -> None:
    takeover = SoftTakeover(0.02)
    assert not takeover.offer(0.45, 0.5)
    assert takeover.offer(0.485, 0.5)
    assert takeover.offer(0.9, 0.485)


def test_a_fast_move_across_the_setting_takes_hold() -> None:
    for start, end in ((0.0, 1.0), (1.0, 0.0)):
        takeover = SoftTakeover(0.0)
        assert not takeover.offer(start, 0.5)
        assert takeover.offer(end, 0.5)


def test_a_crossing_between_two_looks_counts_though_the_control_came_back() -> None:
    takeover = SoftTakeover(0.0)
    takeover.offer(0.2, 0.5)
    assert takeover.offer(0.3, 0.5, low=0.2, high=0.8)


def test_a_setting_that_jumps_over_the_control_is_no_crossing() -> None:
    takeover = SoftTakeover(0.02)
    takeover.offer(0.5, 0.2)
    assert not takeover.offer(0.52, 0.8)


def test_releasing_means_meeting_again() -> None:
    takeover = SoftTakeover(0.02)
    takeover.rest(0.5)
    takeover.release()
    assert not takeover.offer(0.51, 0.9)
    assert takeover.offer(0.95, 0.9)


def test_a_control_that_was_away_has_crossed_nothing() -> None:
    takeover = SoftTakeover(0.02)
    takeover.offer(0.1, 0.5)
    takeover.forget()
    assert not takeover.offer(0.9, 0.5)


@given(positions, st.lists(positions, min_size=1, max_size=30))
def test_the_setting_never_jumps_further_than_the_hand_or_the_tolerance(setting: float, hand: list[float]) -> None:
    """The first move that takes hold starts at the setting: near it, or on the other side of it."""
    takeover, before = SoftTakeover(0.02), None
    for position in hand:
        if takeover.offer(position, setting):
            reach = 0.02 if before is None else max(0.02, abs(position - before))
            assert abs(position - setting) <= reach + 1e-12
            setting = position
        before = position
