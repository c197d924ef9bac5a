"""The commands that show a page in the browser: a running host, and a blind listening test."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
from pathlib import Path
from typing import Annotated

import typer

from plugin_host.cli.common.errors import WORK_FAILED, WRONG_USAGE, refuse, refusing
from plugin_host.cli.common.options import CONTROL, PROVE, AddressOption, KeysOption
from plugin_host.cli.common.running import address_of
from plugin_host.control.address import REQUESTS

app = typer.Typer()

HostOption = Annotated[
    str, typer.Option("--host", metavar="NAME", help="Listen here; other than 127.0.0.1 a token opens the page.")
]
PortOption = Annotated[int, typer.Option("--port", min=1, max=65535, help="Of the page.")]
TokenOption = Annotated[
    str | None, typer.Option("--token", envvar="HIGHBAND_TOKEN", help="By default a new one, which is printed.")
]
InstanceOption = Annotated[
    str | None,
    typer.Option("--instance", metavar="NAME", help="A plug-in in a DAW, as highband plugin status names it."),
]


UntilFlag = Annotated[
    bool, typer.Option("--until-input-ends", hidden=True, help="End with the process at the other end of the input.")
]


@app.command(rich_help_panel=CONTROL)
def panel(
    address: AddressOption = REQUESTS,
    key_file: KeysOption = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8080,
    token: TokenOption = None,
    instance: InstanceOption = None,
    until_input_ends: UntilFlag = False,
) -> None:
    """Show the knobs, meters and spectra of a running host in the browser; Ctrl-C ends.

    The page waits for a host that is away and goes on when it is back.
    """
    from plugin_host.control.address import AddressError, split
    from plugin_host.control.keys import KeyFileError, read_keys
    from plugin_host.panel.access import is_loopback
    from plugin_host.plugin.instances import control_address
    from plugin_host.plugin.product import PluginError

    with refusing(WRONG_USAGE, AddressError, KeyFileError, PluginError):
        address = address_of(address) if instance is None else control_address(instance)
        split(address)
        keys = None if key_file is None else read_keys(key_file, "client")
    word = None if is_loopback(host) and token is None else token or secrets.token_urlsafe(16)
    _try_port(host, port)
    if until_input_ends:
        threading.Thread(target=_end_with_input, name="parent", daemon=True).start()
    from plugin_host.panel import page
    from plugin_host.panel.host_mirror import PanelLink

    print(f"the panel is at http://{_name_for_others(host)}:{port}/" + (f"?token={word}" if word else ""), flush=True)
    page.run(PanelLink(address, keys), host, port, word)


def _end_with_input() -> None:
    """End this process as soon as its standard input does, whatever else it does then."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


@app.command(rich_help_panel=PROVE)
def listen(
    paths: Annotated[
        list[Path],
        typer.Argument(exists=True, metavar="FOLDER|FILES", help="Sub-folders with files of the same names, or files."),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Takes the answers; by default listening.csv.")
    ] = None,
    mushra: Annotated[
        bool, typer.Option("--mushra", help="Rate all versions from 0 to 100, with a hidden reference and anchors.")
    ] = False,
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, max=1000, help="Of each pair, 10; with --mushra of each recording, 1."),
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="VERSION", help="The others are compared with it.")
    ] = None,
    start: Annotated[float, typer.Option("--start", min=0.0, help="Second at which the excerpts begin.")] = 0.0,
    seconds: Annotated[float, typer.Option("--seconds", min=0.4, max=60.0, help="Length of the excerpts.")] = 10.0,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of the order; by default a new one.")] = None,
) -> None:
    """Compare versions of recordings blind (ABX, or MUSHRA) in the browser, equally loud and aligned; Ctrl-C ends.

    The answers are written to listening.csv in the folder, mushra.csv with --mushra; the page ends with p-values or
    medians, and their confidence intervals.
    """
    from plugin_host.files.audio_reader import AudioFileError
    from plugin_host.panel.listening.abx import Abx
    from plugin_host.panel.listening.excerpts import load_excerpts
    from plugin_host.panel.listening.groups import ListeningError, find_groups, refuse_unknown
    from plugin_host.panel.listening.mushra import Mushra
    from plugin_host.panel.listening.server import HOST, listen_socket, serve

    with refusing(WRONG_USAGE, ListeningError, AudioFileError):
        groups = find_groups(paths)
        refuse_unknown(reference, groups)
        excerpts = {
            group.name: load_excerpts(group, start, seconds, group.reference(reference) if mushra else None)
            for group in groups
        }
        folder, name = paths[0] if paths[0].is_dir() else paths[0].parent, "mushra.csv" if mushra else "listening.csv"
        target, seed = output or folder / name, secrets.randbits(31) if seed is None else seed
        made = (Mushra if mushra else Abx)(excerpts, target, trials or (1 if mushra else 10), seed, reference)
    with listen_socket() as bound:
        print(
            f"the test is at http://{HOST}:{bound.getsockname()[1]}/ and answers go to {target}; Ctrl-C ends",
            flush=True,
        )
        serve(made, bound)


def _name_for_others(host: str) -> str:
    """Return what stands for a host in an address; for every address of this machine the one that leads outside."""
    if host in ("0.0.0.0", "::"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
            try:
                # Nothing is sent: the system only says from where it would be (the address is for documents, RFC 5737).
                trial.connect(("192.0.2.1", 9))
                return str(trial.getsockname()[0])
            except OSError:
                return socket.gethostname()
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _try_port(host: str, port: int) -> None:
    """Refuse a place that can't be listened on, in one sentence, before anything is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        # A panel that has just ended leaves connections behind that do not stand in the way.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host.strip("[]"), port))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            refuse(f"the panel can't listen on {host}:{port}: {reason}; choose another --port or --host", WORK_FAILED)
