"""Laws of inspect: the edge is where it was cut, what was not cut is not called cut, and faults are counted."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest
import soundfile
from numpy.typing import NDArray

from plugin_host.checks.signals import sinking
from plugin_host.render.inspect.many import inspect_all
from plugin_host.render.inspect.measure import Inspection, inspect
from tests.plugin_host.render.inspect.recordings import RATE, cut, falling, recording, through_codec, through_rate


def inspected(folder: Path, samples: NDArray[Any], rate: int = RATE, subtype: str = "PCM_24") -> Inspection:
    soundfile.write(folder / "a.wav", samples.T, rate, subtype=subtype)
    return inspect(folder / "a.wav")


@pytest.mark.parametrize("hertz", [3400, 5100, 8000, 11_300, 15_000, 17_500])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_the_edge_of_a_filter_is_found(tmp_path: Path, hertz: int, subtype: str) -> None:
    cause = inspected(tmp_path, cut(recording(hertz), hertz), subtype=subtype).cause
    assert cause.edge_hz == pytest.approx(hertz, abs=200)
    assert (cause.kind != "none", cause.verdict) == (True, "would gain")


@pytest.mark.parametrize("low", [8000, 11_025, 16_000, 22_050, 32_000])
def test_a_conversion_is_known_by_its_edge(tmp_path: Path, low: int) -> None:
    cause = inspected(tmp_path, through_rate(recording(low), low)).cause
    assert 0.9 * low / 2 <= cause.edge_hz <= 1.01 * low / 2
    assert (cause.kind, cause.detail, cause.verdict) == ("resampling", f"from {low / 1000:g} kHz", "would gain")


@pytest.mark.parametrize(
    ("kind", "level", "low_hz", "high_hz", "detail"),
    [
        ("mp3", 0.6, 15_930, 16_400, "probably MP3"),
        ("vorbis", 0.8, 16_400, 18_600, "MP3, AAC or Vorbis"),
        ("opus", 0.9, 19_900, 20_060, "probably Opus"),
    ],
)
def test_a_codec_is_known_by_its_edge_and_its_holes(
    tmp_path: Path, kind: str, level: float, low_hz: float, high_hz: float, detail: str
) -> None:
    found = inspected(tmp_path, through_codec(recording(3, slope_db=-8.0), kind, level))
    assert low_hz < found.cause.edge_hz < high_hz
    assert (found.cause.kind, found.cause.detail) == ("codec", detail)


def test_what_sinks_into_its_noise_is_said_with_the_control_that_helps(tmp_path: Path) -> None:
    found = inspected(tmp_path, sinking())
    assert (found.cause.kind, found.cause.edge_hz) == ("none", RATE / 2)
    assert [note.split(":")[0] for note in found.notes] == ["sinks into its noise"]
    assert "soft_edge=on" in found.notes[0]


@pytest.mark.parametrize("seed", range(12))
def test_what_was_not_cut_is_full_band(tmp_path: Path, seed: int) -> None:
    found = inspected(tmp_path, recording(seed, slope_db=-seed), subtype=("PCM_16", "FLOAT")[seed % 2])
    assert (found.cause.kind, found.cause.verdict, found.cause.edge_hz) == ("none", "full-band", RATE / 2)
    assert found.notes == ()


@pytest.mark.parametrize("rate", [16_000, 22_050, 32_000])
def test_a_low_rate_would_gain_as_a_render_adds_a_band(tmp_path: Path, rate: int) -> None:
    cause = inspected(tmp_path, recording(2), rate).cause
    assert (cause.verdict, cause.edge_hz) == ("would gain", rate / 2)
    assert cause.detail == f"rate of {rate / 1000:g} kHz"


def test_what_falls_off_by_itself_is_dull_by_nature(tmp_path: Path) -> None:
    assert inspected(tmp_path, falling(recording(1), -24.0)).cause.verdict == "dull by nature"


def test_silence_says_nothing(tmp_path: Path) -> None:
    found = inspected(tmp_path, np.zeros((2, RATE), np.float32))
    assert (found.cause.verdict, found.lufs, found.true_peak_db) == ("too little sound", None, None)
    assert found.edges_hz == [None]


def test_the_edge_is_followed_over_time(tmp_path: Path) -> None:
    found = inspected(tmp_path, np.concatenate([cut(recording(1, 10), 6000), recording(2, 10)], axis=1))
    first, second = found.edges_hz
    assert first == pytest.approx(6000, abs=200)
    assert second == RATE / 2


def test_faults_and_levels_are_measured(tmp_path: Path) -> None:
    samples = 4 * recording(1) + np.float32(0.02)
    clean = inspected(tmp_path, samples / 8, subtype="FLOAT")
    clipped = inspected(tmp_path, np.clip(samples, -0.5, 0.5), subtype="FLOAT")
    runs = abs(samples) >= 0.5
    in_runs = (runs[:, 2:] & runs[:, 1:-1] & runs[:, :-2]).sum()
    assert clean.clipped == 0
    assert in_runs <= clipped.clipped <= runs.sum()
    assert clipped.dc == pytest.approx(abs(np.clip(samples, -0.5, 0.5).mean()), abs=1e-5)
    lufs = pyloudnorm.Meter(RATE).integrated_loudness(samples.T.astype(np.float64) / 8)
    assert clean.lufs == pytest.approx(lufs, abs=0.1)


def test_many_files_come_in_order_with_their_faults_and_as_json(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.wav" for number in range(3)]
    for number, path in enumerate(paths):
        soundfile.write(path, recording(number, 1.0).T, RATE)
    paths[1].write_text("no sound")
    (_, one), (_, bad), (_, other) = inspect_all([str(path) for path in paths], 2, picture=True)
    assert isinstance(one, Inspection)
    assert isinstance(other, Inspection)
    assert isinstance(bad, str)
    assert "1.wav is not audio" in bad
    assert json.loads(json.dumps(asdict(one), default=str))["cause"]["verdict"] == "full-band"
    assert (tmp_path / "0.inspect.png").read_bytes().startswith(b"\x89PNG")
