"""The test as others meet it: the command, its page in a browser by keyboard alone, its answers, its refusals."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from math import comb
from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.panel.listening.abx import Abx, Choice
from plugin_host.panel.listening.excerpts import load_excerpts
from plugin_host.panel.listening.groups import ListeningError, find_groups
from plugin_host.panel.listening.session import Listener
from tests.plugin_host.panel import panel_page
from tests.plugin_host.panel.listening.listen_program import listening_at
from tests.plugin_host.panel.panel_host import PATIENCE_S

RATE, HIGHS_HZ = 48000, 6000.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sound = 0.1 * np.random.default_rng(1).standard_normal(RATE)
    for name, samples in (("clean", sound), ("dull", np.convolve(sound, np.hanning(9) / 4, "same"))):
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE)
    return tmp_path


def listening(folder: Path, trials: int = 4, seed: int = 1) -> Abx:
    excerpts = {group.name: load_excerpts(group, 0.0, 10.0) for group in find_groups([folder])}
    return Abx(excerpts, folder / "listening.csv", trials, seed)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "listening.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_answers_are_judged_written_and_added_to(folder: Path) -> None:
    for _ in range(2):
        test = listening(folder)
        word = test.open(Listener(name="Ann"))
        for number, trial in enumerate(test.session(word).trials):
            x, a, b = (test.sound(word, number, slot) for slot in "xab")
            assert x == (a if trial.is_x_a else b)
            assert a != b
            test.answer(word, Choice(trial=number, choice="A" if x == a else "B", seconds=1.0))
        (result,) = test.state(word)["results"]
        assert (result["correct"], result["trials"], result["p_value"]) == (4, 4, 1 / 16)
    assert [row["correct_so_far"] for row in rows(folder)] == ["1", "2", "3", "4"] * 2
    assert {row["listener"] for row in rows(folder)} == {"Ann"}
    assert all(abs(float(row["lufs_a"]) - float(row["lufs_b"])) < 0.1 for row in rows(folder))


def test_noisy_listeners_come_out_at_their_true_rate_on_a_difference_of_1_db(tmp_path: Path) -> None:
    """1,000 of them perceive the level of the highs of what is played through a noise of 1 dB."""
    # So dull that the highs have no share in the loudness, which is held equal.
    hertz = np.fft.rfftfreq(RATE, 1 / RATE)
    spectrum = np.fft.rfft(10.0 * np.random.default_rng(1).standard_normal(RATE)) / np.maximum(100.0, hertz)
    for name, gain_db in (("clean", 0.0), ("softer", -1.0)):
        highs = np.where(hertz > HIGHS_HZ, 10 ** (gain_db / 20), 1.0)
        soundfile.write(tmp_path / f"{name}.wav", np.fft.irfft(highs * spectrum), RATE, "FLOAT")
    test, random = listening(tmp_path, trials=16), np.random.default_rng(2)
    levels = {one: _highs_db(test, one) for one in ("clean", "softer")}
    assert levels["clean"] - levels["softer"] == pytest.approx(1.0, abs=0.05)

    def is_right(x: str, other: str, count: int) -> np.ndarray:
        perceived = [levels[one] + random.standard_normal(count) for one in (x, x, other)]
        return np.asarray(abs(perceived[0] - perceived[1]) < abs(perceived[0] - perceived[2]))

    true_rate = float(is_right("clean", "softer", 400_000).mean())
    assert 0.55 < true_rate < 0.7
    results = []
    for _ in range(1000):
        session = test.session(word := test.open(Listener()))
        right = is_right("clean", "softer", len(session.trials))
        for number, (one, is_a) in enumerate(zip(session.trials, right, strict=True)):
            choice = "A" if one.is_x_a == bool(is_a) else "B"
            session.answers.append(Choice(trial=number, choice=choice, seconds=1.0))
        results += test.state(word)["results"]
    assert sum(one["correct"] for one in results) / 16_000 == pytest.approx(true_rate, abs=0.015)
    assert np.mean([one["low"] <= true_rate <= one["high"] for one in results]) >= 0.95
    # As many prove it as the binomial distribution says for that rate.
    power = sum(comb(16, k) * true_rate**k * (1 - true_rate) ** (16 - k) for k in range(12, 17))
    assert np.mean([one["p_value"] < 0.05 for one in results]) == pytest.approx(power, abs=0.05)


def _highs_db(test: Abx, version: str) -> float:
    (item,) = test.excerpts.values()
    samples, _ = soundfile.read(io.BytesIO(item[version].wav))
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(10.0 * np.log10(power[np.fft.rfftfreq(len(samples), 1 / RATE) > HIGHS_HZ].mean()))


def test_a_file_of_something_else_is_kept(folder: Path) -> None:
    (folder / "listening.csv").write_text("mine\n")
    with pytest.raises(ListeningError, match="choose another --output"):
        listening(folder)


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    with listening_at(folder, "--trials", "3", "--seed", "1") as found:
        yield found


def test_three_trials_by_keyboard_in_a_browser(folder: Path, address: str) -> None:
    complaints: list[str] = []
    with panel_page.chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_S * 1000.0)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda sent: None if panel_page.on_loopback(sent.url) else complaints.append(sent.url))
        page.goto(address)
        assert panel_page.barriers(page) == []
        page.get_by_role("textbox").press("Enter")
        for trial in range(3):
            page.get_by_text(f"Trial {trial + 1} of 3").wait_for()
            page.locator("#play:not([disabled])[aria-pressed=true]").wait_for()
            for key, slot in (("b", "B"), ("x", "X"), ("a", "A")):
                page.keyboard.press(key)
                page.get_by_role("button", name=slot, exact=True, pressed=True).wait_for()
            assert trial > 0 or panel_page.barriers(page) == []
            page.keyboard.press("Space")
            page.get_by_role("button", name="Play", exact=True, pressed=False).wait_for()
            page.keyboard.press("1")
        page.get_by_role("heading", name="Results").wait_for()
        assert panel_page.barriers(page) == []
        browser.close()
    assert complaints == []
    assert [row["answer"] for row in rows(folder)] == ["A", "A", "A"]
    assert [row["correct"] == "1" for row in rows(folder)] == [row["x"] == "A" for row in rows(folder)]


def test_wrong_requests_are_refused_and_change_nothing(folder: Path, address: str) -> None:
    def status(path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        place = HTTPConnection(address.removeprefix("http://").strip("/"), timeout=PATIENCE_S)
        with closing(place):
            method = "GET" if body is None else "POST"
            place.request(method, path, None if body is None else json.dumps(body), {**headers})
            answer = place.getresponse()
            return answer.status, answer.read()

    own = {"origin": address.strip("/")}
    word = json.loads(status("/sessions", {"name": "Ann"}, **own)[1])["session"]
    for body, code in (
        ({"trial": 1, "choice": "A", "seconds": 1}, 409),
        ({"trial": 0, "choice": "C", "seconds": 1}, 422),
        ({"trial": 0, "choice": "A", "seconds": -1}, 422),
        ({"trial": 0, "choice": "A", "seconds": 1, "correct": 1}, 422),
        ({"trial": 0, "choice": "A" * 5000, "seconds": 1}, 409),
    ):
        assert status(f"/sessions/{word}", body, **own)[0] == code
    assert status("/sessions", {"name": "=cmd()"}, **own)[0] == 422
    assert status(f"/sessions/{word}/0/clean")[0] == 409
    assert status("/../session.py")[0] == 404
    assert status("/", Host="evil.example")[0] == 403
    assert status("/sessions", {"name": "Ann"}, origin="http://evil.example")[0] == 403
    assert not (folder / "listening.csv").exists()
