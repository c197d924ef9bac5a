"""The structures of the CLAP interface, as its published headers lay them out."""

from __future__ import annotations

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_double,
    c_float,
    c_int16,
    c_int32,
    c_int64,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any


def structure(kind: str, /, **fields: Any) -> Any:
    """Return a structure with these fields."""
    return type(kind, (Structure,), {"_fields_": list(fields.items())})


Version = structure("Version", major=c_uint32, minor=c_uint32, revision=c_uint32)
Host = structure(
    "Host", version=Version, data=c_void_p, name=c_char_p, vendor=c_char_p, url=c_char_p, release=c_char_p,
    get_extension=CFUNCTYPE(c_void_p, c_void_p, c_char_p), request_restart=CFUNCTYPE(None, c_void_p),
    request_process=CFUNCTYPE(None, c_void_p), request_callback=CFUNCTYPE(None, c_void_p),
)  # fmt: skip
Plugin = structure(
    "Plugin", descriptor=c_void_p, data=c_void_p, init=CFUNCTYPE(c_bool, c_void_p), destroy=CFUNCTYPE(None, c_void_p),
    activate=CFUNCTYPE(c_bool, c_void_p, c_double, c_uint32, c_uint32), deactivate=CFUNCTYPE(None, c_void_p),
    start=CFUNCTYPE(c_bool, c_void_p), stop=CFUNCTYPE(None, c_void_p), reset=CFUNCTYPE(None, c_void_p),
    process=CFUNCTYPE(c_int32, c_void_p, c_void_p), get_extension=CFUNCTYPE(c_void_p, c_void_p, c_char_p),
    on_main_thread=CFUNCTYPE(None, c_void_p),
)  # fmt: skip
Buffer = structure(
    "Buffer", data32=POINTER(POINTER(c_float)), data64=c_void_p, channels=c_uint32, latency=c_uint32, constant=c_uint64
)
Header = structure("Header", size=c_uint32, time=c_uint32, space=c_uint16, type=c_uint16, flags=c_uint32)
Value = structure(
    "Value", header=Header, id=c_uint32, cookie=c_void_p, note=c_int32, port=c_int16, channel=c_int16, key=c_int16,
    value=c_double,
)  # fmt: skip
Transport = structure(
    "Transport", header=Header, flags=c_uint32, beats=c_int64, seconds=c_int64, tempo=c_double, increase=c_double,
    loop=c_int64 * 4, bar_start=c_int64, bar=c_int32, numerator=c_uint16, denominator=c_uint16,
)  # fmt: skip
SIZE, GET = CFUNCTYPE(c_uint32, c_void_p), CFUNCTYPE(c_void_p, c_void_p, c_uint32)
PUSH = CFUNCTYPE(c_bool, c_void_p, c_void_p)
Inputs = structure("Inputs", context=c_void_p, size=SIZE, get=GET)
Outputs = structure("Outputs", context=c_void_p, push=PUSH)
Process = structure(
    "Process", steady=c_int64, frames=c_uint32, transport=c_void_p, inputs=POINTER(Buffer), outputs=POINTER(Buffer),
    input_count=c_uint32, output_count=c_uint32, in_events=POINTER(Inputs), out_events=POINTER(Outputs),
)  # fmt: skip
READ = CFUNCTYPE(c_int64, c_void_p, c_void_p, c_uint64)
Stream = structure("Stream", context=c_void_p, call=READ)
ParameterInfo = structure(
    "ParameterInfo", id=c_uint32, flags=c_uint32, cookie=c_void_p, name=ctypes.c_char * 256,
    module=ctypes.c_char * 1024, low=c_double, high=c_double, default=c_double,
)  # fmt: skip
Parameters = structure(
    "Parameters", count=CFUNCTYPE(c_uint32, c_void_p),
    info=CFUNCTYPE(c_bool, c_void_p, c_uint32, POINTER(ParameterInfo)),
    value=CFUNCTYPE(c_bool, c_void_p, c_uint32, POINTER(c_double)),
    to_text=CFUNCTYPE(c_bool, c_void_p, c_uint32, c_double, c_char_p, c_uint32),
    from_text=CFUNCTYPE(c_bool, c_void_p, c_uint32, c_char_p, POINTER(c_double)),
    flush=CFUNCTYPE(None, c_void_p, POINTER(Inputs), POINTER(Outputs)),
)  # fmt: skip
State = structure(
    "State", save=CFUNCTYPE(c_bool, c_void_p, POINTER(Stream)), load=CFUNCTYPE(c_bool, c_void_p, POINTER(Stream))
)
Render = structure("Render", hard=CFUNCTYPE(c_bool, c_void_p), set=CFUNCTYPE(c_bool, c_void_p, c_int32))
TrackInfo = structure(
    "TrackInfo", flags=c_uint64, name=ctypes.c_char * 256, colour=c_uint32, channels=c_int32, port_type=c_char_p
)
HostTrack = structure("HostTrack", get=CFUNCTYPE(c_bool, c_void_p, POINTER(TrackInfo)))
Track = structure("Track", changed=CFUNCTYPE(None, c_void_p))
Latency = structure("Latency", get=CFUNCTYPE(c_uint32, c_void_p))
HostLatency = structure("HostLatency", changed=CFUNCTYPE(None, c_void_p))
Factory = structure(
    "Factory", count=CFUNCTYPE(c_uint32, c_void_p), descriptor=CFUNCTYPE(c_void_p, c_void_p, c_uint32),
    create=CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_char_p),
)  # fmt: skip
Entry = structure(
    "Entry", version=Version, init=CFUNCTYPE(c_bool, c_char_p), deinit=CFUNCTYPE(None),
    factory=CFUNCTYPE(c_void_p, c_char_p),
)  # fmt: skip
Descriptor = structure("Descriptor", version=Version, id=c_char_p, name=c_char_p)
