"""Select the recordings that are full-band, by evidence that owes nothing to the product's own search for edges.

    python scripts/studies/full_band.py FOLDER > scripts/studies/full_band.txt

FOLDER holds recordings and a MANIFEST.csv with the columns `path` and `lossy_source`. A recording is full-band where
no codec stands in its past, and where in each half kilohertz from 10 to 20 kHz its loudest hundredth of the time rises
above its own floor, the softest tenth. Printed are the names, so that a study can be done again on the same recordings.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from scipy import signal

_WINDOW = 2048
_BAND_HZ, _LOWEST_HZ, _HIGHEST_HZ = 500, 10_000, 20_000
_SILENT, _FEWEST_FRAMES = 1e-9, 20
# Between the loudest hundredth and the softest tenth of noise alone there are 4 dB in a band of this width.
_RISE_DB = 6.0
# Of full scale; an empty band of 16 bits lies there.
_FLOOR_DB = -125.0


def is_full_band(path: Path) -> bool:
    """Return whether a recording is alive up to 20 kHz in its loud moments."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if rate < 2 * _HIGHEST_HZ:
        return False
    frequencies, _, bins = signal.stft(samples.T, rate, nperseg=_WINDOW, noverlap=_WINDOW // 2, boundary=None)
    power = np.square(np.abs(bins)).mean(axis=0)
    power = power[:, power.sum(axis=0) > _SILENT]
    if power.shape[1] < _FEWEST_FRAMES:
        return False
    for low in range(_LOWEST_HZ, _HIGHEST_HZ, _BAND_HZ):
        is_inside = (frequencies >= low) & (frequencies < low + _BAND_HZ)
        soft, loud = np.percentile(10 * np.log10(power[is_inside].mean(axis=0) + 1e-16), (10, 99))
        if loud < soft + _RISE_DB or loud < _FLOOR_DB:
            return False
    return True


def select(folder: Path) -> Iterator[str]:
    """Yield the names of the full-band recordings of a manifest, in its order."""
    with open(folder / "MANIFEST.csv", newline="") as manifest:
        for row in csv.DictReader(manifest):
            if not row["lossy_source"] and is_full_band(folder / row["path"]):
                yield row["path"]


if __name__ == "__main__":
    print("\n".join(select(Path(sys.argv[1]))))
