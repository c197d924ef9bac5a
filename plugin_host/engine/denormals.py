"""Denormals: numbers too small for full precision, which a processor computes a hundred times slower than others.

The switch that makes it take them for zero is a bit of its control register, one for each thread.
"""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from dsp.compile import kernel

_MACHINE = platform.machine().lower()
_IS_X86, _IS_ARM = _MACHINE in ("x86_64", "amd64", "i686"), _MACHINE in ("aarch64", "arm64")
# Flush-to-zero and denormals-are-zero of x86; FZ of ARM.
_FLUSH = 0x8040 if _IS_X86 else 1 << 24
CAN_FLUSH = _IS_X86 or _IS_ARM


def flush_denormals(is_on: bool) -> bool:
    """Make the calling thread take denormals for zero, or compute them again; return whether its processor can."""
    if CAN_FLUSH:
        _switch(is_on)
    return CAN_FLUSH


def _read_word(typing_context: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _IS_ARM:
            read = builder.module.declare_intrinsic("llvm.aarch64.get.fpcr", (), ir.FunctionType(ir.IntType(64), ()))
            return builder.call(read, ())
        slot = builder.alloca(ir.IntType(32))
        _call_on_slot(builder, "llvm.x86.sse.stmxcsr", slot)
        return builder.zext(builder.load(slot), ir.IntType(64))

    return types.int64(), generate


def _write_word(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _IS_ARM:
            form = ir.FunctionType(ir.VoidType(), (ir.IntType(64),))
            builder.call(builder.module.declare_intrinsic("llvm.aarch64.set.fpcr", (), form), arguments)
        else:
            slot = builder.alloca(ir.IntType(32))
            builder.store(builder.trunc(arguments[0], ir.IntType(32)), slot)
            _call_on_slot(builder, "llvm.x86.sse.ldmxcsr", slot)
        return context.get_dummy_value()

    return types.void(types.int64), generate


def _call_on_slot(builder: Any, name: str, slot: Any) -> None:
    pointer = ir.IntType(8).as_pointer()
    function = builder.module.declare_intrinsic(name, (), ir.FunctionType(ir.VoidType(), (pointer,)))
    builder.call(function, (builder.bitcast(slot, pointer),))


_read: Any = intrinsic(_read_word)
_write: Any = intrinsic(_write_word)


@kernel
def _switch(is_on: bool) -> None:
    word = _read()
    _write(word | _FLUSH if is_on else word & ~_FLUSH)
