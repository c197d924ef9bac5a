"""Lanes: sixteen neighbouring numbers that a kernel works on at once, in the processor's registers.

A loop over arrays is compiled for several numbers at once where it is plain that no result overwrites what is still to
be read, and sums that grow from turn to turn pass through memory. Where either costs more than the work, a kernel is
written with lanes: `load`, `spread`, `moved`, `+`, `-`, `*` and `store`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.core import cgutils, errors
from numba.core.typing import templates

from dsp.compile import kernel
from dsp.fft import Array

LANES = 16
# They say that they are typed, and are so in part.
_extending: Any = extending
_templates: Any = templates
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
# As in every kernel; see `dsp.compile`.
_FREEDOM = ("arcp", "contract", "nsz", "reassoc")


class Lanes(Protocol):
    """What type checkers know of lanes."""

    def __add__(self, other: Lanes) -> Lanes: ...
    def __sub__(self, other: Lanes) -> Lanes: ...
    def __mul__(self, other: Lanes) -> Lanes: ...


class _LanesType(types.Type):
    def __init__(self) -> None:
        super().__init__(name=f"lanes({LANES} x float32)")


_lanes = _LanesType()


_extending.register_model(_LanesType)(lambda manager, of: _extending.models.PrimitiveModel(manager, of, _VECTOR))


def _place(context: Any, builder: Any, row_type: Any, row: Any, at: Any) -> Any:
    """Return where the lanes lie that begin with an element of a row."""
    if row_type.ndim != 1 or row_type.layout != "C":
        raise errors.TypingError(f"lanes lie in a row of neighbouring numbers, not in {row_type}")
    data = context.make_array(row_type)(context, builder, row).data
    return builder.bitcast(builder.gep(data, [at]), _VECTOR.as_pointer())


def _type_load(typing: Any, row: Any, at: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_place(context, builder, signature.args[0], *values), align=4)

    return _lanes(row, types.intp), generate


def _type_store(typing: Any, row: Any, at: Any, lanes: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _place(context, builder, signature.args[0], *values[:2]), align=4)
        return context.get_dummy_value()

    return types.void(row, types.intp, _lanes), generate


def _type_spread(typing: Any, value: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), values[0], cgutils.int32_t(0))
        order = ir.Constant(ir.VectorType(cgutils.int32_t, LANES), [0] * LANES)
        return builder.shuffle_vector(first, ir.Constant(_VECTOR, ir.Undefined), order)

    return _lanes(types.float32), generate


def _type_moved(typing: Any, lanes: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        order = ir.Constant(ir.VectorType(cgutils.int32_t, LANES), [0, *range(LANES - 1)])
        return builder.shuffle_vector(values[0], values[0], order)

    return _lanes(_lanes), generate


_load, _store, _spread, _moved = map(_extending.intrinsic, (_type_load, _type_store, _type_spread, _type_moved))


# Kernels, so that what is compiled of them counts only as long as this file stays as it is.
@kernel
def load(row: Array, at: int) -> Lanes:
    """Return the lanes that begin at an index of a row; none may lie behind its end."""
    lanes: Lanes = _load(row, at)
    return lanes


@kernel
def store(row: Array, at: int, lanes: Lanes) -> None:
    """Write lanes into a row from an index on; none may lie behind its end."""
    _store(row, at, lanes)


@kernel
def spread(value: np.float32) -> Lanes:
    """Return lanes that all hold one number."""
    lanes: Lanes = _spread(value)
    return lanes


@kernel
def moved(lanes: Lanes) -> Lanes:
    """Return lanes of which each holds what the one before it held; the first keeps its own."""
    turned: Lanes = _moved(lanes)
    return turned


def _define(operation: Callable[..., Any], instruction: str) -> None:
    @_templates.infer_global(operation)
    class _Template(templates.ConcreteTemplate):
        cases = [_templates.signature(_lanes, _lanes, _lanes)]  # noqa: RUF012

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return getattr(builder, instruction)(*values, flags=_FREEDOM)

    _extending.lower_builtin(operation, _lanes, _lanes)(generate)


for _operation, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _define(_operation, _instruction)
