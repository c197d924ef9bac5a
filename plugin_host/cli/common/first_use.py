"""The first use on a machine: numba compiles the kernels, and a person should know what the wait is for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_KERNELS = Path(__file__).parents[3] / "models" / "extender" / "__pycache__"


def is_compiled(kernels: Path = _KERNELS) -> bool:
    """Return whether the kernels are compiled.

    Args:
        kernels: Where numba keeps what it compiled; it keeps it elsewhere where this can't be written, unknown to us.
    """
    return not os.access(kernels.parent, os.W_OK) or any(kernels.glob("*.nbi"))


def announce_compiling(kernels: Path = _KERNELS) -> None:
    """Say on a terminal that the kernels are about to be compiled, where their cache is still empty."""
    from plugin_host.cli.common.errors import complain

    if sys.stderr.isatty() and not is_compiled(kernels):
        complain("compiling for this machine, once; this needs about a minute")
