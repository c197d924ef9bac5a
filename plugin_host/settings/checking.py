"""Checks of settings: names, units and ranges against the knobs there are."""

from __future__ import annotations

from collections.abc import Mapping

from models.control import Control
from plugin_host.settings.changes import SettingsError

_LONGEST_TEXT = 64


def control_of(controls: Mapping[str, Control], name: str) -> Control:
    """Return a knob's declaration; raise SettingsError "unknown_knob" if there is none."""
    control = controls.get(name)
    if control is None:
        known = ", ".join(controls)
        raise SettingsError("unknown_knob", f"there is no knob '{name[:_LONGEST_TEXT]}'; the knobs are {known}")
    return control


def checked(controls: Mapping[str, Control], name: str, value: float | str) -> float:
    """Return a value in the knob's unit; raise SettingsError "unknown_knob" or "bad_value"."""
    control = control_of(controls, name)
    try:
        if isinstance(value, str):
            if len(value) > _LONGEST_TEXT:
                raise ValueError(f"{name} must be {control.range_text()}, not a text of {len(value)} letters")
            return control.from_text(value)
        return control.check(value)
    except (ValueError, OverflowError) as error:
        why = str(error) if isinstance(error, ValueError) else f"{name} must be {control.range_text()}"
        raise SettingsError("bad_value", why) from None


def possible(controls: Mapping[str, Control], settings: Mapping[str, float]) -> dict[str, float]:
    """Leave out what another set of knobs had and this one has not."""
    found: dict[str, float] = {}
    for name, value in settings.items():
        try:
            found[name] = checked(controls, name, value)
        except SettingsError:
            continue
    return found
