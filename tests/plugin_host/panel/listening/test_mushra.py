"""Laws of the ratings: anchors as the standard has them, no hint of which is which, unreliable listeners left out."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.panel.listening.anchors import anchors_of
from plugin_host.panel.listening.excerpts import delay, load_excerpts
from plugin_host.panel.listening.groups import ListeningError, find_groups
from plugin_host.panel.listening.mushra import REFERENCE, Mushra, Ratings, is_reliable
from plugin_host.panel.listening.session import Listener
from plugin_host.panel.listening.statistics import median_of
from tests.plugin_host.panel import panel_page
from tests.plugin_host.panel.listening.listen_program import listening_at
from tests.plugin_host.panel.panel_host import PATIENCE_S

RATE = 48000
VERSIONS = {"clean", "dull", "anchor 3.5 kHz", "anchor 7 kHz"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sound = 0.1 * np.random.default_rng(1).standard_normal(RATE)
    for name, samples in (("clean", sound), ("dull", np.convolve(sound, np.hanning(9) / 4, "same"))):
        for item in ("one", "other"):
            (tmp_path / name).mkdir(exist_ok=True)
            soundfile.write(tmp_path / name / f"{item}.wav", samples, RATE)
    return tmp_path


def mushra(folder: Path, rounds: int = 1, seed: int = 1) -> Mushra:
    excerpts = {group.name: load_excerpts(group, 0.0, 10.0, "clean") for group in find_groups([folder])}
    return Mushra(excerpts, folder / "mushra.csv", rounds, seed, "clean")


def rate(test: Mushra, scores: dict[str, int], name: str = "") -> dict[str, object]:
    """Let a listener rate every version of every trial alike."""
    word = test.open(Listener(name=name))
    for number, trial in enumerate(test.session(word).trials):
        given = {slot: scores[version] for slot, version in trial.slots.items() if slot != REFERENCE}
        test.answer(word, Ratings(trial=number, seconds=1.0, scores=given))
    return test.state(word)


@pytest.mark.parametrize("rate_hz", [44100, 48000, 96000])
def test_anchors_pass_and_stop_where_the_standard_says(rate_hz: int) -> None:
    impulse = np.zeros((1, rate_hz), np.float32)
    impulse[0, rate_hz // 2] = 1.0
    for (name, anchor), (passes, at, stops) in zip(
        anchors_of(impulse, rate_hz).items(), ((3500, 4000, 4500), (7000, 8000, 9000)), strict=True
    ):
        assert name == f"anchor {passes / 1000:g} kHz"
        gain = 20.0 * np.log10(np.abs(np.fft.rfft(anchor[0])) + 1e-9)
        assert np.abs(gain[: passes + 1]).max() < 0.1
        assert gain[at:].max() < -25.0
        assert gain[stops:].max() < -50.0
        assert delay(impulse, anchor, 1000) == 0


def test_every_version_is_equally_loud_aligned_and_behind_one_button(folder: Path) -> None:
    test = mushra(folder)
    for made in test.excerpts.values():
        assert set(made) == VERSIONS
        assert max(one.lufs for one in made.values()) - min(one.lufs for one in made.values()) < 0.1
        sounds = {name: soundfile.read(io.BytesIO(one.wav))[0][None] for name, one in made.items()}
        assert {delay(sounds["clean"], sound, 500) for sound in sounds.values()} == {0}
    word = test.open(Listener())
    for number, trial in enumerate(test.session(word).trials):
        assert sorted(trial.slots.values()) == sorted([*VERSIONS, "clean"])
        hidden = next(slot for slot, version in trial.slots.items() if version == "clean" and slot != REFERENCE)
        assert test.sound(word, number, hidden) == test.sound(word, number, REFERENCE)
    assert test.state(word)["slots"] == ["01", "02", "03", "04", REFERENCE]


def test_the_seed_decides_the_order_and_every_place_is_even(folder: Path) -> None:
    test = mushra(folder)
    assert test._plan((1, 1)) == test._plan((1, 1)) != test._plan((1, 2))
    firsts = Counter(test._plan((seed, 1))[0].slots["01"] for seed in range(400))
    assert all(60 < firsts[version] < 140 for version in VERSIONS)


def test_ratings_are_written_and_come_back_as_medians(folder: Path) -> None:
    good = {"clean": 100, "dull": 70, "anchor 3.5 kHz": 10, "anchor 7 kHz": 40}
    rate(mushra(folder), good, "Ann")
    # A second run of the command adds to the file, also to what is shown.
    state = rate(mushra(folder, seed=2), {**good, "dull": 60}, "Bob")
    assert (state["listeners"], state["left_out"]) == (2, 0)
    medians = {one["version"]: (one["median"], one["count"]) for one in state["results"]}  # type: ignore[attr-defined]
    assert medians == {
        "clean": (100.0, 4), "dull": (65.0, 4), "anchor 7 kHz": (40.0, 4), "anchor 3.5 kHz": (10.0, 4)
    }  # fmt: skip
    with (folder / "mushra.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert {row["version"] for row in rows if row["is_reference"] == "1"} == {"clean"}
    assert {row["listener"] for row in rows} == {"Ann", "Bob"}


@pytest.mark.parametrize(("version", "wrong", "score"), [("clean", 80, 95), ("anchor 7 kHz", 95, 80)])
def test_who_rates_the_reference_low_or_the_anchor_high_too_often_is_left_out(
    version: str, wrong: int, score: int
) -> None:
    def rows(count: int) -> list[dict[str, str]]:
        scores = [wrong] * count + [score] * (20 - count)
        is_reference = "1" if version == "clean" else "0"
        return [{"version": version, "is_reference": is_reference, "score": str(one)} for one in scores]

    assert is_reliable(rows(3))
    assert not is_reliable(rows(4))


def test_unreliable_listeners_change_no_median(folder: Path) -> None:
    good = {"clean": 100, "dull": 70, "anchor 3.5 kHz": 10, "anchor 7 kHz": 40}
    rate(mushra(folder), good)
    state = rate(mushra(folder, seed=2), {**good, "clean": 50, "dull": 0})
    assert (state["listeners"], state["left_out"]) == (1, 1)
    medians = {one["version"]: one["median"] for one in state["results"]}  # type: ignore[attr-defined]
    assert medians["dull"] == 70.0


def test_a_score_that_is_missing_or_beyond_the_scale_is_refused(folder: Path) -> None:
    test = mushra(folder)
    word = test.open(Listener())
    for scores in ({"01": 5}, {"01": 1, "02": 1, "03": 1, "05": 1}, {}):
        with pytest.raises(ListeningError, match="rate every sound"):
            test.answer(word, Ratings(trial=0, seconds=1.0, scores=scores))
    for score in (-1, 101, 50.5, "50"):
        with pytest.raises(ValueError):
            Ratings.model_validate({"trial": 0, "seconds": 1.0, "scores": {"01": score}})
    assert not (folder / "mushra.csv").exists()


@pytest.mark.parametrize("count", [6, 12, 25])
def test_the_interval_covers_the_true_median(count: int) -> None:
    """Of skewed ratings of 1,000 panels."""
    random = np.random.default_rng(3)
    panels = np.minimum(100, 100 * random.beta(5.0, 1.5, (1000, count))).round().astype(int)
    true = np.median(np.minimum(100, 100 * random.beta(5.0, 1.5, 1_000_000)).round())
    results = [median_of(panel.tolist()) for panel in panels]
    assert np.mean([one.low <= true <= one.high for one in results]) >= 0.94
    assert all(one.confidence >= 0.95 for one in results)


def test_few_ratings_give_an_interval_that_says_how_sure_it_is() -> None:
    assert (median_of([70]).confidence, median_of([70]).low) == (0.0, 70)
    few = median_of([60, 80, 70, 90, 75])
    assert (few.median, few.low, few.high) == (75.0, 60, 90)
    assert few.confidence == pytest.approx(0.9375)


def test_two_trials_by_keyboard_in_a_browser(folder: Path) -> None:
    complaints: list[str] = []
    options = ("--mushra", "--reference", "clean", "--seed", "1")
    with listening_at(folder, *options) as address, panel_page.chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_S * 1000.0)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.get_by_role("textbox").press("Enter")
        for trial in range(2):
            page.get_by_text(f"Trial {trial + 1} of 2").wait_for()
            page.locator("#play:not([disabled])[aria-pressed=true]").wait_for()
            assert page.get_by_role("button", name="Next").is_disabled()
            for number in range(1, 5):
                page.keyboard.press(str(number))
                page.get_by_role("button", name=f"Sound {number}", pressed=True).wait_for()
                page.keyboard.press("End" if number == 1 else "ArrowLeft")
            assert trial > 0 or panel_page.barriers(page) == []
            page.keyboard.press("0")
            page.get_by_role("button", name="0: Reference", pressed=True).wait_for()
            page.keyboard.press("Enter")
        page.get_by_role("heading", name="Results").wait_for()
        assert panel_page.barriers(page) == []
        browser.close()
    assert complaints == []
    with (folder / "mushra.csv").open(newline="") as file:
        assert [row["score"] for row in csv.DictReader(file)] == ["100", "49", "49", "49"] * 2
