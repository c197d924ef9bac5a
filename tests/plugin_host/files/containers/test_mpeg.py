"""Laws of MPEG audio: every frame is played, whatever the head says or whether there is one."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.stage import Block
from plugin_host.files.audio_reader import AudioFileError, AudioReader
from plugin_host.files.containers.hushed import hushed

RATE = 44100
SECONDS = 3


def music(seed: int, rate: int = RATE, channels: int = 1) -> Block:
    chance = np.random.default_rng(seed)
    loudness = np.repeat(10 ** chance.uniform(-4, -0.5, 10 * SECONDS), rate // 10)
    return (chance.normal(0, 0.2, (channels, SECONDS * rate)) * loudness).astype(np.float32)


def encoded(samples: Block, rate: int = RATE, mode: str = "VARIABLE") -> bytes:
    """Return an MP3 whose first frame is the encoder's head."""
    from io import BytesIO

    made = BytesIO()
    soundfile.write(made, samples.T, rate, format="MP3", bitrate_mode=mode, compression_level=0.5)
    return made.getvalue()


def headless(data: bytes) -> bytes:
    """Return the MP3 as a program leaves it that writes to a pipe: without the encoder's head."""
    mark = max(data.find(b"Xing"), data.find(b"Info"))
    start = data.rfind(b"\xff\xfb", 0, mark)
    return data[data.index(b"\xff\xfb", mark) :] if start >= 0 else data


def read(path: Path) -> Block:
    with AudioReader(path) as reader:
        samples = np.concatenate(list(reader.blocks()), axis=1)
        assert samples.shape[1] == reader.frames
        return samples


@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT"])
@pytest.mark.parametrize("tag", [b"", b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(256)])
def test_without_a_head_everything_is_played(tmp_path: Path, mode: str, tag: bytes) -> None:
    samples = music(1)
    (tmp_path / "a.mp3").write_bytes(tag + headless(encoded(samples, mode=mode)))
    assert read(tmp_path / "a.mp3").shape[1] >= samples.shape[1]


def test_a_head_that_promises_too_little_loses_nothing(tmp_path: Path) -> None:
    data = bytearray(encoded(music(1)))
    place = max(data.find(b"Xing"), data.find(b"Info"))
    whole = struct.unpack_from(">I", data, place + 8)[0]
    (tmp_path / "whole.mp3").write_bytes(data)
    struct.pack_into(">I", data, place + 8, whole // 3)
    (tmp_path / "a.mp3").write_bytes(data)
    np.testing.assert_allclose(read(tmp_path / "a.mp3"), read(tmp_path / "whole.mp3"), atol=1e-6)


def test_a_head_that_promises_more_is_a_file_that_was_cut_off(tmp_path: Path) -> None:
    data = encoded(music(1))
    (tmp_path / "a.mp3").write_bytes(data[: len(data) // 2])
    with pytest.raises(AudioFileError, match=r"a.mp3 is cut off: it ends after 1\.\d of 3\.\d s;"):
        read(tmp_path / "a.mp3")


def test_joined_files_play_one_after_another(tmp_path: Path) -> None:
    first, second = music(1), music(2)
    (tmp_path / "a.mp3").write_bytes(encoded(first) + b"ID3\x04\x00\x00\x00\x00\x00\x08" + bytes(8) + encoded(second))
    both = read(tmp_path / "a.mp3")
    assert both.shape[1] == first.shape[1] + second.shape[1]
    for index, data in enumerate((first, second)):
        (tmp_path / "one.mp3").write_bytes(encoded(data))
        start = index * first.shape[1]
        np.testing.assert_allclose(both[:, start : start + data.shape[1]], read(tmp_path / "one.mp3"), atol=1e-6)
    with AudioReader(tmp_path / "a.mp3") as reader:
        np.testing.assert_allclose(reader.read_at(131_000, 4000), both[:, 131_000:135_000], atol=1e-6)


@pytest.mark.parametrize(("rate", "channels"), [(48000, 1), (44100, 2)])
def test_a_change_on_the_way_is_one_sentence(tmp_path: Path, rate: int, channels: int) -> None:
    data = encoded(music(1)) + encoded(music(2, rate, channels), rate)
    (tmp_path / "a.mp3").write_bytes(data)
    with pytest.raises(AudioFileError, match=r"a.mp3 changes from 44100 Hz with 1 channel to .* after 3.0 s; split it"):
        read(tmp_path / "a.mp3")


def test_a_stream_that_begins_in_the_middle_of_a_frame_is_whole(tmp_path: Path) -> None:
    data = headless(encoded(music(1), mode="CONSTANT"))[100:]
    (tmp_path / "a.mp3").write_bytes(data)
    assert read(tmp_path / "a.mp3").shape[1] >= SECONDS * RATE - 1152


def test_junk_between_frames_is_passed_over(tmp_path: Path) -> None:
    data = headless(encoded(music(1), mode="CONSTANT"))
    place = data.index(b"\xff\xfb", len(data) // 2)
    (tmp_path / "a.mp3").write_bytes(data[:place] + np.random.default_rng(1).bytes(5000) + data[place:])
    assert read(tmp_path / "a.mp3").shape[1] >= SECONDS * RATE


def test_a_wav_file_may_hold_mp3(tmp_path: Path) -> None:
    data = headless(encoded(music(1)))
    form = struct.pack("<HHIIHHHHIHHH", 85, 1, RATE, 16000, 1, 0, 12, 1, 2, 1152, 1, 1393)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert read(tmp_path / "a.wav").shape[1] >= SECONDS * RATE


def is_header(some: bytes, first: bytes) -> bool:
    """Return whether the bytes begin with the header of a frame as the first one; one of two is a byte longer."""
    return some[:2] == first[:2] and some[2] | 2 == first[2] | 2 and some[3] == first[3]


def test_places_where_frames_are_torn_are_counted_and_nothing_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encoded(music(1), mode="CONSTANT")
    first = data.index(b"\xff\xfb")
    frames = [
        place for place in range(first, len(data) - 4) if is_header(data[place : place + 4], data[first : first + 4])
    ]
    assert len(frames) > 20
    torn = bytearray(data)
    for place in (frames[len(frames) // 3], frames[2 * len(frames) // 3]):
        torn[place : place + 2] = b"\0\0"
    chance = np.random.default_rng(1)
    for name, content in (("whole", data), ("torn", bytes(torn))):
        (tmp_path / f"{name}.mp3").write_bytes(content)
    with AudioReader(tmp_path / "whole.mp3") as whole, AudioReader(tmp_path / "torn.mp3") as reader:
        assert [len(list(one.blocks())) > 0 for one in (whole, reader)] == [True, True]
        assert (whole.notes, reader.notes) == ((), ("damaged in 2 places, where sound is missing",))
    for place in chance.integers(2000, len(data), 300):
        torn[place] ^= 1 << int(chance.integers(8))
    (tmp_path / "worse.mp3").write_bytes(torn)
    with AudioReader(tmp_path / "worse.mp3") as worse:
        assert len(list(worse.blocks())) > 0
    assert capfd.readouterr().err == ""


def test_what_others_print_meanwhile_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with hushed():
        os.write(2, b"a word\n[src/libmpg123/layer3.c] error\nanother\n")
    assert capfd.readouterr().err == "a word\nanother\n"
