"""Words and pictures of every kind of tag, by their Vorbis names."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mutagen import flac, id3, mp4

Words = dict[str, tuple[str, ...]]
WORD_OF_FRAME = {
    "TIT2": "title", "TPE1": "artist", "TPE2": "albumartist", "TALB": "album", "TDRC": "date", "TRCK": "tracknumber",
    "TPOS": "discnumber", "TCON": "genre", "TCOM": "composer", "TBPM": "bpm", "TKEY": "initialkey", "TSRC": "isrc",
    "TCOP": "copyright", "TPUB": "organization", "TIT1": "grouping", "TIT3": "version", "TEXT": "lyricist",
}  # fmt: skip
_FRAME_OF_WORD = {word: frame for frame, word in WORD_OF_FRAME.items()}
WORD_OF_ATOM = {
    "\xa9nam": "title", "\xa9ART": "artist", "aART": "albumartist", "\xa9alb": "album", "\xa9day": "date",
    "trkn": "tracknumber", "disk": "discnumber", "\xa9gen": "genre", "\xa9wrt": "composer", "tmpo": "bpm",
    "cprt": "copyright", "\xa9cmt": "comment", "\xa9lyr": "lyrics", "\xa9grp": "grouping",
}  # fmt: skip
_ATOM_OF_WORD = {word: atom for atom, word in WORD_OF_ATOM.items()}
_LARGEST_NUMBER = (1 << 16) - 1
_LAST_ROLE = 20
_WORD_OF_ASF = {
    "author": "artist", "wm/albumtitle": "album", "wm/albumartist": "albumartist", "wm/year": "date",
    "wm/tracknumber": "tracknumber", "wm/genre": "genre", "wm/composer": "composer", "description": "comment",
    "wm/beatsperminute": "bpm", "wm/partofset": "discnumber", "wm/isrc": "isrc", "wm/lyrics": "lyrics",
}  # fmt: skip
_WORD_OF_APE = {"track": "tracknumber", "year": "date", "album artist": "albumartist", "disc": "discnumber"}


@dataclass(frozen=True)
class Picture:
    """A picture inside a file: its type ("image/png"), its role (ID3's numbers; 3 is the front cover) and its bytes."""

    mime: str
    role: int
    about: str
    data: bytes


def read_words(found: Any) -> tuple[Words, tuple[Picture, ...]]:
    """Return the words and pictures of a file that mutagen has read."""
    tags = getattr(found, "tags", None)
    kind = type(tags).__name__
    if tags is None:
        return {}, tuple(_pictures_of_flac(found))
    if isinstance(tags, id3.ID3):
        return words_of_id3(tags), pictures_of_id3(tags)
    if isinstance(tags, mp4.MP4Tags):
        return dict(_words_of_mp4(tags)), tuple(_pictures_of_mp4(tags))
    if kind in ("ASFTags", "APEv2"):
        renamed = _WORD_OF_ASF if kind == "ASFTags" else _WORD_OF_APE
        texts = ((str(name).lower(), value) for name, value in tags.items() if not _is_binary(name, value))
        return {renamed.get(name, name): tuple(_texts(value)) for name, value in texts}, ()
    words = {str(name).lower(): tuple(str(text) for text in texts) for name, texts in tags.as_dict().items()}
    coded = words.pop("metadata_block_picture", ())
    in_ogg = (flac.Picture(base64.b64decode(text)) for text in coded)
    return words, (*_pictures_of_flac(found), *(_picture(block) for block in in_ogg))


def _is_binary(name: Any, value: Any) -> bool:
    return "cover art" in str(name).lower() or str(name).lower() == "wm/picture" or getattr(value, "kind", 0) == 1


def _texts(value: Any) -> Iterator[str]:
    values = value if isinstance(value, list) else getattr(value, "value", value)
    for text in values.split("\0") if isinstance(values, str) else values:
        yield str(text)


def words_of_id3(tags: Any) -> Words:
    """Return the words of an ID3 tag."""
    return dict(_id3_words(tags))


def _id3_words(tags: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    for frame in tags.values():
        if frame.FrameID in WORD_OF_FRAME:
            yield WORD_OF_FRAME[frame.FrameID], tuple(str(text) for text in frame.text)
        elif frame.FrameID == "COMM" and not frame.desc:
            yield "comment", tuple(frame.text)
        elif frame.FrameID == "USLT":
            yield "lyrics", (str(frame.text),)
        elif frame.FrameID == "TXXX" and frame.desc:
            yield frame.desc.lower(), tuple(frame.text)


def pictures_of_id3(tags: Any) -> tuple[Picture, ...]:
    """Return the pictures of an ID3 tag."""
    return tuple(Picture(frame.mime, int(frame.type), frame.desc, frame.data) for frame in tags.getall("APIC"))


def id3_tag(words: Mapping[str, tuple[str, ...]], pictures: tuple[Picture, ...]) -> Any:
    """Return an ID3 tag (mutagen's) of words and pictures."""
    tag = id3.ID3()
    for name, texts in words.items():
        tag.add(_id3_frame(name, list(texts)))
    for picture in pictures:
        role = picture.role if 0 <= picture.role <= _LAST_ROLE else 0
        tag.add(id3.APIC(3, picture.mime, role, picture.about, picture.data))
    return tag


def writable(tag: Any) -> Any:
    """Return an ID3 tag without the frames that are too damaged to be written again."""
    kept = id3.ID3()
    for frame in tag.values():
        single = id3.ID3()
        single.add(frame)
        try:
            single.save(io.BytesIO())
        except Exception:  # mutagen raises many kinds on what it has read itself
            continue
        kept.add(frame)
    return kept


def _id3_frame(name: str, texts: list[str]) -> Any:
    if name == "comment":
        return id3.COMM(3, "eng", "", texts)
    if name == "lyrics":
        return id3.USLT(3, "eng", "", "\n".join(texts))
    if name in _FRAME_OF_WORD:
        return getattr(id3, _FRAME_OF_WORD[name])(3, texts)
    return id3.TXXX(3, name, texts)


def _words_of_mp4(tags: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    for atom, values in tags.items():
        if atom in ("trkn", "disk"):
            yield WORD_OF_ATOM[atom], tuple(f"{number}/{of}" if of else str(number) for number, of in values)
        elif atom in WORD_OF_ATOM:
            yield WORD_OF_ATOM[atom], tuple(str(value) for value in values)
        elif atom.startswith("----:com.apple.iTunes:"):
            yield atom.split(":", 2)[2].lower(), tuple(bytes(value).decode("utf-8", "replace") for value in values)


def mp4_atom(word: str, texts: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield the atom of an m4a file that holds a word, and its value; nothing where the text is no such value."""
    atom = _ATOM_OF_WORD.get(word, f"----:com.apple.iTunes:{word}")
    try:
        value = _atom_value(atom, texts)
    except (ValueError, IndexError):
        return
    yield atom, value


def _atom_value(atom: str, texts: tuple[str, ...]) -> Any:
    if atom.startswith("----"):
        return [text.encode("utf-8", "replace") for text in texts]
    if atom == "tmpo":
        return [min(max(0, round(float(text))), _LARGEST_NUMBER) for text in texts]
    if atom in ("trkn", "disk"):
        number, _, of = texts[0].partition("/")
        return [(min(max(0, int(number)), _LARGEST_NUMBER), min(max(0, int(of or 0)), _LARGEST_NUMBER))]
    return [text.encode("utf-8", "replace").decode() for text in texts]


def _pictures_of_mp4(tags: Any) -> Iterator[Picture]:
    for cover in tags.get("covr", ()):
        yield Picture(
            "image/png" if cover.imageformat == mp4.MP4Cover.FORMAT_PNG else "image/jpeg", 3, "", bytes(cover)
        )


def _pictures_of_flac(found: Any) -> Iterator[Picture]:
    return (_picture(block) for block in getattr(found, "pictures", ()))


def _picture(block: Any) -> Picture:
    return Picture(block.mime, int(block.type), block.desc, block.data)


def flac_picture(picture: Picture) -> Any:
    """Return a picture as a block of FLAC and Ogg (mutagen's)."""
    block = flac.Picture()
    block.mime, block.type, block.desc, block.data = picture.mime, picture.role, picture.about, picture.data
    return block
