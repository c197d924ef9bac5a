"""The crossover tracker: the frequency of each hop, from the knob, a known bandwidth or the input itself."""

from __future__ import annotations

import math

from dsp import bands, crossover
from dsp.bandwidth.tracker import BandwidthTracker
from dsp.buffers.delay_line import DelayLine

# Longer blocks are worked in pieces that bound the memory and stay in the processor's cache.
_MOST_HOPS = 128
# A crossover that jumps takes 64 ms for an octave, or the predictor would meet another mask from one hop to the next.
_STEPS_A_HOP = crossover.STEPS_PER_OCTAVE // 12
# An edge above this leaves nothing worth restoring.
HIGHEST_HZ = 19000.0


def step_for(edge_hz: float, rate: int) -> int | None:
    """Return the step of the crossover for a band that ends there, or None where nothing is worth restoring."""
    if edge_hz > min(HIGHEST_HZ, 0.43 * rate):
        return None
    # The high-pass reaches half its height in the middle of its transition: put that on the edge.
    return crossover.nearest_step(edge_hz - crossover.transition_hz() / 2)


class CrossoverTracker:
    """Cuts blocks into pieces of one crossover; a step is an index into the table of `dsp.crossover`, None is off.

    Attributes:
        edge_hz: True bandwidth that an automatic crossover follows; None measures it. It survives a reset.
    """

    STATE = ("_position", "_held", "_measured_hz", "_requested_hz", "_target")

    def __init__(self, sample_rate: int, edge_hz: float | None) -> None:
        self.edge_hz = edge_hz
        self._rate = sample_rate
        self._hop = bands.hop_samples(sample_rate)
        self._tracker = BandwidthTracker(sample_rate)
        # Not a number before the first question.
        self._requested_hz = math.nan
        self._target: int | None = None
        self.reset()

    def reset(self) -> None:
        """Forget the measured bandwidth, and where the crossover stood."""
        self.restart()
        self._held: int | None = None
        self._measured_hz = self._rate / 2
        self._listens = False
        self._tracker.reset()

    def restart(self) -> None:
        """Begin the grid anew, with what has been measured."""
        self._position = 0

    def copy_from(self, other: CrossoverTracker) -> None:
        """Go on with the bandwidth that another path of this rate has measured, or was given by hand."""
        self._measured_hz = other._measured_hz
        self._tracker.copy_from(other._tracker)

    def begin(self, most: int, knob_hz: float, finds_soft: bool = False) -> tuple[int, int | None]:
        """Return how far the next piece goes: to the hop where the crossover moves, and no longer than works in one go.

        Args:
            most: Samples that are left of the block.
            knob_hz: Value of the knob; 0 is auto.
            finds_soft: Whether an automatic one also follows what falls gently.

        Returns:
            Its samples, and the step that holds from its first hop's start on.
        """
        requested_hz, phase = knob_hz or self.edge_hz, self._position % self._hop
        self._listens = listening = requested_hz is None
        self._tracker.finds_soft = finds_soft
        if requested_hz is not None:
            # Where the knob goes to auto, the band stays until something was measured.
            self._measured_hz = requested_hz
        else:
            # A hop sees what was measured before it, so that it makes no difference where blocks cut it.
            requested_hz = self._measured_hz
        if requested_hz != self._requested_hz:
            self._requested_hz, self._target = requested_hz, step_for(requested_hz, self._rate)
        if listening or self._held != self._target:
            self._held = self._next(self._target, phase, listening=listening)
        left = self._hop * (_MOST_HOPS if self._held == self._target and not listening else 1) - phase
        return most if most < left else left, self._held

    def end(self, signal: DelayLine, count: int) -> None:
        """Count the piece that was played, the newest samples of a signal, and measure its bandwidth where needed."""
        if self._listens:
            edge_hz = self._tracker.update(signal.newest(count))
            if self._tracker.has_decided:
                self._measured_hz = edge_hz
        self._position += count

    def _next(self, target: int | None, phase: int, *, listening: bool) -> int | None:
        if phase and (listening or self._held != target):
            return self._held
        # A signal that begins has nothing to click against, and where generation stops the filters fade. A source that
        # was known before speaks at once.
        if target is None or self._position == 0 or (listening and self._tracker.is_known):
            return target
        # From nothing the crossover comes down from the top.
        at = crossover.step_count() if self._held is None else self._held
        return at + max(-_STEPS_A_HOP, min(_STEPS_A_HOP, target - at))
