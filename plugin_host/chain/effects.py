"""A run of pedalboard effects and plug-ins as a stage: exact latency, no clicks, finite samples only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from dsp.buffers.fifo import Fifo
from dsp.buffers.finite import is_finite
from models.control import Control
from models.stage import Block
from plugin_host.chain.board import Board
from plugin_host.chain.external_plugin import ExternalPlugin
from plugin_host.chain.plugin_probe import LARGEST_BLOCK
from plugin_host.preset.effect_catalogue import effect
from plugin_host.preset.file import EffectNode, PluginNode, PresetError

# Native settings jump from call to call: knobs move in small steps, one a piece of this length ...
PIECE = 16
# ... and take this long from end to end, so that the largest step of a gain is about 0.3 dB.
SWEEP_S = 0.12
# A codec sounds different for every cutting of the signal: it gets pieces of one length.
CHUNK = 512
# Reloading a plug-in that keeps failing must not eat the deadline: at most once in this time.
RESTART_S = 0.05
_PROBE_PIECES = (1, 64, 7, 480, 3, 2, 128)
_LARGEST_ERROR = 4096
# A plug-in that lists more, such as every frequency, means a knob.
_MOST_CHOICES = 200


class EffectsStage:
    """A run of native effects and plug-ins, processed by pedalboard in one call a block.

    Args:
        nodes: The effects in order; those that are bypassed are left out.
        name: What the chain calls the run; its knobs are called `<name>.<place>.<setting>`.
        folder: Where relative paths start; None refuses plug-ins and files.
        live: Whether somebody plays through it, which refuses effects that are too late.

    Raises:
        PresetError: A plug-in or file is missing or refused, or an effect is too late for live use.

    Attributes:
        may_change_latency: Whether plug-ins are among the effects: theirs may depend on their knobs.
        choices: Settings of plug-ins that are no knobs: place of the plug-in, name, its `value` and the `values`.
    """

    # It has to start anew after a NaN, and so searches for one itself.
    gives_finite = True

    def __init__(
        self,
        nodes: Sequence[EffectNode | PluginNode],
        *,
        name: str = "effects",
        folder: Path | None = None,
        live: bool = False,
    ) -> None:
        if live:
            _refuse_late(nodes)
        self.name = name
        self.error: Exception | None = None
        self._board = Board(nodes, folder)
        self.may_change_latency = self._board.has_plugins
        self._sites: list[tuple[int, str]] = []
        knobs: list[Control] = []
        for place, one in enumerate(self._board.effects):
            for control in one.controls:
                self._sites.append((place, control.id))
                title = f"{one.title} {control.name.lower()}"
                knobs.append(replace(control, id=f"{name}.{self._board.indices[place]}.{control.id}", name=title))
        self._controls = tuple(knobs)
        # All values by one call, and what it returned last.
        ids = [knob.id for knob in knobs]
        self._pick: Callable[[Mapping[str, float]], Any] = itemgetter(*ids) if ids else lambda settings: ()
        self._picked: Any = None
        places = zip(self._board.indices, self._board.effects, strict=True)
        self.choices = {place: _choices(one) for place, one in places if isinstance(one, ExternalPlugin)}
        self._chunk = CHUNK if self._board.chunked else 1
        self._latency = self._measured = self._reported = self._seen = self._change = 0
        self._starts: list[float] = []
        self._looked: list[float] = []
        self._here: list[float] = []

    @property
    def controls(self) -> Sequence[Control]:
        """The knobs of its effects; a knob that the settings lack stands at the preset's value."""
        return self._controls

    @property
    def latency_samples(self) -> int:
        """Measured at `prepare`; after that it changes only by what a plug-in says that its own changed by."""
        return self._latency

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Allocate, measure the latency and forget; raise ValueError if an effect refuses the layout."""
        self._max_block = min(max_block, LARGEST_BLOCK) if self._chunk == 1 else CHUNK
        self._step = PIECE / (SWEEP_S * sample_rate)
        self._restart_samples = int(RESTART_S * sample_rate)
        self._board.prepare(sample_rate, channels, self._max_block)
        self._targets = [self._position(index, knob.default) for index, knob in enumerate(self._controls)]
        self._starts, self._here = list(self._targets), list(self._targets)
        correction = self._latency_error(channels) if self._board.has_plugins else 0
        owed = self._prime()
        pad = self._worst_shortage(channels) + self._chunk - 1
        self._waiting = Fifo(channels, self._chunk + self._max_block)
        self._ready = Fifo(channels, pad + self._chunk + 2 * self._max_block, pad)
        self._measured = max(0, owed + pad + correction)
        self._reported = self._board.reported_latency
        self._looked = list(self._starts)
        self.reset()

    def reset(self, position: int = 0) -> None:
        """Forget the past; the knobs stand at the preset's values again."""
        self._values, self._picked = [knob.default for knob in self._controls], None
        self._targets = list(self._starts)
        self._prime()
        self._waiting.clear()
        self._ready.clear()
        self._clock, self._restarted = 0, -self._restart_samples
        self._seen, self._change = self._reported, 0
        self._follow_latency()
        self.error = None

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Return a block of the same shape; a fault of a plug-in is silence there and kept in `error`."""
        try:
            values = self._pick(settings)
        except KeyError:
            values = None
        if values is None or values != self._picked:
            self._aim(values, settings)
        if self._here == self._targets and block.shape[1] <= self._max_block:
            out = self._stream(block)
        else:
            out = self._in_pieces(block)
        if self.may_change_latency:
            self._follow_latency()
        return out

    def _follow_latency(self) -> None:
        reported = self._board.reported_latency
        if reported != self._seen:
            self._seen, self._change = reported, reported - self._reported
        self._latency = max(0, self._measured + self._change)

    def look_for_latency(self) -> None:
        """Ask what plug-ins declare where their knobs have come to rest elsewhere; again and again on the main thread.

        While another thread plays it, a plug-in's own word does not come through; see `ExternalPlugin.latency_at`.
        """
        here = list(self._here)
        if self.may_change_latency and here != self._looked and here == self._targets:
            self._looked = here
            try:
                self._change = self._board.latency_at(dict(zip(self._sites, here, strict=True))) - self._reported
            except (ValueError, RuntimeError) as error:
                self.error = RuntimeError(f"the latency of {self.name} could not be asked for: {error}")

    def _in_pieces(self, block: Block) -> Block:
        """Process a block while knobs move, or a longer one than was prepared for."""
        start, count, pieces = 0, block.shape[1], []
        while start < count:
            stop = start + self._next_length()
            pieces.append(self._stream(block[:, start:stop]))
            start = stop
        return np.concatenate([block[:, :0], *pieces], 1)

    def _aim(self, values: Any, settings: Mapping[str, float]) -> None:
        """Note where the knobs go."""
        self._picked = values
        for index, knob in enumerate(self._controls):
            value = settings.get(knob.id, knob.default)
            if value != self._values[index]:
                self._values[index] = value
                self._targets[index] = self._position(index, value)

    def _next_length(self) -> int:
        """Move the knobs by one step where a piece begins, and return how many samples they then rest."""
        # The grid belongs to the stream, so that a knob's path does not depend on how the stream is cut.
        if self._here == self._targets:
            return self._max_block
        into = self._clock % PIECE
        if into == 0:
            for index, (place, target) in enumerate(zip(self._here, self._targets, strict=True)):
                if place != target:
                    self._here[index] = place + min(self._step, max(-self._step, target - place))
                    self._turn(index, self._here[index])
        return min(self._max_block, PIECE - into)

    def _stream(self, piece: Block) -> Block:
        samples = piece.shape[1]
        self._clock += samples
        if self._chunk == 1:
            out = self._board.process(piece)
            if not is_finite(out):
                out = self._silenced(out)
            if out.shape[1] == samples and self._ready.held == 0:
                return out
            self._ready.push(out)
        else:
            self._waiting.push(piece)
            while self._waiting.held >= self._chunk:
                out = self._board.process(self._waiting.pop(self._chunk))
                self._ready.push(out if is_finite(out) else self._silenced(out))
        if self._ready.held < samples and self._board.reported_latency == self._reported:
            self.error = RuntimeError(f"{self.name} changed its latency while playing; load the preset again")
        return self._ready.pop(samples)

    def _silenced(self, out: Block) -> Block:
        self.error = RuntimeError(f"{self.name} gave values that are not numbers; they were replaced by silence")
        if self._clock - self._restarted >= self._restart_samples:
            # A recursive filter that holds a NaN keeps it.
            self._restarted = self._clock
            self._board.prime()
        return np.zeros_like(out)

    def _prime(self) -> int:
        for index, start in enumerate(self._starts):
            # Only what has moved: a plug-in may round a value, and its meters are no knobs.
            if self._here[index] != start:
                self._turn(index, start)
        self._here = list(self._starts)
        return self._board.prime()

    def _worst_shortage(self, channels: int) -> int:
        """Return the most samples that were owed beyond the latency, with blocks of many lengths."""
        owed = worst = 0
        for _ in range(40):
            for length in (CHUNK,) if self._chunk > 1 else _PROBE_PIECES:
                piece = np.zeros((channels, min(length, self._max_block)), np.float32)
                owed += piece.shape[1] - self._board.process(piece).shape[1]
                worst = max(worst, owed)
        return worst

    def _latency_error(self, channels: int) -> int:
        """Return how many samples later than declared an impulse leaves the plug-ins; 0 without a clear peak."""
        owed = self._board.prime(only_plugins=True)
        begin, blocks = self._max_block, 1 + -(-(owed + 2 * _LARGEST_ERROR) // self._max_block)
        signal = np.zeros((channels, begin + blocks * self._max_block), np.float32)
        signal[:, begin] = 0.5
        pieces = np.split(signal, blocks + 1, axis=1)
        output = np.concatenate([self._board.process(piece, only_plugins=True) for piece in pieces], axis=1)
        energy = np.square(output.astype(np.float64)).sum(axis=0)
        peak = int(energy.argmax())
        error = peak - begin - owed
        clear = energy[peak] >= 0.9 * energy.sum() > 0.0
        return error if clear and abs(error) <= _LARGEST_ERROR else 0

    def _position(self, index: int, value: float) -> float:
        place, name = self._sites[index]
        return self._board.effects[place].position(name, value)

    def _turn(self, index: int, position: float) -> None:
        place, name = self._sites[index]
        self._board.effects[place].turn(name, position)


def _choices(one: ExternalPlugin) -> dict[str, dict[str, Any]]:
    return {
        key: {"value": getattr(one.plugin, key), "values": list(parameter.valid_values)}
        for key, parameter in one.plugin.parameters.items()
        if parameter.type in (bool, str) and 1 < len(parameter.valid_values) <= _MOST_CHOICES
    }


def _refuse_late(nodes: Sequence[EffectNode | PluginNode]) -> None:
    for one in nodes:
        if isinstance(one, EffectNode) and not one.bypass and not effect(one.effect).live:
            raise PresetError(f"{one.effect} is too late to be played through; bypass it, or use the preset in render")
