"""Laws of what libsndfile can't read: it comes out as long as it is, or one sentence says why not."""

from __future__ import annotations

import os
import shutil
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from models.stage import Block
from plugin_host.files import second_reader
from plugin_host.files.audio_reader import AudioFileError, AudioReader
from plugin_host.files.file_kind import judge

RATE, SECONDS = 48000, 2
CODINGS = {"a.m4a": "aac", "b.m4a": "alac", "c.mkv": "libopus", "d.wma": "wmav2", "e.mka": "flac", "f.mp4": "ac3"}


def tone(channels: int, seconds: float = SECONDS) -> Block:
    time = np.arange(round(seconds * RATE)) / RATE
    block: Block = np.stack([0.3 * np.sin(2 * np.pi * 500 * (number + 1) * time) for number in range(channels)])
    return block.astype(np.float32)


def encode(path: Path, codec: str, layout: str = "stereo", *, with_picture: bool = False, tracks: int = 1) -> Path:
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10) if with_picture else None
        streams: list[Any] = [container.add_stream(codec, rate=RATE, layout=layout) for _ in range(tracks)]
        if video is not None:
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            for number in range(10 * SECONDS):
                picture = av.VideoFrame(64, 48, "yuv420p")
                picture.pts, picture.time_base = number, Fraction(1, 10)
                container.mux(video.encode(picture))
            container.mux(video.encode())
        for stream in streams:
            stream.bit_rate = 128000
            if codec == "alac":
                stream.format = "s16p"
            frame = av.AudioFrame.from_ndarray(tone(av.AudioLayout(layout).nb_channels), "fltp", layout)
            frame.sample_rate, frame.pts = RATE, 0
            resampler = av.AudioResampler(stream.codec_context.format, layout, RATE, stream.codec_context.frame_size)
            for part in (*resampler.resample(frame), *resampler.resample(None)):
                container.mux(stream.encode(part))
            container.mux(stream.encode())
    return path


@pytest.mark.parametrize("name", CODINGS)
def test_it_is_as_long_and_sounds_as_it_was(tmp_path: Path, name: str) -> None:
    with AudioReader(encode(tmp_path / name, CODINGS[name])) as reader:
        samples = np.concatenate(list(reader.blocks()), axis=1)
        assert (reader.rate, reader.channels, samples.shape[1]) == (RATE, 2, reader.frames)
    # AC-3 pads the last of its frames and WMA leaves the last out, where the container can't say so.
    slack = {"wmav2": 2048, "ac3": 1536}.get(CODINGS[name], 0)
    assert abs(samples.shape[1] - SECONDS * RATE) <= slack
    power = np.abs(np.fft.rfft(samples[:, RATE // 2 : RATE * 3 // 2])).argmax(axis=1)
    np.testing.assert_array_equal(power, [500, 1000])


def read_notes(path: Path) -> tuple[str, ...] | None:
    """Return what is said of a file that is read, or None of one that is refused."""
    try:
        with AudioReader(path) as reader:
            return reader.notes if list(reader.blocks()) else None
    except AudioFileError:
        return None


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.49, 0.9, 1.5])
@pytest.mark.parametrize("torn", [False, True])
def test_a_short_opus_file_of_one_page_is_read_whole_or_refused(tmp_path: Path, seconds: float, torn: bool) -> None:
    path = tmp_path / "a.opus"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libopus", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(1, seconds), "flt", "mono")
        frame.sample_rate = RATE
        for part in (*av.AudioResampler("flt", "mono", RATE).resample(frame), None):
            container.mux(stream.encode(part))
    if torn:
        data = bytearray(path.read_bytes())
        data[-100] ^= 4
        path.write_bytes(data)
        notes = read_notes(path)
        assert notes is None or notes == ("damaged in 1 place, where sound is missing",)
        return
    with AudioReader(path) as reader:
        samples = np.concatenate(list(reader.blocks()), axis=1)
    # The last packet may be padded, which ffmpeg's container does not say.
    assert seconds * RATE <= samples.shape[1] + 312 <= seconds * RATE + 960 + 312


def test_a_lossless_coding_keeps_its_depth_and_every_sample(tmp_path: Path) -> None:
    with AudioReader(encode(tmp_path / "a.m4a", "alac")) as reader:
        assert reader.bits == "16"
        samples = reader.read_at(0, SECONDS * RATE)
    np.testing.assert_allclose(samples, tone(2), atol=1 / 32768)


def test_overs_of_a_decoder_go_to_floats(tmp_path: Path) -> None:
    with AudioReader(encode(tmp_path / "a.m4a", "aac")) as reader:
        assert reader.bits == "32f"


def test_a_video_gives_its_sound_and_says_which(tmp_path: Path) -> None:
    with AudioReader(encode(tmp_path / "a.mp4", "aac", with_picture=True, tracks=2)) as reader:
        assert list(reader.notes) == ["the first of its 2 streams of sound"]
        assert abs(reader.seconds - SECONDS) < 0.05


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    encode(tmp_path / "a.mp4", "aac", with_picture=True, tracks=0)
    assert judge(tmp_path / "a.mp4") == ("unreadable", f"{tmp_path / 'a.mp4'} holds no sound; name a file that does")


def test_loudspeakers_stay_named(tmp_path: Path) -> None:
    with AudioReader(encode(tmp_path / "a.mka", "flac", "5.1(side)")) as reader:
        assert (reader.channels, reader.mask) == (6, 0x60F)


def test_a_file_that_was_cut_off_is_said(tmp_path: Path) -> None:
    data = encode(tmp_path / "a.mkv", "libopus").read_bytes()
    for share in (0.3, 0.7):
        (tmp_path / "a.mkv").write_bytes(data[: int(len(data) * share)])
        verdict = judge(tmp_path / "a.mkv")
        assert verdict.kind == "unreadable"
        assert "cut off" in verdict.reason


def test_without_the_means_the_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode(tmp_path / "a.m4a", "aac")
    monkeypatch.setattr(second_reader, "has_av", lambda: False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AudioFileError, match=r"a.m4a needs ffmpeg on the PATH or 'pip install highband\[av\]'"):
        AudioReader(path)


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    encode(tmp_path / "secret.m4a", "aac")
    (tmp_path / "a.m4a").write_text("ffconcat version 1.0\nfile secret.m4a\n")
    (tmp_path / "b.m4a").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsecret.m4a\n#EXT-X-ENDLIST\n")
    assert [judge(tmp_path / name).kind for name in ("a.m4a", "b.m4a")] == ["unreadable", "unreadable"]


def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode(tmp_path / "a.m4a", "aac")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with AudioReader(path) as reader:
        assert os.listdir(tmp_path / "temporary") == []
        assert reader.frames


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg on the PATH")
@pytest.mark.parametrize("name", ["a.m4a", "c.mkv"])
def test_ffmpeg_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = encode(tmp_path / name, CODINGS[name])
    with AudioReader(path) as reader:
        expected = reader.read_at(0, reader.frames)
    monkeypatch.setattr(second_reader, "has_av", lambda: False)
    with AudioReader(path) as reader:
        np.testing.assert_allclose(reader.read_at(0, reader.frames), expected, atol=1e-4)
