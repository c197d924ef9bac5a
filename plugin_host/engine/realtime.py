"""Real-time rights: what the process and its audio thread ask of the system, and a sentence where it is refused."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import sys
import threading
from collections.abc import Callable

from plugin_host.engine.denormals import flush_denormals

# Below the threads of JACK itself (usually 70), above everything that is not audio.
PRIORITY = 60
_SWITCH_S = 0.0005
_LOCK_CURRENT, _LOCK_FUTURE, _LOCK_ON_FAULT = 1, 2, 4


def settle_process() -> list[str]:
    """Make the process fit for audio after everything is loaded and warm; returns what was not granted.

    A full garbage collection takes tens of milliseconds with the model loaded, so what exists now is frozen and none
    runs by itself until `unsettle_process`. A short switch interval gets the audio thread in soon beside busy threads.
    """
    # Loaded here, or the audio thread would load it.
    flush_denormals(False)
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.disable()
    return [refusal for refusal in (_lock_memory(),) if refusal]


def collect_garbage() -> None:
    """Free what refers to itself and came since the process was settled, in a fraction of a millisecond.

    Not for the audio thread. Without it requests and chains that were replaced would fill the memory.
    """
    if not gc.isenabled():
        gc.collect()


def unsettle_process() -> None:
    """Switch the garbage collector on again."""
    gc.unfreeze()
    gc.enable()


def settle_audio_thread(report: Callable[[str], None]) -> None:
    """Flush denormals and ask for real-time priority, on the calling thread; report what was not granted."""
    if not flush_denormals(True):
        report("this processor can't flush denormals to zero; very soft fade-outs may cost more time")
    refusal = _ask_for_priority()
    if refusal:
        report(refusal)


def priority_refusal() -> str:
    """Ask for real-time priority on a thread that ends at once; return why it is not granted, or ""."""
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(_ask_for_priority()))
    thread.start()
    thread.join()
    return answers[0]


def _ask_for_priority() -> str:
    if not hasattr(os, "sched_setscheduler"):
        return ""
    try:
        if os.sched_getscheduler(0) not in (os.SCHED_FIFO, os.SCHED_RR):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except OSError:
        return (
            "real-time priority is not granted; add your user to the group 'audio' with an rtprio limit of 95 in "
            "/etc/security/limits.d/audio.conf and log in again"
        )
    return ""


def _lock_memory() -> str:
    if not sys.platform.startswith("linux"):
        return ""
    # With a limit, locking the future would make later allocations fail.
    is_limited = memory_lock_limit() is not None and os.geteuid() != 0
    library = ctypes.CDLL(None, use_errno=True)
    if not is_limited and library.mlockall(_LOCK_CURRENT | _LOCK_FUTURE | _LOCK_ON_FAULT) == 0:
        return ""
    return (
        "memory can't be locked and may be swapped out; set memlock to unlimited in "
        "/etc/security/limits.d/audio.conf and log in again"
    )


def memory_lock_limit() -> int | None:
    """Return how many bytes this process may lock, or None for any number."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if soft == resource.RLIM_INFINITY else soft
