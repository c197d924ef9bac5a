"""Samples that are plain numbers are read to the bits that libsndfile reads, whatever the bytes say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.files.containers.plain_samples import PlainSamples, can_read

BYTES = {"PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
FRAMES, OFFSET = 1000, 13


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("coding", BYTES)
def test_any_bytes_are_read_as_libsndfile_reads_them(tmp_path: Path, coding: str, channels: int) -> None:
    rng, path = np.random.default_rng(len(coding) + channels), tmp_path / "x.raw"
    data = rng.bytes(FRAMES * channels * BYTES[coding])
    path.write_bytes(data)
    words = {"samplerate": 8000, "channels": channels, "subtype": coding, "format": "RAW", "endian": "LITTLE"}
    with soundfile.SoundFile(path, **words) as file:
        wanted = file.read(dtype="float32", always_2d=True)
    assert can_read(8000, channels, coding)
    placed = tmp_path / "placed.raw"
    placed.write_bytes(bytes(OFFSET) + data + b"more")
    with placed.open("rb") as file:
        samples = PlainSamples(file, OFFSET, FRAMES, 8000, channels, coding)
        parts = [samples.next(count) for count in (1, 17, 500, 2 * FRAMES)]
        assert not len(samples.next(1)), "what follows is no sound"
        samples.seek(400)
        again = samples.next(FRAMES)
    assert np.concatenate(parts).tobytes() == wanted.tobytes()
    assert again.tobytes() == wanted[400:].tobytes()


def test_a_file_that_has_become_shorter_ends_with_its_last_whole_frame(tmp_path: Path) -> None:
    path = tmp_path / "x.raw"
    path.write_bytes(bytes(41))
    with path.open("rb") as file:
        assert PlainSamples(file, 0, FRAMES, 8000, 2, "PCM_16").next(FRAMES).shape == (10, 2)


@pytest.mark.parametrize(
    ("rate", "channels", "coding"), [(0, 2, "PCM_16"), (8000, 0, "PCM_16"), (8000, 1025, "PCM_16"), (8000, 2, "ALAW")]
)
def test_what_is_left_to_libsndfile(rate: int, channels: int, coding: str) -> None:
    assert not can_read(rate, channels, coding)
