"""Sound decoded by libsndfile: one stream, or several that follow each other in one file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from plugin_host.files.containers.hushed import hushed
from plugin_host.files.containers.plain_samples import PlainSamples

# Whatever libsndfile and its wrapper raise on files that are not what they claim.
DAMAGE = (soundfile.SoundFileError, RuntimeError, ValueError, TypeError, AssertionError, MemoryError)
# Ten frames of MP3, more than its bit reservoir reaches back.
_MP3_RUN_UP = 10 * 1152
_SKIP = 1 << 16


class Decoder(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is read straight on: soundfile seeks after every read, which tears MP3 at each block.

    Attributes:
        can_seek: Whether it can be moved.
        is_mpeg: Whether it is MP3 or of its kin.
    """

    def __init__(self, *arguments: Any, **raw: Any) -> None:
        """Open it as soundfile does."""
        super().__init__(*arguments, **raw)
        self.is_mpeg = str(self.subtype).startswith("MPEG")
        self.can_seek = bool(super().seekable())

    def seekable(self) -> bool:
        """Keep soundfile from moving the file; `seek` itself works all the same."""
        return False

    def next(self, count: int) -> NDArray[np.float32]:
        """Return up to `count` frames, shape (frames, channels)."""
        part: NDArray[np.float32] = self.read(count, dtype="float32", always_2d=True)
        return part


@dataclass(frozen=True)
class Link:
    """One stream of a file.

    Attributes:
        open: Return a new decoder that stands at the stream's start.
        frames: Samples per channel by a count that does not rest on the decoder, or 0 where there is none.
    """

    open: Callable[[], Decoder | PlainSamples]
    frames: int = 0


class Chain:
    """Streams that follow each other, read as one; every one has the rate and the channels of the first.

    Attributes:
        rate, channels, subtype: Of the first stream.
        words: What libsndfile reads of its text.
        frames: Samples per channel of all.
    """

    def __init__(self, links: Sequence[Link]) -> None:
        self._links = links
        self._decoder = links[0].open()
        self._index = self._at = 0
        self.rate, self.channels = int(self._decoder.samplerate), int(self._decoder.channels)
        self.subtype = str(self._decoder.subtype)
        self.words: dict[str, str] = self._decoder.copy_metadata()
        self._starts = [0, *accumulate(self._lengths())]
        self.frames = self._starts[-1]

    def _lengths(self) -> list[int]:
        if len(self._links) == 1:
            return [self._links[0].frames or int(self._decoder.frames)]
        return [link.frames for link in self._links]

    def seek(self, frame: int) -> None:
        """Move to a frame, so that what is read there is what reading from the start would bring."""
        index = min(bisect_right(self._starts, frame) - 1, len(self._links) - 1)
        wanted = frame - self._starts[index]
        if index != self._index or (wanted < self._at and not self._can_move()) or wanted == 0:
            self._open(index)
        if wanted == self._at:
            return
        if self._can_move():
            # An MP3 decoder that was just moved needs the frames before to sound as it does from the start.
            self._at = max(0, wanted - _MP3_RUN_UP) if self._decoder.is_mpeg else wanted
            self._decoder.seek(self._at)
        while self._at < wanted and len(self._next(min(_SKIP, wanted - self._at))):
            pass

    def read(self, count: int) -> NDArray[np.float32]:
        """Return up to `count` frames, shape (frames, channels); none at the end of the last stream."""
        parts = []
        while count:
            part = self._next(count)
            parts.append(part)
            count -= len(part)
            if not len(part):
                if self._index + 1 == len(self._links):
                    break
                self._open(self._index + 1)
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.zeros((0, self.channels), np.float32)

    def close(self) -> None:
        """Close what is open."""
        self._decoder.close()

    def _next(self, count: int) -> NDArray[np.float32]:
        with hushed() if self._decoder.is_mpeg else nullcontext():
            part = self._decoder.next(count)
        self._at += len(part)
        return part

    def _open(self, index: int) -> None:
        if self._at == 0 and self._index == index:
            return
        self._decoder.close()
        self._decoder = self._links[index].open()
        self._index, self._at = index, 0

    def _can_move(self) -> bool:
        return self._decoder.is_mpeg or self._decoder.can_seek
