"""Addresses of the control sockets: tcp://HOST:PORT, this machine alone unless there are keys."""

from __future__ import annotations

import ipaddress
import re

REQUESTS = "tcp://127.0.0.1:9401"
TELEMETRY = "tcp://127.0.0.1:9402"
_FORM = re.compile(r"tcp://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+|\*):(?P<port>\d{1,5}|\*)")


class AddressError(ValueError):
    """An address that can't be used; the text is one sentence."""


def split(address: str) -> tuple[str, int]:
    """Return host and port; port 0 or "*" lets the system choose one.

    Raises:
        AddressError: It is not of the form tcp://HOST:PORT.
    """
    found = _FORM.fullmatch(address)
    port = int(found["port"].replace("*", "0")) if found else -1
    if found is None or port > 65535:
        raise AddressError(f"'{address[:100]}' is no address; give one such as {REQUESTS}")
    return found["host"], port


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach an address."""
    host = split(address)[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def for_binding(address: str, has_keys: bool) -> str:
    """Return the address to bind; raise AddressError if others could reach it and there are no keys."""
    host, port = split(address)
    if not is_loopback(address) and not has_keys:
        raise AddressError(
            f"{address} can be reached by other machines; make keys with highband keys and give the host its file, "
            "or use tcp://127.0.0.1"
        )
    return f"tcp://{'127.0.0.1' if host == 'localhost' else host}:{port}"


def beside(address: str, port: int) -> str:
    """Return the address of another port of the same host."""
    return f"tcp://{split(address)[0]}:{port}"
