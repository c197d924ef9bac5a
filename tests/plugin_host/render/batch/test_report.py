"""Laws of the report: each output of a folder in a row, in words and figures of use to a person."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.artifact.load import load_extender
from models.extender.controls import defaults
from plugin_host.chain.file_program import Sound
from plugin_host.render.batch.batch import Batch
from plugin_host.render.batch.journal import JOURNAL_NAME, Journal
from plugin_host.render.batch.plan import BatchError, plan
from plugin_host.render.batch.report import check_report_file, write_report
from plugin_host.render.batch.workers import Inline
from tests.plugin_host.render.inspect.recordings import cut, recording


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Render a dull file, silence and a damaged one, whose names are those of another folder."""
    (tmp_path / "work").mkdir()
    soundfile.write(tmp_path / "work/dull.wav", cut(recording(1, 2.0), 6000.0).T, 48000)
    soundfile.write(tmp_path / "work/silence.wav", np.zeros(48000), 48000)
    (tmp_path / "work/damaged.wav").write_text("this is text")
    monkeypatch.chdir(tmp_path / "work")
    sound = Sound(lambda: load_extender("live"), defaults(), "live", "", {})
    with Journal(tmp_path / "out" / JOURNAL_NAME) as journal:
        list(Batch(sound, journal, Inline(sound)).run(plan(["."], tmp_path / "out")))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "out" / JOURNAL_NAME


def test_each_file_has_a_row(tmp_path: Path, journal: Path) -> None:
    with Journal(journal) as noted:
        write_report(noted, tmp_path / "night.csv")
        write_report(noted, tmp_path / "night.json")
    with open(tmp_path / "night.csv", newline="") as table:
        damaged, dull, silence = csv.DictReader(table)
    for row, name in ((damaged, "damaged"), (dull, "dull"), (silence, "silence")):
        assert row["source"] == str(tmp_path / f"work/{name}.wav")
        assert row["target"] == str(tmp_path / f"out/{name}.wav")
    assert (damaged["state"], dull["state"], silence["state"]) == ("failed", "done", "done")
    assert "is not audio that can be read" in damaged["fault"]
    assert (dull["warnings"], silence["warnings"]) == ("", "silence: nothing added")
    assert 5800 < float(dull["edge_hz"]) < 6200
    assert all(len(dull[name].partition(".")[2]) <= 3 for name in ("seconds", "edge_hz", "added_db", "took_s"))
    texts = json.loads((tmp_path / "night.json").read_text())
    assert [row["edge_hz"] for row in texts] == [None, float(dull["edge_hz"]), float(silence["edge_hz"])]


def test_other_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match=r"name a \.csv or a \.json file"):
        check_report_file(tmp_path / "night.txt")
