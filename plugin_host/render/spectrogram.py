"""The picture of a render: the spectrograms before and after, one above the other."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.atomic_write import write_atomically
from plugin_host.files.audio_error import AudioFileError, reason
from plugin_host.files.audio_reader import AudioReader
from plugin_host.render.captions import in_fonts, readable

# As many as the picture has points; more would only cost memory.
_MOST_COLUMNS, _MOST_ROWS = 1100, 512
_WINDOW_S = 0.043
_FLOOR_DB, _CEILING_DB = -110.0, -20.0


@dataclass(frozen=True)
class Spectrogram:
    """Levels of a file over time and frequency.

    Attributes:
        levels_db: Shape (rows, columns), the highest of a row's bins; a full-scale sine is 0 dB.
        seconds: Length of the file.
        nyquist_hz: Half its sample rate.
    """

    levels_db: NDArray[np.float32]
    seconds: float
    nyquist_hz: float


def measure(path: Path) -> Spectrogram:
    """Measure a file in memory that does not grow with it; raise AudioFileError if it can't be read."""
    with AudioReader(path) as reader:
        size = 1 << round(np.log2(_WINDOW_S * reader.rate))
        columns = min(_MOST_COLUMNS, max(1, 2 * reader.frames // size))
        window = np.hanning(size).astype(np.float32)
        rows = min(_MOST_ROWS, size // 2)
        levels = np.empty((rows, columns), np.float32)
        for column, start in enumerate(np.linspace(0, max(0, reader.frames - size), columns)):
            frame = reader.read_at(int(start), size)
            frame = np.pad(frame, ((0, 0), (0, size - frame.shape[1])))
            power = np.square(np.abs(np.fft.rfft(frame * window)) * (2 / window.sum())).mean(axis=0)
            loudest = power[: size // 2].reshape(rows, -1).max(axis=1)
            levels[:, column] = 10 * np.log10(np.maximum(loudest, 1e-20))
        return Spectrogram(levels, reader.seconds, reader.rate / 2)


def draw(before: Path, after: Path, target: Path, *, crossover_hz: float | None, caption: str) -> None:
    """Draw both files on one scale into a PNG that appears only when it is complete.

    Args:
        before: The input.
        after: The output.
        target: The .png file.
        crossover_hz: Marked by a line where it is known and inside the picture.
        caption: Figures for the line under the title.

    Raises:
        AudioFileError: A file can't be read or the picture can't be written.
    """
    pair = (("before", measure(before)), ("after", measure(after)))
    figure = Figure(figsize=(12, 7), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    title, families = in_fonts(f"{readable(after.name)}\n{caption}")
    figure.suptitle(title, fontsize=12, fontfamily=families, parse_math=False)
    top_hz = max(spectrogram.nyquist_hz for _, spectrogram in pair)
    axes = figure.subplots(2, 1, sharex=True, sharey=True)
    for axis, (name, spectrogram) in zip(axes, pair, strict=True):
        colours = draw_one(axis, name, spectrogram, top_hz, crossover_hz)
    axes[-1].set_xlabel("time (s)")
    figure.colorbar(colours, ax=axes, label="level (dB)", extend="both")
    save(figure, target)


class _Image(Artist):
    """The points of a spectrogram as bytes; matplotlib's own image takes another 60 MB to find their colours."""

    def __init__(self, shown: Spectrogram, colours: ScalarMappable) -> None:
        super().__init__()
        self.set_zorder(0)
        self.set_in_layout(False)
        table = colours.to_rgba(np.linspace(_FLOOR_DB, _CEILING_DB, 256), bytes=True)
        shares = (shown.levels_db - np.float32(_FLOOR_DB)) / np.float32(_CEILING_DB - _FLOOR_DB)
        self._points = table[(255 * shares.clip(0, 1)).astype(np.uint8)]
        self._nyquist_khz = shown.nyquist_hz / 1000

    def draw(self, renderer: Any) -> None:
        """Paint them from the lower left corner of the axis up to their highest frequency."""
        assert self.axes is not None
        corner, end = self.axes.transData.transform([(0, 0), (self.axes.get_xlim()[1], self._nyquist_khz)])
        rows, columns = (
            np.arange(size) * count // size
            for size, count in zip(np.rint(end - corner).astype(int)[::-1], self._points.shape, strict=False)
        )
        renderer.draw_image(renderer.new_gc(), *corner, self._points[rows[:, None], columns])


def draw_one(axis: Any, name: str, shown: Spectrogram, top_hz: float, crossover_hz: float | None) -> ScalarMappable:
    """Draw a spectrogram on an axis and return its colours; a crossover inside the picture is marked by a line."""
    axis.set_facecolor("black")
    colours = ScalarMappable(Normalize(_FLOOR_DB, _CEILING_DB), "magma")
    axis.add_artist(_Image(shown, colours))
    axis.set_xlim(0, shown.seconds)
    axis.set_ylim(0, top_hz / 1000)
    axis.set_ylabel("frequency (kHz)")
    axis.set_title(name, loc="left")
    if crossover_hz and crossover_hz < top_hz:
        axis.axhline(crossover_hz / 1000, color="white", linewidth=0.8, linestyle="--")
        label = f"crossover {crossover_hz / 1000:.1f} kHz"
        axis.annotate(
            label, (0.995, crossover_hz / 1000), xycoords=("axes fraction", "data"), xytext=(0, 3),
            textcoords="offset points", ha="right", color="white", fontsize=9,
        )  # fmt: skip
    return colours


def save(figure: Figure, target: Path) -> None:
    """Write a figure as PNG that appears only when it is complete; raise AudioFileError where it can't be."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    try:
        write_atomically(target, drawn.getvalue())
    except OSError as error:
        raise AudioFileError(f"{target} can't be written: {reason(error)}") from None
