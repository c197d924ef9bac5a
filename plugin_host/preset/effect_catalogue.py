"""The table of native effects that a preset may name: their settings, ranges and units.

The ranges are those of pedalboard where it checks them, and else the ones in which the effect stays stable and useful.
The table costs no import of pedalboard, so that a preset is checked without loading it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.control import Control, Curve


@dataclass(frozen=True)
class EffectKind:
    """One native effect.

    Attributes:
        name: Its class in pedalboard.
        about: One sentence on what it does.
        controls: Its numbers and switches, with pedalboard's own defaults.
        fixed: Ids of the controls that only a newly built effect takes, so no knob may move them.
        choices: Settings that take one word of a list; the first is the default.
        file: The setting that names an audio file, or "".
        chunked: Whether its output depends on how the signal is cut, so that it must be fed pieces of one length.
        live: Whether its latency is short enough to play through.
    """

    name: str
    about: str
    controls: tuple[Control, ...] = ()
    fixed: frozenset[str] = frozenset()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    file: str = ""
    chunked: bool = False
    live: bool = True

    @property
    def settings(self) -> tuple[str, ...]:
        """The ids of everything that can be set."""
        return (*(control.id for control in self.controls), *self.choices, *((self.file,) if self.file else ()))

    def check(self, name: str, value: Any) -> float | str:
        """Return a setting as a plain value, or raise ValueError with a sentence that says what is allowed."""
        if name in self.choices:
            words = self.choices[name]
            if value not in words:
                raise ValueError(f"{name} of {self.name} must be one of {', '.join(words)}, not {value!r}")
            return str(value)
        if self.file and name == self.file:
            if not isinstance(value, str) or not value or "\0" in value:
                raise ValueError(f"{name} of {self.name} must be the path of an audio file, not {value!r}")
            return value
        for control in self.controls:
            if control.id == name:
                return check_value(control, value)
        raise ValueError(f"{self.name} has no setting '{name}'; it has {', '.join(self.settings) or 'none'}")


def check_value(control: Control, value: Any) -> float:
    """Return a number, true/false or text like "6.3 kHz" as a plain value, or raise ValueError with a sentence."""
    if isinstance(value, str):
        return control.from_text(value)
    if isinstance(value, bool) and control.curve != "switch":
        raise ValueError(f"{control.id} must be {control.range_text()}, not {str(value).lower()}")
    if not isinstance(value, (int, float)):
        raise ValueError(f"{control.id} must be {control.range_text()}, not {value!r}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{control.id} must be {control.range_text()}, not a number of that size") from None
    return control.check(number)


def effect(name: str) -> EffectKind:
    """Return the effect of this name, or raise ValueError with a sentence that lists the known ones."""
    if name in UNUSABLE:
        raise ValueError(f"{name} {UNUSABLE[name]}; take it out")
    try:
        return EFFECTS[name]
    except KeyError:
        raise ValueError(f"there is no effect '{name}'; the effects are {', '.join(EFFECTS)}") from None


def _c(id_: str, unit: str, low: float, high: float, default: float, curve: Curve = "linear") -> Control:
    name = id_.replace("_", " ").capitalize()
    return Control(id_, name, unit, low, high, default, curve)


_CUTOFF = _c("cutoff_frequency_hz", "Hz", 1.0, 24000.0, 50.0, "log")
_MIX = _c("mix", "", 0.0, 1.0, 0.5)
_FEEDBACK = _c("feedback", "", 0.0, 0.95, 0.0)
_QUALITIES = ("ZeroOrderHold", "Linear", "CatmullRom", "Lagrange", "WindowedSinc", "WindowedSinc256", "WindowedSinc128",
              "WindowedSinc64", "WindowedSinc32", "WindowedSinc16", "WindowedSinc8")  # fmt: skip


def _ballistics(attack: bool = True) -> tuple[Control, ...]:
    release = _c("release_ms", "ms", 1.0, 2000.0, 100.0, "log")
    return (_c("attack_ms", "ms", 0.1, 500.0, 1.0, "log"), release) if attack else (release,)


def _bell() -> tuple[Control, ...]:
    return (
        _c("cutoff_frequency_hz", "Hz", 10.0, 24000.0, 440.0, "log"),
        _c("gain_db", "dB", -36.0, 36.0, 0.0),
        _c("q", "", 0.1, 20.0, 0.7071067690849304, "log"),
    )


def _first(words: tuple[str, ...], default: str) -> tuple[str, ...]:
    return (default, *(word for word in words if word != default))


_KINDS = (
    EffectKind("Bitcrush", "Fewer bits.", (_c("bit_depth", "", 1.0, 32.0, 8.0),)),
    EffectKind(
        "BrickwallLimiter", "Never above the ceiling, without gain of its own; looks ahead.",
        (_c("ceiling_db", "dB", -24.0, 0.0, -1.0), *_ballistics(attack=False),
         _c("lookahead_ms", "ms", 0.1, 50.0, 5.0), _c("true_peak", "", 0.0, 1.0, 0.0, "switch")),
        fixed=frozenset({"lookahead_ms", "true_peak"}),
    ),
    EffectKind(
        "Chorus", "Detuned copies.",
        (_c("rate_hz", "Hz", 0.01, 20.0, 1.0, "log"), _c("depth", "", 0.0, 1.0, 0.25),
         _c("centre_delay_ms", "ms", 1.0, 100.0, 7.0, "log"), _FEEDBACK, _MIX),
    ),
    EffectKind("Clipping", "Hard clipping.", (_c("threshold_db", "dB", -60.0, 0.0, -6.0),)),
    EffectKind(
        "Compressor", "Turns down what is above the threshold.",
        (_c("threshold_db", "dB", -60.0, 0.0, 0.0), _c("ratio", "", 1.0, 100.0, 1.0, "log"), *_ballistics()),
    ),
    EffectKind(
        "Convolution", "Plays through the recorded response of a room or a loudspeaker.",
        (_c("mix", "", 0.0, 1.0, 1.0),), file="impulse_response_filename",
    ),
    EffectKind(
        "Delay", "Echoes.", (_c("delay_seconds", "s", 0.0, 10.0, 0.5), _FEEDBACK, _MIX),
        fixed=frozenset({"delay_seconds"}),
    ),
    EffectKind("Distortion", "Soft clipping (tanh).", (_c("drive_db", "dB", -20.0, 60.0, 25.0),)),
    EffectKind("Gain", "Louder or softer.", (_c("gain_db", "dB", -80.0, 36.0, 1.0),)),
    EffectKind("HighShelfFilter", "Raises or lowers what is above the cutoff.", _bell()),
    EffectKind("HighpassFilter", "Takes away what is below the cutoff, 6 dB/oct.", (_CUTOFF,)),
    EffectKind("Invert", "Turns the polarity."),
    EffectKind(
        "LadderFilter", "A synthesizer's filter.",
        (_c("cutoff_hz", "Hz", 10.0, 24000.0, 200.0, "log"), _c("resonance", "", 0.0, 1.0, 0.0),
         _c("drive", "", 1.0, 100.0, 1.0, "log")),
        choices={"mode": ("LPF12", "HPF12", "BPF12", "LPF24", "HPF24", "BPF24")},
    ),
    EffectKind(
        "Limiter", "Limits, and makes up gain: about 4 dB louder with the threshold at 0 dB, 14 dB at -10 dB.",
        (_c("threshold_db", "dB", -60.0, 0.0, -10.0), *_ballistics(attack=False)),
    ),
    EffectKind("LowShelfFilter", "Raises or lowers what is below the cutoff.", _bell()),
    EffectKind("LowpassFilter", "Takes away what is above the cutoff, 6 dB/oct.", (_CUTOFF,)),
    EffectKind(
        "MP3Compressor", "The sound of an MP3 file, 0 best to 10 worst.", (_c("vbr_quality", "", 0.0, 10.0, 2.0),),
        fixed=frozenset({"vbr_quality"}), chunked=True, live=False,
    ),
    EffectKind(
        "NoiseGate", "Turns down what is below the threshold.",
        (_c("threshold_db", "dB", -100.0, 0.0, -100.0), _c("ratio", "", 1.0, 100.0, 10.0, "log"), *_ballistics()),
    ),
    EffectKind("PeakFilter", "Raises or lowers a band.", _bell()),
    EffectKind(
        "Phaser", "Moving notches.",
        (_c("rate_hz", "Hz", 0.01, 20.0, 1.0, "log"), _c("depth", "", 0.0, 1.0, 0.5),
         _c("centre_frequency_hz", "Hz", 50.0, 20000.0, 1300.0, "log"), _FEEDBACK, _MIX),
    ),
    EffectKind(
        "Resample", "Down to a lower rate and up again.",
        (_c("target_sample_rate", "Hz", 1000.0, 48000.0, 8000.0, "log"),), fixed=frozenset({"target_sample_rate"}),
        choices={"quality": _first(_QUALITIES, "WindowedSinc32")},
    ),
    EffectKind(
        "Reverb", "A room.",
        (_c("room_size", "", 0.0, 1.0, 0.5), _c("damping", "", 0.0, 1.0, 0.5), _c("wet_level", "", 0.0, 1.0, 0.33),
         _c("dry_level", "", 0.0, 1.0, 0.4), _c("width", "", 0.0, 1.0, 1.0), _c("freeze_mode", "", 0.0, 1.0, 0.0)),
    ),
)  # fmt: skip
EFFECTS: Mapping[str, EffectKind] = {kind.name: kind for kind in _KINDS}
# Tried with pedalboard 0.9.26, with pieces of 64 to 4800 samples.
UNUSABLE: Mapping[str, str] = {
    "GSMFullRateCompressor": "gives noise when it is fed block by block",
    "PitchShift": "stays silent when it is fed block by block",
}
