"""Kernels: the loops over samples, bins and bands of the block path, as machine code.

A block means a few thousand operations on arrays of a few hundred numbers. One array operation at a time, the calls
would cost more than the work, most of all on a thread that has just slept, and many of them would let another thread
have the interpreter. Compiled by numba, a step of the block path is one call. That happens once on a machine, which
takes some seconds; the code is kept beside its source, or in the user's cache folder where that can't be written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, TypeVar, cast

import numba
import numpy as np
from llvmlite.binding import Linkage
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.dispatcher import Dispatcher

Function = TypeVar("Function", bound=Callable[..., Any])

# Of each kernel, the files that it may be made of, with numba's stamp of their age and size, and its constants.
_sources: dict[int, set[tuple[str, object]]] = {}
# What is on the disk counts no more where this is another number.
_FORMAT = 3
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


# It has no types.
_JITCodeLibrary: Any = JITCodeLibrary


class _Library(_JITCodeLibrary):  # type: ignore[misc]
    """The code of a kernel, whose copies of the kernels that it calls are its own.

    numba gives all copies of one kernel one name, and a process then runs the one that it has loaded first. They differ
    in the order of sums, and so the last bits of a render depended on what else was loaded, or compiled, before.
    """

    _copies: Sequence[str] = ()

    def _optimize_final_module(self) -> None:
        super()._optimize_final_module()
        self._copies = [one.name for one in self._final_module.functions if one.linkage == Linkage.linkonce_odr]
        self._link(self._final_module, "internal")

    def _get_module_for_linking(self) -> Any:
        is_new = self._shared_module is None
        module = super()._get_module_for_linking()
        if is_new:
            # Where it becomes a part of another kernel, one copy of each is enough.
            self._link(module, "linkonce_odr")
        return module

    def _link(self, module: Any, linkage: str) -> None:
        for name in self._copies:
            module.get_function(name).linkage = linkage


JITCPUCodegen._library_class = _Library


def kernel(function: Function) -> Function:
    """Compile a function at its first call; it keeps the interpreter while it runs.

    An array that a kernel gives back costs as much as a small kernel: those of the block path fill arrays that they are
    given.
    """
    return _compiled(function, releases=False)


def background_kernel(function: Function) -> Function:
    """Compile a function for work beside the audio thread, which has the interpreter while it runs."""
    return _compiled(function, releases=True)


class BoundKernel(Generic[Function]):
    """A kernel that is bound to the types of its first arguments: all later ones must have the same.

    Before a call numba looks at each array and number, and into each tuple, to choose among a kernel's versions. Where
    tuples hold dozens of tables, that takes as long as a small kernel, and much longer while memory is cold. What is
    bound gets its arguments without that look, and of arrays refuses only numbers of another size: not other dimensions
    or gaps. So these must be the caller's own.

    Attributes:
        function: The kernel.
        call: Runs it.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self.call = cast(Function, self._bind)

    def _bind(self, *arguments: Any) -> Any:
        compiled: Any = self.function
        result = compiled(*arguments)
        # It stays a function of Python where numba is switched off.
        if isinstance(compiled, Dispatcher):
            types = tuple(map(compiled.typeof_pyval, arguments))
            version: Any = compiled.overloads[types]
            self.call = version.entry_point
        return result


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
    own = (function.__code__.co_filename, kept._source_stamp)
    sources: set[tuple[str, object]] = {own, (__name__, _FORMAT), *_constants(function)}
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
