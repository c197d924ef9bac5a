"""Laws of the stream, for any stage: silence, finite output, blocks equal whole, the declared latency, reset."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.stage import Block, Stage
from plugin_host.checks.result import Verdict
from plugin_host.checks.signals import (
    HOSTILE_KINDS,
    SMALL_KINDS,
    TOLERANCE,
    hostile,
    loudness,
    music,
    play,
    worst_gap,
)  # fmt: skip
from plugin_host.checks.target import Subject

RATES = (44100, 48000, 88200, 96000)
# -120 dBFS: what a converter of 20 bits can't resolve.
_SILENCE = 1e-6
_SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
_RECOVERY_S, _RECOVERY_DB = 0.1, 6.0
# Filters of an effect have a delay of their own, which is no latency.
_GROUP_DELAY_S = 0.0005
_ONSET = 0.1


def describes_itself(subject: Subject, chance: np.random.Generator) -> Iterator[Verdict]:
    """Level 1: the knobs have names of their own, the latency is a whole number that stays, silence stays silent."""
    ids = [control.id for control in subject.controls]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    yield Verdict("knobs have names of their own", f"these come twice: {', '.join(twice)}" if twice else "")
    stage = subject.prepared()
    latency = stage.latency_samples
    is_whole = isinstance(latency, int) and latency >= 0
    yield Verdict("the latency is a whole number", "" if is_whole else f"it is {latency!r}", f"{latency} samples")
    out = play(stage, np.zeros((2, 9600), np.float32), [480], subject.settings)
    peak = float(np.nan_to_num(np.abs(out), nan=np.inf).max())
    yield Verdict("silence stays silent", "" if peak <= _SILENCE else f"silence comes out with a peak of {peak:.2g}")
    sound = music()[:, :512].copy()
    kept = sound.copy()
    out = stage.process(sound, subject.settings)
    is_left = bool(np.array_equal(sound, kept)) and not np.shares_memory(out, sound)
    yield Verdict("the block that comes in is left alone", "" if is_left else "it writes into, or returns, its input")
    yield Verdict("the latency stays", "" if stage.latency_samples == latency else "it changes while playing")


def gives_finite_output(subject: Subject, chance: np.random.Generator) -> Iterator[Verdict]:
    """Level 3: every rate and layout or one sentence of refusal; nothing upsets it for longer than 100 ms."""
    refused: list[str] = []
    for rate in RATES:
        for channels, size in ((1, 64), (2, 480), (3, 1024)):
            try:
                stage = subject.prepared(rate, channels, size)
            except ValueError:
                refused.append(f"{rate} Hz x {channels}")
                continue
            yield from _output_at(subject, stage, rate, channels, size)
    fault = "it refuses 48000 Hz in stereo" if "48000 Hz x 2" in refused else ""
    yield Verdict("it plays at 48 kHz in stereo", fault, f"refuses {', '.join(refused)}" if refused else "")
    if fault:
        return
    expected = play(subject.prepared(), music(seconds=0.6), [480], subject.settings)
    for kind in HOSTILE_KINDS:
        yield _upset(subject, kind, expected)
    yield _single_samples(subject)


def _output_at(subject: Subject, stage: Stage, rate: int, channels: int, size: int) -> Iterator[Verdict]:
    sound = np.concatenate([music(rate, channels, 0.1), np.zeros((channels, rate // 10), np.float32)], axis=1)
    out = play(stage, sound, [size], subject.settings)
    law = f"finite output at {rate} Hz, {channels} channels, blocks of {size}"
    denormals = int(((out != 0) & (np.abs(out) < _SMALLEST_NORMAL)).sum())
    if out.shape != sound.shape or out.dtype != np.float32:
        yield Verdict(law, f"{sound.shape} float32 goes in and {out.shape} {out.dtype} comes out")
    elif not np.isfinite(out).all():
        yield Verdict(law, "NaN or Inf comes out")
    else:
        yield Verdict(law, f"{denormals} denormals come out" if denormals else "")


def _upset(subject: Subject, kind: str, expected: Block) -> Verdict:
    """Play something hostile in the middle of music and look whether the music comes back."""
    start, stop = 6000, 9600
    sound = music(seconds=0.6)
    sound[:, start:stop] = hostile(kind, 2, stop - start)
    stage = subject.prepared()
    output = play(stage, sound, [480], subject.settings)
    law = f"{kind} does no harm"
    if not np.isfinite(output).all():
        return Verdict(law, "NaN or Inf comes out")
    # A reverb may ring on after a burst that is a thousand times too loud: that is its sound.
    if kind not in SMALL_KINDS:
        return Verdict(law)
    over = stop + stage.latency_samples + round(_RECOVERY_S * 48000)
    levels = [loudness(played[:, over:]) + 1e-9 for played in (output, expected)]
    off_db = float(20.0 * np.log10(levels[0] / levels[1]))
    return Verdict(law, "" if abs(off_db) <= _RECOVERY_DB else f"100 ms after it the level is off by {off_db:.1f} dB")


def _single_samples(subject: Subject) -> Verdict:
    stage = subject.prepared()
    sound = np.concatenate([hostile(kind, 2, 24) for kind in SMALL_KINDS], axis=1)
    is_finite = np.isfinite(play(stage, sound, [1], subject.settings)).all()
    return Verdict("blocks of one hostile sample", "" if is_finite else "NaN or Inf comes out")


def equals_whole(subject: Subject, chance: np.random.Generator) -> Iterator[Verdict]:
    """Level 4: any cutting gives the same samples, an impulse lands where it was declared, runs repeat."""
    sound = music(seconds=0.2)
    whole = subject.prepared(max_block=sound.shape[1]).process(sound.copy(), subject.settings)
    cuttings = [[1], [63], [64], [127], [512], [int(size) for size in chance.integers(1, 1024, 40)]]
    for sizes in cuttings:
        # The first part in large blocks, so that sound has begun when many small ones come.
        first = sound.shape[1] - min(sound.shape[1] // 2, 4000 * sizes[0])
        stage = subject.prepared()
        parts = [
            play(stage, sound[:, :first], [512], subject.settings),
            play(stage, sound[:, first:], sizes, subject.settings),
        ]
        gap = worst_gap(np.concatenate(parts, axis=1), whole)
        which = f"blocks of {sizes[0]}" if len(sizes) == 1 else "blocks of random lengths"
        fault = "" if gap <= TOLERANCE else f"they differ from the whole by up to {gap:.1e}"
        yield Verdict(f"{which} equal the whole", fault, f"{gap:.0e}")
    yield _impulse(subject)
    yield from _repeats(subject)


def _impulse(subject: Subject) -> Verdict:
    stage = subject.prepared()
    impulse = np.zeros((2, 9600), np.float32)
    impulse[:, 1234] = 0.5
    # What is generated from an impulse rings on its own; what passes through must be where it was declared.
    quiet = {"mix": 0.0} if subject.control("mix") else {}
    output = np.abs(play(stage, impulse, [480], {**subject.settings, **quiet}))
    law, latency = "an impulse lands at the declared latency", stage.latency_samples
    if not output.max() > 0.0:
        return Verdict(law, "nothing comes out of an impulse of half full scale")
    arrivals = [int(np.argmax(row >= _ONSET * row.max())) - 1234 for row in output]
    energy = np.square(output.astype(np.float64))
    # What comes out in one piece has no filter's delay about it.
    slack = 0.0 if energy.max() >= 0.9 * energy.sum() / len(energy) else _GROUP_DELAY_S * 48000
    is_there = all(0 <= place - latency <= slack for place in arrivals)
    return Verdict(law, "" if is_there else f"{latency} samples are declared, it comes after {arrivals}")


def _repeats(subject: Subject) -> Iterator[Verdict]:
    sound = music(seconds=0.1)
    stage = subject.prepared()
    first = play(stage, sound, [480], subject.settings)
    play(stage, sound[:, :777], [97], subject.settings)
    stage.reset()
    again = play(stage, sound, [480], subject.settings)
    yield Verdict("reset forgets", "" if np.array_equal(first, again) else "after a reset the same sound is another")
    stage.reset(12_345)
    there = play(stage, sound, [480], subject.settings)
    stage.reset(12_345)
    again = play(stage, sound, [480], subject.settings)
    fault = "" if np.array_equal(there, again) else "from the same place of the timeline the same sound is another"
    yield Verdict("a reset at a position repeats", fault)
    anew = play(subject.prepared(), sound, [480], subject.settings)
    yield Verdict("runs repeat", "" if np.array_equal(first, anew) else "prepared anew, the same sound is another")


def bears_changes(subject: Subject, chance: np.random.Generator) -> Iterator[Verdict]:
    """Level 8: a block larger than prepared for, another rate, a reset in the middle."""
    sound = music()
    expected = play(subject.prepared(max_block=64), sound, [64], subject.settings)
    larger = subject.prepared(max_block=64).process(sound.copy(), subject.settings)
    gap = worst_gap(larger, expected)
    fault = "" if gap <= TOLERANCE else f"it differs by {gap:.1e} from small blocks"
    yield Verdict("a larger block than prepared for is accepted", fault)
    for rate, channels in ((44100, 1), (96000, 2)):
        try:
            play(subject.prepared(rate, channels), music(rate, channels, 0.05), [256], subject.settings)
        except ValueError:
            continue
        back = play(subject.prepared(max_block=64), sound, [64], subject.settings)
        fault = "" if np.array_equal(back, expected) else "back at 48000 Hz the same sound is another"
        yield Verdict(f"{rate} Hz in between leaves nothing behind", fault)
    stage = subject.prepared()
    play(stage, sound, [480], subject.settings)
    stage.reset()
    rest = play(stage, np.zeros((2, 4800), np.float32), [480], subject.settings)
    peak = float(np.abs(rest).max())
    yield Verdict("nothing rings on after a reset", "" if peak <= _SILENCE else f"a peak of {peak:.2g} comes out")
