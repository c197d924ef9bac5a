"""Laws of the runs on waveforms: they say what they are, and refuse what they don't know."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import training
from models.exciters.config import SeanetConfig, WavenetConfig
from models.training.exciter.run import is_waveform_run, read_waveform_run
from scripts.studies import comparison
from tests.models.training.exciter.waveforms import tiny_corpus, tiny_run

RUNS = sorted((Path(training.__file__).parent / "runs").glob("*.toml"))
LEARNED = [file for file in RUNS if file.stem.startswith("learned-")]
EXCITERS = [file for file in RUNS if file.stem.endswith("-exciter")]


@pytest.mark.parametrize("file", RUNS, ids=lambda file: file.stem)
def test_a_run_says_of_which_kind_it_is(file: Path) -> None:
    assert is_waveform_run(file) == (file in LEARNED + EXCITERS)


@pytest.mark.parametrize("file", LEARNED, ids=lambda file: file.stem)
def test_shipped_runs_can_be_read_and_are_named_like_their_file(file: Path) -> None:
    run = read_waveform_run(file)
    assert run.name == file.stem
    assert run.name in comparison.SYSTEMS.values()


@pytest.mark.parametrize("file", EXCITERS, ids=lambda file: file.stem)
def test_exciters_stand_before_the_filter_of_an_artifact(file: Path) -> None:
    run = read_waveform_run(file)
    assert run.name == file.stem
    assert (run.filtered, run.conditioned) == (True, False)
    assert file.with_name(f"{run.predictor}.toml") in RUNS


def test_a_run_learns_from_its_corpus_and_from_further_folders(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        tiny_corpus(folder)
    found = tiny_run(corpus=folders[0], more=(folders[1],)).clips()
    assert [clip.path.parent for clip in found] == [folders[0]] * 5 + [folders[1]] * 5


def test_the_systems_of_the_comparison_have_the_same_budget() -> None:
    runs = [read_waveform_run(file) for file in LEARNED]
    assert len(runs) == len(comparison.SYSTEMS)
    assert len({(run.steps, run.alone, run.rows, run.seconds, run.seed, run.rate, run.critics) for run in runs}) == 1


def test_the_network_and_its_conditioning_follow_from_the_run() -> None:
    seanet, wavenet = tiny_run(), tiny_run(network="wavenet", sizes={"channels": 4}, conditioned=False)
    assert isinstance(seanet.extender().network, SeanetConfig)
    assert seanet.extender().network.conditioning == 64
    assert isinstance(wavenet.extender().network, WavenetConfig)
    assert wavenet.extender().network.conditioning == 0


def test_no_discriminator_is_made_for_a_run_that_never_asks_one() -> None:
    assert not tiny_run(alone=4).judges()
    assert set(tiny_run(critics=("periods", "phase")).judges()) == {"periods", "phase"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("stepz = 3", "stepz"),
        ("steps = 0", "steps"),
        ('critics = ["ears"]', "critics"),
        ("sizes = { widht = 3 }", "sizes"),
        ("sizes = { strides = [3] }", "level more"),
        ("degradation = { cutoff = 3 }", "cutoff"),
        ("name = ", "not valid TOML"),
    ],
)
def test_a_wrong_run_is_refused_with_what_is_wrong(tmp_path: Path, line: str, reason: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(f'kind = "waveform"\nname = "wrong"\nnetwork = "seanet"\n{line}\n')
    with pytest.raises(ValueError, match=reason):
        read_waveform_run(file)


def test_a_run_that_is_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be read"):
        is_waveform_run(tmp_path / "nowhere.toml")
