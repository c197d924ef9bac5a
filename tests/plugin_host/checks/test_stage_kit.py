"""The stage kit over every artifact and preset, and over stages that each break one law."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from models.artifact.manifest import list_artifacts
from models.extender.controls import CONTROLS
from plugin_host.checks.suite import LEVELS, Level, levels, run
from plugin_host.checks.target import SubjectError, find_subject, subject_of
from plugin_host.cli.app import app
from plugin_host.preset.file import list_presets
from tests.plugin_host.checks import broken_stages
from tests.plugin_host.checks.broken_stages import Sound

PRESETS = [preset.id for preset in list_presets()]
# tests/models holds the artifacts to 2, 4 and 6 with more sounds and cuttings.
OF_ARTIFACTS = (1, 3, 5, 7, 8, 9)
# The model and the effects are the same in all: each preset takes its turn at a level that costs seconds.
OF_PRESETS = (2, 3, 4, 7, 8, 9)


@pytest.mark.parametrize("number", OF_ARTIFACTS)
@pytest.mark.parametrize("name", [info.name for info in list_artifacts()])
def test_every_artifact_keeps_the_laws(name: str, number: int) -> None:
    assert run(levels(number)[0], find_subject(name)).faults == []


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_keeps_the_laws(name: str) -> None:
    subject, turn = find_subject(name), PRESETS.index(name)
    for number in (1, 5, OF_PRESETS[turn % len(OF_PRESETS)]):
        assert run(levels(number)[0], subject).faults == []


def test_knobs_of_a_chain_jump_without_a_click() -> None:
    assert run(levels(6)[0], find_subject("dull-vocal")).faults == []


@pytest.mark.parametrize("level", LEVELS[:9], ids=lambda level: str(level.number))
def test_a_stage_that_breaks_no_law_passes(level: Level) -> None:
    report = run(level, subject_of("sound", Sound()))
    assert report.faults == []
    assert report.verdicts


@pytest.mark.parametrize(
    ("name", "number", "law"),
    [
        ("Humming", 1, "silence stays silent"),
        ("Deaf", 2, "level is audible"),
        ("Fragile", 3, "nan does no harm"),
        ("Late", 4, "an impulse lands at the declared latency"),
        ("BlockBound", 4, "blocks of 64 equal the whole"),
        ("Unforgetting", 4, "reset forgets"),
        ("Leaky", 5, "bypass is the delayed input bit for bit"),
        ("Clicking", 6, "level jumps without a click"),
        ("Strict", 8, "it raises nothing"),
        ("Hoarding", 9, "memory does not grow over 1000 blocks"),
    ],
)
def test_a_stage_that_breaks_a_law_is_found_out(name: str, number: int, law: str) -> None:
    report = run(levels(number)[0], subject_of(name, getattr(broken_stages, name)()))
    assert law in [verdict.law for verdict in report.faults]


def test_a_stage_lasts_beside_a_busy_thread() -> None:
    report = run(levels(10)[0], subject_of("sound", Sound()), minutes=0.01)
    assert report.faults == []
    assert "late blocks" in [verdict.law for verdict in report.verdicts]


def test_the_kit_repeats_itself_with_the_same_seed() -> None:
    subject = subject_of("sound", Sound())
    first, again, other = (run(levels(6)[0], subject, seed).notes for seed in (3, 3, 4))
    assert first == again != other


def test_a_class_of_ones_own_is_found_by_its_module() -> None:
    subject = find_subject("tests.plugin_host.gain:Gain")
    assert (subject.kind, subject.controls) == ("class", CONTROLS)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nonsense", "there is no artifact or preset 'nonsense'"),
        ("no.such.module:Gain", "can't be imported: No module named"),
        ("tests.plugin_host.gain:Missing", "can't be imported: .* has no attribute"),
        ("fractions:Fraction.from_float", "there is no artifact"),
        ("datetime:date", "can't be made without arguments"),
        ("fractions:Fraction", "is no stage"),
    ],
)
def test_what_is_not_there_is_one_sentence(name: str, sentence: str) -> None:
    with pytest.raises(SubjectError, match=sentence):
        find_subject(name)
    with pytest.raises(ValueError, match="no level 11"):
        levels(11)


@pytest.mark.parametrize(
    ("name", "status", "sentence"), [("Sound", 0, "holds"), ("Strict", 1, "level 8: it raises nothing")]
)
def test_the_command_reports_and_ends_with_a_status(name: str, status: int, sentence: str) -> None:
    done = CliRunner().invoke(app, ["check", f"tests.plugin_host.checks.broken_stages:{name}", "--level", "8"])
    assert (done.exit_code, done.exception is None or status == 1) == (status, True)
    assert sentence in done.output
