"""Hostile audio files drawn from a seed (chunk orders, sizes, depths, rates, masks, joins, cuts), and their law."""

from __future__ import annotations

import os
import random
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile

from models.stage import Block
from plugin_host.files.audio_reader import AudioFileError, AudioReader
from plugin_host.files.containers.wav_file import Chunk, chunk_bytes, format_bytes
from plugin_host.render.render import render_file
from tests.plugin_host.stages import Delay

RATES = (8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000)
MASKS = {1: (0, 4), 2: (0, 3), 3: (0, 7), 6: (0, 0x3F, 0x60F), 8: (0, 0x63F)}
DEPTHS = ((8, False), (16, False), (24, False), (32, False), (32, True), (64, True))
KINDS = (
    ("WAV", "wav"), ("FLAC", "flac"), ("AIFF", "aiff"), ("OGG/VORBIS", "ogg"), ("OGG/OPUS", "opus"), ("MP3", "mp3"),
    ("W64", "w64"), ("RF64", "rf64"), ("CAF", "caf"), ("AU", "au"), ("WAV/MS_ADPCM", "wav"), ("WAV/GSM610", "wav"),
)  # fmt: skip
Fate = Literal["whole", "refused", "either"]


@dataclass(frozen=True)
class Case:
    """A file and what must become of it.

    Attributes:
        path: The file.
        fate: "whole": read to its end; "refused": one sentence; "either" of them where the damage is random.
        samples: What it holds, where that is known to the bit.
        frames: How long it is, 0 where that is not known.
        chunks, mask: What its copy must keep at the same rate.
    """

    path: Path
    fate: Fate
    samples: Block | None = None
    frames: int = 0
    chunks: tuple[Chunk, ...] = ()
    mask: int = 0


def draw(seed: int, folder: Path) -> Case:
    """Write the file of a seed into a folder."""
    chance = random.Random(seed)
    makers: list[Callable[[random.Random, Path], Case]] = [_wav, _wav, _wav, _joined, _damaged]
    return chance.choice(makers)(chance, folder)


def _sound(chance: random.Random, channels: int, frames: int) -> Block:
    noise = np.random.default_rng(chance.getrandbits(32)).uniform(-0.5, 0.5, (channels, frames))
    return noise.astype(np.float32)


def _coded(samples: Block, bits: int, is_float: bool) -> tuple[bytes, Block]:
    """Return little-endian samples, and what of them is left after rounding."""
    if is_float:
        return samples.T.astype(f"<f{bits // 8}").tobytes(), samples
    values = np.rint(samples.T.astype(np.float64) * 2 ** (bits - 1)).astype(np.int64)
    exact: Block = (values / 2.0 ** (bits - 1)).T.astype(np.float32)
    if bits == 8:
        return (values + 128).astype(np.uint8).tobytes(), exact
    wide = np.ascontiguousarray(values.astype("<i4")).view(np.uint8).reshape(-1, 4)
    return wide[:, : bits // 8].tobytes(), exact


def _wav(chance: random.Random, folder: Path) -> Case:
    channels, (bits, is_float) = chance.choice(list(MASKS)), chance.choice(DEPTHS)
    rate, mask = chance.choice(RATES), chance.choice(MASKS[channels])
    data, samples = _coded(_sound(chance, channels, chance.randrange(1, 3000)), bits, is_float)
    before, after = ([_foreign(chance) for _ in range(chance.randrange(4))] for _ in range(2))
    head: bytes = chance.choice([b"RIFF", b"RIFF", b"RF64", b"BW64"])
    is_open = chance.random() < 0.3
    cut = chance.random() < 0.2
    if is_open or cut:
        after = []
    size = chance.choice([0, 0xFFFFFFFF, 0x7FFFF000]) if is_open else len(data)
    body = [chunk_bytes(code, text) for code, text in before]
    body.insert(
        chance.randrange(len(body) + 1), chunk_bytes(b"fmt ", format_bytes(rate, channels, bits // 8, is_float, mask))
    )
    if head != b"RIFF":
        # Recorders keep the 64-bit sizes first; one that lost power left them empty.
        body.insert(0, chunk_bytes(b"ds64", struct.pack("<QQQI", 0, 0 if is_open else len(data), 0, 0)))
        size = 0xFFFFFFFF
    sound = b"data" + struct.pack("<I", size) + data + b"\0" * (len(data) % 2)
    whole = b"WAVE" + b"".join(body) + sound + b"".join(chunk_bytes(code, text) for code, text in after)
    content = head + struct.pack("<I", chance.choice([0, 0xFFFFFFFF, len(whole)])) + whole
    fate: Fate = "whole"
    if cut and not is_open and samples.shape[1] > 1:
        frame = channels * bits // 8
        content = content[: len(content) - len(data) % 2 - frame * chance.randrange(1, samples.shape[1])]
        fate = "refused"
    path = folder / chance.choice(["in.wav", "in.WAVE", "in.bwf", "in", "in.mp3"])
    path.write_bytes(content)
    # A byte of padding behind sound of unknown length can't be separated from sound; it is less than a frame, or one.
    padded = is_open and len(data) % 2 == 1 and channels * bits == 8
    frames = samples.shape[1] + padded
    return Case(path, fate, None if padded else samples, frames, (*before, *after), mask)


def _foreign(chance: random.Random) -> Chunk:
    code = chance.choice([b"bext", b"iXML", b"LIST", b"axml", b"chna", b"note", b"elm1", b"cue "])
    start = b"adtl" if code == b"LIST" else b""
    return code, start + chance.randbytes(chance.randrange(4, 700))


def _encoded(samples: Block, rate: int, kind: str, **options: Any) -> bytes:
    made = BytesIO()
    container, _, subtype = kind.partition("/")
    soundfile.write(made, samples.T, rate, format=container, subtype=subtype or None, **options)
    return made.getvalue()


def _joined(chance: random.Random, folder: Path) -> Case:
    """Streams of one kind behind one another, with tags between them where the format has such."""
    kind, suffix = chance.choice([("MP3", "mp3"), ("OGG/VORBIS", "ogg"), ("OGG/OPUS", "opus")])
    rate, channels = 48000, chance.choice([1, 2])
    lengths = [chance.randrange(9600, 48000) for _ in range(chance.randrange(1, 4))]
    parts = [_encoded(_sound(chance, channels, length), rate, kind) for length in lengths]
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128) if kind == "MP3" and chance.random() < 0.5 else b""
    (folder / f"in.{suffix}").write_bytes(tag + tag.join(parts))
    return Case(folder / f"in.{suffix}", "whole", frames=sum(lengths))


def _damaged(chance: random.Random, folder: Path) -> Case:
    kind, suffix = chance.choice(KINDS)
    channels = 1 if "GSM" in kind else 2
    data = bytearray(_encoded(_sound(chance, channels, 12000), 16000, kind))
    for _ in range(chance.randrange(1, 4)):
        place, other = chance.randrange(len(data)), chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data = data[: max(1, place)]
            case 1:
                reach = chance.choice([64, len(data)])
                for _ in range(chance.randrange(1, 20)):
                    data[chance.randrange(min(reach, len(data)))] = chance.randrange(256)
            case 2:
                data = data[:place] + data[other:] or data
            case _:
                data[place:place] = chance.randbytes(chance.randrange(1, 3000))
    (folder / f"in.{suffix}").write_bytes(data)
    return Case(folder / f"in.{suffix}", "either")


def judge(case: Case, folder: Path, suffix: str = ".wav") -> str:
    """Render a case into a folder and return "whole" or "refused"; raise AssertionError where the law is broken."""
    target = folder / f"out{suffix}"
    there = {*os.listdir(folder), *os.listdir(case.path.parent)}
    try:
        done = render_file(Delay(100), {}, case.path, target)
    except AudioFileError as error:
        sentence = str(error)
        assert {*os.listdir(folder), *os.listdir(case.path.parent)} == there, "something is left behind"
        assert "\n" not in sentence, sentence
        assert str(case.path) in sentence or str(target) in sentence, sentence
        assert case.fate != "whole", sentence
        return "refused"
    assert case.fate != "refused", "a part was taken for the whole"
    assert {*os.listdir(folder), *os.listdir(case.path.parent)} == there | {target.name}
    with AudioReader(case.path) as before, AudioReader(target) as after:
        read = np.concatenate(list(before.blocks()), axis=1)
        wet = np.concatenate(list(after.blocks()), axis=1)
        assert (after.rate, after.channels) == (done.rate, before.channels)
        assert wet.shape[1] == round(read.shape[1] * after.rate / before.rate), "the lengths differ"
        assert read.shape[1] == (case.frames or read.shape[1]), f"{read.shape[1]} of {case.frames} samples are read"
        if case.samples is not None:
            np.testing.assert_array_equal(read, case.samples)
        if before.rate == after.rate and suffix == ".wav":
            np.testing.assert_allclose(wet, np.clip(read, -1, 1) if done.bits != "32f" else read, atol=2**-23)
            kept = Counter(after.tags().chunks)
            assert not Counter(case.chunks) - kept, "chunks are gone"
            assert after.mask == case.mask, "the loudspeakers are not named any more"
    return "whole"
