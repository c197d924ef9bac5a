"""The fine envelope: a generated band rises and falls with what the input does within milliseconds, without latency.

A filter that is turned from hop to hop by frames of 21 ms blunts every attack. What it lacks is in the input's own top
octave: how its level of about a millisecond stands against its level of some 15 ms, which the filter has followed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.compile import kernel
from dsp.fast_math import exp, log
from dsp.fft import Array

_FAST_SECONDS, _SLOW_SECONDS = 0.0015, 0.015
# The octave below the crossover and what leaks from below it.
_SHARE_OF_CROSSOVER = 0.5
# How far the band goes along with a rise and with a fall, in dB per dB, and the ends of that.
_RISE, _FALL = 0.8, 0.6
# With a look ahead the time before a rise is known as such, and kept still.
_FALL_AHEAD = 0.9
_MOST_DB, _LEAST_DB = 18.0, -24.0
# The mean of a noise's decibels lies below those of its mean.
_MAKEUP_DB = 0.2
# Of a sample, so that silence has a level and nothing dies away into denormals.
_FLOOR = 1e-11
_NEPER = math.log(10.0) / 20.0
_STATES = 7
# Below this power of the slow level the signal was silent. What begins then is no rise over anything: the filter begins
# with it, and both levels are plain means until they are as long as their times.
_SILENT = 1e-10
# Samples after which no mean is plain any more.
_LONG = 1e4


class Follower(NamedTuple):
    """Coefficients of one-pole filters, samples by which the slow level looks ahead, and dB per dB of a fall."""

    fast: float
    slow: float
    ahead: int
    fall: float


def follower(sample_rate: float, delay: int) -> Follower:
    """Return what `follow` wants where the signal is delayed by so many samples.

    With a delay as long as the slow level's time it is known in the middle of that time and not at its end.
    """
    fast, slow = (math.exp(-1.0 / (seconds * sample_rate)) for seconds in (_FAST_SECONDS, _SLOW_SECONDS))
    ahead = min(delay, round(_SLOW_SECONDS * sample_rate))
    return Follower(fast, slow, ahead, _FALL_AHEAD if ahead else _FALL)


def start(channels: int) -> NDArray[np.float64]:
    """Return the past of a signal that has not begun, shape (channels, _STATES)."""
    past = np.zeros((channels, _STATES))
    past[:, 2] = past[:, 5] = _FLOOR
    past[:, 6] = _LONG
    return past


def high_pass(crossover_hz: float, sample_rate: float) -> float:
    """Return the coefficient of the one-pole high-pass that leaves the octave below a crossover."""
    return math.exp(-2.0 * math.pi * _SHARE_OF_CROSSOVER * crossover_hz / sample_rate)


@kernel
def follow(
    signal: Array, at: int, follower: Follower, high_pass: float, past: NDArray[np.float64], band: Array
) -> None:
    """Multiply a generated band by the input's fine envelope.

    Args:
        signal: The input, shape (channels, time).
        at: Where in it the samples lie that belong to the band's.
        follower: From `follower`.
        high_pass: From `high_pass`.
        past: From `start`, then as the block before left it; overwritten.
        band: Shape (channels, count); overwritten.
    """
    count = band.shape[1]
    ratio = np.empty(count, np.float32)
    for channel in range(band.shape[0]):
        before, passed, fast = past[channel, 0], past[channel, 1], past[channel, 2]
        before_slow, passed_slow, slow = past[channel, 3], past[channel, 4], past[channel, 5]
        since = past[channel, 6]
        for i in range(count):
            sample, ahead = signal[channel, at + i], signal[channel, at + i + follower.ahead]
            passed = high_pass * (passed + sample - before)
            passed_slow = high_pass * (passed_slow + ahead - before_slow)
            before, before_slow = sample, ahead
            # What is beyond full scale must not be remembered for longer than a sound.
            power, power_slow = min(passed * passed, 1.0) + _FLOOR, min(passed_slow * passed_slow, 1.0) + _FLOOR
            if slow < _SILENT and follower.ahead == 0:
                since = 0.0
            fast_kept, slow_kept = follower.fast, follower.slow
            if since < _LONG:
                kept = since / (since + 1.0)
                fast_kept, slow_kept = min(fast_kept, kept), min(slow_kept, kept)
                since += 1.0
            fast = power + fast_kept * (fast - power)
            slow = power_slow + slow_kept * (slow - power_slow)
            ratio[i] = fast / slow
        # What dies away is not followed into denormals.
        past[channel, 0], past[channel, 1], past[channel, 2] = before, passed if abs(passed) > 1e-20 else 0.0, fast
        past[channel, 3], past[channel, 5], past[channel, 6] = before_slow, slow, since
        past[channel, 4] = passed_slow if abs(passed_slow) > 1e-20 else 0.0
        for i in range(count):
            nepers = np.float32(0.5) * log(ratio[i])
            nepers *= np.float32(_RISE) if nepers > 0 else np.float32(follower.fall)
            nepers = min(max(nepers, np.float32(_LEAST_DB * _NEPER)), np.float32(_MOST_DB * _NEPER))
            band[channel, i] *= exp(nepers + np.float32(_MAKEUP_DB * _NEPER))
