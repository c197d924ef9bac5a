"""Laws of evaluation: the product's path, latency taken out, every system on the same clips, figures kept whole."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from models.control import Control
from models.training.data import corpus
from models.training.data.lowpass import resample_to
from models.training.evaluation import evaluate, scorecard
from models.training.evaluation import worst_clips as hardest
from models.training.evaluation.scorecard import Score

Audio = NDArray[np.float32]
RATE = 48000


class Late:
    """A stage that multiplies by the knob and comes late; it remembers its calls."""

    controls: Sequence[Control] = ()

    def __init__(self, latency_samples: int) -> None:
        self.latency_samples = latency_samples
        self.edge_hz = 0.0
        self.prepared: tuple[int, int, int] | None = None
        self._past: Audio = np.zeros((0, 0), np.float32)

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        self.prepared = (sample_rate, channels, max_block)
        self._past = np.zeros((channels, self.latency_samples), np.float32)

    def set_bandwidth(self, edge_hz: float, turns: object = ()) -> None:
        assert self.prepared is not None, "the bandwidth is set after prepare"
        self.edge_hz = edge_hz

    def process(self, block: Audio, settings: Mapping[str, float]) -> Audio:
        assert self.prepared is not None
        assert 1 <= block.shape[1] <= self.prepared[2]
        line = np.concatenate([self._past, block], axis=1)
        self._past = line[:, block.shape[1] :]
        return line[:, : block.shape[1]] * np.float32(settings["gain"])

    def reset(self, position: int = 0) -> None:
        self._past[:] = 0


def noise(samples: int, channels: int = 1, seed: int = 0) -> Audio:
    return (np.random.default_rng(seed).standard_normal((channels, samples)) * 0.1).astype(np.float32)


def full_band_folder(folder: Path) -> Path:
    """Two categories of one-second noise: one at 48 kHz, one at 44.1 kHz in stereo."""
    for category, rate, channels in (("drums", 48000, 1), ("voice", 44100, 2)):
        (folder / category).mkdir(parents=True)
        soundfile.write(folder / category / "take.wav", noise(rate, channels).T, rate, subtype="FLOAT")
    return folder


def score(system: str = "sinc", lsd: float = 1.0, visqol: float = math.nan, rate: int = 8000) -> Score:
    return Score(system, "a.wav", "S", "speech", rate, 2.0, lsd, lsd, lsd, lsd, visqol, 3.0, -120.0)


@pytest.mark.parametrize("samples", [1, 1000, 65536, 150001])
@pytest.mark.parametrize("latency", [0, 1, 700])
def test_restoring_takes_the_latency_out(samples: int, latency: int) -> None:
    degraded = noise(samples, channels=2)
    stage = Late(latency)
    restored = evaluate.restore(stage, degraded, RATE, {"gain": 0.5})
    np.testing.assert_array_equal(restored, degraded * np.float32(0.5))


def test_a_stage_gets_the_bandwidth_of_its_input() -> None:
    stage = Late(3)
    evaluate.restore(stage, resample_to(noise(2 * RATE), RATE, 16000), RATE, {"gain": 1.0})
    assert 6500 < stage.edge_hz <= 8500


def test_all_systems_meet_the_same_signal_and_exact_ones_win(tmp_path: Path) -> None:
    clips = corpus.clips(full_band_folder(tmp_path))
    seen: list[Audio] = []

    def spy(degraded: Audio, rate: int) -> Audio:
        assert rate == RATE
        seen.append(degraded)
        return degraded

    def oracle(degraded: Audio, rate: int) -> Audio:
        clean = {corpus.clean_48k(clip, None).shape: corpus.clean_48k(clip, None) for clip in clips}
        return clean[degraded.shape]

    results = list(evaluate.scores(clips, {"spy": spy, "oracle": oracle}, [8000, 16000], visqol=False))
    assert len(results) == 2 * 2 * 2
    assert [audio.shape[0] for audio in seen] == [1, 1, 2, 2]
    exact = [one for one in results if one.system == "oracle"]
    assert all(one.lsd == 0 and one.lsd_hf == 0 for one in exact)
    narrow = {one.rate: one for one in results if one.system == "spy"}
    assert narrow[8000].lsd > narrow[16000].lsd > 1
    assert narrow[8000].lsd_hf > narrow[8000].lsd > narrow[8000].lsd_lf
    assert all(one.null_db == -120 for one in results if one.system == "spy")


def test_full_band_is_judged_where_there_is_one(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "full.wav", noise(RATE)[0], RATE)
    narrow = resample_to(noise(RATE), RATE, 16000)
    soundfile.write(tmp_path / "narrow.wav", narrow[0], RATE)
    systems: dict[str, evaluate.System] = {"louder": lambda degraded, rate: degraded * np.float32(1.1)}
    results = list(evaluate.scores(corpus.clips(tmp_path), systems, [RATE], visqol=False))
    assert [one.clip for one in results] == ["full.wav"]
    assert results[0].null_db == pytest.approx(-20, abs=0.01)
    assert math.isnan(results[0].lsd_hf)


def test_a_system_that_changes_the_length_is_refused(tmp_path: Path) -> None:
    clips = corpus.clips(full_band_folder(tmp_path))
    systems: dict[str, evaluate.System] = {"short": lambda degraded, rate: degraded[:, 1:]}
    with pytest.raises(ValueError, match="short returned"):
        list(evaluate.scores(clips, systems, [8000], visqol=False))


def test_rows_leave_out_what_could_not_be_taken() -> None:
    results = [
        score(lsd=1.0, visqol=3.0),
        score(lsd=2.0),
        score(lsd=6.0, visqol=4.0),
        score("live", 0.5),
        score(rate=16000),
    ]
    summary = scorecard.rows(results)
    assert [(row.rate, row.system, row.clips) for row in summary] == [
        (8000, "sinc", 3),
        (8000, "live", 1),
        (16000, "sinc", 1),
    ]
    assert summary[0].mean["lsd"] == 3
    assert summary[0].median["lsd"] == 2
    assert summary[0].seconds == 6
    assert summary[0].mean["visqol"] == 3.5
    assert math.isnan(summary[1].mean["visqol"])
    assert scorecard.table(summary).row_count == 3


def test_figures_are_written_whole_and_read_back(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    results = [score(lsd=1.5), score("live", 0.5)]
    scorecard.write(out, results, scorecard.rows(results), {"folder": "audio"})
    content = json.loads(out.read_text())
    assert content["scores"][1] == {**content["scores"][0], "system": "live"} | {
        "lsd": 0.5, "lsd_true": 0.5, "lsd_hf": 0.5, "lsd_lf": 0.5,
    }  # fmt: skip
    assert content["scores"][0]["visqol"] is None
    assert content["rows"][0]["mean"]["lsd"] == 1.5
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


def test_a_limit_is_a_fair_sample(tmp_path: Path) -> None:
    for k in range(9):
        soundfile.write(tmp_path / f"{k}.wav", noise(4800, seed=k)[0], RATE)
    assert [clip.name for clip in evaluate.chosen(tmp_path, None, None, 3)] == ["0.wav", "3.wav", "6.wav"]
    assert len(evaluate.chosen(tmp_path, None, None, 99)) == len(evaluate.chosen(tmp_path, None, None, None)) == 9
    with pytest.raises(ValueError, match="at least 1 clip"):
        evaluate.chosen(tmp_path, None, None, 0)


def test_artifacts_are_judged_with_the_knobs_that_are_set(tmp_path: Path) -> None:
    folder, out = full_band_folder(tmp_path / "clips"), tmp_path / "out.json"
    evaluate.command(folder, ["live"], [8000], None, None, None, 0.5, False, out, changes={"amount": -24.0})
    content = json.loads(out.read_text())
    assert content["settings"] == {"amount": -24.0}
    changed = next(row["lsd"] for row in content["scores"] if row["system"] == "live" and row["rate"] == 8000)
    evaluate.command(folder, ["live"], [8000], None, None, None, 0.5, False, out)
    content = json.loads(out.read_text())
    assert content["settings"] == {}
    assert next(row["lsd"] for row in content["scores"] if row["system"] == "live" and row["rate"] == 8000) != changed


def test_the_hardest_clips_are_drawn_each_once_and_the_worst_first(tmp_path: Path) -> None:
    def score(clip: str, visqol: float, system: str = "live", rate: int = 8000) -> Score:
        return Score(system, clip, "here", "voice", rate, 1.0, 1.0, 1.0, 1.0, 1.0, visqol, 1.0, 1.0)

    results = [score("a", 3.0), score("b", 2.0), score("a", 1.0, "sinc"), score("a", 2.5), score("c", 1.0, rate=RATE)]
    assert [(one.clip, one.visqol) for one in hardest.hardest(results, "sinc")] == [("b", 2.0), ("a", 2.5)]
    assert [one.clip for one in hardest.hardest(results, "sinc", most=1)] == ["b"]
    blind = [replace(score("a", math.nan), lsd_true=1.0), replace(score("b", math.nan), lsd_true=2.0)]
    assert [one.clip for one in hardest.hardest(blind, "sinc")] == ["b", "a"]

    folder, picture = full_band_folder(tmp_path / "clips"), tmp_path / "hardest.png"
    evaluate.command(folder, ["live"], [8000], None, None, 2, 0.5, False, None, picture=picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["hardest.png"]


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = full_band_folder(tmp_path / "clips"), tmp_path / "out.json"
    evaluate.command(folder, [], [8000], None, None, None, 0.5, False, out)
    assert "sinc" in capsys.readouterr().out
    content = json.loads(out.read_text())
    assert {(row["category"], row["rate"]) for row in content["rows"]} >= {
        ("drums", 8000),
        ("voice", 8000),
        ("drums", 48000),
    }
    assert content["digest"] == corpus.digest(corpus.clips(folder))
    with pytest.raises(ValueError, match="the rate must be between"):
        evaluate.command(folder, [], [96000], None, None, None, 0.5, False, None)
