"""What libsndfile can't read (m4a, wma, a video's sound): decoded by PyAV or ffmpeg into a temporary file."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from plugin_host.files.audio_error import AudioFileError, reason
from plugin_host.files.containers.file_bytes import FileBytes
from plugin_host.files.containers.ogg import read_streams
from plugin_host.files.containers.wav_file import WavFile, format_bytes
from plugin_host.files.suffixes import SECOND_SUFFIXES

# Containers of sound and video alone: a playlist could make the decoder open any other file or address.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,asf,aac,ac3,eac3,dts,dtshd,amr,amrnb,amrwb,ape,wv,tta,tak,dsf,iff,mpegts,"
    "mpeg,mpegvideo,avi,flv,mp3,ogg,caf,au,aiff,wav,w64,voc,mpc,mpc8,oma,xwma,flac,mlp,truehd,rm"
)
# These say how long they truly are; of the others ffmpeg only guesses.
_KNOWS_LENGTH = {"mov", "matroska", "asf", "ape", "wv", "tta", "tak"}
_SLACK_S = 0.15
_MOST_PADDING = 4096
_WORDS = ("title", "artist", "album", "date", "genre", "comment", "composer", "copyright", "track", "description")
_MAGIC = (b"\x1a\x45\xdf\xa3", b"\x30\x26\xb2\x75", b"wvpk", b"MAC ", b"TTA1", b"DSD ", b"tBaK", b"#!AM", b"FLV\1")
# Loudspeakers by their names in ffmpeg, at the bit that names them in a WAV file.
_SPEAKERS = (
    "FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR",
)  # fmt: skip


@dataclass(frozen=True)
class Decoded:
    """Sound that was decoded.

    Attributes:
        file: A WAV file of floats without a name; closing it removes it.
        lossless_bits: Depth of a lossless coding, 0 of any other.
        notes: What a person should know, in a few words each.
        words: Its text by lower-case name.
    """

    file: BinaryIO
    lossless_bits: int = 0
    notes: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)


def is_there() -> bool:
    """Return whether PyAV or ffmpeg is installed."""
    return has_av() or shutil.which("ffmpeg") is not None


def is_for_second(path: Path, file: BinaryIO) -> bool:
    """Return whether a file looks as if PyAV or ffmpeg could read it: by its name, or by how it begins."""
    file.seek(0)
    head = file.read(16)
    known = head[4:8] == b"ftyp" or head[:4] in _MAGIC
    return path.suffix.lower() in SECOND_SUFFIXES or known or (head[:4] == b"OggS" and _is_short_opus(file))


def _is_short_opus(file: BinaryIO) -> bool:
    """Return whether a file is whole Opus of a second at most, whose only page libsndfile refuses."""
    streams = read_streams(FileBytes(file))
    return [(one.codec, one.is_closed, one.end - one.skipped <= one.rate) for one in streams] == [("opus", True, True)]


def decode(path: Path, file: BinaryIO) -> Decoded:
    """Decode the best stream of sound of a file.

    Raises:
        AudioFileError: Neither PyAV nor ffmpeg is there, or the file can't be read to its end.
    """
    if not is_there():
        raise AudioFileError(
            f"{path} needs ffmpeg on the PATH or 'pip install highband[av]' to be read; install one of them"
        )
    try:
        target = tempfile.TemporaryFile(prefix="highband.")  # noqa: SIM115
    except OSError as error:
        raise AudioFileError(f"{path} can't be decoded in {tempfile.gettempdir()}: {reason(error)}") from None
    try:
        return _by_av(path, file, target) if has_av() else _by_ffmpeg(path, target)
    except OSError as error:
        target.close()
        raise AudioFileError(f"{path} can't be decoded in {tempfile.gettempdir()}: {reason(error)}") from None
    except BaseException:
        target.close()
        raise


def has_av() -> bool:
    """Return whether PyAV is installed."""
    return importlib.util.find_spec("av") is not None


def _by_av(path: Path, file: BinaryIO, target: BinaryIO) -> Decoded:
    import av

    file.seek(0)
    try:
        with av.open(file, options={"format_whitelist": _FORMATS}, metadata_errors="replace") as container:
            stream = container.streams.best("audio")
            if stream is None:
                raise AudioFileError(f"{path} holds no sound; name a file that does")
            lossless = _lossless_bits(stream)
            promised = _promised_s(container, stream)
            seconds = _write(path, _frames(container, stream), target, promised if _is_exact(container) else 0.0)
            several = len(container.streams.audio)
            words = {name.lower(): text for name, text in container.metadata.items() if name.lower() in _WORDS}
    except (av.error.FFmpegError, ValueError, UnicodeError) as error:
        if isinstance(error, AudioFileError | OSError) and not isinstance(error, av.error.FFmpegError):
            raise
        raise AudioFileError(f"{path} is damaged or not audio that can be read; export it again") from None
    if seconds < promised - _SLACK_S:
        raise AudioFileError(
            f"{path} is cut off: it ends after {seconds:.1f} of {promised:.1f} s; export it again or restore it from a "
            "copy"
        )
    notes = (f"the first of its {several} streams of sound",) if several > 1 else ()
    return Decoded(target, lossless, notes, words)


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Yield decoded frames as packed floats, all in the layout and at the rate of the first."""
    import av

    resampler: Any = None
    first: Any = None
    form: Any = None
    for frame in container.decode(stream):
        first = first or (frame.layout.name, frame.sample_rate)
        now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if now != form:
            if resampler is not None:
                yield from resampler.resample(None)
            resampler, form = av.AudioResampler("flt", *first), now
        yield from resampler.resample(frame)
    if resampler is not None:
        yield from resampler.resample(None)


def _write(path: Path, frames: Iterator[Any], target: BinaryIO, exact_s: float) -> float:
    """Write the frames, without what pads the last of them, and return the seconds."""
    writer, rate = None, 1
    for frame in frames:
        if writer is None:
            rate, channels = frame.sample_rate, frame.layout.nb_channels
            form = format_bytes(rate, channels, 4, is_float=True, mask=_mask(frame.layout) if channels > 2 else 0)
            writer = WavFile(target, form, 4 * channels)
        writer.write(frame.to_ndarray().tobytes())
    if writer is None:
        raise AudioFileError(f"{path} holds no audio; export it again")
    padding = writer.data_bytes // (4 * channels) - round(exact_s * rate)
    if exact_s and 0 < padding <= _MOST_PADDING:
        writer.drop(padding)
    writer.finish()
    return float(writer.data_bytes / (4 * channels * rate))


def _mask(layout: Any) -> int:
    names = [channel.name for channel in layout.channels]
    if not set(names) <= set(_SPEAKERS):
        return 0
    bits = [_SPEAKERS.index(name) for name in names]
    return sum(1 << bit for bit in bits) if bits == sorted(bits) else 0


def _promised_s(container: Any, stream: Any) -> float:
    if not _KNOWS_LENGTH & set(container.format.name.split(",")):
        return 0.0
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * Fraction(stream.time_base))
    has_video = bool(container.streams.video)
    return 0.0 if has_video or container.duration is None else container.duration / 1_000_000


def _is_exact(container: Any) -> bool:
    return "mov" in container.format.name.split(",")


def _lossless_bits(stream: Any) -> int:
    context = stream.codec_context
    if not getattr(context.codec, "lossless", False) or getattr(context.codec, "lossy", False):
        return 0
    depth = getattr(context, "bits_per_raw_sample", 0) or 8 * context.format.bytes
    return int(depth) if depth <= 24 else 0


def _by_ffmpeg(path: Path, target: BinaryIO) -> Decoded:
    command = [
        "ffmpeg", "-nostdin", "-v", "error", "-format_whitelist", _FORMATS, "-protocol_whitelist", "file,pipe", "-i",
        f"file:{path.absolute()}", "-map", "0:a:0", *_end(path), "-c:a", "pcm_f32le", "-f", "wav", "-bitexact", "-",
    ]  # fmt: skip
    ended = subprocess.run(command, stdout=target, stderr=subprocess.PIPE, check=False)
    target.flush()
    if ended.returncode or b"partial file" in ended.stderr or target.seek(0, 2) == 0:
        words = ended.stderr.decode(errors="replace").strip().splitlines() or ["no sound"]
        raise AudioFileError(f"{path} can't be read to its end by ffmpeg ({words[-1]}); export it again")
    return Decoded(target)


def _end(path: Path) -> list[str]:
    """Return the words that let ffmpeg leave out what pads the end of an MP4 file, which some versions do not."""
    command = [
        "ffprobe", "-v", "error", "-protocol_whitelist", "file", "-select_streams", "a:0", "-show_entries",
        "format=format_name:stream=duration", "-of", "default=noprint_wrappers=1", f"file:{path.absolute()}",
    ]  # fmt: skip
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return []
    values = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    known = values.get("duration", "N/A")
    return ["-t", known] if "mov" in values.get("format_name", "").split(",") and known != "N/A" else []
