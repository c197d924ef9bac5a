"""Laws of Ogg: streams that follow each other are played to the end of the last one."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.stage import Block
from plugin_host.files.audio_reader import AudioFileError, AudioReader

RATE = 48000


def encoded(seed: int, seconds: float, kind: str, channels: int = 2) -> bytes:
    samples = np.random.default_rng(seed).normal(0, 0.1, (int(seconds * RATE), channels))
    made = BytesIO()
    soundfile.write(made, samples, RATE, format="OGG", subtype=kind)
    return made.getvalue()


def read(path: Path) -> Block:
    with AudioReader(path) as reader:
        samples = np.concatenate(list(reader.blocks(7001)), axis=1)
        assert samples.shape[1] == reader.frames
        return samples


@pytest.mark.parametrize("kind", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("lengths", [(1, 2), (9, 8), (0.5, 0.2, 0.7)])
def test_chained_streams_play_one_after_another(tmp_path: Path, kind: str, lengths: tuple[float, ...]) -> None:
    parts = [encoded(seed, seconds, kind) for seed, seconds in enumerate(lengths)]
    (tmp_path / "a.ogg").write_bytes(b"".join(parts))
    single = []
    for part in parts:
        (tmp_path / "one.ogg").write_bytes(part)
        single.append(soundfile.read(tmp_path / "one.ogg", dtype="float32")[0].T)
    whole = read(tmp_path / "a.ogg")
    assert whole.shape[1] == round(sum(lengths) * RATE)
    np.testing.assert_array_equal(whole, np.concatenate(single, axis=1))
    with AudioReader(tmp_path / "a.ogg") as reader:
        start = single[0].shape[1] - 500
        np.testing.assert_allclose(reader.read_at(start, 1000), whole[:, start : start + 1000], atol=1e-5)


def test_a_chain_of_different_layouts_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.ogg").write_bytes(encoded(1, 1, "VORBIS") + encoded(2, 1, "VORBIS", channels=1))
    with pytest.raises(AudioFileError, match=r"with 2 channels to 48000 Hz with 1 channel after 1\.0 s; split it"):
        read(tmp_path / "a.ogg")


def test_a_stream_that_plays_beside_the_sound_is_left_out(tmp_path: Path) -> None:
    """A stream of pages that no decoder of sound knows, as a video has, lies between those of the sound."""
    sound = encoded(1, 2, "VORBIS")
    other = bytearray(sound)
    pages, place = [], 0
    while place >= 0:
        following = sound.find(b"OggS", place + 4)
        pages.append((place, following if following >= 0 else len(sound)))
        place = following
    mixed = bytearray()
    for number, (start, end) in enumerate(pages):
        foreign = bytearray(other[start:end])
        foreign[14:18] = b"\1\2\3\4"
        foreign[28:36] = foreign[28:36] if number else b"\x80theora\0"
        mixed += sound[start:end] + (foreign if number else bytes(foreign))
    (tmp_path / "a.ogv").write_bytes(mixed)
    (tmp_path / "one.ogg").write_bytes(sound)
    np.testing.assert_array_equal(read(tmp_path / "a.ogv"), read(tmp_path / "one.ogg"))
