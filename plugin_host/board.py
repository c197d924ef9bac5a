"""Effects and plug-ins of pedalboard, built from a preset's nodes; pedalboard is imported here only."""

from __future__ import annotations

import base64
import contextlib
import ctypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
from pedalboard.io import AudioFile

from dsp.control import Control
from models.stage import Block
from plugin_host.effect_table import effect
from plugin_host.preset import EffectNode, PluginNode, PresetError

# Its types leave out what it hands on from its own modules.
_PEDALBOARD: Any = pedalboard

# A cutoff at or above half the rate makes a recursive filter unstable.
HIGHEST_CUTOFF = 0.45
_CUTOFFS = frozenset({"cutoff_frequency_hz", "cutoff_hz", "centre_frequency_hz"})
# What takes longer than this to give its first samples is broken.
LONGEST_LATENCY_S = 10.0
# Of a longer response the rest is left out.
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
        """Learn the rate, on which the highest cutoff depends."""
        self._rate = sample_rate

    def configure(self) -> None:
        """Put the knobs where the preset has them."""
        for control in self.controls:
            self.turn(control.id, self.position(control.id, control.default))

    def position(self, name: str, value: float) -> float:
        """Return where on 0..1 a knob's value lies."""
        control = self._by_id[name]
        return control.to_position(min(control.high, max(control.low, value)))

    def turn(self, name: str, position: float) -> None:
        """Move a knob at once."""
        value = self._by_id[name].from_position(position)
        setattr(self.plugin, name, min(value, HIGHEST_CUTOFF * self._rate) if name in _CUTOFFS else value)

    def _build(self, folder: Path | None) -> Any:
        made = getattr(_PEDALBOARD, self.kind.name)
        values: dict[str, Any] = dict(self._settings)
        for control in self.kind.controls:
            if control.curve == "switch" and control.id in values:
                values[control.id] = bool(values[control.id])
        for choice in self.kind.choices:
            if choice in values:
                words = made.Mode if choice == "mode" else _PEDALBOARD.Resample.Quality
                values[choice] = getattr(words, values[choice])
        if not self.kind.file:
            return made(**values)
        others = {key: value for key, value in values.items() if key != self.kind.file}
        response, rate = self._response(folder)
        return made(response, sample_rate=rate, **others)

    def _response(self, folder: Path | None) -> tuple[Block, float]:
        # Read here, as pedalboard takes a file that is no audio without a word.
        if self.kind.file not in self._settings:
            raise PresetError(f"{self.title} needs {self.kind.file}, the path of an audio file")
        path = _local_file(str(self._settings[self.kind.file]), folder, f"the file of {self.title}")
        try:
            with AudioFile(str(path)) as file:
                response: Block = file.read(min(file.frames, int(LONGEST_RESPONSE_S * file.samplerate)))
                return response, float(file.samplerate)
        except (ValueError, RuntimeError, OSError) as error:
            raise PresetError(f"{self.title} can't be loaded: {' '.join(str(error).split())}") from None


class ExternalPlugin:
    """One VST3 or Audio Unit plug-in; raises PresetError where it is missing or refuses its settings."""

    def __init__(self, node: PluginNode, folder: Path | None) -> None:
        self.title = node.title
        self._node = node
        path = _local_file(node.plugin, folder, f"the plug-in {node.title}")
        try:
            with _float_mode_kept():
                self.plugin: Any = _PEDALBOARD.load_plugin(str(path), plugin_name=node.name)
        except (ImportError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise PresetError(
                f"the plug-in {path} can't be loaded; install it again or take it out: {reason}"
            ) from None
        if not self.plugin.is_effect:
            raise PresetError(f"{self.title} is an instrument; the chain takes effects only")
        self._parameters: Mapping[str, Any] = self.plugin.parameters
        self._check_settings()
        self.configure()
        self.controls = tuple(
            self._control(key, node.settings.get(key)) for key in self._parameters if self._turns(key)
        )

    def prepare(self, sample_rate: int) -> None:
        """Nothing to learn before the first block."""

    def configure(self) -> None:
        """Give it the preset's state, then its settings."""
        try:
            if self._node.state:
                self.plugin.raw_state = base64.b64decode(self._node.state)
            for key, value in self._node.settings.items():
                setattr(self.plugin, key, value)
        except (ValueError, TypeError, RuntimeError) as error:
            raise PresetError(f"{self.title} refuses its settings: {' '.join(str(error).split())}") from None

    def position(self, name: str, value: float) -> float:
        """Return the plug-in's own 0..1 for a value in its unit."""
        low, high, _ = self._parameters[name].range
        return float(self._parameters[name].get_raw_value_for(min(high, max(low, value))))

    def turn(self, name: str, position: float) -> None:
        """Move a knob at once."""
        self._parameters[name].raw_value = position

    def state(self) -> str:
        """Return the state in base64 for a preset; stale until a block has been processed."""
        return base64.b64encode(self.plugin.raw_state).decode()

    def _check_settings(self) -> None:
        for key in self._node.settings:
            if key not in self._parameters:
                raise PresetError(f"{self.title} has no setting '{key}'; it has {', '.join(self._parameters)}")

    def _turns(self, key: str) -> bool:
        parameter = self._parameters[key]
        low, high, _ = parameter.range
        return parameter.type is float and low is not None and high is not None and low < high

    def _control(self, key: str, given: object) -> Control:
        parameter = self._parameters[key]
        low, high, _ = (float(edge or 0.0) for edge in parameter.range)
        value = float(given) if isinstance(given, (int, float)) else float(getattr(self.plugin, key))
        return Control(key, parameter.name, parameter.label or "", low, high, min(high, max(low, value)))


class Board:
    """A run of effects that pedalboard processes in one call.

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
        # A container, as it remembers the layout: some effects alone take one stereo sample for two mono ones.
        self._all = _PEDALBOARD.Pedalboard([one.plugin for one in self.effects])
        external = [one.plugin for one in self.effects if isinstance(one, ExternalPlugin)]
        self._external = _PEDALBOARD.Pedalboard(external)
        self._rate, self._channels, self._size, self._doubled = 48000, 1, 1, False

    @property
    def chunked(self) -> bool:
        """Whether every call must bring the same number of samples."""
        return any(isinstance(one, NativeEffect) and one.kind.chunked for one in self.effects)

    @property
    def has_plugins(self) -> bool:
        """Whether one of them could declare a wrong latency."""
        return any(isinstance(one, ExternalPlugin) for one in self.effects)

    def prepare(self, sample_rate: int, channels: int, size: int) -> None:
        """Set the layout and bring the plug-ins into the preset's state; `size` is the longest block to come."""
        self._rate, self._channels, self._size, self._doubled = sample_rate, channels, size, False
        for one in self.effects:
            one.prepare(sample_rate)
        self._try_layout()
        for one in self.effects:
            one.configure()
        # State that is read, or carried over a reset, before a block has passed is the one of before.
        self._silence()

    def prime(self, only_plugins: bool = False) -> int:
        """Forget the past, then play silence until as much comes back as goes in; return the samples still owed."""
        self._all.reset()
        self._external.reset()
        owed = whole = fed = 0
        while whole < SETTLED_BLOCKS:
            short = self._size - self._silence(only_plugins).shape[1]
            owed, whole, fed = owed + short, 0 if short > 0 else whole + 1, fed + self._size
            if fed > LONGEST_LATENCY_S * self._rate and not whole:
                names = ", ".join(one.title for one in self.effects)
                raise ValueError(f"{names} gives no sound within {LONGEST_LATENCY_S:g} s; take it out of the preset")
        return owed

    def process(self, block: Block, only_plugins: bool = False) -> Block:
        """Process (channels, samples); plug-ins and codecs may give fewer samples back than they got."""
        channels, samples = block.shape
        if samples == channels > 1:
            # A square block has no layout that pedalboard could tell.
            parts = [self._call(part, only_plugins) for part in (block[:, :-1], block[:, -1:])]
            return np.concatenate(parts, axis=1)
        return self._call(block, only_plugins)

    def _call(self, block: Block, only_plugins: bool) -> Block:
        run = self._external if only_plugins else self._all
        source = np.repeat(block, 2, axis=0) if self._doubled else np.ascontiguousarray(block)
        out: Block = run.process(source, self._rate, buffer_size=self._size, reset=False)
        if out.size == 0:
            return np.zeros((self._channels, 0), np.float32)
        return out[: self._channels] if self._doubled else out

    def _silence(self, only_plugins: bool = False) -> Block:
        return self._call(np.zeros((self._channels, self._size), np.float32), only_plugins)

    def _try_layout(self) -> None:
        """Find out whether every effect takes this layout; a mono signal may go through stereo plug-ins doubled."""
        try:
            self._silence()
        except (ValueError, RuntimeError) as error:
            self._doubled = self._channels == 1 and not self._doubled
            if not self._doubled:
                reason = " ".join(str(error).split())
                raise ValueError(f"the effects can't work on {self._channels} channels: {reason}") from None
            self._try_layout()


@contextlib.contextmanager
def _float_mode_kept() -> Iterator[None]:
    """Undo what loading a plug-in built with -ffast-math does to this thread: denormals would be zero for everybody."""
    maths, mode = ctypes.CDLL(None), ctypes.create_string_buffer(64)
    maths.fegetenv(mode)
    try:
        yield
    finally:
        maths.fesetenv(mode)


def _local_file(text: str, folder: Path | None, what: str) -> Path:
    if folder is None:
        raise PresetError(f"{what} is refused: only a preset from a file of yours may name plug-ins or files")
    path = folder / Path(text).expanduser()
    if not path.exists():
        raise PresetError(f"{what} is missing: {path} does not exist; install it or take it out of the preset")
    return path
