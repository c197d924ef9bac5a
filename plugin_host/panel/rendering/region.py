"""A part of a file: what the page shows of the whole to choose it by, the cut, and what a render has added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plugin_host.files.audio_reader import AudioFileError, AudioReader
from plugin_host.files.audio_writer import AudioWriter
from plugin_host.files.resample import resampled

_COLUMNS = 800
LONGEST_S = 60.0


def outline(path: Path) -> dict[str, Any]:
    """Return a file's length in seconds and its peaks, 0..1, of as many stretches of one length as a page has room for.

    Raises:
        AudioFileError: It can't be read.
    """
    with AudioReader(path) as reader:
        size = max(1, -(-reader.frames // _COLUMNS))
        peaks = [float(np.abs(block).max(initial=0.0)) for block in reader.blocks(size)]
        return {"seconds": reader.seconds, "peaks": [round(min(1.0, peak), 3) for peak in peaks]}


def cut(source: Path, target: Path, start_s: float, seconds: float) -> None:
    """Write a part of a file as WAV; raise AudioFileError where the file can't be read or ends before."""
    with AudioReader(source) as reader:
        part = reader.read_at(round(start_s * reader.rate), round(min(seconds, LONGEST_S) * reader.rate))
        if not part.shape[1]:
            raise AudioFileError(f"{source.name} ends before {start_s:g} s; select a part of it")
        with AudioWriter(target, reader.rate, reader.channels, "24", part.shape[1]) as made:
            made.write(part)


def difference(before: Path, after: Path, folder: Path) -> Path:
    """Return a WAV file of what a render has added: after less before, sample by sample, at the rate of after.

    Args:
        before: The file as it was.
        after: The same rendered.
        folder: Takes the file; it is made where it is missing.

    Raises:
        AudioFileError: One can't be read, or the file can't be written.
    """
    target = folder / f"{after.stem}.added.wav"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial.wav")
    with AudioReader(before) as first, AudioReader(after) as second:
        size = second.block_frames()
        blocks = resampled(first.blocks(first.block_frames()), first.rate, second.rate, first.channels)
        held = np.zeros((first.channels, 0), np.float32)
        with AudioWriter(partial, second.rate, second.channels, "24", second.frames) as made:
            for rendered in second.blocks(size):
                while held.shape[1] < rendered.shape[1] and (more := next(blocks, None)) is not None:
                    held = np.concatenate([held, more], axis=1)
                part, held = held[:, : rendered.shape[1]], held[:, rendered.shape[1] :]
                added = rendered.copy()
                added[:, : part.shape[1]] -= part
                made.write(added)
    partial.replace(target)
    return target
