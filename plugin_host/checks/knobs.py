"""Laws of the knobs: declared in order, audible, aligned when bypassed, never a click, moved from any thread."""

from __future__ import annotations

import json
import math
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from models.control import Control
from models.stage import Block, Stage
from plugin_host.checks.result import Verdict
from plugin_host.checks.signals import CLICK, EDGE_HZ, delayed, largest_step, music, play, sinking
from plugin_host.checks.target import Subject
from plugin_host.preset.file import save_preset
from plugin_host.settings.store import SettingsStore

_AUDIBLE = 1e-6
# A knob may act on low frequencies only, where a brighter sound needs nothing.
_DULL_HZ = 2400.0
# Text has six digits.
_TEXT_TOLERANCE = 1e-5
_POSITIONS = (0.0, 0.1, 0.37, 0.5, 0.83, 1.0)
# Where many knobs move at once, each at its own pace, the way between two settings may be louder than both.
_TOGETHER = 2.5
# Rounding of a value that is multiplied by another gain each sample.
_ROUNDING = 1e-6
_COMBINATIONS = 6


def declares_knobs(subject: Subject, chance: np.random.Generator) -> Iterator[Verdict]:
    """Level 2: defaults, texts and positions make a round trip, what is out of range is refused, settings persist."""
    for control in subject.controls:
        fault = _fault_of(control)
        yield Verdict(f"{control.id} is declared well", fault, control.range_text())
    yield from _state(subject)
    own = {control.id for control in subject.stage.controls}
    for control in subject.controls:
        # An effect's release time is audible only where it has something to release.
        if control.id in own:
            yield _is_audible(subject, control)


def _fault_of(control: Control) -> str:
    try:
        control.check(control.default)
    except ValueError as error:
        return f"its default is refused: {error}"
    for position in _POSITIONS:
        value = control.from_position(position)
        slack = _TEXT_TOLERANCE * max(abs(value), (control.high - control.low))
        if abs(control.from_text(control.to_text(value)) - value) > slack:
            return f"{value:g} reads back from '{control.to_text(value)}' as another value"
        if control.curve != "switch" and abs(control.to_position(value) - position) > _TEXT_TOLERANCE:
            return f"position {position:g} comes back as {control.to_position(value):g}"
    for wrong in (control.low - 1.0, control.high + 1.0, math.nan, math.inf, -math.inf):
        try:
            control.check(wrong)
        except ValueError:
            continue
        return f"{wrong:g} is accepted, but it must be {control.range_text()}"
    return ""


def _state(subject: Subject) -> Iterator[Verdict]:
    """Save, load and save again: the same texts for any stage, the same bytes of the file for a preset."""
    by_id = {control.id: control for control in subject.controls}
    texts = {name: control.to_text(subject.settings[name]) for name, control in by_id.items()}
    loaded = {name: by_id[name].from_text(text) for name, text in json.loads(json.dumps(texts)).items()}
    changed = [name for name in texts if by_id[name].to_text(loaded[name]) != texts[name]]
    fault = f"{', '.join(changed)} came back as another text" if changed else ""
    yield Verdict("settings saved, loaded and saved again are the same", fault)
    if subject.preset is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "first.json", Path(folder) / "second.json"
        save_preset(save_preset(subject.preset, first), second)
        same = first.read_bytes() == second.read_bytes()
    yield Verdict("the file saved, loaded and saved again is the same", "" if same else "its bytes differ")


def _is_audible(subject: Subject, control: Control) -> Verdict:
    """Compare the two ends of a knob in several situations, until they differ."""
    for others, sound, edge_hz in _situations(subject):
        low, high = (
            play(subject.prepared(edge_hz=edge_hz), sound, [480], {**subject.settings, **others, control.id: end})
            for end in (control.low, control.high)
        )
        if float(np.abs(low - high).max()) > _AUDIBLE:
            return Verdict(f"{control.id} is audible")
    return Verdict(f"{control.id} is audible", "its two ends sound the same")


def _situations(subject: Subject) -> Iterator[tuple[Mapping[str, float], Block, float | None]]:
    """Yield where the other knobs stand, a sound, and its edge, or None where the stage has to find one."""
    up, down = (
        {one.id: one.from_position(at) for one in subject.controls if one.curve != "switch"} for at in (0.7, 0.1)
    )
    yield {}, music(), EDGE_HZ
    yield up, music(), EDGE_HZ
    yield down, music(edge_hz=_DULL_HZ), EDGE_HZ
    yield {one.id: one.default for one in subject.controls if one.automatic}, sinking(), None


def bypasses(subject: Subject, chance: np.random.Generator) -> Iterator[Verdict]:
    """Level 5: bypassed, it is the delayed input bit for bit; the switch makes no click."""
    if subject.control("bypass") is None:
        yield Verdict("bypass", "", "it has no knob 'bypass': the host's aligned bypass serves")
        return
    sound = music()
    on, off = {**subject.settings, "bypass": 1.0}, {**subject.settings, "bypass": 0.0}
    stage = subject.prepared()
    dry = delayed(sound, stage.latency_samples)
    passed = play(stage, sound, [480], on)
    same = bool(np.array_equal(passed, dry))
    gap = float(np.abs(passed - dry).max())
    yield Verdict("bypass is the delayed input bit for bit", "" if same else f"it differs by up to {gap:.1e}")
    bound = CLICK * max(largest_step(dry), largest_step(play(subject.prepared(), sound, [480], off))) + _ROUNDING
    for first, then, words in ((off, on, "on"), (on, off, "off")):
        place = int(chance.integers(4000, 8000))
        stage = subject.prepared()
        parts = [play(stage, sound[:, :place], [480], first), play(stage, sound[:, place:], [480], then)]
        step = largest_step(np.concatenate(parts, axis=1))
        fault = "" if step <= bound else f"it steps by {step:.3f}, more than {bound:.3f}"
        yield Verdict(f"bypass switched {words} makes no click", fault)


def makes_no_click(subject: Subject, chance: np.random.Generator) -> Iterator[Verdict]:
    """Level 6: knobs jump at random samples, one by one and all together; the steps stay those of the sound."""
    for control in subject.controls:
        yield _one_knob(subject, control, chance)
    yield _all_knobs(subject, chance)


def _one_knob(subject: Subject, control: Control, chance: np.random.Generator) -> Verdict:
    sound = music()
    moves = [{control.id: control.from_position(place)} for place in (0.0, 1.0, *map(float, chance.uniform(0, 1, 2)))]
    held = max(_held(subject, sound, move) for move in moves)
    bound = CLICK * held + _ROUNDING
    step = largest_step(_jumping(subject.prepared(), sound, subject.settings, moves * 3, chance))
    fault = "" if step <= bound else f"it steps by {step:.3f}; held, by no more than {held:.3f}"
    return Verdict(f"{control.id} jumps without a click", fault, f"{step / (held + _ROUNDING):.2f}")


def _all_knobs(subject: Subject, chance: np.random.Generator) -> Verdict:
    sound = music()
    places = chance.uniform(0, 1, (_COMBINATIONS, len(subject.controls)))
    # The two switches of what one listens to have laws of their own.
    moved = [control for control in subject.controls if control.curve != "switch"]
    moves = [
        {control.id: control.from_position(float(place)) for control, place in zip(moved, row, strict=False)}
        for row in places
    ]
    # Until the first jump the settings of the beginning hold.
    held = max(_held(subject, sound, move) for move in [{}, *moves]) if moved else 0.0
    step = largest_step(_jumping(subject.prepared(), sound, subject.settings, moves * 3, chance)) if moved else 0.0
    fault = "" if step <= _TOGETHER * held + _ROUNDING else f"it steps by {step:.3f}; held, by no more than {held:.3f}"
    return Verdict("all knobs jump together without a click", fault, f"{step / (held + _ROUNDING):.2f}")


def _held(subject: Subject, sound: Block, values: Mapping[str, float]) -> float:
    return largest_step(play(subject.prepared(), sound, [480], {**subject.settings, **values}))


def _jumping(
    stage: Stage, sound: Block, settings: Mapping[str, float], moves: Sequence[Mapping[str, float]],
    chance: np.random.Generator,
) -> Block:  # fmt: skip
    """Play a sound while knobs jump at random samples; each block begins at a jump."""
    places = np.sort(chance.integers(1, sound.shape[1], len(moves)))
    parts, now, start = [], dict(settings), 0
    for place, move in zip(places, moves, strict=True):
        if place > start:
            parts.append(play(stage, sound[:, start : int(place)], [480], now))
            start = int(place)
        now |= move
    parts.append(play(stage, sound[:, start:], [480], now))
    return np.concatenate(parts, axis=1)


def bears_other_threads(subject: Subject, chance: np.random.Generator) -> Iterator[Verdict]:
    """Level 7: another thread turns every knob while it plays; the output stays finite and nothing is left behind."""
    store = SettingsStore(subject.controls)
    store.prepare(48000)
    ending = threading.Event()
    turns = 0

    def turn() -> None:
        nonlocal turns
        while subject.controls and not ending.is_set():
            control = subject.controls[turns % len(subject.controls)]
            store.request(control.id, control.from_position((turns * 0.381966) % 1.0), "check")
            turns += 1
            ending.wait(0.0005)

    stage, sound, is_finite = subject.prepared(), music(seconds=0.5), True
    thread = threading.Thread(target=turn, daemon=True)
    thread.start()
    try:
        for start in range(0, 3 * sound.shape[1], 128):
            place = start % (sound.shape[1] - 128)
            out = stage.process(sound[:, place : place + 128].copy(), store.drain(128))
            is_finite = is_finite and bool(np.isfinite(out).all())
    finally:
        ending.set()
        thread.join()
    yield Verdict(
        "its output is finite while another thread moves its knobs", "" if is_finite else "NaN or Inf comes out"
    )
    stage.reset()
    again = play(stage, sound, [128], subject.settings)
    expected = play(subject.prepared(), sound, [128], subject.settings)
    fault = "" if np.array_equal(again, expected) else "after a reset it sounds another way"
    yield Verdict("the turning leaves nothing behind", fault, f"{turns} moves")
