"""Compile a plug-in: the sources beside this module and a generated header make one library for all three formats."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from plugin_host.plugin.product import PluginError, Product, header

NATIVE = Path(__file__).parent / "native"
# Debian's package of the DISTRHO Plugin Framework brings the published interfaces of all three formats along.
HEADERS = Path("/usr/share/dpf/distrho/src")
_PARTS = ("travesty/audio_processor.h", "clap/plugin.h", "lv2/lv2.h")
_FLAGS = (
    "-std=c++17", "-O2", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-missing-field-initializers",
    "-pthread",
)  # fmt: skip


def missing() -> list[str]:
    """Return what building needs and is not here, each with what to do, in words that end a sentence."""
    absent = []
    if compiler() is None:
        absent.append("a C++ compiler (Debian and Ubuntu: apt install g++)")
    if not all((headers() / part).is_file() for part in _PARTS):
        absent.append(
            "the plug-in interfaces of DPF (Debian and Ubuntu: apt install dpf-source; elsewhere name its folder "
            "distrho/src in HIGHBAND_DPF)"
        )
    return absent


def compiler() -> str | None:
    """Return the C++ compiler: $CXX, else g++ or clang++."""
    return next(
        (found for name in (os.environ.get("CXX", ""), "g++", "clang++") if (found := shutil.which(name))), None
    )


def headers() -> Path:
    """Return the folder of the published interfaces."""
    return Path(os.environ.get("HIGHBAND_DPF") or HEADERS)


def build_folder(product: Product) -> Path:
    """Return where a plug-in is built."""
    return Path(platformdirs.user_cache_dir("highband")) / "plugins" / product.slug


def build(product: Product, folder: Path | None = None, flags: Sequence[str] = ()) -> Path:
    """Compile a plug-in, unless nothing has changed since the last time, and return the library.

    Args:
        product: What it is.
        folder: Where to build; by default in the user's cache.
        flags: More of the compiler's options, such as sanitizers.

    Raises:
        PluginError: Something is missing, or the compiler refuses; one sentence.
    """
    absent = missing()
    if absent:
        raise PluginError(f"the plug-in can't be built without {' and '.join(absent)}")
    place = folder or build_folder(product)
    place.mkdir(parents=True, exist_ok=True)
    library, stamp, key = place / "highband.so", place / "built-from", _key(product, flags)
    if library.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == key:
        return library
    _compile(product, place, flags)
    stamp.write_text(key, encoding="utf-8")
    return library


def _key(product: Product, flags: Sequence[str]) -> str:
    """Return a hash of all that decides the library."""
    words = [header(product), str(compiler()), str(headers()), *_FLAGS, *flags]
    words += [path.read_text(encoding="utf-8") for path in sorted(NATIVE.iterdir()) if path.is_file()]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def _compile(product: Product, place: Path, flags: Sequence[str]) -> None:
    (place / "stage.hpp").write_text(header(product), encoding="utf-8")
    fresh = place / "highband.partial"
    exports = [] if sys.platform == "darwin" else [f"-Wl,--version-script={NATIVE / 'exports.map'}", "-Wl,-z,defs"]
    words = [
        str(compiler()), "-shared", *_FLAGS, *flags, f"-I{place}", f"-I{NATIVE}", f"-isystem{headers()}",
        str(NATIVE / "library.cpp"), *exports, "-o", str(fresh),
    ]  # fmt: skip
    compiled = subprocess.run(words, capture_output=True, text=True, check=False)
    _refuse_failure(compiled.returncode, compiled.stdout + compiled.stderr)
    # A host may have the old one open.
    os.replace(fresh, place / "highband.so")


def _refuse_failure(status: int, output: str) -> None:
    if status:
        first = next((line for line in output.splitlines() if "error" in line), output[-300:])
        raise PluginError(f"the compiler refuses: {' '.join(first.split())}")
