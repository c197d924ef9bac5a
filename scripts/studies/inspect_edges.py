"""How well `highband inspect` finds edges and causes: clean recordings, cut in known ways, inspected, summed up.

    python scripts/studies/inspect_edges.py FOLDER [--files 300]

FOLDER holds recordings that are full-band. Each is inspected as it is and cut in two of the ways; printed are the share
of edges within 200 Hz, the area under the curve of untouched against cut, the false alarms, the causes.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy import signal

from dsp.bandwidth.meter import FULL_BAND_HZ
from plugin_host.render.inspect.measure import inspect
from tests.plugin_host.render.inspect.recordings import through_codec, through_rate

Samples = NDArray[np.float32]
_LONGEST_S = 12
_SILENT, _ALIVE_DB, _SMOOTHED = 1e-8, 85.0, 9
_CONVERTED = (8000, 11025, 12000, 16000, 22050, 24000, 32000)


@dataclass(frozen=True)
class Row:
    """A file that was cut in a known way.

    Attributes:
        way: Of cutting.
        truth_hz: Where; None where it is not cut, or the edge of a codec is its own secret.
        is_cut: Whether less than the full band is left.
        found_hz, cause: By inspect.
    """

    way: str
    truth_hz: float | None
    is_cut: bool
    found_hz: float
    cause: str


def ways(samples: Samples, rate: int, rng: np.random.Generator) -> Iterator[tuple[str, float | None, Samples]]:
    """Yield the recording as it is, then cut: the way, the edge, the samples."""
    yield "untouched", None, samples
    edge = float(rng.uniform(3000, 17000))
    taps = signal.firwin(1023, edge, fs=rate, window=("kaiser", 8.0))
    yield "steep filter", edge, signal.fftconvolve(samples, taps[None], "same", axes=1).astype(np.float32)
    order, edge = int(rng.integers(10, 17)), float(rng.uniform(3000, 15000))
    sections = signal.ellip(order // 2, 0.5, 80, edge, fs=rate, output="sos")
    frequencies, response = signal.sosfreqz(sections, 1 << 14, fs=rate)
    half = float(frequencies[np.nonzero(abs(response) > 0.5)[0][-1]])
    yield "elliptic filter", half, signal.sosfilt(sections, samples, axis=1).astype(np.float32)
    low = int(rng.choice(_CONVERTED))
    yield "resampling", 0.95 * low / 2, through_rate(samples, low, rate)
    for kind, levels in (("mp3", (0.3, 0.9)), ("vorbis", (0.3, 0.95))):
        coded = through_codec(samples, kind, float(rng.uniform(*levels)), rate)
        yield kind, top_hz(samples, coded, rate), coded


def top_hz(clean: Samples, coded: Samples, rate: int) -> float | None:
    """Return the frequency above which a codec left 6 dB less than there was, for good.

    An encoder's own low-pass, as white noise shows it, is no edge of a recording: with variable rate it gives the bands
    below that in a few frames only. So what is compared is what the loudest twentieth of the frames reach, which
    is also what an edge is to `dsp.bandwidth.meter`, and only where the recording reached anything. None where the
    recording ends below the encoder.
    """
    length = min(clean.shape[1], coded.shape[1])
    frequencies, before = _reached_db(clean[:, :length], rate)
    _, after = _reached_db(coded[:, :length], rate)
    alive = before > before.max() - _ALIVE_DB
    kept = np.nonzero((after > before - 6.0) & alive)[0][-1]
    return float(frequencies[kept]) if kept < np.nonzero(alive)[0][-1] - _SMOOTHED else None


def _reached_db(samples: Samples, rate: int) -> tuple[Samples, Samples]:
    """Return frequencies, and the levels that a twentieth of the frames with sound exceed."""
    frequencies, _, bins = signal.stft(samples.mean(axis=0), rate, nperseg=4096, noverlap=1696, boundary=None)
    power = np.square(np.abs(bins))
    sounding = power[:, power.sum(axis=0) > _SILENT]
    level_db = 10 * np.log10(np.percentile(sounding, 95, axis=1) + 1e-16)
    return frequencies, np.convolve(level_db, np.ones(_SMOOTHED) / _SMOOTHED, "same")


def measure(paths: list[Path], files: int) -> list[Row]:
    """Cut and inspect so many files."""
    rng, rows = np.random.default_rng(7), []
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True, frames=_LONGEST_S * 48000)
            untouched, *cuts = ways(np.ascontiguousarray(samples.T), rate, rng)
            # Each recording as it is and cut in two ways, so that there are enough of both.
            for way, truth, cut in (untouched, *(cuts[one] for one in rng.permutation(len(cuts))[:2])):
                soundfile.write(Path(folder) / "a.wav", cut.T, rate, subtype="PCM_24")
                cause = inspect(Path(folder) / "a.wav").cause
                is_cut = truth is not None and truth < FULL_BAND_HZ - 500
                rows.append(Row(way, truth, is_cut, cause.edge_hz, cause.kind))
                if len(rows) == files:
                    return rows
    return rows


def area(cut: list[float], full: list[float]) -> float:
    """Return the share of pairs whose cut file has the lower edge; equal ones count half."""
    pairs = np.subtract.outer(np.array(full), np.array(cut))
    return float((pairs > 0).mean() + (pairs == 0).mean() / 2)


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--files", type=int, default=300)
    options = arguments.parse_args()
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix in (".wav", ".flac"))
    order = np.random.default_rng(3).permutation(len(paths))
    rows = measure([paths[number] for number in order], options.files)
    for way in dict.fromkeys(row.way for row in rows):
        mine = [row for row in rows if row.way == way]
        errors = [abs(row.found_hz - row.truth_hz) for row in mine if row.truth_hz is not None]
        near = ""
        if errors:
            share = np.mean([error <= 200 for error in errors])
            near = f"{share:.0%} within 200 Hz, half within {np.median(errors):.0f}"
        print(f"{way:16} {len(mine):4} {near:38} {dict(Counter(row.cause for row in mine))}")
    # Above the full band no edge is missed by anybody.
    cut = [min(row.found_hz, FULL_BAND_HZ) for row in rows if row.is_cut]
    full = [min(row.found_hz, FULL_BAND_HZ) for row in rows if row.way == "untouched"]
    alarms = np.mean([row.found_hz < FULL_BAND_HZ for row in rows if row.way == "untouched"])
    print(f"{len(rows)} files: AUC {area(cut, full):.4f} of {len(cut)} cut and {len(full)} untouched files,", end=" ")
    print(f"{alarms:.1%} false alarms among the untouched")


if __name__ == "__main__":
    main()
