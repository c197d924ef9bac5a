"""What a long render can go on from after a kill: the extender's output so far, and its state at the end of that.

The extender is the dear part of a render, and it alone has a state that can be kept. What comes before and behind it
(reading, resampling, effects, encoders) does its work again from the start, to the same bits, while the extender's
output is read back from a tape.
"""

from __future__ import annotations

import shutil
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from dsp.bandwidth.turns import Turn
from models.atomic_write import write_atomically
from models.control import Control
from models.extender.extender import Extender
from models.stage import Block, Stage
from models.state import SavedState, save_state
from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.resample import output_rate, played_rate
from plugin_host.render.spread import extender_of
from plugin_host.render.stopped import OUTPUT, STATE, is_resumable

# A shorter file is rendered anew sooner than a person would notice.
_LONG_S = 300.0
_EVERY_S = 10.0
_CHUNK = 1 << 22
# Room on the disk that is left to the output and its like, in sizes of the tape.
_ROOM = 3.0


@dataclass(frozen=True)
class Checkpoint:
    """Where a render keeps what it can go on from.

    Attributes:
        folder: Is there again when the render is tried again.
        key: Hash of all that decides the extender's output; with another one the render begins anew.
        keeps: Whether it stays when the render has come to its end, of short files too.
    """

    folder: Path
    key: str
    keeps: bool = False


@contextmanager
def resumable(stage: Stage, checkpoint: Checkpoint | None, reader: AudioReader) -> Iterator[Stage]:
    """Yield the stage so that its extender's work is kept; the stage itself where that is not worth it or can't be.

    Args:
        stage: An extender, or a chain around one.
        checkpoint: Where; None keeps nothing.
        reader: Of the file.
    """
    extender = extender_of(stage)
    size = round(reader.seconds * played_rate(output_rate(reader.rate))) * reader.channels * 4
    is_worth = reader.seconds >= _LONG_S or (checkpoint and (checkpoint.keeps or is_resumable(checkpoint.folder)))
    has_room = checkpoint is not None and is_worth and _has_room(checkpoint.folder, size)
    if not has_room or not isinstance(extender, Extender) or extender.network is not None:
        yield stage
        return
    assert checkpoint is not None
    taped = TapedExtender(extender, checkpoint)
    try:
        yield taped if extender is stage else cast(Any, stage).around(taped)
    except BaseException:
        taped.save()
        raise
    else:
        if checkpoint.keeps:
            taped.save()
        else:
            taped.drop()
    finally:
        taped.close()


class TapedExtender:
    """An extender whose output is kept, and is read back as far as it was computed before.

    Args:
        extender: Computes what is not there yet.
        checkpoint: Where it is kept.
    """

    def __init__(self, extender: Extender, checkpoint: Checkpoint) -> None:
        self._extender, self._key = extender, checkpoint.key
        self._output, self._state = checkpoint.folder / OUTPUT, checkpoint.folder / STATE
        self._file: BinaryIO | None = None
        self._saved: SavedState | None = None
        self._left = self._bytes = self._sum = 0
        # Of each block: provenance asks for the first one's.
        self._crossovers: list[float | None] = []
        self._played = 0
        # Whether the extender stands where the tape ends; not inside of a block, nor before the tape was read.
        self._is_whole = False
        self._saved_at = time.monotonic()
        try:
            checkpoint.folder.mkdir(parents=True, exist_ok=True)
            self._open()
        except OSError:
            self.drop()

    def _open(self) -> None:
        """Open the tape, and find how far it can be believed."""
        try:
            saved = SavedState(self._state.read_bytes())
            if saved.beside["key"] == self._key and _sum(self._output, saved.beside["bytes"]) == saved.beside["sum"]:
                self._saved, self._crossovers = saved, saved.beside["crossovers"]
                self._left = self._bytes = saved.beside["bytes"]
                self._sum = saved.beside["sum"]
        except (OSError, ValueError, KeyError):
            pass
        if self._saved is None:
            self._state.unlink(missing_ok=True)
            self._output.write_bytes(b"")
        self._file = self._output.open("r+b")

    @property
    def controls(self) -> Sequence[Control]:
        """The extender's."""
        return self._extender.controls

    @property
    def latency_samples(self) -> int:
        """The extender's."""
        return self._extender.latency_samples

    @property
    def crossover_hz(self) -> float | None:
        """That of the newest block, as the extender had it when it computed that."""
        return self._crossovers[self._played - 1] if self._played else None

    def set_bandwidth(self, edge_hz: float | None, turns: Sequence[Sequence[Turn]] = ()) -> None:
        """Hand it on; see `models.stage.FollowsBandwidth`."""
        self._extender.set_bandwidth(edge_hz, turns)

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Prepare the extender; raise ValueError if it can't do it."""
        self._extender.prepare(sample_rate, channels, max_block)

    def reset(self, position: int = 0) -> None:
        """Reset the extender; a tape begins with the file and is of no use after that."""
        self.drop()
        self._extender.reset(position)

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Return the extender's output for a block, from the tape as far as that goes."""
        self._played += 1
        if self._left and self._file is not None:
            return self._read(block.shape)
        self._is_whole = False
        out = self._extender.process(block, settings)
        self._crossovers.append(self._extender.crossover_hz)
        self._append(out)
        return out

    def _read(self, shape: tuple[int, ...]) -> Block:
        assert self._file is not None
        assert self._saved is not None
        content = self._file.read(shape[0] * shape[1] * 4)
        self._left -= len(content)
        if self._left <= 0:
            self._saved.restore(self._extender)
            self._saved, self._left = None, 0
            self._file.truncate(self._bytes)
            self._is_whole = True
            self._saved_at = time.monotonic()
        return np.frombuffer(content, np.float32).reshape(shape).copy()

    def _append(self, out: Block) -> None:
        if self._file is None:
            return
        content = np.ascontiguousarray(out).tobytes()
        try:
            self._file.write(content)
        except OSError:
            # The room is wanted for the output itself.
            self.drop()
            return
        self._is_whole = True
        self._bytes += len(content)
        self._sum = zlib.crc32(content, self._sum)
        if time.monotonic() - self._saved_at >= _EVERY_S:
            self.save()

    def save(self) -> None:
        """Make what was computed so far what a render goes on from."""
        if self._file is None or not self._is_whole:
            return
        beside = {"key": self._key, "bytes": self._bytes, "sum": self._sum, "crossovers": self._crossovers}
        self._extender.recall()
        try:
            self._file.flush()
            # What a power cut takes of them is found by their sums; a wait for the disk would cost more than it saves.
            write_atomically(self._state, save_state(self._extender, **beside), flushed=False)
        except OSError:
            self.drop()
        self._saved_at = time.monotonic()

    def drop(self) -> None:
        """Keep nothing."""
        self.close()
        self._left, self._saved = 0, None
        for path in (self._state, self._output):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the tape."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _has_room(folder: Path, size: int) -> bool:
    place = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(place).free > (_ROOM + 1) * size


def _sum(path: Path, count: int) -> int | None:
    """Return the check sum of a file's first bytes, or None where it is shorter."""
    total = 0
    with open(path, "rb") as file:
        while count:
            content = file.read(min(_CHUNK, count))
            if not content:
                return None
            total, count = zlib.crc32(content, total), count - len(content)
    return total
