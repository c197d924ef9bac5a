"""Laws of RIFF and its kin: the sound is as long as its bytes, whatever the sizes in the header say."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.stage import Block
from plugin_host.audio_file import AudioFileError, AudioReader

RATE = 48000
FORM = struct.pack("<HHIIHH", 1, 2, RATE, 4 * RATE, 4, 16)


def samples(frames: int = 5000) -> Block:
    block: Block = np.random.default_rng(1).integers(-32768, 32768, (2, frames)).astype(np.float32) / np.float32(32768)
    return block


def pcm(block: Block) -> bytes:
    return (block.T * 32768).astype("<i2").tobytes()


def chunk(code: bytes, data: bytes, size: int | None = None, pad: bool = True) -> bytes:
    size = len(data) if size is None else size
    return code + struct.pack("<I", size) + data + b"\0" * (len(data) % 2 if pad else 0)


def wav(*chunks: bytes, head: bytes = b"RIFF", size: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return head + struct.pack("<I", len(body) if size is None else size) + body


def read(path: Path) -> Block:
    with AudioReader(path) as reader:
        block = np.concatenate(list(reader.blocks()), axis=1)
        assert block.shape[1] == reader.frames
        return block


@pytest.mark.parametrize("riff", [0, 36, 0xFFFFFFFF])
@pytest.mark.parametrize("data", [0, 0xFFFFFFFF, 0xFFFFFFDB, 0x7FFFF000, 0x80000000])
def test_a_recorder_that_lost_power_or_wrote_to_a_pipe_is_read_to_the_end(tmp_path: Path, riff: int, data: int) -> None:
    (tmp_path / "a.wav").write_bytes(wav(chunk(b"fmt ", FORM), chunk(b"data", pcm(samples()), data), size=riff))
    np.testing.assert_array_equal(read(tmp_path / "a.wav"), samples())


def test_chunks_after_the_sound_are_no_sound(tmp_path: Path) -> None:
    parts = (chunk(b"fmt ", FORM), chunk(b"data", pcm(samples())), chunk(b"LIST", b"INFOIART\2\0\0\0a\0"))
    (tmp_path / "a.wav").write_bytes(wav(*parts))
    np.testing.assert_array_equal(read(tmp_path / "a.wav"), samples())
    (tmp_path / "empty.wav").write_bytes(wav(chunk(b"fmt ", FORM), chunk(b"data", b""), parts[2]))
    with pytest.raises(AudioFileError, match="holds no audio"):
        read(tmp_path / "empty.wav")


def long64(data: int, table: bytes = b"") -> bytes:
    return chunk(b"ds64", struct.pack("<QQQI", 0, data, 0, len(table) // 12) + table)


@pytest.mark.parametrize("head", [b"RF64", b"BW64"])
@pytest.mark.parametrize("table", [b"", b"axml" + struct.pack("<Q", 9)])
def test_rf64_and_bw64_with_chunks_of_odd_size(tmp_path: Path, head: bytes, table: bytes) -> None:
    sound = pcm(samples())
    text = chunk(b"axml", b"<adm></a>", 0xFFFFFFFF if table else 9)
    data = wav(long64(len(sound), table), chunk(b"fmt ", FORM), text, chunk(b"data", sound, 0xFFFFFFFF), head=head)
    (tmp_path / "a.wav").write_bytes(data)
    np.testing.assert_array_equal(read(tmp_path / "a.wav"), samples())


def test_a_pad_byte_that_was_forgotten_changes_nothing(tmp_path: Path) -> None:
    data = wav(chunk(b"fmt ", FORM), chunk(b"note", b"odd", pad=False), chunk(b"data", pcm(samples())))
    (tmp_path / "a.wav").write_bytes(data)
    np.testing.assert_array_equal(read(tmp_path / "a.wav"), samples())


@pytest.mark.parametrize("size", [0xFFFFFFFF, 5_000_000_000 & 0xFFFFFFFF, 0])
def test_beyond_4_gib_nothing_is_lost(tmp_path: Path, size: int) -> None:
    length = 5_000_000_000
    with open(tmp_path / "a.wav", "wb") as file:
        file.write(wav(chunk(b"fmt ", FORM), b"data" + struct.pack("<I", size), size=(length + 36) & 0xFFFFFFFF))
        file.seek(44 + length - 20000)
        file.write(pcm(samples()))
    with AudioReader(tmp_path / "a.wav") as reader:
        assert reader.frames == length // 4
        np.testing.assert_array_equal(reader.read_at(reader.frames - 5000, 9000), samples())


def test_rf64_and_w64_beyond_4_gib(tmp_path: Path) -> None:
    length = 5_000_000_000
    (tmp_path / "a.w64").write_bytes(b"")
    short = BytesIO()
    soundfile.write(short, samples().T, RATE, format="W64", subtype="PCM_16")
    made = bytearray(short.getvalue())
    place = made.index(b"data\xf3\xac\xd3\x11")
    made[place + 16 : place + 24] = struct.pack("<Q", length + 24)
    for name, head in (
        ("a.w64", bytes(made[: place + 24])),
        ("a.wav", wav(long64(length), chunk(b"fmt ", FORM), b"data" + b"\xff" * 4, head=b"RF64")),
    ):
        with open(tmp_path / name, "wb") as file:
            file.write(head)
            file.seek(len(head) + length - 20000)
            file.write(pcm(samples()))
        with AudioReader(tmp_path / name) as reader:
            assert reader.frames == length // 4
            np.testing.assert_array_equal(reader.read_at(reader.frames - 5000, 9000), samples())


@pytest.mark.parametrize("head", [b"RIFF", b"RF64"])
def test_a_promise_that_can_be_believed_and_is_broken_is_said(tmp_path: Path, head: bytes) -> None:
    sound = pcm(samples())
    long = [long64(len(sound))] if head == b"RF64" else []
    data = wav(*long, chunk(b"fmt ", FORM), chunk(b"data", sound, 0xFFFFFFFF if long else None), head=head)
    (tmp_path / "a.wav").write_bytes(data[:-5000])
    with pytest.raises(AudioFileError, match=r"a.wav is cut off: it ends after 0.1 of 0.1 s; "):
        read(tmp_path / "a.wav")


@pytest.mark.parametrize("subtype", ["GSM610", "IMA_ADPCM", "MS_ADPCM", "ULAW", "ALAW", "PCM_U8", "PCM_32", "DOUBLE"])
def test_every_coding_is_read_to_its_end_and_from_anywhere(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", samples(16000)[0], 8000, subtype=subtype)
    whole, _ = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    np.testing.assert_array_equal(read(tmp_path / "a.wav"), whole.T)
    with AudioReader(tmp_path / "a.wav") as reader:
        for start in (9000, 3000):
            np.testing.assert_array_equal(reader.read_at(start, 777), whole.T[:, start : start + 777])


def test_24_bits_in_32_are_24_bits(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(-(1 << 23), 1 << 23, (1000, 1)) << 8
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    form = struct.pack("<HHIIHHHHI", 0xFFFE, 1, RATE, 4 * RATE, 4, 32, 22, 24, 4) + guid
    (tmp_path / "a.wav").write_bytes(wav(chunk(b"fmt ", form), chunk(b"data", values.astype("<i4").tobytes())))
    with AudioReader(tmp_path / "a.wav") as reader:
        assert (reader.bits, reader.mask) == ("24", 4)
    np.testing.assert_array_equal(read(tmp_path / "a.wav")[0] * (1 << 31), values[:, 0])


@pytest.mark.parametrize("head", [b"RIFF", b"RF64"])
@pytest.mark.parametrize("tail", [b"", chunk(b"LIST", b"INFOIART\2\0\0\0a\0")])
def test_sound_behind_a_size_that_can_be_believed_is_named(tmp_path: Path, head: bytes, tail: bytes) -> None:
    """The header says a tenth of what is there; whether the rest is sound nobody can know, but it is said."""
    sound = pcm(samples(48000))
    long = (long64(len(sound) // 10),) if head == b"RF64" else ()
    size = 0xFFFFFFFF if long else len(sound) // 10
    (tmp_path / "a.wav").write_bytes(wav(*long, chunk(b"fmt ", FORM), chunk(b"data", sound, size) + tail, head=head))
    with AudioReader(tmp_path / "a.wav") as reader:
        assert reader.frames == 4800
        assert reader.notes == ("0.9 s more may follow the 0.1 s that its header names; export it again",)


@pytest.mark.parametrize(
    "tail", [b"", b"\0", bytes(40_000), b"odd", chunk(b"LIST", b"INFO" * 9000), chunk(b"LIST", b"cut", 9_000_000)]
)
def test_chunks_and_what_fills_a_disk_are_no_sound(tmp_path: Path, tail: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(wav(chunk(b"fmt ", FORM), chunk(b"data", pcm(samples()))) + tail)
    with AudioReader(tmp_path / "a.wav") as reader:
        assert (reader.frames, reader.notes) == (5000, ())
