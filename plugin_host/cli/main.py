"""Where the command begins: from here on Ctrl-C ends it in silence, also while its parts are still being loaded."""

from __future__ import annotations

import atexit
import gc
import io
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    _fill_closed_streams()
    # The name of a file may hold what the terminal can't show.
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    # Torch's threads wait for each other on a busy machine; it reads this when it is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # The interpreter would look for garbage in all that was loaded, for half a second.
    atexit.register(gc.freeze)
    is_interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal is_interrupted
        is_interrupted = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        from plugin_host.cli.common.first_use import is_compiled
        from plugin_host.render.batch.template import start_for

        if is_compiled():
            start_for(sys.argv[1:])
        from plugin_host.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception:
        # An import that is interrupted may fail with an error of its own.
        if not is_interrupted:
            raise
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _fill_closed_streams() -> None:
    """Give standard streams that are closed to nothing: the next file that is opened would take what is printed."""
    null = os.open(os.devnull, os.O_RDWR)
    for number, (name, mode) in enumerate({"stdin": "r", "stdout": "w", "stderr": "w"}.items()):
        if getattr(sys, name) is None:
            os.dup2(null, number)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode))
    if null > 2:
        os.close(null)


if __name__ == "__main__":
    main()
