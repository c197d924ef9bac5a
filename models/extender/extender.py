"""The extender: exciter, predictor, LTV filter and crossover as one stage.

Everything happens on a grid of hops counted from the reset. A call works on the hops that its block touches and
returns the block's samples of them, so a whole file, a device's block and a single sample take the same path.

A frame whose last sample ends a block is analysed at once, in that block, although its filter is wanted in the next one
only: live, where a hop is two blocks of 128 samples long, this shares the work out evenly between the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy

import numpy as np

from dsp import bands, crossover
from dsp.bandwidth.turns import Turn
from dsp.buffers.delay_line import DelayLine
from dsp.compile import BoundKernel
from dsp.fft import Array
from dsp.gain_ramp import ramp_step, unknown_gains
from models.control import Control
from models.extender import controls as knobs
from models.extender import entry, fine_envelope
from models.extender.analysis import Analysis, Frames
from models.extender.by_turns import MakeAside, TurnPlayers
from models.extender.config import ExtenderConfig
from models.extender.crossover_filter import CrossoverFilter
from models.extender.crossover_tracker import CrossoverTracker
from models.extender.excitation import Excitation, SourceNetwork
from models.extender.fine_envelope import FineNetwork
from models.extender.mixing import Fine, Mixing, Span, play
from models.extender.shaping import Hops, Shaper
from models.predictor.inference import Inference
from models.stage import Block

_DEFAULTS = knobs.defaults()
_bound_play = BoundKernel(play)
_NO_HOPS = Hops(np.zeros((0, 0, 0), np.complex64), np.zeros((0, 0, 0, 0), np.complex64))


class Extender:
    """A stage that adds the missing top octaves; see `models.stage.Stage` for the contract.

    Attributes:
        fine_frames: Of how many frames of the fine envelope the levels are kept; training asks for all of a clip.
        make_aside: Makes what plays turns while the rest is played; by default one comes after the other.
    """

    # What it returns was searched for NaN where it was written.
    gives_finite = True
    STATE = (
        "_lead", "_held", "_softer", "_position", "_input", "_source", "_gains", "_fine_memory", "_path", "_frames",
        "_excitation", "_shaper", "_high_pass", "_players",
    )  # fmt: skip

    def __init__(
        self,
        config: ExtenderConfig,
        predictor: Inference,
        network: SourceNetwork | None = None,
        fine: FineNetwork | None = None,
    ) -> None:
        """Build a stage around trained weights.

        Args:
            config: From the artifact.
            predictor: Runs the network; an extender needs one of its own, as it holds the past.
            network: The exciter, where the config names one that is trained; of its own too.
            fine: Of the fine envelope; without one the band is left as the filters make it.
        """
        if (network is None) != (config.network is None):
            raise ValueError("a network goes with a config that holds its sizes, and only with such a one")
        self.config, self.predictor, self.network = config, predictor, network
        self.fine = fine or fine_envelope.without_gain(config.lookahead_hops > 0)
        self._edge_hz: float | None = None
        self._turns: Sequence[Sequence[Turn]] = ()
        self._players: TurnPlayers | None = None
        self.make_aside: MakeAside | None = None
        self._rate = 0
        self.fine_frames = fine_envelope.REFERENCE

    def sibling(self) -> Extender:
        """Return another extender of the same weights, with a past of its own."""
        network = None if self.network is None else copy(self.network)
        return Extender(self.config, copy(self.predictor), network, self.fine)

    def __repr__(self) -> str:
        return f"<Extender: {self.config.exciter}; latency {self.latency_samples} samples at {self._rate or 48000} Hz>"

    @property
    def controls(self) -> Sequence[Control]:
        """The knobs."""
        return knobs.CONTROLS

    @property
    def latency_samples(self) -> int:
        """The look-ahead; 0 for a live extender."""
        return self.config.lookahead_hops * bands.hop_samples(self._rate or 48000)

    @property
    def fine_levels(self) -> Array:
        """Levels of the fine envelope's last frames; see `fine_envelope.Memory`."""
        return self._fine_memory.levels

    @property
    def crossover_hz(self) -> float | None:
        """The crossover of the newest hop in Hz, or the lowest of all turns; None where nothing is generated."""
        step, turns_hz = self._high_pass.steps[-1], None if self._players is None else self._players.lowest_hz
        base_hz = None if step is None else crossover.step_hz(step)
        return base_hz if turns_hz is None or (base_hz is not None and base_hz < turns_hz) else turns_hz

    def set_bandwidth(self, edge_hz: float | None, turns: Sequence[Sequence[Turn]] = ()) -> None:
        """Let an automatic crossover follow the recording's true bandwidth; see `models.stage.FollowsBandwidth`."""
        self._edge_hz, self._turns = edge_hz, turns
        if self._rate:
            self._path.edge_hz = edge_hz
            self._arrange_turns()

    def _arrange_turns(self) -> None:
        fits = len(self._turns) == self._channels and any(self._turns)
        self._players = None
        if fits:
            self._players = TurnPlayers(self, self._turns, self._rate, self._max_block, self.make_aside)
            self._players.reset(self._position + self._lead)

    def copy_bandwidth(self, other: object) -> None:
        """Follow the bandwidth that another extender of this rate has measured, instead of measuring it anew."""
        if isinstance(other, Extender) and other._rate == self._rate:
            self._path.copy_from(other._path)

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Allocate for a rate of 44.1 to 96 kHz and any number of channels."""
        if not 44100 <= sample_rate <= 96000:
            raise ValueError(f"the extender runs at 44.1 to 96 kHz, not {sample_rate} Hz: resample to 48000 Hz first")
        if channels < 1:
            raise ValueError("the extender needs at least one channel")
        if sample_rate != self._rate:
            self._design_for(sample_rate)
        self._channels, self._max_block = channels, max_block
        self.reset()
        self._arrange_turns()

    def _design_for(self, rate: int) -> None:
        self._rate = rate
        self._hop, self._delay = bands.hop_samples(rate), self.latency_samples
        self._fine_grid = fine_envelope.frame_grid(rate, self._delay)
        self._held_hops = max(entry.LEAST_HELD_HOPS, self.config.lookahead_hops)
        self._frames = Analysis(self.config, rate, self.predictor)
        self._excitation = Excitation(self.config.exciter, rate, self.network)
        self._shaper = Shaper(self.config, rate)
        self._high_pass = CrossoverFilter(rate)
        self._path = CrossoverTracker(rate, self._edge_hz)
        self._ramp_step = ramp_step(rate)

    def reset(self, position: int = 0) -> None:
        """Forget the past; the next sample is this one of the timeline, from whose start hops and noise are counted."""
        self._path.reset()
        self._frames.reset(self._channels)
        self._go_to(position, entry.MIRROR_HOPS + self._held_hops + entry.SOFTER_FRAMES)

    def jump(self, position: int) -> None:
        """Reset, but go on with what bandwidth and, within a song, the network know of the recording."""
        self._path.restart()
        if not position:
            self._frames.reset(self._channels)
        self._go_to(position, 0)

    def _go_to(self, position: int, softer: int) -> None:
        self._softer = softer
        self._begin(position)
        # Samples on the grid until the band begins.
        hops = self._held_hops + (self._lead > 0)
        self._held = self._hop * hops if position else 0
        if self._players is not None:
            self._players.reset(position)

    def _begin(self, position: int) -> None:
        channels, window = self._channels, self._frames.window
        # A hop that is under way begins with silence, which the first block brings along.
        self._lead = position % self._hop
        self._position = position - self._lead
        self._input = DelayLine(channels, max(self._frames.reach, self._delay, self._excitation.reach) + self._hop + 1)
        self._source = DelayLine(channels, max(window, self._delay + self._shaper.taps) + self._hop)
        self._analysed: Frames | None = None
        self._gains = unknown_gains()
        self._fine_memory = fine_envelope.start(channels, self._fine_grid, self.fine_frames)
        for part in (self._excitation, self._shaper, self._high_pass):
            part.reset(channels)

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Return the block with the band added, delayed by the latency."""
        values = settings if _DEFAULTS.keys() <= settings.keys() else {**_DEFAULTS, **settings}
        # Side by side in memory: the kernels know no other.
        block = np.ascontiguousarray(block, np.float32)
        if self._players is None:
            return self._process(block, values)
        self._players.begin(block, values)
        return self._players.end(self._process(block, values))

    def recall(self) -> None:
        """Get the state of what plays aside, so that it can be saved."""
        if self._players is not None:
            self._players.recall()

    def _process(self, block: Block, values: Mapping[str, float]) -> Block:
        if self._lead and block.shape[1]:
            lead, self._lead = self._lead, 0
            return np.ascontiguousarray(self._process(np.pad(block, ((0, 0), (lead, 0))), values)[:, lead:])
        at, count, parts = 0, block.shape[1], [block[:, :0]]
        while at < count:
            left = count - at
            most, finds_soft = min(left, self._held) if self._held else left, values["soft_edge"] >= 0.5
            length, step = self._path.begin(most, values["crossover"], finds_soft)
            piece = block if length == count else np.ascontiguousarray(block[:, at : at + length])
            out = self._piece(piece, step, values)
            self._path.end(self._input, length)
            if self._held:
                self._held -= length
                if not self._held:
                    self._enter(step, values)
            if length == count:
                return out
            parts.append(out)
            at += length
        return np.concatenate(parts, 1)

    def _enter(self, step: int | None, values: Mapping[str, float]) -> None:
        """Let the band rise after what was played without it; see `models.extender.entry`."""
        gains, hop = self._gains, self._hop
        known = entry.with_past(self._input.newest(hop * self._held_hops), hop * entry.MIRROR_HOPS)
        self._begin(self._position - known.shape[1])
        self._shaper.enter(self._softer)
        self._piece(known, step, values)
        self._gains, gains[1] = gains, 0.0

    def _piece(self, block: Block, step: int | None, values: Mapping[str, float]) -> Block:
        """Process samples whose crossover stays put."""
        count, hop, position = block.shape[1], self._hop, self._position
        phase = position % hop
        # Frames that end at the beginning of one of these samples.
        number = (position + count - 1) // hop - (position - 1) // hop
        self._excitation.excite(
            block, self._input, self._source, position, number, self._frames.window, values["drive"], step
        )
        if number and not self._held:
            self._advance(count, number, phase, step, values)
        out = self._play(count, number, phase, step, values)
        self._position = position + count
        # A frame that the block just completed is analysed for the crossover that is likely to stay.
        is_whole = self._position % hop == 0 and count <= hop and not self._held
        self._analysed = self._frames.analyse(self._input, self._source, 0, 1, step) if is_whole else None
        return out

    def _advance(self, count: int, number: int, phase: int, step: int | None, values: Mapping[str, float]) -> None:
        """Move the filters on to the newest frames, so many of which ended at a block's samples."""
        frames = self._analysed if number == 1 and not phase else None
        if frames is None:
            # The last of them ended before the last hop that the block touches.
            frames = self._frames.analyse(self._input, self._source, (phase + count - 1) % self._hop + 1, number, step)
        if frames.step != step:
            frames = self._frames.predict_again(frames, step)
        self._frames.predictor.commit()
        self._shaper.advance(frames, values, self._position - phase + (self._hop if phase else 0), phase)

    def _play(self, count: int, frames: int, phase: int, step: int | None, values: Mapping[str, float]) -> Block:
        """Return the newest samples with the band added."""
        shaper, high_pass, source, signal = self._shaper, self._high_pass, self._source, self._input
        passes = high_pass.advance(phase, frames, step, count)
        out, generated = np.empty((self._channels, count), np.float32), high_pass.generated
        poles = fine_envelope.poles(crossover.lowest_hz(step, self._rate), self._rate)
        fine = Fine(self._position, self._fine_grid, poles, self.fine, self._fine_memory)
        span = Span(source.end, signal.end, generated.advance(count), self._delay, self._hop, shaper.taps, phase)
        is_bypassed, is_delta = values["bypass"] >= 0.5, values["delta"] >= 0.5
        output, mix = float(values["output"]), float(values["mix"])
        mixing = Mixing(output / 20, mix / 100, is_bypassed, is_delta, self._gains, self._ramp_step)
        hops = shaper.hops if shaper.is_open else _NO_HOPS
        if not _bound_play.call(
            source.samples, signal.samples, generated.samples, span, hops, fine, passes, mixing, out
        ):
            raise ArithmeticError("the extender's output holds values that are not numbers")
        if frames + (phase > 0) > 1:
            shaper.forget_hops()
        return out
