"""Laws of the journal: what is noted is true, and a batch killed at any moment can be gone on with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plugin_host.render.batch.journal import JOURNAL_NAME, Journal, Staged
from plugin_host.render.batch.plan import BatchError, Job
from plugin_host.render.batch.storage import trace_of


def staged(folder: Path, text: str = "audio") -> Staged:
    staging = folder / ".highband-1"
    staging.mkdir(parents=True)
    (staging / "a.wav").write_text(text)
    return Staged(str(staging / "a.wav"), "digest", "key", {"seconds": 1.5})


def job(folder: Path) -> Job:
    return Job(str(folder / "in/a.wav"), str(folder / "a.wav"))


def test_an_output_counts_until_it_is_touched(tmp_path: Path) -> None:
    with Journal(tmp_path / JOURNAL_NAME) as journal:
        journal.complete(job(tmp_path), staged(tmp_path))
        assert sorted(os.listdir(tmp_path))[-1:] == ["a.wav"]
        assert (journal.key_of(job(tmp_path).target), journal.is_ours(job(tmp_path).target)) == ("key", True)
        row = journal.row(job(tmp_path).target)
        assert row is not None
        assert (row["state"], row["seconds"]) == ("done", 1.5)
        (tmp_path / "a.wav").write_text("edited by hand")
        assert (journal.key_of(job(tmp_path).target), journal.is_ours(job(tmp_path).target)) == (None, False)


def test_a_folder_that_is_moved_stays_known(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with Journal(tmp_path / "old" / JOURNAL_NAME) as journal:
        journal.complete(job(tmp_path / "old"), staged(tmp_path / "old"))
    (tmp_path / "old").rename(tmp_path / "new")
    with Journal(tmp_path / "new" / JOURNAL_NAME) as journal:
        assert journal.key_of(str(tmp_path / "new/a.wav")) == "key"


def test_a_content_counts_until_the_file_is_touched(tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    source.write_text("audio")
    with Journal(tmp_path / JOURNAL_NAME) as journal:
        journal.note_input(str(source), "digest", trace_of(str(source)))
        assert journal.input_digest(str(source)) == "digest"
        source.write_text("other audio")
        assert journal.input_digest(str(source)) is None


def test_what_was_only_begun_is_removed_and_what_was_before_counts(tmp_path: Path) -> None:
    with Journal(tmp_path / JOURNAL_NAME) as journal:
        journal.complete(job(tmp_path), staged(tmp_path))
        (tmp_path / ".highband-2").mkdir()
        (tmp_path / ".highband-2/half.wav").write_text("half")
        journal.start(job(tmp_path), str(tmp_path / ".highband-2"))
    with Journal(tmp_path / JOURNAL_NAME) as journal:
        assert journal.key_of(job(tmp_path).target) == "key"
    assert sorted(os.listdir(tmp_path)) == [JOURNAL_NAME, "a.wav"]


def test_a_fault_keeps_the_output_before(tmp_path: Path) -> None:
    with Journal(tmp_path / JOURNAL_NAME) as journal:
        journal.complete(job(tmp_path), staged(tmp_path))
        journal.fail(job(tmp_path), "it is damaged")
        assert (journal.key_of(job(tmp_path).target), journal.is_ours(job(tmp_path).target)) == (None, True)
        (row,) = journal.rows()
        assert (row["state"], row["fault"]) == ("failed", "it is damaged")


@pytest.mark.parametrize("moved", [False, True])
def test_a_kill_between_note_and_place_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: bool
) -> None:
    """The process is killed after it noted a complete output, before or after it put the file in its place."""
    with Journal(tmp_path / JOURNAL_NAME) as journal:
        monkeypatch.setattr(Journal, "_put_in_place", lambda self, name, path: None)
        journal.complete(job(tmp_path), staged(tmp_path))
        monkeypatch.undo()
    if moved:
        os.replace(tmp_path / ".highband-1/a.wav", tmp_path / "a.wav")
    with Journal(tmp_path / JOURNAL_NAME) as journal:
        assert journal.key_of(job(tmp_path).target) == "key"
    assert sorted(os.listdir(tmp_path)) == [JOURNAL_NAME, "a.wav"]
    assert (tmp_path / "a.wav").read_text() == "audio"


def test_one_folder_has_one_writer(tmp_path: Path) -> None:
    with Journal(tmp_path / JOURNAL_NAME), pytest.raises(BatchError, match="another highband renders into"):
        Journal(tmp_path / JOURNAL_NAME)


@pytest.mark.parametrize("junk", [b"this is text", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_journal_is_put_aside(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / JOURNAL_NAME).write_bytes(junk)
    with Journal(tmp_path / JOURNAL_NAME) as journal:
        assert list(journal.rows()) == []
    assert (tmp_path / JOURNAL_NAME).with_suffix(".damaged").read_bytes() == junk


def test_names_that_are_not_text_are_kept(tmp_path: Path) -> None:
    strange = Job(os.fsdecode(b"/in/gr\xfcn.wav"), str(tmp_path / os.fsdecode(b"gr\xfcn.wav")))
    with Journal(tmp_path / JOURNAL_NAME) as journal:
        journal.fail(strange, "it is damaged")
        (row,) = journal.rows()
    assert (row["source"], row["target"]) == (strange.source, strange.target)
