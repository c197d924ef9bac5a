"""Laws of a control: positions and texts make the way back, and what is out of range is refused in a sentence."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.control import Control

LINEAR = Control("tilt", "Tilt", "dB/oct", -6.0, 6.0, 0.0)
LOG = Control("ceiling", "Ceiling", "Hz", 4000.0, 24000.0, 22000.0, "log")
AUTO = Control("crossover", "Crossover", "Hz", 2000.0, 20000.0, 0.0, "log", automatic=True)
PERCENT = Control("mix", "Mix", "%", 0.0, 100.0, 100.0)
SWITCH = Control("bypass", "Bypass", "", 0.0, 1.0, 0.0, "switch")
EVERY = (LINEAR, LOG, AUTO, PERCENT, SWITCH)
CONTROLS = st.sampled_from(EVERY)


@given(CONTROLS, st.floats(0, 1))
def test_a_position_makes_the_way_back(control: Control, position: float) -> None:
    value = control.from_position(position)
    assert control.check(value) == value
    if control.curve == "switch":
        assert control.to_position(value) == float(position >= 0.5)
    else:
        assert control.to_position(value) == pytest.approx(position, abs=1e-9)


@given(CONTROLS, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_position_is_never_a_lower_value(control: Control, one: float, other: float) -> None:
    assert control.from_position(min(one, other)) <= control.from_position(max(one, other))


@given(CONTROLS, st.floats(0, 1))
def test_a_text_makes_the_way_back(control: Control, position: float) -> None:
    value = control.from_position(position)
    # Six digits are written; the end of a range may round to just outside it, which no knob's range does.
    written = control.to_text(value)
    assert control.from_text(written) == pytest.approx(value, rel=1e-5, abs=1e-5)
    assert control.to_text(control.from_text(written)) == written


@pytest.mark.parametrize("control", EVERY, ids=lambda control: control.id)
def test_the_ends_are_the_range(control: Control) -> None:
    assert (control.from_position(-1), control.from_position(2)) == (control.low, control.high)
    assert control.check(control.default) == control.default
    assert (control.to_position(control.low), control.to_position(control.high)) == (0, 1)


@pytest.mark.parametrize(
    ("control", "text", "value"),
    [
        (LOG, "6.3 kHz", 6300.0),
        (LOG, "6,3 kHz", 6300.0),
        (LOG, "6300", 6300.0),
        (LOG, " 6300 HZ ", 6300.0),
        (AUTO, "Auto", 0.0),
        (LINEAR, "-3 dB/oct", -3.0),
        (LINEAR, "-3", -3.0),
        (PERCENT, "40%", 40.0),
        (SWITCH, "on", 1.0),
        (SWITCH, "No", 0.0),
        (SWITCH, "1", 1.0),
    ],
)
def test_texts_that_people_write(control: Control, text: str, value: float) -> None:
    assert control.from_text(text) == value


@pytest.mark.parametrize(
    ("control", "value", "text"),
    [(LOG, 6300.0, "6.3 kHz"), (LINEAR, -3.0, "-3 dB/oct"), (AUTO, 0.0, "auto"), (SWITCH, 1.0, "on")],
)
def test_texts_that_people_read(control: Control, value: float, text: str) -> None:
    assert control.to_text(value) == text


@pytest.mark.parametrize("control", EVERY, ids=lambda control: control.id)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e9, -1e9])
def test_a_value_outside_is_refused_with_the_range(control: Control, value: float) -> None:
    with pytest.raises(ValueError, match=f"{control.id} must be .*(between|on or off)"):
        control.check(value)


def test_auto_is_for_automatic_controls_and_a_switch_has_no_middle() -> None:
    with pytest.raises(ValueError, match="between 4000 and 24000 Hz, not 0"):
        LOG.check(0.0)
    with pytest.raises(ValueError, match=r"on or off, not 0\.5"):
        SWITCH.check(0.5)


@given(CONTROLS, st.text(max_size=12))
def test_any_text_is_a_value_in_range_or_a_refusal(control: Control, text: str) -> None:
    try:
        value = control.from_text(text)
    except ValueError:
        with pytest.raises(ValueError, match=f"{control.id} must be"):
            control.from_text(text)
    else:
        assert control.check(value) == value
