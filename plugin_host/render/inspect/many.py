"""Many files inspected side by side, in the order of their names."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

from plugin_host.files.audio_reader import AudioFileError
from plugin_host.render.inspect.measure import Inspection, inspect


def inspect_all(paths: Sequence[str], jobs: int, picture: bool = False) -> Iterator[tuple[str, Inspection | str]]:
    """Yield each file with what it is, or with one sentence on why it can't be read.

    Args:
        paths: The files.
        jobs: Processes at once.
        picture: Whether to draw each beside it, as NAME.inspect.png.
    """
    count = min(jobs, len(paths))
    if count <= 1:
        yield from ((path, _inspect(path, picture)) for path in paths)
        return
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        yield from zip(paths, pool.map(_inspect, paths, repeat(picture), chunksize=4), strict=True)


def _inspect(path: str, picture: bool) -> Inspection | str:
    try:
        found = inspect(Path(path))
        if picture:
            from plugin_host.render.inspect.picture import draw

            draw(found, Path(path).with_name(f"{Path(path).stem}.inspect.png"))
        return found
    except AudioFileError as error:
        return " ".join(str(error).split())
