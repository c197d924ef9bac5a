"""The extender: exciter, predictor, LTV filter and crossover as one stage.

Everything happens on a grid of hops counted from the reset. A call works on the hops that its block touches and
returns the block's samples of them, so a whole file, a device's block and a single sample take the same path.

A frame whose last sample ends a block is heard at once, in that block, although its filter is wanted in the next one
only: live, where a hop is two blocks of 128 samples long, this shares the work out evenly between the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dsp import bands, crossover
from dsp.control import Control
from dsp.fourier import Array
from dsp.kernel import kernel
from models import knobs
from models.crossover_filter import CrossoverFilter
from models.crossover_path import CrossoverPath
from models.excitation import Excitation
from models.extender_config import ExtenderConfig
from models.frame_path import FramePath, Frames
from models.gain_ramp import GainRamps
from models.predictor import Predictor
from models.shaper import Shaper
from models.stage import Block
from models.tape import Tape
from models.teller import Teller, TorchTeller

# A sample beyond this is not audio; like NaN and Inf it is played as silence.
_LOUDEST = 1e4
_DEFAULTS = knobs.defaults()


class Extender:
    """A stage that adds the missing top octaves; see `models.stage.Stage` for the contract."""

    def __init__(self, config: ExtenderConfig, predictor: Predictor, teller: Teller | None = None) -> None:
        """Build a stage around trained weights.

        Args:
            config: From the artifact.
            predictor: The network.
            teller: What computes it, or None for torch.
        """
        self.config = config
        self.predictor = predictor
        self._teller: Teller = teller or TorchTeller(predictor)
        self._edge_hz: float | None = None
        self._rate = 0

    @property
    def controls(self) -> Sequence[Control]:
        """The knobs."""
        return knobs.CONTROLS

    @property
    def latency_samples(self) -> int:
        """The look-ahead; 0 for a live extender."""
        return self.config.lookahead_hops * bands.hop_samples(self._rate or 48000)

    @property
    def crossover_hz(self) -> float | None:
        """The crossover of the newest hop in Hz, or None where nothing is generated."""
        step = self._high_pass.steps[-1]
        return None if step is None else crossover.step_hz(step)

    def set_bandwidth(self, edge_hz: float | None) -> None:
        """Tell the true bandwidth that an automatic crossover follows, in Hz; None listens for it instead."""
        self._edge_hz = edge_hz
        if self._rate:
            self._path.edge_hz = edge_hz

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Allocate for a rate of 44.1 to 96 kHz and any number of channels."""
        if not 44100 <= sample_rate <= 96000:
            raise ValueError(f"the extender runs at 44.1 to 96 kHz, not {sample_rate} Hz: resample to 48000 Hz first")
        if channels < 1:
            raise ValueError("the extender needs at least one channel")
        if sample_rate != self._rate:
            self._design_for(sample_rate)
        self._channels = channels
        self.reset()

    def _design_for(self, rate: int) -> None:
        self._rate = rate
        self._hop = bands.hop_samples(rate)
        self._frames = FramePath(self.config, rate, self._teller)
        self._excitation = Excitation(self.config.exciter, rate)
        self._shaper = Shaper(rate)
        self._high_pass = CrossoverFilter(rate)
        self._path = CrossoverPath(rate, self._edge_hz)

    def reset(self) -> None:
        """Forget the past."""
        channels, window, self._delay = self._channels, self._frames.window, self.latency_samples
        self._position = 0
        self._input = Tape(channels, max(window, self._delay, self._excitation.reach) + self._hop + 1)
        self._source = Tape(channels, max(window, self._delay + self._shaper.taps) + self._hop)
        self._heard: Frames | None = None
        self._gains = GainRamps(self._rate)
        self._path.reset()
        for part in (self._frames, self._excitation, self._shaper, self._high_pass):
            part.reset(channels)

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Return the block with the band added, delayed by the latency."""
        values = settings if _DEFAULTS.keys() <= settings.keys() else {**_DEFAULTS, **settings}
        block = _audio(block)
        parts = [self._piece(piece, step, values) for piece, step in self._path.pieces(block, values["crossover"])]
        return parts[0] if len(parts) == 1 else np.concatenate([block[:, :0], *parts], 1)

    def _piece(self, block: Block, step: int | None, values: Mapping[str, float]) -> Block:
        """Process samples whose crossover stays put."""
        count = block.shape[1]
        self._input.extend(count)[:] = block
        band = self._band(count, step, values)
        self._position += count
        self._hear_ahead(step)
        output, bypass, delta = 10 ** (values["output"] / 20), values["bypass"] >= 0.5, values["delta"] >= 0.5
        return self._gains.mix(
            self._input.samples, self._input.end - count - self._delay, 1.0 if bypass else 0.0 if delta else output,
            band, 0.0 if bypass else output * values["mix"] / 100,
        )  # fmt: skip

    def _band(self, count: int, step: int | None, values: Mapping[str, float]) -> Array:
        """Return the generated band of the newest samples at full mix, shape (channels, count)."""
        phase = self._position % self._hop
        first = -self._position % self._hop
        number = max(0, -(-(count - first) // self._hop))
        ahead = self._heard if number == 1 and not phase else None
        # Samples since the last of the frames ended.
        before = count - first - (number - 1) * self._hop
        levels = ahead.levels if ahead else self._frames.measure(self._input, before, number) if number else None
        self._excite(count, phase, levels.lift if levels else None, step, values["drive"])
        if levels:
            frames = ahead or self._frames.hear(levels, self._source, before, step)
            if frames.step != step:
                frames = self._frames.hear_again(frames, step)
            self._shaper.turn(self._frames.gains(frames, values), number, phase, values["width"] / 100)
        shaped = self._shaper.shape(self._source, self._delay, self._position, count)
        return self._high_pass.cut(shaped, phase, number, step)

    def _hear_ahead(self, step: int | None) -> None:
        """Hear the frame that the block just completed, if it did, for the crossover that is likely to stay."""
        self._heard = None
        if self._position % self._hop == 0:
            self._heard = self._frames.hear(self._frames.measure(self._input, 0, 1), self._source, 0, step)

    def _excite(self, count: int, phase: int, lift: Array | None, step: int | None, drive_db: float) -> None:
        out = self._source.extend(count)
        if self._excitation.kind == "harmonics":
            self._excitation.harmonics(self._input, lift, phase, drive_db, self._source, count)
        else:
            crossover_hz = None if step is None else crossover.step_hz(step)
            out[:] = self._excitation.translation(self._input, count, self._position, crossover_hz)


def _audio(block: Block) -> Block:
    """Return a block with silence in place of what is no audio."""
    if _is_audio(block):
        return block
    return np.where(np.abs(block) <= _LOUDEST, block, np.float32(0.0))


@kernel
def _is_audio(block: Block) -> bool:
    strange = 0
    for channel in range(block.shape[0]):
        for i in range(block.shape[1]):
            # NaN fails every comparison.
            strange += not abs(block[channel, i]) <= _LOUDEST
    return strange == 0
