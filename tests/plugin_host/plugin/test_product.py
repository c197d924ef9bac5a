"""Building, installing and listing: Highband itself, and a stage of somebody else's in torch."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from plugin_host.cli.app import app
from plugin_host.plugin.build import build
from plugin_host.plugin.bundles import install, installed, remove
from plugin_host.plugin.instances import instances, sweep
from plugin_host.plugin.product import PluginError, Product, engine_command, find_product, header, knob_id
from tests.plugin_host.plugin.clap_host import ClapHost
from tests.plugin_host.plugin.conftest import Opener, music

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "example-stage"


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["plugin", *words])
    return result.exit_code, result.output


def test_identities_stay_when_the_table_grows(product: Product) -> None:
    identities = [knob_id(control) for control in product.controls]
    assert len(set(identities)) == len(identities)
    assert product.clap_id == "org.highband.highband"
    # A session finds the plug-in and its knobs by these numbers.
    assert product.class_id.hex() == "9d90230f1f3a5e5388a1133de9f4b6a4"
    assert identities[0] == 0x5319857D


def test_a_stage_in_torch_is_a_plug_in_of_its_own(served: Path, tmp_path: Path) -> None:
    product = find_product("my_stages:Brightener", folder=EXAMPLE)
    assert [control.id for control in product.controls] == ["shine", "bypass"]
    install(product, build(product, tmp_path / "build", ["-O0"]), ("clap",), home=tmp_path)
    host, sound = ClapHost(tmp_path / ".clap" / "brightener.clap", is_offline=True), music(0.2)
    assert host.name == "Brightener"
    assert list(host.parameters()) == ["Shine", "Bypass", "Buffer", "Engine", "Panel"]
    host.flush(host.event("Shine", "0 dB"))
    out = host.play(sound, (512,), sample=0)
    assert host.text("Engine") == "playing"
    mean = np.stack([np.convolve(row, np.full(16, 1 / 16))[: len(row)] for row in sound])
    np.testing.assert_allclose(out[:, 256:], (2 * sound - mean)[:, :-256], atol=1e-5, rtol=0)
    host.close()


def test_what_is_installed_is_listed_and_removed(product: Product, library: Path, tmp_path: Path) -> None:
    placed = install(product, library, home=tmp_path)
    assert [one.path for one in installed(tmp_path)] == placed
    assert {one.stage for one in installed(tmp_path)} == {"highband"}
    assert remove("Highband", tmp_path) == placed
    assert installed(tmp_path) == []
    assert not any(path.exists() for path in placed)


def test_what_is_missing_is_said_in_a_sentence(
    product: Product, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HIGHBAND_DPF", str(tmp_path))
    with pytest.raises(PluginError, match="apt install dpf-source"):
        build(product, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    status, output = run("doctor")
    assert status == 1
    assert "apt install g++" in output
    assert "dpf-source" in output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["build", "--stage", "nothing"], "give module:Class"),
        (["build", "--stage", "nowhere:Stage"], "can't be imported"),
        (["install", "--format", "au"], "the formats are vst3, clap, lv2"),
        (["remove", "Nothing"], "highband plugin list"),
    ],
)
def test_what_can_not_be_is_refused_in_a_sentence(words: list[str], sentence: str) -> None:
    status, output = run(*words)
    assert status in (1, 2)
    assert sentence in output
    assert len(output.strip().splitlines()) == 1


def test_a_stage_with_too_many_knobs_is_refused(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE / "my_stages.py", tmp_path / "many_knobs.py")
    with (tmp_path / "many_knobs.py").open("a") as file:
        file.write("class Many(Brightener):\n    controls = [Control(f'k{n}', 'K', '', 0, 1, 0) for n in range(70)]\n")
    with pytest.raises(PluginError, match="leave some out"):
        find_product("many_knobs:Many", folder=tmp_path)


def test_status_shows_what_daws_have_open(runtime: Path, open_host: Opener) -> None:
    assert run("status") == (0, "no DAW has the plug-in open\n")
    host = open_host()
    host.process(np.zeros((2, 64), np.float32))
    status, output = run("status")
    assert status == 0
    assert "dry, no engine, 48000 Hz, 2 ch, latency 256 samples, 0 of 1 blocks late" in output
    assert '"plays": "dry, no engine"' in run("status", "--json")[1]


def test_what_a_dead_process_left_is_swept(runtime: Path) -> None:
    runtime.mkdir(mode=0o700)
    process = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (runtime / f"{int(process.stdout)}-1-2.region").write_bytes(b"left")
    assert instances() == []
    assert sweep() == 1
    assert list(runtime.iterdir()) == []


def test_the_generated_header_quotes_what_it_is_given(product: Product) -> None:
    odd = Product("a:B", 'C:\\folder "x"', 'Name "quoted"', product.controls, {})
    text = header(odd)
    assert '"Name \\"quoted\\""' in text
    assert "{0, 0}" in text
    assert engine_command()[0] == sys.executable
