"""Fault injection: trials that kill servers, send malformed messages and floods and turn knobs, repeatable by a seed.

Each trial plays the product's own parts in a process of its own, so that a crash there is a finding here.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plugin_host.control.client import Client, NoHostError
from tests.stress import attacks
from tests.stress.jack_dummy_server import has_programs, serving
from tests.stress.knob_sweep import BOUND, Sweep
from tests.stress.player import Part
from tests.stress.player_process import Player, PlayerError, playing

# A name for each drill: a server that another one left behind when it was cut off must not be taken for ours.
_SERVER = f"highband-drill-{os.getpid()}"
_PATIENCE_S = 30.0
_SWEEP_PATIENCE_S = 3600.0


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    Attributes:
        seed: Of everything random.
        restarts: Of the JACK server.
        messages: Malformed ones, by ZeroMQ and as many by OSC.
        midi: Messages at once.
        presets: Files of random bytes.
        sweep_s: Of sound, in which knobs are turned.
        preset, artifact: What plays.
    """

    seed: int = 0
    restarts: int = 20
    messages: int = 100_000
    midi: int = 50_000
    presets: int = 1000
    sweep_s: float = 300.0
    preset: str = ""
    artifact: str | None = None


QUICK = {"restarts": 2, "messages": 2000, "midi": 50_000, "presets": 60, "sweep_s": 6.0}


@dataclass
class Outcome:
    """What a trial found.

    Attributes:
        trial: What was tried.
        done: What happened, in figures.
        faults: One sentence each.
    """

    trial: str
    done: str
    faults: list[str] = field(default_factory=list)


Trial = Callable[[Plan], Outcome]


def malformed_messages(plan: Plan) -> Outcome:
    """Throw malformed messages at the sockets, and presets of random bytes at the folder."""
    chance = random.Random(plan.seed)
    with tempfile.TemporaryDirectory() as home, _host(plan, "null", {"XDG_DATA_HOME": home}) as (player, ready, faults):
        with _client(ready) as host:
            before = _settings(host)
            accepted = attacks.throw_requests(ready["address"], chance, plan.messages)
            faults += [f"{accepted} malformed requests were accepted"] if accepted else []
            attacks.throw_packets(ready["osc"], chance, plan.messages)
            faults += _differs(before, _settings(host), "malformed messages")
            refused, wrong = attacks.throw_presets(host, chance, Path(home), plan.presets)
            faults += wrong
            # A few were right by chance and brought other effects; the knobs that stay must keep their settings.
            stay = {name: before[name] for name in before if name in _settings(host)}
            host.set_many(stay)
            faults += _differs(stay, _settings(host), "presets of random bytes")
        played = player.end()
        faults += _broken(played)
    done = f"{plan.messages} requests, {plan.messages} packets ({played['osc_bad']} counted as bad), "
    return Outcome("malformed messages and presets", f"{done}{plan.presets} presets ({refused} refused)", faults)


def flood(plan: Plan) -> Outcome:
    """Send thousands of MIDI messages at once."""
    with _host(plan, "null") as (player, ready, faults):
        with _client(ready) as host:
            last = attacks.flood_midi(player.send, random.Random(plan.seed), plan.midi)
            patience = time.monotonic() + _PATIENCE_S
            while (now := _positions(host, last)) != last and time.monotonic() < patience:
                time.sleep(0.02)
            faults += [] if now == last else [f"after the flood the knobs stand at {now}, not {last}"]
        played = player.end()
        faults += _broken(played)
        faults += [] if played["midi"] == plan.midi else [f"only {played['midi']} messages came"]
    return Outcome("a flood of MIDI", f"{plan.midi} messages at once, the last ones hold", faults)


def restarts(plan: Plan) -> Outcome:
    """Kill the JACK server and start it again, with other periods."""
    trial = "JACK killed and restarted"
    if not has_programs():
        return Outcome(trial, "left out: jackd is not installed")
    chance = random.Random(plan.seed)
    own = {"JACK_DEFAULT_SERVER": _SERVER, "JACK_NO_START_SERVER": "1"}
    with serving(_SERVER) as server, _host(plan, "jack", own) as (player, ready, faults):
        with _client(ready) as host:
            host.set_many({"amount": -5.0, "tone": 30.0})
            before = _settings(host)
            longest, times = 0.0, 0
            for times in range(1, plan.restarts + 1):  # noqa: B007 - used after the loop
                server.stop(chance.choice(attacks.SIGNALS))
                lost = attacks.wait_for_state(host, "lost", _PATIENCE_S)
                server.start(chance.choice((128, 256, 512)))
                began = time.monotonic()
                if not lost or not attacks.wait_for_state(host, "playing", _PATIENCE_S):
                    faults.append("the host did not find the server again")
                    break
                longest = max(longest, time.monotonic() - began)
                faults += _differs(before, _settings(host), "a restart")
        faults += _broken(player.end(), are_notices_faults=False)
    return Outcome(trial, f"{times} times, back within {longest:.1f} s", faults)


def sweep(plan: Plan) -> Outcome:
    """Turn every knob at random for minutes of sound."""
    wish = Sweep(seconds=plan.sweep_s, seed=plan.seed, preset=plan.preset, artifact=plan.artifact)
    command = [sys.executable, "-m", "tests.stress.knob_sweep", wish.model_dump_json()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SWEEP_PATIENCE_S, check=False)
    trial = "knobs swept at random"
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        return Outcome(trial, "broke off", [f"the sweep ended with status {done.returncode}: {last[0][:200]}"])
    faults = [
        f"{name} steps by {100 * share:.0f} % of the bound"
        for name, share in {**found["shares"], "all together": found["together"]}.items()
        if share > 1.0
    ]
    faults += [] if found["is_finite"] else ["values came out that are no numbers"]
    faults += [] if found["intact"] else ["the settings are not what they were"]
    faults += [found["fault"]] if found["fault"] else []
    name, share = max(found["shares"].items(), key=lambda pair: pair[1])
    words = f"{plan.sweep_s:g} s of sound, {found['moves']} moves; the largest step, by {name}, is {BOUND * share:.2f}"
    return Outcome(trial, f"{words} times what the held knob makes; {BOUND:g} is the bound", faults)


TRIALS: tuple[Trial, ...] = (malformed_messages, flood, sweep, restarts)


@contextmanager
def _host(
    plan: Plan, device: Any, more: dict[str, str] | None = None
) -> Iterator[tuple[Player, dict[str, Any], list[str]]]:
    """Run a host; yields it, what it says when it plays, and a list for faults."""
    part = Part(role="host", device=device, preset=plan.preset, artifact=plan.artifact, listens=True)
    faults: list[str] = []
    with playing(part, more) as player:
        try:
            yield player, player.ready(), faults
        except (PlayerError, NoHostError, BrokenPipeError) as error:
            raise PlayerError(f"the host did not survive: {error}") from None


@contextmanager
def _client(ready: dict[str, Any]) -> Iterator[Client]:
    with Client(ready["address"], origin="drill", timeout_s=10.0) as host:
        yield host


def _settings(host: Client) -> dict[str, float]:
    return {name: setting["value"] for name, setting in host.settings().items()}


def _positions(host: Client, like: dict[str, float]) -> dict[str, float]:
    settings = host.settings()
    return {name: round(settings[name]["position"], 2) for name in like}


def _differs(before: dict[str, float], after: dict[str, float], what: str) -> list[str]:
    changed = [name for name in before if before[name] != after.get(name)]
    return [f"{what} changed {', '.join(changed)}"] if changed else []


def _broken(played: dict[str, Any], are_notices_faults: bool = True) -> list[str]:
    faults = [] if played["is_finite"] else ["values came out that are no numbers"]
    faults += [f"the control interface met {played['faults']} faults"] if played["faults"] else []
    # What a busy machine makes late is not what is tried here.
    notices = [sentence for sentence in played["notices"] if not sentence.startswith(("too many missed", "calm again"))]
    return faults + (notices if are_notices_faults else [])
