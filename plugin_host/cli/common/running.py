"""The running host that a command talks to: by its address, or a plug-in in a DAW by its name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from plugin_host.cli.common.errors import WORK_FAILED, WRONG_USAGE, refusing

if TYPE_CHECKING:
    from plugin_host.control.client import Client

# Long enough for a busy host, short enough to be no pause.
_PATIENCE_S = 1.5


def address_of(place: str) -> str:
    """Return the address of a place: an address, or where a DAW plays the name of a plug-in or of its track.

    Raises:
        PluginError: No DAW has a plug-in of this name open, or no engine plays it.
    """
    from plugin_host.plugin.instances import control_address, instances

    return place if ":" in place or not instances() else control_address(place)


@contextlib.contextmanager
def running_host(place: str, key_file: Path | None = None) -> Iterator[Client]:
    """Connect to a running host for a command; what goes wrong ends the command in one sentence."""
    from plugin_host.control.address import AddressError
    from plugin_host.control.client import Client, HostError, NoHostError
    from plugin_host.control.keys import KeyFileError, read_keys
    from plugin_host.plugin.product import PluginError

    with refusing(WRONG_USAGE, AddressError, KeyFileError, PluginError):
        known = None if key_file is None else read_keys(key_file, "client")
        client = Client(address_of(place), known, origin="command line", timeout_s=_PATIENCE_S)
    with client, refusing(WORK_FAILED, HostError, NoHostError):
        yield client
