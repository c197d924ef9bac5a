"""What the panel says and draws of a host's state: groups of knobs, figures as words, the frame of the picture."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from models.extender.controls import NODES_HZ

MODEL = "Extender"
# The models that files are rendered with, the better one first.
FOR_FILES = ("studio", "live")
_LOWEST_DB = -120.0


def groups_of(
    knobs: Sequence[Mapping[str, Any]], chain: Sequence[Mapping[str, Any]], leave_out: Collection[str] = ()
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the knobs under the name of their stage, each with a short `label` for its place."""
    titles = {
        f"{part['name']}.{index}": effect["title"]
        for part in chain
        for index, effect in enumerate(part.get("effects", ()))
    }
    groups: dict[str, list[dict[str, Any]]] = {MODEL: []}
    for knob in knobs:
        stage = ".".join(str(knob["id"]).split(".")[:2])
        title = titles.get(stage)
        heading = MODEL if title is None else f"{title} ({stage.partition('.')[0]})"
        if knob["id"] not in leave_out:
            label = str(knob["name"]).removeprefix(f"{title} ").removesuffix(f" {str(knob['unit']).lower()}")
            groups.setdefault(heading, []).append({**knob, "label": label})
    return [(heading, members) for heading, members in groups.items() if members]


def changed_by(
    preset: str,
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
    knobs: Sequence[Mapping[str, Any]],
) -> str:
    """Say which knobs stand elsewhere since a preset was loaded, and whether it brought effects of its own."""
    names = {knob["id"]: knob["name"] for knob in knobs}
    described = [
        f"{names.get(knob, knob)} {before[knob]['text']} → {setting['text']}"
        for knob, setting in after.items()
        if knob in before and before[knob]["value"] != setting["value"]
    ]
    if any(knob not in before for knob in after):
        described.append("the effects")
    return f"{preset} changed {', '.join(described) or 'no knob'}"


def diff_rows(diff: Mapping[str, Mapping[str, str]], knobs: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Return what a preset would change: a name for people, the text now and the text then."""
    names = {knob["id"]: str(knob["name"]) for knob in knobs} | {"before": "Effects before", "after": "Effects after"}
    return [(names.get(what, what), texts["now"], texts["then"]) for what, texts in diff.items()]


def frame_of(
    spectra: Mapping[str, Any],
    stats: Mapping[str, Any],
    settings: Mapping[str, Mapping[str, Any]],
    knobs: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return what the picture draws: levels in dBFS, rate and band in Hz (0 for none), and what a hand may move."""
    chosen = float(settings.get("crossover", {}).get("value") or 0.0)
    return {
        "in": _levels(spectra.get("in", ())),
        "out": _levels(spectra.get("out", ())),
        "rate": float(stats.get("sample_rate") or 48000.0),
        "crossover": chosen or float(stats.get("crossover_hz") or 0.0),
        "is_auto": not chosen,
        "ceiling": float(settings.get("ceiling", {}).get("value") or 0.0),
        "moves": {
            knob["id"]: [knob["low"], knob["high"], knob["default"]]
            for knob in knobs
            if knob["id"] in ("crossover", "ceiling") and knob["id"] in settings
        },
    }


def curve_of(settings: Mapping[str, Mapping[str, Any]], knobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the nodes of the amount's curve, by rising frequency, each a knob with its frequency and value."""
    by_id = {knob["id"]: knob for knob in knobs if knob["id"] in settings}
    return [
        {**by_id[name], "hz": hertz, "value": settings[name]["value"]}
        for name, hertz in NODES_HZ.items()
        if name in by_id
    ]


def found_of(stats: Mapping[str, Any], settings: Mapping[str, Mapping[str, Any]]) -> float:
    """Return where an automatic crossover stands in Hz, to three digits; 0 where it is set or unknown."""
    if settings.get("crossover", {}).get("value"):
        return 0.0
    return float(f"{float(stats.get('crossover_hz') or 0.0):.3g}")


def sides_of(state: Mapping[str, Any], presets: Sequence[Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return what a blind test can compare, by its name for people: what plays comes first."""
    slots = [state["slot"], *(slot for slot in state["slots"] if slot != state["slot"])]
    sides = {f"slot {slot}": {"kind": "slot", "name": slot} for slot in slots}
    sides["the input"] = {"kind": "input"}
    sides |= {f"preset {one['title']}": {"kind": "preset", "name": one["name"]} for one in presets}
    return sides | {f"model {name}": {"kind": "artifact", "name": name} for name in FOR_FILES}


def abx_result(result: Mapping[str, Any]) -> str:
    """Say how often a listener was right, and what that proves."""
    rate = f"{100 * result['low']:.0f} % to {100 * result['high']:.0f} %"
    return f"{result['correct']} of {result['trials']} right, p = {result['p_value']:.2g}, true rate {rate} (95 %)"


def title_of(stats: Mapping[str, Any]) -> str:
    """Return what the button of the presets says."""
    return str(stats.get("preset_title") or stats.get("preset") or "no preset")


def match_of(stats: Mapping[str, Any]) -> str:
    """Return what the button of the loudness match says: by how much the processed sound is the louder one."""
    match = stats.get("match") or {}
    offset = match.get("offset_db")
    if not match.get("on"):
        return "match"
    return "match: listening" if offset is None else f"match: {offset:+.1f} dB"


def summary_of(stats: Mapping[str, Any], is_away: bool) -> str:
    """Return the figures in one line: time for a block, latency, and how many blocks did not come in time."""
    if is_away:
        return "no host"
    latency, rate = stats.get("latency", {}), float(stats.get("sample_rate") or 0.0)
    load = stats.get("load", {}).get("callback", {}).get("p50")
    parts = [f"{100.0 * load:.0f} %"] if isinstance(load, (int, float)) else []
    parts += [f"{1000.0 * _sum(latency) / rate:.1f} ms"] if rate else []
    parts.append(f"{stats.get('missed', 0) + stats.get('xruns', 0)} dropped")
    return " · ".join(parts) + (" · resting" if stats.get("resting") else "")


def words_of(stats: Mapping[str, Any], meters: Mapping[str, Any], is_away: bool) -> list[tuple[str, str]]:
    """Return the host's figures for people, each with its name."""
    if is_away:
        return [("Host", "away")]
    rate = float(stats.get("sample_rate") or 0.0)
    words = [("Device", _device(stats)), ("Latency", _latency(stats.get("latency", {}), rate))]
    words += [
        ("CPU" if stage == "callback" else f"CPU of {stage}", _shares(load))
        for stage, load in stats.get("load", {}).items()
    ]
    if waiting := stats.get("waiting"):
        words.append(("Waiting for the system", _shares(waiting)))
    words += [
        ("Dropped by the device", str(stats.get("xruns", 0))),
        ("Dropped blocks", f"{stats.get('missed', 0)} of {stats.get('blocks', 0)}"),
    ]
    words.append(("Out against in", _offset(meters)))
    if described := _matched(stats.get("match") or {}):
        words.append(("Loudness match", described))
    if stats.get("resting"):
        words.append(("Playing", "the aligned input, while the chain rests"))
    if stats.get("relief"):
        words.append(("Saving time", ", ".join(map(str, stats["relief"]))))
    return words


def _device(stats: Mapping[str, Any]) -> str:
    device = stats.get("device", {})
    name, state = (device.get("name"), device.get("state")) if isinstance(device, Mapping) else (device, None)
    kilohertz = f"{stats['sample_rate'] / 1000.0:g} kHz" if stats.get("sample_rate") else None
    block = f"block {stats['block']}" if stats.get("block") else None
    parts = (name, state, kilohertz, block, stats.get("mode"))
    return ", ".join(str(part) for part in parts if part) or "unknown"


def _latency(latency: Mapping[str, Any], rate: float) -> str:
    parts = {name: value for name, value in latency.items() if isinstance(value, (int, float)) and name != "sum"}
    total = _sum(latency)
    time = f" ({1000.0 * total / rate:.1f} ms)" if rate else ""
    described = " + ".join(f"{name} {value}" for name, value in parts.items())
    return f"{total} samples{time}" + (f" = {described}" if described else "")


def _sum(latency: Mapping[str, Any]) -> float:
    parts = {name: value for name, value in latency.items() if isinstance(value, (int, float)) and name != "sum"}
    total: float = latency.get("sum", sum(parts.values()))
    return total


def _shares(load: Mapping[str, Any]) -> str:
    return f"typically {_share(load, 'p50')} of the time for a block, 1 in 100 above {_share(load, 'p99')}"


def _share(load: Mapping[str, Any], name: str) -> str:
    value = load.get(name)
    return f"{100.0 * value:.1f} %" if isinstance(value, (int, float)) else "?"


def _offset(meters: Mapping[str, Any]) -> str:
    """Say how much louder the output is than the input, as the ear takes louder for better."""
    sides = [[level for level in meters.get(side, {}).get("rms_db", ()) if level is not None] for side in ("in", "out")]
    if not all(sides) or min(map(max, sides)) <= _LOWEST_DB:
        return "silent"
    return f"{max(sides[1]) - max(sides[0]):+.1f} dB"


def _matched(match: Mapping[str, Any]) -> str:
    if not match.get("on"):
        return ""
    if match.get("offset_db") is None:
        return "nothing is loud enough yet"
    names = {"wet": "processed is turned down", "dry": "bypassed is turned down"}
    lower = names.get(str(match.get("turned_down")), "both are equally loud")
    return f"processed {match['offset_db']:+.1f} dB louder: {lower}"


def _levels(levels: Sequence[float | None]) -> list[float]:
    return [_LOWEST_DB if level is None else round(float(level), 1) for level in levels]
