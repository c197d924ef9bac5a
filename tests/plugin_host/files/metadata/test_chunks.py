"""Laws of what a WAV file says besides its sound: all is kept, and what counts samples follows the rate."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_tags import AudioTags, Chunk
from plugin_host.files.audio_writer import AudioWriter
from plugin_host.files.containers.riff import read_riff
from plugin_host.files.containers.wav_file import chunk_bytes
from plugin_host.files.metadata.chunks import at_rate

LOW, HIGH = 32000, 48000


def bext(reference: int) -> Chunk:
    return b"bext", b"a take".ljust(338, b"\0") + struct.pack("<Q", reference) + bytes(256)


def cue(*places: int) -> Chunk:
    points = b"".join(struct.pack("<II4sIII", i, at, b"data", 0, 0, at) for i, at in enumerate(places))
    return b"cue ", struct.pack("<I", len(places)) + points


def region(length: int) -> Chunk:
    text = struct.pack("<II4sHHHH", 1, length, b"rgn ", 0, 0, 0, 0) + b"odd"
    return b"LIST", b"adtl" + chunk_bytes(b"labl", b"\1\0\0\0verse\0") + chunk_bytes(b"ltxt", text)


def sampler(start: int, last: int, period: int) -> Chunk:
    head = struct.pack("<9I", 0, 0, period, 60, 0, 0, 0, 1, 0)
    return b"smpl", head + struct.pack("<6I", 0, 0, start, last, 0, 0)


def cart(timer: int) -> Chunk:
    data = bytearray(2048)
    data[684:692] = struct.pack("<4sI", b"SEC1", timer)
    return b"cart", bytes(data)


def ixml(rate: int, samples: int) -> Chunk:
    text = (
        f"<BWFXML><SPEED><FILE_SAMPLE_RATE>{rate}</FILE_SAMPLE_RATE>"
        f"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>{samples >> 32}</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>"
        f"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>{samples & 0xFFFFFFFF}</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>"
        "</SPEED><SCENE>4</SCENE></BWFXML>"
    )
    return b"iXML", text.encode()


PAIRS = {
    "bext": (bext(115_200_000), bext(172_800_000)),
    "a time stamp beyond 32 bits": (bext(9_000_000_000), bext(13_500_000_000)),
    "cue": (cue(0, 32000, 1001), cue(0, 48000, 1502)),
    "region": (region(16000), region(24000)),
    "loop": (sampler(1000, 1999, 31250), sampler(1500, 2999, 20833)),
    "cart": (cart(64000), cart(96000)),
    "iXML": (ixml(LOW, 5_000_000_000), ixml(HIGH, 7_500_000_000)),
    "ADM": (
        (b"axml", b'<adm sampleRate="32000" bitDepth="24"/>'),
        (b"axml", b'<adm sampleRate="48000" bitDepth="24"/>'),
    ),
    "INFO": ((b"LIST", b"INFOINAM\2\0\0\0a\0"),) * 2,
    "unknown": ((b"elm1", bytes(range(99))),) * 2,
}


@pytest.mark.parametrize("name", PAIRS)
def test_samples_are_counted_at_the_new_rate(name: str) -> None:
    low, high = PAIRS[name]
    assert at_rate(low, LOW, HIGH) == high
    assert at_rate(low, LOW, LOW) == low


@pytest.mark.parametrize("name", PAIRS)
def test_a_chunk_that_was_cut_is_kept_as_it_is(name: str) -> None:
    code, data = PAIRS[name][0]
    for length in range(0, len(data), 7):
        cut = at_rate((code, data[:length]), LOW, HIGH)
        assert cut[0] == code
        assert len(cut[1]) >= length - 8


def write(path: Path, chunks: tuple[Chunk, ...], rate: int) -> None:
    with AudioWriter(path, rate, 1, "24", tags=AudioTags(chunks=chunks, rate=rate)) as writer:
        writer.write(np.zeros((1, 999), np.float32))


@pytest.mark.parametrize("via", [".wav", ".flac"])
def test_every_chunk_travels_through_wav_and_flac(tmp_path: Path, via: str) -> None:
    chunks = tuple(low for low, _ in PAIRS.values())
    write(tmp_path / "in.wav", chunks, LOW)
    with (
        AudioReader(tmp_path / "in.wav") as reader,
        AudioWriter(tmp_path / f"via{via}", LOW, 1, "24", tags=reader.tags()) as writer,
    ):
        writer.write(np.zeros((1, 999), np.float32))
    with AudioReader(tmp_path / f"via{via}") as reader:
        assert sorted(reader.tags().chunks) == sorted(chunks)
        assert sorted(reader.tags(HIGH).chunks) == sorted(high for _, high in PAIRS.values())


def test_time_stamps_stand_before_the_sound_and_the_rest_behind_it(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", (cue(1), bext(2)), LOW)
    with open(tmp_path / "a.wav", "rb") as file:
        riff = read_riff(file)
    assert riff is not None
    order = [code for code, start, _ in riff.chunks if start < riff.data_start]
    assert order[-1] == b"bext"
    assert riff.chunks[-1][0] == b"cue "
    assert riff.data_bytes == 2997


@pytest.mark.parametrize(
    ("text", "words"), [(b"Caf\xe9", "Café"), ("Café ☕".encode(), "Café ☕"), (b"\x93a\x94", "“a”")]
)
def test_words_in_old_codings_can_be_read(tmp_path: Path, text: bytes, words: str) -> None:
    write(tmp_path / "a.wav", ((b"LIST", b"INFO" + chunk_bytes(b"INAM", text + b"\0")),), LOW)
    with AudioReader(tmp_path / "a.wav") as reader:
        assert reader.tags().words["title"] == (words,)
