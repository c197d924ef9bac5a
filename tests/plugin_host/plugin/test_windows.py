"""The plug-in for Windows, cross-built and run under Wine: its half of the hop, and its library in a host."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from plugin_host.plugin.build import NATIVE, headers
from plugin_host.plugin.product import Product, header

COMPILER, WINE = shutil.which("x86_64-w64-mingw32-g++-posix"), shutil.which("wine")
pytestmark = pytest.mark.skipif(
    COMPILER is None or WINE is None, reason="needs Debian's g++-mingw-w64-x86-64-posix and wine64, half a gigabyte"
)


def compiled(folder: Path, source: Path, target: str, *options: str) -> Path:
    """Cross-compile a source; a warning is an error."""
    words = [str(COMPILER), "-std=c++17", "-O1", "-static", "-Wall", "-Wextra", "-Werror", *options]
    words += ["-Wno-missing-field-initializers", f"-I{folder}", f"-I{NATIVE}", f"-isystem{headers()}", str(source)]
    subprocess.run([*words, "-o", str(folder / target)], check=True, timeout=300)
    return folder / target


def test_the_hop_and_the_library_run_under_wine(product: Product, tmp_path: Path) -> None:
    (tmp_path / "stage.hpp").write_text(header(product))
    hop = compiled(tmp_path, Path(__file__).with_name("windows_hop.cpp"), "hop.exe")
    # Only loaded, so that it need not be fast.
    library = compiled(tmp_path, NATIVE / "library.cpp", "highband.dll", "-shared", "-O0")
    environment = {
        **os.environ, "WINEPREFIX": str(tmp_path / "prefix"), "WINEDEBUG": "-all", "HIGHBAND_ENGINE": "off",
        "WINEDLLOVERRIDES": "mscoree=;mshtml=",
    }  # fmt: skip

    def run(*words: str) -> str:
        printed = subprocess.run(
            [str(WINE), *words], env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert printed.returncode == 0, printed.stdout + printed.stderr
        return printed.stdout

    try:
        assert run(str(hop), "load", library.name) == "loaded\n"
        found = re.match(r"dry 400 wet 400 live (\d+) of 400, there and back p50 (\d+) us", run(str(hop)))
        assert found is not None
        assert int(found[1]) > 0, "in real time what comes in time is wet"
    finally:
        subprocess.run(["wineserver", "-k"], env=environment, check=False, timeout=60)
