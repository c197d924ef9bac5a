from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from dsp.buffers.ring_buffer import RingBuffer
from plugin_host.files.audio_reader import AudioFileError
from plugin_host.session.recorder import Recorder


@given(st.lists(st.tuples(st.integers(1, 50), st.booleans()), max_size=40))
def test_the_ring_keeps_order_and_time_whatever_is_lost(steps: list[tuple[int, bool]]) -> None:
    ring = RingBuffer(1, 64)
    pushed, read = 0, [np.zeros((1, 0), np.float32)]
    for count, is_read in steps:
        ring.push(np.arange(pushed + 1, pushed + count + 1, dtype=np.float32)[None])
        pushed += count
        if is_read:
            read.append(ring.pop())
    read.append(ring.pop())
    output = np.concatenate(read, axis=1)[0]
    true = np.arange(1, pushed + 1, dtype=np.float32)
    # What was lost is silence in its place; only a loss at the very end is not messages of yet.
    assert ((output == true[: output.size]) | (output == 0.0)).all()
    assert np.count_nonzero(output == 0.0) + pushed - output.size == ring.lost


def test_wet_and_dry_are_written_whole_and_appear_at_the_end(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "takes")
    recorder.prepare(48000, 2)
    dry = np.random.default_rng(0).standard_normal((2, 1000)).astype(np.float32)
    for start in range(0, 1000, 128):
        recorder.push(dry[:, start : start + 128], -2.0 * dry[:, start : start + 128])
    assert not list((tmp_path / "takes").glob("*.wav"))
    recorder.stop()
    assert [path.name.split("-")[0] for path in recorder.files] == ["dry", "wet"]
    output = [soundfile.read(path, dtype="float32")[0].T for path in recorder.files]
    assert np.array_equal(output[0], dry)
    assert np.array_equal(output[1], -2.0 * dry)
    assert recorder.lost == 0


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioFileError, match="can't be written"):
        Recorder(tmp_path / "file/takes")


def test_another_rate_begins_another_take(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    for rate, channels, count in ((48000, 2, 500), (44100, 1, 300)):
        recorder.prepare(rate, channels)
        recorder.push(np.ones((channels, count), np.float32), np.ones((channels, count), np.float32))
    recorder.stop()
    found = [(info.samplerate, info.channels, info.frames) for info in map(soundfile.info, recorder.files)]
    assert found == 2 * [(48000, 2, 500)] + 2 * [(44100, 1, 300)]
