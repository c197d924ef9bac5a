"""Kernels: the loops over samples, bins and bands of the block path, as machine code.

A block means a few thousand operations on arrays of a few hundred numbers. One array operation at a time, the calls
would cost more than the work, most of all on a thread that has just slept, and many of them would let another thread
have the interpreter. Compiled by numba, a step of the block path is one call. That happens once on a machine, which
takes some seconds; the code is kept beside its source, or in the user's cache folder where that can't be written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

Function = TypeVar("Function", bound=Callable[..., Any])

# Of each kernel, the files that it may be made of, with numba's stamp of their age and size, and its constants.
_sources: dict[int, set[tuple[str, object]]] = {}
# Sums may be taken in the order that suits the processor; what is no number stays what it is.
_FREEDOM = {"arcp", "contract", "nsz", "reassoc"}


@contextmanager
def without(name: str) -> Iterator[None]:
    """Hide a module that an import would load for nothing; one that is loaded already stays."""
    modules: dict[str, Any] = sys.modules
    is_hidden = name not in modules
    if is_hidden:
        modules[name] = None
    try:
        yield
    finally:
        if is_hidden:
            del modules[name]


# Asks for BLAS, which no kernel of ours needs and which takes an eighth of a second; whoever needs it still gets it.
with without("scipy.linalg"):
    import numba.np.arraymath


def kernel(function: Function) -> Function:
    """Compile a function at its first call; it keeps the interpreter while it runs.

    An array that a kernel gives back costs as much as a small kernel: those of the block path fill arrays that they are
    given.
    """
    return _compiled(function, releases=False)


def background_kernel(function: Function) -> Function:
    """Compile a function for work beside the audio thread, which has the interpreter while it runs."""
    return _compiled(function, releases=True)


def _compiled(function: Function, releases: bool) -> Function:
    compile_ = partial(numba.njit, error_model="numpy", fastmath=_FREEDOM, nogil=releases)
    try:
        compiled = compile_(cache=True)(function)
    except RuntimeError:
        # No folder can be written to: then it is compiled anew in every process.
        return cast(Function, compile_()(function))
    _stamp(compiled, function)
    return cast(Function, compiled)


def _stamp(compiled: Any, function: Callable[..., Any]) -> None:
    """Let what is kept on disk count only as long as every file stays as it is that the kernel may be made of.

    numba looks at the kernel's own file. The kernels that it calls are compiled into it, and may come from others, and
    so may the constants that it names.
    """
    kept = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if kept is None or not hasattr(kept, "_source_stamp"):
        return
    sources: set[tuple[str, object]] = {(function.__code__.co_filename, kept._source_stamp), *_constants(function)}
    for value in function.__globals__.values():
        is_module = isinstance(value, type(numba))
        for known in vars(value).values() if is_module else (value,):
            if isinstance(known, Dispatcher):
                sources |= _sources.get(id(known), set())
    _sources[id(compiled)] = sources
    kept._source_stamp = sorted(sources, key=repr)


def _constants(function: Callable[..., Any]) -> Iterator[tuple[str, object]]:
    """Yield the numbers that a function names, which are compiled into it as they stand."""
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, np.ndarray):
            yield f"{function.__module__}.{name}", value.tobytes()
        elif isinstance(value, (int, float, tuple)):
            yield f"{function.__module__}.{name}", repr(value)
