"""The knobs of the extender: one table that the stage, the presets, the command line and every control door read."""

from __future__ import annotations

from collections.abc import Mapping

from models.control import Control

# Of the amount's curve: from where a telephone ends to where hearing does, apart by two thirds of an octave.
NODES_HZ: Mapping[str, float] = {
    "curve_3k": 3000.0,
    "curve_5k": 5000.0,
    "curve_8k": 8000.0,
    "curve_12k": 12000.0,
    "curve_18k": 18000.0,
}


def _node(name: str, hertz: float) -> Control:
    at = f"{hertz / 1000.0:g} kHz"
    about = f"Level of the generated band around {at}, on top of the amount: a node of its curve over frequency."
    return Control(name, f"Curve {at}", "dB", -12.0, 12.0, 0.0, about=about)


CONTROLS: tuple[Control, ...] = (
    Control(
        "crossover",
        "Crossover",
        "Hz",
        2000.0,
        20000.0,
        0.0,
        "log",
        automatic=True,
        about="Frequency above which the band is generated; auto follows the recording's true bandwidth.",
    ),
    Control("amount", "Amount", "dB", -24.0, 12.0, 0.0, about="Level of the generated band against the prediction."),
    Control("tilt", "Tilt", "dB/oct", -6.0, 6.0, 0.0, about="Slope of the generated band above the crossover."),
    Control(
        "tone",
        "Tone",
        "%",
        -100.0,
        100.0,
        0.0,
        about="Material of the band: -100 all noise, 0 as predicted, 100 all harmonics.",
    ),
    Control("drive", "Drive", "dB", 0.0, 24.0, 6.0, about="How hard the harmonic exciter is driven."),
    Control("attack", "Attack", "%", -100.0, 100.0, 0.0, about="Emphasis of onsets in the generated band."),
    Control("ceiling", "Ceiling", "Hz", 4000.0, 24000.0, 22000.0, "log", about="Highest frequency that is generated."),
    Control(
        "width", "Width", "%", 0.0, 100.0, 50.0, about="Stereo width of the generated noise: 0 mono, 100 decorrelated."
    ),
    Control("mix", "Mix", "%", 0.0, 100.0, 100.0, about="How much of the generated band is added to the input."),
    Control("output", "Output", "dB", -24.0, 12.0, 0.0, about="Gain of the whole output."),
    Control(
        "bypass",
        "Bypass",
        "",
        0.0,
        1.0,
        0.0,
        "switch",
        10.0,
        about="Pass the input, delayed by the latency, untouched.",
    ),
    Control("delta", "Delta", "", 0.0, 1.0, 0.0, "switch", 10.0, about="Listen to the generated band only."),
    *(_node(name, hertz) for name, hertz in NODES_HZ.items()),
    # A control that comes later stands later: hosts know them by number.
    Control(
        "soft_edge",
        "Soft edge",
        "",
        0.0,
        1.0,
        0.0,
        "switch",
        about="Auto also follows a recording that falls gently into its noise, from an octave below the noise on.",
    ),
)
BY_ID: Mapping[str, Control] = {control.id: control for control in CONTROLS}


def defaults() -> dict[str, float]:
    """Return every control's default value by id."""
    return {control.id: control.default for control in CONTROLS}


def control(name: str) -> Control:
    """Return the control with this id, or raise ValueError with a sentence that lists the known ones."""
    try:
        return BY_ID[name]
    except KeyError:
        raise ValueError(f"there is no knob '{name}'; the knobs are {', '.join(BY_ID)}") from None
