"""Laws of checkpoints: a long render that is killed goes on where it was, to the same bits as one that was not."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.artifact.load import load_extender
from models.extender.extender import Extender
from models.stage import Block, Stage
from plugin_host.chain.chain import Chain
from plugin_host.preset.file import load_preset
from plugin_host.render import checkpoint
from plugin_host.render.checkpoint import Checkpoint, TapedExtender
from plugin_host.render.loudness import LoudnessTarget
from plugin_host.render.render import render_file
from plugin_host.render.stopped import OUTPUT, STATE, RenderStopped, is_resumable
from tests.models.extender.extenders import music

SECONDS = 6


@pytest.fixture(autouse=True)
def _short_files_count_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "_LONG_S", 1.0)
    monkeypatch.setattr(checkpoint, "_EVERY_S", 0.0)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.wav"
    soundfile.write(path, music(44100, 2, SECONDS).T, 44100, subtype="PCM_24")
    return path


def bare() -> Stage:
    return load_extender("live")


def with_effects() -> Stage:
    return Chain.from_preset(load_preset("dull-vocal"), load_extender("live"))


class Count:
    """Counts the blocks that extenders compute, and stops a render after some."""

    def __init__(self) -> None:
        self.blocks = 0

    def after(self, blocks: int) -> Callable[[], bool]:
        return lambda: self.blocks >= blocks


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Count:
    counted, process = Count(), Extender.process

    def counting(extender: Extender, block: Block, settings: Mapping[str, float]) -> Block:
        counted.blocks += 1
        return process(extender, block, settings)

    monkeypatch.setattr(Extender, "process", counting)
    return counted


@pytest.mark.parametrize("build", [bare, with_effects])
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_render_in_several_goes_has_the_bits_of_one(
    tmp_path: Path, source: Path, build: Callable[[], Stage], suffix: str, count: Count
) -> None:
    level, stage = LoudnessTarget(-20.0, -1.0), build()
    # Loading an extender proves it.
    count.blocks = 0
    render_file(stage, {}, source, tmp_path / f"whole{suffix}", loudness=level, origin={})
    place, target, once = Checkpoint(tmp_path / "kept", "key"), tmp_path / f"goes{suffix}", count.blocks
    for blocks in (2, 4):
        with pytest.raises(RenderStopped):
            render_file(
                stage, {}, source, target, loudness=level, origin={}, checkpoint=place,
                stopped=count.after(once + blocks),
            )  # fmt: skip
        assert is_resumable(place.folder)
    render_file(stage, {}, source, target, loudness=level, origin={}, checkpoint=place)
    assert target.read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()
    assert not is_resumable(place.folder)
    assert count.blocks == 2 * once


def stopped_render(source: Path, folder: Path, count: Count) -> Checkpoint:
    place = Checkpoint(folder / "kept", "key")
    with pytest.raises(RenderStopped):
        render_file(bare(), {}, source, folder / "a.wav", checkpoint=place, stopped=count.after(count.blocks + 3))
    return place


@pytest.mark.parametrize("change", ["key", "output", "state", "shorter", "empty", "zeros"])
def test_what_does_not_belong_to_the_render_is_not_gone_on_with(
    tmp_path: Path, source: Path, change: str, count: Count
) -> None:
    place = stopped_render(source, tmp_path, count)
    output, state = (place.folder / name for name in (OUTPUT, STATE))
    if change == "key":
        place = Checkpoint(place.folder, "other")
    elif change == "shorter":
        output.write_bytes(output.read_bytes()[:-4])
    elif change == "empty":
        state.write_bytes(b"")
    elif change == "zeros":
        # What a power cut leaves where the disk did not have the end yet.
        content = output.read_bytes()
        output.write_bytes(content[: len(content) // 2].ljust(len(content), b"\0"))
    else:
        damaged = bytearray((output if change == "output" else state).read_bytes())
        damaged[len(damaged) // 2] ^= 1
        (output if change == "output" else state).write_bytes(damaged)
    before = count.blocks
    render_file(bare(), {}, source, tmp_path / "again.wav", checkpoint=place)
    again = count.blocks - before
    render_file(bare(), {}, source, tmp_path / "whole.wav")
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()
    assert again == count.blocks - before - again > SECONDS


def test_keeping_the_work_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(handle: int) -> None:
        raise AssertionError("the render waits for the disk")

    monkeypatch.setattr(os, "fsync", wait)
    extender = load_extender("live")
    extender.prepare(48000, 1, 480)
    taped = TapedExtender(extender, Checkpoint(tmp_path, "key"))
    taped.process(np.zeros((1, 480), np.float32), {})
    taped.close()
    assert is_resumable(tmp_path)


def test_a_fault_inside_of_a_block_is_no_place_to_go_on_from(tmp_path: Path) -> None:
    extender = load_extender("live")
    extender.prepare(48000, 1, 480)
    taped = TapedExtender(extender, Checkpoint(tmp_path, "key"))
    taped.process(np.zeros((1, 480), np.float32), {})
    before = (tmp_path / STATE).read_bytes()
    with pytest.raises(ValueError, match="another number of channels"):
        taped.process(np.zeros((2, 480), np.float32), {})
    taped.save()
    taped.close()
    assert (tmp_path / STATE).read_bytes() == before


def test_short_files_and_full_disks_leave_nothing(
    tmp_path: Path, source: Path, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Checkpoint(tmp_path / "kept", "key")
    for name, value in (("_LONG_S", SECONDS + 1.0), ("_ROOM", 1e15)):
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, name, value)
            with pytest.raises(RenderStopped):
                render_file(
                    bare(), {}, source, tmp_path / "a.wav", checkpoint=place, stopped=count.after(count.blocks + 3)
                )
        assert not place.folder.exists()
