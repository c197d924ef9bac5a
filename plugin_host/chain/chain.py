"""The chain: effects, the extender, effects; one stage with one exact latency that is never silent by mistake."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dsp.bandwidth.turns import Turn
from dsp.buffers.finite import is_finite
from dsp.buffers.reblock import in_blocks
from models.control import Control
from models.extender import controls as knobs
from models.stage import Block, FollowsBandwidth, MeasuresBandwidth, Stage
from plugin_host.chain.dry_wet import MATCH, DryWet
from plugin_host.chain.effects import EffectsStage
from plugin_host.chain.jump import Jump
from plugin_host.chain.loudness_match import LoudnessMatch
from plugin_host.metering.load import LapMeter
from plugin_host.preset.file import EffectNode, PluginNode, Preset, PresetError

BYPASS = "bypass"
_WARM_UP_BLOCKS = (128,) * 16
# Samples by which the latency of plug-ins may grow while they play.
_LATENCY_ROOM = 1 << 16


@dataclass(frozen=True)
class Part:
    """A stage of the chain and its share of the latency."""

    name: str
    stage: Stage
    latency_samples: int


class Chain:
    """Stages in order, themselves a stage.

    The `bypass` knob bypasses all of it, aligned and cross-faded, while every stage is still fed and so is warm on
    return; the extender never sees that knob. Where a stage fails, the aligned dry signal plays and `error` says why.
    `loads` returns what each stage takes of the deadline.

    Args:
        before: Stages in front of the extender.
        extender: The model, or None for a chain of effects only.
        after: Stages behind the extender.

    Attributes:
        extender: The model, or None.
    """

    def __init__(self, before: Sequence[Stage], extender: Stage | None, after: Sequence[Stage]) -> None:
        self._named: list[tuple[str, Stage]] = [(_name(stage, "before"), stage) for stage in before]
        if extender is not None:
            self._named.append(("extender", extender))
        self._named += [(_name(stage, "after"), stage) for stage in after]
        self._row: list[tuple[str, Stage | Jump, bool]] = []
        self._laps = LapMeter(len(self._named))
        self.extender, self._before, self._after = extender, before, after
        self._error: Exception | None = None
        self._came_from: int | None = None
        self._latency = 0
        effects = [stage for stage in (*before, *after) if isinstance(stage, EffectsStage)]
        self._followed = [stage for stage in effects if stage.may_change_latency]
        self._path = DryWet()
        self._jump: Jump | None = None
        # What the last block was played with.
        self._settings: Mapping[str, float] = {}

    def __repr__(self) -> str:
        names = ", ".join(name for name, _ in self._named) or "empty"
        return f"<Chain: {names}; latency {sum(stage.latency_samples for _, stage in self._named)} samples>"

    @classmethod
    def from_preset(cls, preset: Preset, extender: Stage | None, *, live: bool = False) -> Chain:
        """Build the chain that a preset describes around an extender; the preset's settings are left to the host.

        Args:
            preset: Its effects are built, its plug-ins loaded; call it on the main thread.
            extender: The model, or None.
            live: Whether somebody plays through it, which refuses effects that are too late.

        Raises:
            PresetError: A plug-in or a file is missing or refused; one sentence.
        """
        folder = preset.file.parent if preset.file is not None else None

        def run(name: str, nodes: Sequence[EffectNode | PluginNode]) -> list[Stage]:
            if all(node.bypass for node in nodes):
                return []
            try:
                return [EffectsStage(nodes, name=name, folder=folder, live=live)]
            except PresetError as error:
                raise PresetError(f"preset '{preset.name or preset.id}': {error}") from None

        return cls(run("before", preset.before), extender, run("after", preset.after))

    def around(self, extender: Stage) -> Chain:
        """Return a chain of the same effects around another extender."""
        return Chain(self._before, extender, self._after)

    @property
    def controls(self) -> Sequence[Control]:
        """The extender's knobs; without one, bypass alone."""
        return self.extender.controls if self.extender is not None else (knobs.control(BYPASS),)

    def compare_by(self, match: LoudnessMatch) -> None:
        """Set what measures dry and wet while the knob `compare.match` is on; one serves all chains of a host."""
        self._path.match = match

    @property
    def measuring(self) -> object:
        """What measures the recording's bandwidth: the extender, or one inside of it; None without any."""
        return getattr(self.extender, "measuring", self.extender)

    @property
    def dry_share(self) -> float:
        """How much of the dry signal plays now, 0 to 1."""
        return self._path.dry_share

    def set_bandwidth(self, edge_hz: float | None, turns: Sequence[Sequence[Turn]] = ()) -> None:
        """Let the extender follow the recording's true bandwidth; see `models.stage.FollowsBandwidth`.

        The turns are those of the chain's input: they come to the extender as late as the stages before it are.
        """
        following: object = self.extender
        if isinstance(following, FollowsBandwidth):
            late = sum(stage.latency_samples for stage in self._before)
            following.set_bandwidth(
                edge_hz,
                [[Turn(turn.start + late, turn.end + late, turn.edge_hz) for turn in channel] for channel in turns],
            )

    @property
    def effect_controls(self) -> Sequence[Control]:
        """The knobs of the effects, which `process` takes from the same settings."""
        return [knob for _, stage in self._named if stage is not self.extender for knob in stage.controls]

    @property
    def crossover_hz(self) -> float | None:
        """Where the generated band begins now, in Hz, or None where nothing is generated."""
        edge = getattr(self.extender, "crossover_hz", None)
        return edge if isinstance(edge, float) else None

    @property
    def latency_samples(self) -> int:
        """The sum over all stages; it changes only where a plug-in changes its own."""
        return self._latency

    @property
    def stages(self) -> Sequence[Part]:
        """The stages in order, with their names and latencies."""
        return [Part(name, stage, stage.latency_samples) for name, stage in self._named]

    @property
    def error(self) -> Exception | None:
        """The last fault of a stage since `prepare`, `reset` or `take_error`."""
        faults = [getattr(stage, "error", None) for _, stage in self._named]
        return self._error or next((fault for fault in faults if isinstance(fault, Exception)), None)

    def take_error(self) -> Exception | None:
        """Return the last fault and forget it; for the main thread."""
        fault, self._error = self.error, None
        for _, stage in self._named:
            if hasattr(stage, "error"):
                stage.error = None
        return fault

    def loads(self) -> dict[str, dict[str, float]]:
        """Return each stage's share of the deadline; see `LapMeter.figures`."""
        return {name: load for (name, _), load in zip(self._named, self._laps.figures(), strict=True)}

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Prepare every stage; raise ValueError if one can't do it."""
        for _, stage in self._named:
            stage.prepare(sample_rate, channels, max_block)
        self._latency = sum(stage.latency_samples for _, stage in self._named)
        self._rate, self._channels, self._max_block = sample_rate, channels, max_block
        most = self._latency + (_LATENCY_ROOM if self._followed else 0)
        self._path.prepare(sample_rate, channels, self._latency, most)
        self._forget()

    def warm_up(self, settings: Mapping[str, float]) -> None:
        """Play silence, so that everything lazy is done, and forget it; not on the audio thread."""
        # The largest block first: a plug-in would prepare itself again for a larger one than it had.
        for size in (self._max_block, *_WARM_UP_BLOCKS):
            self.play(np.zeros((self._channels, min(size, self._max_block)), np.float32), settings)
        self.reset()

    def copy_bandwidth(self, other: Chain) -> None:
        """Copy the bandwidth that another chain's extender has measured, so that it need not be measured anew."""
        measuring: object = self.extender
        if isinstance(measuring, MeasuresBandwidth):
            measuring.copy_bandwidth(other.measuring)

    def reset(self, position: int = 0) -> None:
        """Forget the past, in every stage; see `models.stage.Stage.reset`."""
        for _, stage in self._named:
            stage.reset(position)
        # A plug-in whose knobs stand as in the preset again has the latency of then.
        self._latency = sum(stage.latency_samples for _, stage in self._named)
        self._path.realign(self._latency)
        self._path.reset()
        self._forget()

    def seek(self, position: int) -> None:
        """Go on at another sample of the timeline without a gap, while the effects ring on; on the audio thread."""
        if self._jump is not None and self._settings:
            try:
                self._jump.seek(position, self._settings)
            except Exception as error:
                self._error = RuntimeError(f"a jump on the timeline failed: {error}")

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Return a block of the same shape, whatever happens inside."""
        if block.shape[1] > self._max_block:
            return in_blocks(self.process, block, settings, self._max_block)
        block = np.asarray(block, np.float32)
        # The caller's own samples stay as they are.
        return self.play(block if is_finite(block) else block.copy(), settings)

    def play(self, block: Block, settings: Mapping[str, float], rest: bool = False) -> Block:
        """Return a block of the same shape; never raises.

        Args:
            block: Shape (channels, samples), at most `max_block` of them; what is not finite is overwritten by silence.
            settings: Control values in their units.
            rest: Leave the stages alone, which is the only way to win their time back, and play the dry signal.
        """
        if not self._path.line.append(block):
            np.nan_to_num(block, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
            self._path.line.newest(block.shape[1])[:] = block
        bypassed = settings.get(BYPASS, 0.0) >= 0.5
        if bypassed:
            settings = {name: value for name, value in settings.items() if name != BYPASS}
        self._settings = settings
        wet = None if rest else self._run(block, settings)
        if self._followed:
            self._follow_latency()
        return self._path.play(wet, block.shape[1], bypassed, settings.get(MATCH.id, 0.0) >= 0.5)

    def _run(self, block: Block, settings: Mapping[str, float]) -> Block | None:
        """Return what comes out of the last stage, or None if one of them failed."""
        shape, failed, clock = block.shape, False, time.perf_counter
        marks = [clock()]
        for name, player, is_searched in self._row:
            try:
                out = player.process(block, settings)
                if out.shape != shape or (is_searched and not is_finite(out)):
                    raise RuntimeError("it gave a block of another length or values that are not numbers")
                block = out
            except Exception as error:
                # The next stages are still fed, so that their time goes on.
                failed = True
                self._error = RuntimeError(f"{name} failed, the dry signal plays: {error}")
            marks.append(clock())
        self._laps.add((shape[1] or 1) / self._rate, marks)
        return None if failed else block

    def _player(self, stage: Stage) -> Stage | Jump:
        return stage if self._jump is None or stage is not self.extender else self._jump.player

    def look_for_latency(self) -> None:
        """Find out whether knobs have changed the latency of plug-ins; again and again on the main thread."""
        for stage in self._followed:
            stage.look_for_latency()

    def _follow_latency(self) -> None:
        """Realign the dry signal where a plug-in's latency has changed, and say so once it stays."""
        latency = sum(stage.latency_samples for _, stage in self._named)
        if latency != self._latency:
            self._came_from = self._latency if self._came_from is None else self._came_from
            self._latency = latency
            self._path.realign(latency)
        elif self._came_from is not None:
            before, self._came_from = self._came_from, None
            names = ", ".join(stage.name for stage in self._followed)
            self._error = RuntimeError(
                f"a plug-in of {names} changed its latency while it played; the chain is {latency} samples late now, "
                f"{before} before, and bypass and comparison are aligned to that"
            )

    def _forget(self) -> None:
        self._error = None
        self._came_from = None
        self._jump = None if self.extender is None else Jump(self.extender, self._channels, self._max_block)
        # Stages of ours search what they return for NaN themselves.
        self._row = [(name, self._player(one), not getattr(one, "gives_finite", False)) for name, one in self._named]
        # What a warm-up took does not count.
        self._laps.clear()


def _name(stage: Stage, side: str) -> str:
    given = getattr(stage, "name", None)
    return given if isinstance(given, str) else side
