"""Nonsense in the shared memory: neither end crashes or reads outside, with sanitizers on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from plugin_host.plugin.build import NATIVE, compiler
from plugin_host.plugin.product import Product, header

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def test_both_ends_bear_a_hostile_peer(product: Product, runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "stage.hpp").write_text(header(product))
    program = tmp_path / "fuzz"
    sources = [str(Path(__file__).parent / "fuzz.cpp"), str(NATIVE / "system_posix.cpp")]
    options = ["-std=c++17", "-O1", "-g", "-pthread", *SANITIZERS, f"-I{tmp_path}", f"-I{NATIVE}"]
    subprocess.run([str(compiler()), *options, *sources, "-o", str(program)], check=True, timeout=120)
    result = subprocess.run([program, "2.0", "1"], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr[-3000:]
    assert int(result.stdout) > 10
    assert not list(runtime.glob("*.region"))
