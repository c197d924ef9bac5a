"""Five hundred hostile inputs: a right result or one sentence, and never a trace under a name or beside it."""

from __future__ import annotations

import os
import random
import resource
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.files.audio_reader import AudioFileError, AudioReader
from plugin_host.render.render import render_file
from tests.plugin_host.stages import Delay

FORMATS = ("wav", "flac", "aiff", "ogg", "mp3")
Maker = Callable[[Path, random.Random], Path]


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Half a second of music in every format."""
    folder = tmp_path_factory.mktemp("sound")
    chance = np.random.default_rng(1)
    samples = np.sin(np.arange(12000)[:, None] * [0.05, 0.06]) * 0.5 + chance.normal(0, 0.01, (12000, 2))
    for suffix in FORMATS:
        soundfile.write(folder / f"a.{suffix}", samples, 24000)
    return {suffix: (folder / f"a.{suffix}").read_bytes() for suffix in FORMATS}


def judge(source: Path, target: Path) -> None:
    """Render, and hold the law for whatever comes of it."""
    there = {*os.listdir(source.parent), *os.listdir(target.parent)}
    try:
        done = render_file(Delay(100), {}, source, target)
    except AudioFileError as error:
        assert {*os.listdir(source.parent), *os.listdir(target.parent)} == there
        sentence = str(error)
        assert "\n" not in sentence
        assert str(source) in sentence or str(target) in sentence
        return
    assert {*os.listdir(source.parent), *os.listdir(target.parent)} == there | {target.name}
    info = soundfile.info(target)
    after = soundfile.read(target, dtype="float32", always_2d=True)[0]
    with AudioReader(source) as reader:
        before = sum(block.shape[1] for block in reader.blocks())
        assert np.isfinite(after).all()
        assert (info.samplerate, info.channels) == (done.rate, reader.channels)
        assert len(after) == round(before * done.rate / reader.rate)


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.choice([chance.randrange(200), chance.randrange(len(data))])]


def noise_behind_header(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(4, 60)] + chance.randbytes(chance.randrange(4000))


def flipped(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    reach = chance.choice([64, len(data)])
    for _ in range(chance.randrange(1, 20)):
        damaged[chance.randrange(reach)] = chance.randrange(256)
    return bytes(damaged)


def spliced(data: bytes, chance: random.Random) -> bytes:
    place, other = chance.randrange(len(data)), chance.randrange(len(data))
    return data[:place] + data[other:]


@pytest.mark.parametrize("seed", range(22))
@pytest.mark.parametrize("damage", [cut, noise_behind_header, flipped, spliced], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("suffix", FORMATS)
def test_damaged(
    tmp_path: Path, sound: dict[str, bytes], suffix: str, damage: Callable[[bytes, random.Random], bytes], seed: int
) -> None:
    source = tmp_path / f"in.{suffix}"
    source.write_bytes(damage(sound[suffix], random.Random(seed)))
    judge(source, tmp_path / "out.wav")


@pytest.mark.parametrize("seed", range(40))
def test_header_that_lies(tmp_path: Path, sound: dict[str, bytes], seed: int) -> None:
    """Every field of a WAV header takes extreme values in turn."""
    chance = random.Random(seed)
    place, size = chance.choice([(4, 4), (16, 4), (20, 2), (22, 2), (24, 4), (28, 4), (32, 2), (34, 2), (40, 4)])
    value = chance.choice([0, 1, 2, 3, 9, 1 << 7, 1 << 15, (1 << 16) - 1, (1 << 31) - 1, (1 << 32) - 1])
    data = bytearray(sound["wav"])
    data[place : place + size] = struct.pack("<I", value)[:size]
    (tmp_path / "in.wav").write_bytes(data)
    judge(tmp_path / "in.wav", tmp_path / "out.flac")


def float_file(fill: float) -> Maker:
    def make(folder: Path, chance: random.Random) -> Path:
        samples = np.full((1000, 2), 0.1, np.float32)
        samples[chance.randrange(500) :: 3] = fill
        soundfile.write(folder / "in.wav", samples, 48000, subtype="FLOAT")
        return folder / "in.wav"

    return make


def short(frames: int, rate: int, subtype: str, channels: int = 1) -> Maker:
    def make(folder: Path, chance: random.Random) -> Path:
        soundfile.write(folder / "in.wav", np.full((frames, channels), 0.5), rate, subtype=subtype)
        return folder / "in.wav"

    return make


def raw(name: str, data: bytes) -> Maker:
    def make(folder: Path, chance: random.Random) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def a_folder(folder: Path, chance: random.Random) -> Path:
    (folder / "in.wav").mkdir()
    return folder / "in.wav"


def nothing(folder: Path, chance: random.Random) -> Path:
    return folder / "gone.wav"


def a_pipe(folder: Path, chance: random.Random) -> Path:
    os.mkfifo(folder / "in.wav")
    return folder / "in.wav"


def a_device(folder: Path, chance: random.Random) -> Path:
    (folder / "in.wav").symlink_to("/dev/zero")
    return folder / "in.wav"


def a_circle(folder: Path, chance: random.Random) -> Path:
    (folder / "in.wav").symlink_to(folder / "in.wav")
    return folder / "in.wav"


TEXT = b"Dear mastering engineer, please find attached. " * 40
ODD: dict[str, Maker] = {
    **{f"empty.{suffix}": raw(f"in.{suffix}", b"") for suffix in FORMATS},
    **{f"text.{suffix}": raw(f"in.{suffix}", TEXT) for suffix in FORMATS},
    **{f"random.{suffix}": raw(f"in.{suffix}", random.Random(2).randbytes(5000)) for suffix in FORMATS},
    **{f"fill {value}": float_file(value) for value in (np.nan, np.inf, -np.inf, 1e38, 1e-40)},
    **{f"{rate} Hz": short(100, rate, "PCM_16") for rate in (1, 999, 1000, 4000, 44099, 88200, 96001, 192000, 800000)},
    "1 sample": short(1, 8000, "PCM_16"),
    "8 bit": short(1000, 44100, "PCM_U8"),
    "no samples": short(0, 48000, "PCM_24"),
    "many channels": short(50, 48000, "PCM_16", 200),
    "a folder": a_folder,
    "nothing": nothing,
    "a pipe": a_pipe,
    "a device": a_device,
    "a circle": a_circle,
}


@pytest.mark.parametrize("name", ODD)
def test_odd(tmp_path: Path, name: str) -> None:
    source = ODD[name](tmp_path, random.Random(0))
    judge(source, tmp_path / "out.wav")


def test_one_sample_and_8_bit_are_no_reason_to_refuse(tmp_path: Path) -> None:
    for name in ("1 sample", "8 bit", "many channels", "fill nan", "44099 Hz"):
        render_file(Delay(9), {}, ODD[name](tmp_path, random.Random(0)), tmp_path / "out.wav")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read and write everything; give that up for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_no_permission_to_read_or_to_write(tmp_path: Path, sound: dict[str, bytes]) -> None:
    # The folders above belong to the user of the test alone.
    for folder in (tmp_path, *(one for one in tmp_path.parents if Path(tempfile.gettempdir()) in one.parents)):
        folder.chmod(0o755)
    source, closed = tmp_path / "in.wav", tmp_path / "closed"
    source.write_bytes(sound["wav"])
    source.chmod(0o000)
    with as_nobody(), pytest.raises(AudioFileError, match=r"in.wav can't be read: permission is missing"):
        render_file(Delay(), {}, source, tmp_path / "out.wav")
    source.chmod(0o644)
    closed.mkdir(mode=0o555)
    with as_nobody(), pytest.raises(AudioFileError, match=r"out.wav can't be written: permission is missing"):
        render_file(Delay(), {}, source, closed / "out.wav")
    assert os.listdir(closed) == []


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file grow beyond `room` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize("room", [0, 30, 5000, 90_000, 95_990])
def test_a_full_disk_leaves_nothing(tmp_path: Path, sound: dict[str, bytes], suffix: str, room: int) -> None:
    source, folder = tmp_path / "in.wav", tmp_path / "out"
    soundfile.write(source, np.random.default_rng(1).uniform(-1, 1, 48000), 48000)
    folder.mkdir()
    with full_disk(room), pytest.raises(AudioFileError, match=r"out.\w+ can't be written"):
        render_file(Delay(), {}, source, folder / f"out.{suffix}")
    assert os.listdir(folder) == []
