"""The comparison from a shell, with the whole product playing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from typer.testing import CliRunner

from plugin_host.cli.app import app
from tests.plugin_host.session.live_program import PRODUCT, running, wait_for

ADDRESSES = ("tcp://127.0.0.1:19471", "tcp://127.0.0.1:19472")


def compare(*words: str) -> str:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["compare", *words, "--address", ADDRESSES[0]]).output


def test_wet_and_dry_are_compared_equally_loud(tmp_path: Path) -> None:
    noise = 0.05 * np.random.default_rng(1).standard_normal((48000 * 60, 2))
    soundfile.write(tmp_path / "in.wav", noise, 48000, "FLOAT")
    live = ["live", "--device", "file:in.wav,out.wav", "--control", ADDRESSES[0], "--telemetry", ADDRESSES[1]]
    with running([*PRODUCT, *live, "--set", "output=6", "--block", "512"], tmp_path) as program:
        assert program.stdout is not None
        assert "playing on file" in program.stdout.readline()
        assert "not comparing" in compare()
        printed = compare("dry")
        wait_for(lambda: "wet +6.0 dB: wet is turned down" in compare())
        assert "LUFS" in printed
        assert "not comparing" in compare("off")
