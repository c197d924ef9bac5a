"""Where the command begins: from here on Ctrl-C ends it in silence, also while its parts are still being loaded."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
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


if __name__ == "__main__":
    main()
