"""Laws of FLAC: its last frame, and not its head, says how long it is."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.files.audio_reader import AudioFileError, AudioReader

FRAMES = 20000


def encoded(total: int, tag: bytes = b"") -> bytes:
    samples = np.random.default_rng(1).normal(0, 0.1, (FRAMES, 2))
    made = BytesIO()
    soundfile.write(made, samples, 44100, format="FLAC")
    data = bytearray(made.getvalue())
    word = int.from_bytes(data[18:26], "big")
    data[18:26] = (word & ~((1 << 36) - 1) | total).to_bytes(8, "big")
    return tag + bytes(data)


@pytest.mark.parametrize("total", [0, 1000, FRAMES - 1, FRAMES])
@pytest.mark.parametrize("tag", [b"", b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)])
def test_a_stream_from_a_pipe_is_read_to_its_end(tmp_path: Path, total: int, tag: bytes) -> None:
    (tmp_path / "whole.flac").write_bytes(encoded(FRAMES))
    (tmp_path / "a.flac").write_bytes(encoded(total, tag))
    with AudioReader(tmp_path / "a.flac") as reader:
        assert reader.frames == FRAMES
        samples = np.concatenate(list(reader.blocks(997)), axis=1)
    np.testing.assert_array_equal(samples, soundfile.read(tmp_path / "whole.flac", dtype="float32")[0].T)


def test_frames_that_are_gone_from_the_end_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(encoded(FRAMES + 44100))
    with (
        pytest.raises(AudioFileError, match=r"a.flac is cut off: it ends after 0.5 of 1.5 s;"),
        AudioReader(tmp_path / "a.flac"),
    ):
        pass
