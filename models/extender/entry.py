"""Entry into a sound that is under way: what a reset in the middle of a timeline begins with.

Before sample 0 of a timeline there was silence; before any other sample there was something that is not known. Taken
for silence it would make an onset of what follows: a step in the first frames, a source without a level, a network
without memory, and a band many times too loud. So the first hops are held back, without a band, and then played again
behind their own mirror image, which stands for what was before. What a mirror can't give is the network's memory of
seconds; after a jump that is still there, and after a reset the band stays a little softer until it has formed.
"""

from __future__ import annotations

import numpy as np

from dsp.compile import kernel
from dsp.fft import Array
from models.stage import Block

# Without look-ahead; with it as many as the signal is late, which costs nothing.
LEAST_HELD_HOPS = 2
# Of the mirror image, at least as long as a frame.
MIRROR_HOPS = 8
# By how much the band is softer at first, and the frames until it is not; measured on steady lines, which a network
# without memory makes 5 dB too loud.
_SOFTER_DB = 4.0
SOFTER_FRAMES = 96


def with_past(held: Block, count: int) -> Block:
    """Return samples (channels, any) behind so many of their mirror image, as often as it takes.

    Args:
        held: The first samples that are known.
        count: Length of the past.
    """
    length = held.shape[1]
    places = np.arange(-count, length) % (2 * length)
    return np.ascontiguousarray(held[:, np.where(places < length, places, 2 * length - 1 - places)])


@kernel
def soften(left: Array, added_db: Array) -> None:
    """Turn the frames after an entry down.

    Args:
        left: How many frames are to be softer, shape (1,); counted down.
        added_db: To the levels of frames, shape (channels, frames, bands); overwritten.
    """
    for frame in range(added_db.shape[1]):
        if left[0] > 0:
            softer_db = np.float32(_SOFTER_DB) * min(left[0] / np.float32(SOFTER_FRAMES), np.float32(1.0))
            added_db[:, frame] -= softer_db
            left[0] -= np.float32(1.0)
