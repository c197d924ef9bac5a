"""The latencies of a JACK client's ports, answered for by a compiled callback.

The server waits for this callback's answer, while a library that holds the interpreter may wait for the server: so the
answer must not need the interpreter.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from llvmlite import binding
from numba import cfunc, types
from numba.np.numpy_support import carray

# The table that the callback reads: counts of inputs and outputs, the chain's latency, the address of the word after
# it, that word, which holds a range (two 32-bit numbers) on its way from and to JACK, and then the ports.
_INPUTS, _OUTPUTS, _LATENCY, _ADDRESS, _RANGE, _HEAD = range(6)
_PLAYBACK = 1
_LOW = 0xFFFFFFFF
_SIGNATURE = types.void(types.intp, types.int32, types.intp)
_get_range: Any = types.ExternalFunction("jack_port_get_latency_range", _SIGNATURE)
_set_range: Any = types.ExternalFunction("jack_port_set_latency_range", _SIGNATURE)
_CALLBACK: Any = "void(int32, CPointer(int64))"


@cache
def _library() -> ctypes.CDLL:
    """Return JACK's library, its two functions known to compiled code by their names."""
    library = ctypes.CDLL(ctypes.util.find_library("jack"))
    for name in ("jack_port_get_latency_range", "jack_port_set_latency_range"):
        binding.add_symbol(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)
    return library


def _answer(mode: int, arg: Any) -> None:
    """Give each port on one side the latency of the other side's and the chain's: outputs when the sound comes in.

    Channel by channel where there are as many on both sides; else each output depends on all inputs.
    """
    head = carray(arg, (_HEAD,), np.int64)
    inputs, outputs = head[_INPUTS], head[_OUTPUTS]
    table = carray(arg, (_HEAD + inputs + outputs,), np.int64)
    sources, targets = table[_HEAD : _HEAD + inputs], table[_HEAD + inputs :]
    if mode == _PLAYBACK:
        sources, targets = targets, sources
    for place in range(len(targets)):
        least, most = _LOW, 0
        for source in range(len(sources)):
            if inputs != outputs or source == place:
                _get_range(sources[source], mode, head[_ADDRESS])
                least = min(least, head[_RANGE] & _LOW)
                most = max(most, head[_RANGE] >> 32)
        head[_RANGE] = min(least, most) + head[_LATENCY] | most + head[_LATENCY] << 32
        _set_range(targets[place], mode, head[_ADDRESS])


@cache
def _callback() -> Any:
    return cfunc(_CALLBACK, cache=True)(_answer)


class PortLatency:
    """Adds the chain's latency to what JACK knows of the ports before and after; make it before the client is active.

    Args:
        client: A `jack.Client`.
        ffi: The module `jack`'s cffi.
        ports: How many ports the client will have.
    """

    def __init__(self, client: Any, ffi: Any, ports: int) -> None:
        self._library, self._ffi = _library(), ffi
        self._client = ctypes.c_void_p(self._address(client))
        # The callback reads it as long as the client lives, which keeps this object.
        self._table = np.zeros(_HEAD + ports, np.int64)
        start = self._table.ctypes.data
        self._table[_ADDRESS] = start + self._table.itemsize * _RANGE
        self._library.jack_set_latency_callback(
            self._client, ctypes.c_void_p(_callback().address), ctypes.c_void_p(start)
        )

    def use_ports(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Answer for these ports from now on."""
        self._table[_HEAD:] = [self._address(port) for port in (*inputs, *outputs)]
        self._table[[_INPUTS, _OUTPUTS]] = len(inputs), len(outputs)

    def declare(self, samples: int) -> None:
        """Write the chain's latency to the graph where it is another than before; every client's answer is awaited."""
        if samples != self._table[_LATENCY]:
            self._table[_LATENCY] = samples
            self._library.jack_recompute_total_latencies(self._client)

    def _address(self, thing: Any) -> int:
        return int(self._ffi.cast("uintptr_t", thing._ptr))
