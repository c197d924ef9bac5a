"""The process that workers are copied from: it loads what they need while the command does something else.

Nothing that takes long to load is imported here, so that a command can start it before anything else.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
from collections.abc import Sequence
from typing import Any


def default_jobs() -> int:
    """Return how many processes render at once by default: a core is left to the person at the machine."""
    return max(1, (len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1) - 1)


def start_template(jobs: int | None) -> None:
    """Begin to load what workers need, where there will be any; one that was started goes on."""
    if (jobs or default_jobs()) > 1:
        worker_context()


def start_for(words: Sequence[str]) -> None:
    """Begin already when the words of a command, as they were typed, say that workers will render a folder.

    Reading them as the command does takes a fifth of a second; it starts the process where more can be said then.
    """
    line = f" {' '.join(words)} "
    jobs = re.search(r" (?:--jobs[ =]|-j ?)(\d+) ", line)
    if jobs and words[0] == "render" and " --engine" not in line and any(map(os.path.isdir, words)):
        start_template(int(jobs[1]))


def worker_context() -> Any:
    """Return what starts workers: on Linux copies of a process that has loaded what they need, else interpreters.

    That process never has a thread, a lock or a library in a state that a copy could trip over.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    forkserver.set_forkserver_preload(["plugin_host.render.batch.preloaded"])
    # Started by the other one it would unblock what is blocked below.
    resource_tracker.ensure_running()
    before = os.environ.get("PYTHONSAFEPATH")
    # Nothing of the working folder may be taken for a module of ours.
    os.environ["PYTHONSAFEPATH"] = "1"
    # Ctrl-C reaches the whole group, also while that process loads; the command decides. Here it only comes later.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    except OSError:
        # Its socket has no place, such as where the path of temporary files is longer than a hundred characters.
        return multiprocessing.get_context("spawn")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        del os.environ["PYTHONSAFEPATH"]
        os.environ.update({} if before is None else {"PYTHONSAFEPATH": before})
    return multiprocessing.get_context("forkserver")
