"""Kernels: the loops over samples, bins and bands of the block path, as machine code.

A block means a few thousand operations on arrays of a few hundred numbers. One array operation at a time, the calls
would cost more than the work, most of all on a thread that has just slept, and many of them would let another thread
have the interpreter. Compiled by numba, a step of the block path is one call. That happens once on a machine, which
takes some seconds; the code is kept beside its source, or in the user's cache folder where that can't be written.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

# Sums may be taken in the order that suits the processor; what is no number stays what it is.
_FREEDOM = {"arcp", "contract", "nsz", "reassoc"}


def kernel(function: Function) -> Function:
    """Compile a function at its first call; it keeps the interpreter while it runs.

    An array that a kernel gives back costs as much as a small kernel: those of the block path fill arrays that they are
    given. A kernel that calls kernels of another file is not compiled anew when only that file changes.
    """
    compile_ = partial(numba.njit, error_model="numpy", fastmath=_FREEDOM)
    try:
        return cast(Function, compile_(cache=True)(function))
    except RuntimeError:
        # No folder can be written to: then it is compiled anew in every process.
        return cast(Function, compile_()(function))
