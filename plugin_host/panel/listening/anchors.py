"""Anchors: the reference without its highs, which everybody rates low, so that ratings of listeners can be compared."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve, firwin, kaiserord

from models.stage import Block

# The low and the middle anchor of ITU-R BS.1534, and the width over which each falls by 60 dB.
ANCHORS_HZ = (3500.0, 7000.0)
_FALLS_HZ = {3500.0: 500.0, 7000.0: 1000.0}
_STOP_DB = 60.0


def anchors_of(reference: Block, rate: int) -> dict[str, Block]:
    """Return the anchors of a sound by name, each as long as it and without delay against it."""
    return {f"anchor {hertz / 1000.0:g} kHz": _low_passed(reference, hertz, rate) for hertz in ANCHORS_HZ}


def _low_passed(sound: Block, hertz: float, rate: int) -> Block:
    fall = _FALLS_HZ[hertz]
    if hertz + fall >= rate / 2:
        return sound
    taps, beta = kaiserord(_STOP_DB, 2.0 * fall / rate)
    response = firwin(taps | 1, hertz + fall / 2, window=("kaiser", beta), fs=rate)
    filtered: Block = fftconvolve(sound, response[None], mode="same", axes=1).astype(np.float32)
    return filtered
