"""Laws of the panel's measurement: it compares medians, and a machine without a browser gets a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin_host.bench import panel as bench_panel
from plugin_host.bench.panel import BenchError, Turn, find_browser, medians
from plugin_host.bench.panel_growth import slopes


def test_one_bad_turn_decides_nothing() -> None:
    turns = [Turn(0, 0.1, p99, 0.0, 1) for p99 in (0.2, 0.9, 0.3)]
    turns += [Turn(2, 0.1, p99, 0.5, 0) for p99 in (0.8, 0.3, 0.1)]
    without, beside = medians(turns)
    assert (without.pages, without.p99, without.missed) == (0, 0.3, 3)
    assert (beside.pages, beside.p99, beside.waiting_p99) == (2, 0.3, 0.5)


def test_a_machine_without_a_browser_is_asked_to_install_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="install chromium"):
        find_browser()


@pytest.mark.parametrize(("p99", "passes"), [(0.11, True), (0.13, False)])
def test_a_fifth_more_is_the_most(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, p99: float, passes: bool
) -> None:
    monkeypatch.setattr(bench_panel, "find_browser", lambda: "chromium")
    monkeypatch.setattr(bench_panel, "measure", lambda *_: [Turn(0, 0.05, 0.1, 0.0, 0), Turn(2, 0.05, p99, 0.0, 0)])
    plan = bench_panel.Plan(128, 2, 1, 1.0, "", None)
    assert bench_panel.bench(plan, tmp_path / "panel.json") is passes
    assert "% more than without" in capsys.readouterr().out
    assert '"p99_more"' in (tmp_path / "panel.json").read_text()


def test_growth_is_a_slope_by_the_hour() -> None:
    samples = [(at, {"heap": 10.0 + at / 1800.0, "host": 50.0}) for at in (0.0, 20.0, 40.0, 60.0)]
    found = slopes(samples)
    assert found == {"heap": pytest.approx(2.0), "host": pytest.approx(0.0, abs=1e-9)}
