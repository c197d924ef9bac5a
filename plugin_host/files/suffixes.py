"""The formats of audio files by their names, and the depths of their samples."""

from __future__ import annotations

from typing import Literal

Bits = Literal["16", "24", "32f"]
BITS: tuple[Bits, ...] = ("16", "24", "32f")
# What libsndfile reads by itself, and what it does not.
FIRST_SUFFIXES = (
    ".wav", ".wave", ".bwf", ".rf64", ".bw64", ".w64", ".flac", ".aif", ".aiff", ".aifc", ".ogg", ".oga", ".opus",
    ".mp3", ".mp2", ".mpga", ".caf", ".au", ".snd", ".voc", ".avr", ".paf", ".ircam", ".sf", ".nist", ".sph", ".pvf",
    ".svx", ".8svx", ".iff", ".sd2", ".xi", ".wve", ".htk",
)  # fmt: skip
SECOND_SUFFIXES = (
    ".m4a", ".m4b", ".m4r", ".aac", ".mp4", ".m4v", ".mov", ".mkv", ".mka", ".webm", ".wma", ".wmv", ".asf", ".ape",
    ".wv", ".tta", ".tak", ".dsf", ".ac3", ".eac3", ".dts", ".amr", ".3gp", ".3g2", ".avi", ".flv", ".mpg", ".mpeg",
    ".vob", ".m2ts", ".mpc", ".oma", ".spx", ".ogv",
)  # fmt: skip
INPUT_SUFFIXES = (*FIRST_SUFFIXES, *SECOND_SUFFIXES)
OUTPUT_SUFFIXES = (".wav", ".flac", ".mp3", ".opus", ".m4a")


def named_outputs() -> str:
    """Return the suffixes of outputs as words of a sentence."""
    return f"{', '.join(OUTPUT_SUFFIXES[:-1])} or {OUTPUT_SUFFIXES[-1]}"
