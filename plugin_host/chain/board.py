"""Effects and plug-ins of pedalboard, built from a preset's nodes and processed in as few calls as they allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
from pedalboard.io import AudioFile

from models.stage import Block
from plugin_host.chain.external_plugin import ExternalPlugin, local_file
from plugin_host.preset.effect_catalogue import effect
from plugin_host.preset.file import EffectNode, PluginNode, PresetError

# Its types leave out what it re-exports from its own modules.
_PEDALBOARD: Any = pedalboard

# A cutoff at or above half the rate makes a recursive filter unstable.
HIGHEST_CUTOFF = 0.45
_CUTOFFS = frozenset({"cutoff_frequency_hz", "cutoff_hz", "centre_frequency_hz"})
# An effect whose first samples take longer than this is broken.
LONGEST_LATENCY_S = 10.0
# A longer response is cut off.
LONGEST_RESPONSE_S = 30.0
# A plug-in's latency has settled when this many blocks in a row came back whole.
SETTLED_BLOCKS = 8


class NativeEffect:
    """One native effect with its knobs; raises PresetError where its file can't be used."""

    def __init__(self, node: EffectNode, folder: Path | None) -> None:
        self.kind = effect(node.effect)
        self.title = node.title
        self._settings = dict(node.settings)
        self._rate = 48000
        self.plugin: Any = self._build(folder)
        self.controls = tuple(
            replace(control, default=float(self._settings.get(control.id, control.default)))
            for control in self.kind.controls
            if control.id not in self.kind.fixed
        )
        self._by_id = {control.id: control for control in self.controls}

    def prepare(self, sample_rate: int) -> None:
        """Set the rate, on which the highest cutoff depends."""
        self._rate = sample_rate

    def configure(self) -> None:
        """Set the knobs to the preset's values."""
        for control in self.controls:
            self.turn(control.id, self.position(control.id, control.default))

    def position(self, name: str, value: float) -> float:
        """Return a knob's value as a position in 0..1."""
        control = self._by_id[name]
        return control.to_position(min(control.high, max(control.low, value)))

    def turn(self, name: str, position: float) -> None:
        """Move a knob at once."""
        value = self._by_id[name].from_position(position)
        setattr(self.plugin, name, min(value, HIGHEST_CUTOFF * self._rate) if name in _CUTOFFS else value)

    def _build(self, folder: Path | None) -> Any:
        effect_class = getattr(_PEDALBOARD, self.kind.name)
        values: dict[str, Any] = dict(self._settings)
        for control in self.kind.controls:
            if control.curve == "switch" and control.id in values:
                values[control.id] = bool(values[control.id])
        for choice in self.kind.choices:
            if choice in values:
                words = effect_class.Mode if choice == "mode" else _PEDALBOARD.Resample.Quality
                values[choice] = getattr(words, values[choice])
        if not self.kind.file:
            return effect_class(**values)
        others = {key: value for key, value in values.items() if key != self.kind.file}
        response, rate = self._response(folder)
        return effect_class(response, sample_rate=rate, **others)

    def _response(self, folder: Path | None) -> tuple[Block, float]:
        # Read here, as pedalboard accepts a file that is no audio without an error.
        if self.kind.file not in self._settings:
            raise PresetError(f"{self.title} needs {self.kind.file}, the path of an audio file")
        path = local_file(str(self._settings[self.kind.file]), folder, f"the file of {self.title}")
        try:
            with AudioFile(str(path)) as file:
                response: Block = file.read(min(file.frames, int(LONGEST_RESPONSE_S * file.samplerate)))
                return response, float(file.samplerate)
        except (ValueError, RuntimeError, OSError) as error:
            raise PresetError(f"{self.title} can't be loaded: {' '.join(str(error).split())}") from None


class _Run:
    """Effects in order that take the same channels: one call of pedalboard for each set of instances.

    Args:
        effects: One plug-in, or any number of effects that take all channels at once.
        channels: Of the whole signal.
        rate: In Hz.
        size: The longest block to come.
    """

    def __init__(self, effects: Sequence[NativeEffect | ExternalPlugin], channels: int, rate: int, size: int) -> None:
        one = effects[0] if effects else None
        width = one.width if isinstance(one, ExternalPlugin) else channels
        # Containers, as they remember the layout: some effects alone take one stereo sample for two mono ones.
        if width == channels:
            self._sets = [(slice(0, channels), _PEDALBOARD.Pedalboard([effect.plugin for effect in effects]))]
        else:
            assert isinstance(one, ExternalPlugin)
            places = [slice(start, min(channels, start + width)) for start in range(0, channels, width)]
            boards = [_PEDALBOARD.Pedalboard([plugin]) for plugin in one.instances]
            self._sets = list(zip(places, boards, strict=False))
        self._width, self._rate, self._size = width, rate, size
        # What takes all channels at once is called directly.
        self.process: Callable[[Block], Block] = (
            partial(self._play, self._sets[0][1]) if width == channels else self._in_parts
        )

    def reset(self) -> None:
        for _, board in self._sets:
            board.reset()

    def _in_parts(self, block: Block) -> Block:
        return np.concatenate([self._part(block[place], board) for place, board in self._sets])

    def _part(self, part: Block, board: Any) -> Block:
        # A plug-in for two gets a single channel on both sides; its left output counts.
        source = np.concatenate([part, *[part[-1:]] * (self._width - len(part))])
        return self._play(board, source)[: len(part)]

    def _play(self, board: Any, block: Block) -> Block:
        channels, samples = block.shape
        if samples == channels > 1:
            # Of a square block pedalboard can't say which axis is time.
            parts = [self._play(board, part) for part in (block[:, :-1], block[:, -1:])]
            return np.concatenate(parts, axis=1)
        if not samples:
            return block
        # By place, which takes a fifth off the price of the call: buffer size, then whether to reset.
        out: Block = board.process(np.ascontiguousarray(block), self._rate, self._size, False)
        return out if len(out) == channels else np.zeros((channels, 0), np.float32)


class Board:
    """A row of effects that pedalboard processes in one call, or in a few where a plug-in takes fewer channels.

    Args:
        nodes: Effects and plug-ins in order; a bypassed one is not even loaded.
        folder: Where relative paths start; None refuses every path, for a preset that came from no file.
    """

    def __init__(self, nodes: Sequence[EffectNode | PluginNode], folder: Path | None = None) -> None:
        active = [(index, node) for index, node in enumerate(nodes) if not node.bypass]
        self.indices = [index for index, _ in active]
        self.effects = [
            NativeEffect(node, folder) if isinstance(node, EffectNode) else ExternalPlugin(node, folder)
            for _, node in active
        ]
        self._plugins = [one for one in self.effects if isinstance(one, ExternalPlugin)]
        self._all: list[_Run] = []
        self._external: list[_Run] = []
        self._rate, self._channels, self._size = 48000, 1, 1

    @property
    def chunked(self) -> bool:
        """Whether every call must bring the same number of samples."""
        return any(isinstance(one, NativeEffect) and one.kind.chunked for one in self.effects)

    @property
    def has_plugins(self) -> bool:
        """Whether one of them could declare a wrong latency, or change it."""
        return bool(self._plugins)

    @property
    def reported_latency(self) -> int:
        """The sum of what the plug-ins declare, in samples."""
        return sum(one.reported_latency for one in self._plugins)

    def latency_at(self, positions: Mapping[tuple[int, str], float]) -> int:
        """Return what the plug-ins declare with knobs, by effect and setting, at positions; on the main thread."""
        return sum(
            one.latency_at({name: position for (place, name), position in positions.items() if place == index})
            for index, one in enumerate(self.effects)
            if isinstance(one, ExternalPlugin)
        )

    def prepare(self, sample_rate: int, channels: int, size: int) -> None:
        """Set the layout and bring the plug-ins into the preset's state; `size` is the longest block to come.

        Raises:
            ValueError: An effect can't work on so many channels.
        """
        self._rate, self._channels, self._size = sample_rate, channels, size
        for one in self.effects:
            if isinstance(one, ExternalPlugin):
                one.fit(sample_rate, channels, size)
            else:
                one.prepare(sample_rate)
        self._all = self._runs(self.effects)
        self._external = self._runs(self._plugins)
        try:
            self._silence()
        except (ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"the effects can't work on {channels} channels: {reason}") from None
        for one in self.effects:
            one.configure()
        # State that is read, or carried over a reset, before a block has passed is the one of before.
        self._silence()

    def prime(self, only_plugins: bool = False) -> int:
        """Reset, then play silence until blocks come back whole; return the samples that are missing by then."""
        for run in (*self._all, *self._external):
            run.reset()
        owed = whole = fed = 0
        while whole < SETTLED_BLOCKS:
            short = self._size - self._silence(only_plugins).shape[1]
            owed, whole, fed = owed + short, 0 if short > 0 else whole + 1, fed + self._size
            if fed > LONGEST_LATENCY_S * self._rate and not whole:
                names = ", ".join(one.title for one in self.effects)
                raise ValueError(f"{names} gives no sound within {LONGEST_LATENCY_S:g} s; take it out of the preset")
        return owed

    def process(self, block: Block, only_plugins: bool = False) -> Block:
        """Process (channels, samples); plug-ins and codecs may return fewer samples than they got."""
        for run in self._external if only_plugins else self._all:
            block = run.process(block)
        return block

    def _silence(self, only_plugins: bool = False) -> Block:
        return self.process(np.zeros((self._channels, self._size), np.float32), only_plugins)

    def _runs(self, effects: Sequence[NativeEffect | ExternalPlugin]) -> list[_Run]:
        """Cut a row of effects at the plug-ins that don't take all channels at once."""
        rows: list[list[NativeEffect | ExternalPlugin]] = [[]]
        for one in effects:
            if isinstance(one, ExternalPlugin) and one.width != self._channels:
                rows += [[one], []]
            else:
                rows[-1].append(one)
        return [_Run(row, self._channels, self._rate, self._size) for row in rows if row or not effects]
