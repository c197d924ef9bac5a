"""The picture of an inspection: the spectrogram with the true bandwidth over time."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from plugin_host.render.inspect.measure import WINDOW_S, Inspection
from plugin_host.render.spectrogram import draw_one, measure, save


def draw(found: Inspection, target: Path) -> None:
    """Draw into a PNG that appears only when it is complete; raise AudioFileError where it can't be written."""
    figure = Figure(figsize=(12, 4.5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    cause = found.cause
    figure.suptitle(f"{found.path.name}: {cause.verdict}, {cause.edge_hz / 1000:.2f} kHz, {cause.kind} {cause.detail}")
    axis = figure.subplots()
    colours = draw_one(axis, "", measure(found.path), found.rate / 2, None)
    for number, edge in enumerate(found.edges_hz):
        if edge is not None:
            span = (number * WINDOW_S, min((number + 1) * WINDOW_S, found.seconds))
            axis.plot(span, (edge / 1000, edge / 1000), color="white", linewidth=1.2)
    axis.set_xlabel("time (s)")
    figure.colorbar(colours, ax=axis, label="level (dB)", extend="both")
    save(figure, target)
