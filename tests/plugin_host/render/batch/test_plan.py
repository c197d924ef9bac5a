"""Laws of the plan: every input becomes one output, nothing is lost, nothing is left out in silence."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from plugin_host.render.batch.plan import BatchError, Job, Plan, plan, read_list


def touch(path: Path, size: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0" * size)
    return path


def targets(folder: Path, *inputs: str, output: str = "out", suffix: str | None = None) -> list[str]:
    planned = plan([str(folder / text) for text in inputs], folder / output, suffix)
    return [Path(job.target).relative_to(folder).as_posix() for _, job in planned.jobs()]


def test_folders_and_globs_keep_their_subfolders(tmp_path: Path) -> None:
    for name in ("in/a.wav", "in/deep/er/b.flac", "in/deep/c.mp3", "in/notes.txt", "in/.hidden.wav", "in/._d.wav"):
        touch(tmp_path / name)
    all_three = ["out/a.wav", "out/deep/c.wav", "out/deep/er/b.flac"]
    assert sorted(targets(tmp_path, "in")) == all_three
    assert sorted(targets(tmp_path, "in/**/*")) == all_three
    assert targets(tmp_path, "in/deep/*.mp3") == ["out/c.wav"]
    assert sorted(targets(tmp_path, "in", suffix=".flac")) == [name.replace(".wav", ".flac") for name in all_three]


def test_one_file_may_name_its_output(tmp_path: Path) -> None:
    touch(tmp_path / "a.wav")
    assert targets(tmp_path, "a.wav", output="b.flac") == ["b.flac"]
    (tmp_path / "folder.wav").mkdir()
    assert targets(tmp_path, "a.wav", output="folder.wav") == ["folder.wav/a.wav"]


def test_what_cannot_be_read_in_a_folder_is_not_left_out_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "in/a.wav")
    touch(tmp_path / "in/closed/b.wav")
    (tmp_path / "in/link.flac").symlink_to("gone.flac")
    (tmp_path / "in/link.txt").symlink_to("gone.txt")
    scan = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    planned = plan([str(tmp_path / "in")], tmp_path / "out")
    assert [Path(job.source).name for _, job in planned.jobs()] == ["a.wav", "link.flac"]
    [fault] = planned.faults
    assert fault.startswith(f"{tmp_path / 'in/closed'} can't be read: permission is missing")
    # Said once, and not that it holds no audio.
    assert plan([str(tmp_path / "in/closed")], tmp_path / "out").faults == [fault]


def test_an_input_named_twice_is_one_job(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.wav")
    assert targets(tmp_path, "in/a.wav", "in", "in/*.wav") == ["out/a.wav"]


def test_an_output_folder_inside_the_input_folder_is_not_input(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.wav")
    touch(tmp_path / "in/out/a.wav")
    touch(tmp_path / "in/out/deep/b.wav")
    assert targets(tmp_path, "in", output="in/out") == ["in/out/a.wav"]


@pytest.mark.parametrize(
    ("inputs", "output", "words"),
    [
        (["x/a.wav", "y/a.mp3"], "out", "would both become"),
        (["x/a.wav", "y/A.wav"], "out", "would both become"),
        (["x"], "x", "is an input itself"),
        (["x/a.wav"], "x/a.wav", "is an input itself"),
        (["x/a.wav", "y/a.mp3"], "one.wav", "is one file but there are several inputs"),
        (["x/a.wav"], "a.ogg", "name a .wav, .flac, .mp3, .opus or .m4a file"),
    ],
)
def test_a_batch_that_would_lose_something_does_not_begin(
    tmp_path: Path, inputs: list[str], output: str, words: str
) -> None:
    for name in ("x/a.wav", "y/a.mp3", "y/A.wav"):
        touch(tmp_path / name)
    with pytest.raises(BatchError, match=words):
        plan([str(tmp_path / text) for text in inputs], tmp_path / output)


def test_an_empty_folder_is_named_and_a_missing_file_is_a_job(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    planned = plan([str(tmp_path / "empty"), str(tmp_path / "gone.wav")], tmp_path / "out")
    assert [fault.partition(" holds no audio")[0] for fault in planned.faults] == [str(tmp_path / "empty")]
    assert len(planned) == 1


def test_all_that_looks_like_audio_is_a_job(tmp_path: Path) -> None:
    for name in ("a.wav", "c.wma", "cover.jpg", "notes", "deep/d.m4a"):
        touch(tmp_path / "in" / name)
    (tmp_path / "in/take 1").write_bytes(b"fLaC" + bytes(20))
    planned = plan([str(tmp_path / "in")], tmp_path / "out")
    assert sorted(Path(job.source).name for _, job in planned.jobs()) == ["a.wav", "c.wma", "d.m4a", "take 1"]


def test_a_link_to_an_input_is_the_same_input(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.wav")
    (tmp_path / "in/b.wav").symlink_to("a.wav")
    assert targets(tmp_path, "in") == ["out/a.wav"]


def test_a_link_to_a_folder_leads_there_once(tmp_path: Path) -> None:
    for name in ("in/a.wav", "in/below/b.wav", "elsewhere/c.wav", "elsewhere/below/d.wav"):
        touch(tmp_path / name)
    for name, place in (("in/link", "elsewhere"), ("in/again", "elsewhere"), ("in/self", "in"), ("in/up", "")):
        (tmp_path / name).symlink_to(tmp_path / place)
    for name, place in (("elsewhere/back", "in"), ("elsewhere/below/loop", "elsewhere")):
        (tmp_path / name).symlink_to(tmp_path / place)
    planned = plan([str(tmp_path / "in")], tmp_path / "out")
    targets = {os.path.relpath(job.target, tmp_path / "out") for _, job in planned.jobs()}
    assert targets == {"a.wav", "below/b.wav", "again/c.wav", "again/below/d.wav"}


def test_a_pipe_is_not_read_and_fails_where_it_is_called_audio(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("p.wav", "pipe"):
        os.mkfifo(tmp_path / "in" / name)
    assert len(plan([str(tmp_path / "in")], tmp_path / "out")) == 1


def test_names_that_are_not_text_are_kept(tmp_path: Path) -> None:
    name = os.fsdecode(b"gr\xfcn.wav")
    touch(tmp_path / "in" / name)
    ((_, job),) = plan([str(tmp_path / "in")], tmp_path / "out").jobs()
    assert job == Job(str(tmp_path / "in" / name), str(tmp_path / "out" / name))


def test_those_of_most_sound_come_first_where_that_is_wished(tmp_path: Path) -> None:
    for name, size in (("a.wav", 50), ("b.wav", 90), ("c.mp3", 20), ("d.flac", 30)):
        touch(tmp_path / "in" / name, size)
    planned = plan([str(tmp_path / "in")], tmp_path / "out")
    assert [job.size for _, job in planned.jobs(longest_first=True)] == [180, 90, 60, 50]
    assert planned.total_bytes == 380


def test_a_list_names_inputs(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"# stems\na.wav\n\nb  c.wav\ngr\xfcn.wav\n")
    assert list(read_list(tmp_path / "list.txt")) == ["a.wav", "b  c.wav", os.fsdecode(b"gr\xfcn.wav")]
    with pytest.raises(BatchError, match="can't be read: no such file"):
        list(read_list(tmp_path / "gone.txt"))


def test_jobs_can_be_dropped(tmp_path: Path) -> None:
    planned = Plan()
    for number in range(3):
        planned.add(str(tmp_path / f"{number}.wav"), str(tmp_path / f"out/{number}.wav"))
    planned.drop([number for number, job in planned.jobs() if "1.wav" in job.source])
    assert [Path(job.source).name for _, job in planned.jobs()] == ["0.wav", "2.wav"]
