"""What a file of a folder is: audio that can be read, something that looks like audio but can't, or no audio."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from plugin_host.files.audio_error import AudioFileError
from plugin_host.files.second_reader import is_for_second
from plugin_host.files.suffixes import INPUT_SUFFIXES

# How files of sound begin that carry no name that says so.
_STARTS = (b"RIFF", b"RF64", b"BW64", b"riff", b"fLaC", b"OggS", b"FORM", b"caff", b".snd", b"ID3")
_AT_8 = {b"RIFF": b"WAVE", b"RF64": b"WAVE", b"BW64": b"WAVE", b"FORM": b"AIF"}


class Verdict(NamedTuple):
    """What a file is.

    Attributes:
        kind: "audio" can be read, "unreadable" looks like audio but can't, "other" is something else.
        reason: One sentence that names the file and says what to do, of "unreadable" alone.
    """

    kind: Literal["audio", "unreadable", "other"]
    reason: str = ""


def looks_like_audio(path: Path) -> bool:
    """Return whether a file is audio by its name, or by its first bytes where the name says nothing; opens little."""
    if path.suffix.lower() in INPUT_SUFFIXES:
        return True
    try:
        # A pipe would be waited for.
        if not path.is_file():
            return False
        with open(path, "rb") as file:
            head = file.read(12)
            mark = _AT_8.get(head[:4])
            begins = head.startswith(_STARTS) and (mark is None or head[8:12].startswith(mark))
            return begins or is_for_second(path, file)
    except OSError:
        return False


def judge(path: Path) -> Verdict:
    """Say what a file is, by opening it where it looks like audio."""
    if not looks_like_audio(path):
        return Verdict("other")
    from plugin_host.files.audio_reader import AudioReader

    try:
        with AudioReader(path):
            return Verdict("audio")
    except AudioFileError as error:
        return Verdict("unreadable", str(error))
