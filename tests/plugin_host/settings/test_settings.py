"""Laws of the settings store: who may ask, how values glide, what can be undone."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from models.control import Control
from models.extender import controls as knobs
from plugin_host.settings.changes import SettingsError
from plugin_host.settings.snapshots import LISTENING
from plugin_host.settings.store import SettingsStore

RATE = 48000
GLIDE = 1200
CEILING = knobs.control("ceiling")


def store(capacity: int = 256) -> SettingsStore:
    made = SettingsStore(knobs.CONTROLS, capacity)
    made.prepare(RATE)
    return made


def moves() -> st.SearchStrategy[list[tuple[int, str, float]]]:
    one = st.sampled_from(knobs.CONTROLS).flatmap(
        lambda control: st.tuples(
            st.integers(0, 3000), st.just(control.id), st.floats(0.0, 1.0).map(control.from_position)
        )
    )
    return st.lists(one, max_size=12).map(lambda found: sorted(found, key=lambda move: move[0]))


def play(asked: list[tuple[int, str, float]], cuts: list[int], length: int) -> dict[str, float]:
    """Run to `length` samples with a block border at every request and at every cut."""
    made, here = store(), 0
    for border in sorted({0, length, *cuts, *(frame for frame, _, _ in asked)}):
        made.drain(border - here)
        here = border
        for frame, name, value in asked:
            if frame == border:
                made.request(name, value, "test")
    return dict(made.drain(0))


@given(moves(), st.lists(st.integers(0, 4000), max_size=30))
@examples(max_examples=60)
def test_values_are_the_same_bits_for_any_cutting(asked: list[tuple[int, str, float]], cuts: list[int]) -> None:
    assert play(asked, cuts, 4000) == play(asked, [], 4000)


def test_a_linear_knob_glides_in_a_straight_line_and_ends_on_its_target() -> None:
    made = store()
    made.request("amount", -12.0, "test")
    assert made.drain(GLIDE // 4)["amount"] == pytest.approx(-3.0)
    assert made.drain(GLIDE // 4)["amount"] == pytest.approx(-6.0)
    assert made.drain(GLIDE // 2)["amount"] == -12.0


def test_a_log_knob_glides_in_position() -> None:
    made = store()
    start = CEILING.to_position(CEILING.default)
    made.request("ceiling", "6 kHz", "test")
    halfway = made.drain(GLIDE // 2)["ceiling"]
    assert CEILING.to_position(halfway) == pytest.approx((start + CEILING.to_position(6000.0)) / 2)


@pytest.mark.parametrize(("name", "value"), [("bypass", "on"), ("crossover", 5000.0)])
def test_switches_and_the_way_from_auto_jump(name: str, value: float | str) -> None:
    made = store()
    accepted = made.request(name, value, "test")
    assert made.drain(1)[name] == accepted.value != 0.0


def test_the_same_target_again_does_not_slow_the_glide() -> None:
    made = store()
    for _ in range(4):
        made.request("amount", -12.0, "test")
        made.drain(GLIDE // 4)
    assert made.drain(0)["amount"] == -12.0


def test_the_answer_is_the_triple_and_the_sequence_rises_by_one() -> None:
    made = store()
    first = made.request("amount", "-3 dB", "test")
    assert (first.name, first.value, first.text) == ("amount", -3.0, "-3 dB")
    assert first.position == pytest.approx(21 / 36)
    assert made.request("tone", 40, "test").sequence == first.sequence + 1
    assert made.targets()["amount"] == -3.0


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("loudness", 1.0, "unknown_knob"), ("amount", 99.0, "bad_value"), ("amount", "3 kHz", "bad_value"),
        ("amount", float("nan"), "bad_value"), ("amount", 10**400, "bad_value"), ("bypass", 0.5, "bad_value"),
        ("amount", "9" * 5000, "bad_value"),
    ],
)  # fmt: skip
def test_a_refused_request_changes_nothing(name: str, value: float | str, kind: str) -> None:
    made = store()
    with pytest.raises(SettingsError) as refused:
        made.request_many({"tone": 10.0, name: value}, "test")
    assert refused.value.kind == kind
    assert "\n" not in str(refused.value)
    assert (made.targets(), made.sequence) == (knobs.defaults(), 0)


def test_a_full_queue_keeps_the_newest_targets() -> None:
    made = store(capacity=8)
    for step in range(1000):
        made.request("amount", -24.0 + step * 0.01, "a")
        made.request("tone", step * 0.1, "b")
    values = made.drain(2 * GLIDE)
    assert (values["amount"], values["tone"]) == (made.targets()["amount"], made.targets()["tone"])


def test_what_one_listens_to_is_no_step_of_undo() -> None:
    made = store()
    made.request("amount", 3.0, "panel")
    made.request("bypass", "on", "panel")
    made.undo("panel")
    made.request("bypass", "off", "panel")
    made.request("delta", "on", "panel")
    assert made.targets()["amount"] == 0.0
    made.redo("panel")
    assert (made.targets()["amount"], made.targets()["bypass"], made.targets()["delta"]) == (3.0, 0.0, 1.0)


def test_a_drag_is_one_step_of_undo() -> None:
    made = store()
    made.request("tone", 10.0, "panel")
    for value in range(1, 9):
        made.request("amount", float(value), "panel", gesture="drag")
        made.request("drive", float(value), "midi")
    made.end_gesture("panel", "drag")
    made.request("amount", 9.0, "panel", gesture="drag")
    made.undo("panel")
    assert made.targets()["amount"] == 8.0
    for _ in range(9):
        made.undo("panel")
    assert (made.targets()["amount"], made.targets()["drive"]) == (0.0, 6.0)
    assert made.targets()["tone"] == 10.0


@given(moves(), st.integers(0, 12))
@examples(max_examples=40)
def test_redo_takes_undo_back(asked: list[tuple[int, str, float]], steps: int) -> None:
    made = store()
    for _, name, value in asked:
        made.request(name, value, "test")
    end, undone = made.targets(), 0
    while made.snapshot().can_undo and undone < steps:
        made.undo("test")
        undone += 1
    if undone == steps == 0 or not made.snapshot().can_undo:
        listened = {name: value for name, value in end.items() if name in LISTENING}
        assert made.targets() == (end if undone == 0 else knobs.defaults() | listened)
    for _ in range(undone):
        made.redo("test")
    assert made.targets() == end


def test_undo_without_a_step_is_refused() -> None:
    for way in (store().undo, store().redo):
        with pytest.raises(SettingsError, match="there is nothing to"):
            way("test")


def test_a_slot_comes_back_as_it_was_left() -> None:
    made = store()
    made.request("amount", 3.0, "test")
    made.select_slot("B", "test")
    assert made.targets()["amount"] == 3.0
    made.request_many({"amount": -3.0, "bypass": 1.0}, "test")
    made.select_slot("A", "test")
    assert (made.targets()["amount"], made.targets()["bypass"]) == (3.0, 1.0)
    made.copy_slot("B", "A", "test")
    assert made.targets()["amount"] == -3.0
    made.undo("test")
    made.undo("test")
    assert (made.targets()["amount"], made.snapshot().slot) == (-3.0, "B")
    made.redo("test")
    assert (made.targets()["amount"], made.snapshot().slot) == (3.0, "A")
    with pytest.raises(SettingsError, match="slot D is empty"):
        made.copy_slot("D", "A", "test")


def test_a_preset_is_one_step_and_leaves_what_one_listens_to() -> None:
    made = store()
    made.request_many({"amount": 3.0, "delta": "on"}, "test")
    made.load({"tone": 25.0}, "test")
    assert (made.targets()["amount"], made.targets()["tone"], made.targets()["delta"]) == (0.0, 25.0, 1.0)
    made.undo("test")
    assert (made.targets()["amount"], made.targets()["tone"]) == (3.0, 0.0)


def test_other_knobs_come_without_a_jump_of_those_that_stay() -> None:
    made = store()
    made.request("amount", -12.0, "test")
    made.drain(GLIDE // 2)
    extra = Control("after.0.gain_db", "Gain", "dB", -60.0, 60.0, -2.0)
    made.declare([*knobs.CONTROLS, extra])
    values = made.drain(GLIDE // 4)
    assert values["amount"] == pytest.approx(-9.0)
    assert values["after.0.gain_db"] == -2.0
    made.declare(knobs.CONTROLS)
    assert dict(made.drain(GLIDE)) == {**knobs.defaults(), "amount": -12.0}


def test_a_knob_of_another_effect_under_the_same_name_does_not_inherit_history_or_slots() -> None:
    gain, level = (Control("after.0.db", name, "dB", -60.0, 60.0, -2.0) for name in ("Gain", "Level"))
    made = SettingsStore([*knobs.CONTROLS, gain])
    made.request("tone", 5.0, "test")
    made.request_many({"after.0.db": 20.0, "amount": 3.0}, "test")
    made.request("after.0.db", 30.0, "test")
    made.select_slot("B", "test")
    made.select_slot("A", "test")
    made.declare([*knobs.CONTROLS, level])
    made.select_slot("B", "test")
    assert made.targets()["after.0.db"] == -2.0
    for _ in range(4):
        made.undo("test")
    assert (made.targets()["amount"], made.targets()["after.0.db"]) == (0.0, -2.0)
    made.undo("test")
    assert (made.targets()["tone"], made.snapshot().can_undo) == (0.0, False)


def test_every_change_reaches_every_subscriber_with_its_origin() -> None:
    made = store()
    news, short = made.subscribe(), made.subscribe(capacity=2)
    made.request("amount", 1.0, "midi")
    made.undo("panel")
    made.select_slot("C", "osc")
    changes = news.take(timeout_s=1.0)
    assert [(change.sequence, change.origin, change.cause) for change in changes] == [
        (1, "midi", "set"), (2, "panel", "undo"), (3, "osc", "slot"),
    ]  # fmt: skip
    assert ([change.sequence for change in short.take()], short.missed) == ([2, 3], 1)
    made.unsubscribe(news)
    made.request("amount", 2.0, "midi")
    assert news.take() == []


def test_doors_on_many_threads_and_a_draining_thread_agree_at_the_end() -> None:
    made, done = store(capacity=16), threading.Event()

    def knock(name: str) -> None:
        for step in range(300):
            made.request(name, float(step % 12), name)

    def listen() -> None:
        while not done.is_set():
            made.drain(64)

    doors = [threading.Thread(target=knock, args=[name]) for name in ("amount", "drive", "tone")]
    audio = threading.Thread(target=listen)
    for thread in (audio, *doors):
        thread.start()
    for thread in doors:
        thread.join()
    done.set()
    audio.join()
    assert dict(made.drain(2 * GLIDE)) == made.targets()
    assert made.sequence == 900


@pytest.mark.parametrize(
    ("origin", "samples"), [("midi", GLIDE), ("panel", GLIDE), ("automation", 96), ("automation lane 2", 96)]
)
def test_an_automation_is_followed_at_once_and_a_hand_softly(origin: str, samples: int) -> None:
    made = store()
    made.request("amount", -12.0, origin)
    assert made.drain(samples - 1)["amount"] > -12.0
    assert made.drain(1)["amount"] == -12.0
    made.request("amount", 0.0, "midi")
    assert made.drain(GLIDE // 2)["amount"] == pytest.approx(-6.0)


def test_a_locked_knob_is_moved_by_no_preset_until_it_is_released() -> None:
    made = store()
    made.request("tone", 10.0, "test")
    made.lock("tone", True, "test")
    made.load({"tone": 25.0, "amount": 3.0}, "test")
    assert (made.targets()["tone"], made.targets()["amount"]) == (10.0, 3.0)
    assert made.snapshot().locked == ("tone",)
    made.request("tone", 11.0, "test")
    made.lock("tone", False, "test")
    made.load({"tone": 25.0}, "test")
    assert made.targets()["tone"] == 25.0
    with pytest.raises(SettingsError, match="no knob 'loud'"):
        made.lock("loud", True, "test")
