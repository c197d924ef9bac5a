"""A VST3 or Audio Unit plug-in with its knobs, on as many channels as there are."""

from __future__ import annotations

import base64
import contextlib
import ctypes
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard

from models.control import Control
from plugin_host.chain.plugin_probe import fault_of
from plugin_host.preset.file import PluginNode, PresetError

# Its types leave out what it re-exports from its own modules.
_PEDALBOARD: Any = pedalboard


class ExternalPlugin:
    """One VST3 or Audio Unit plug-in; raises PresetError where it is missing or refuses its settings.

    Attributes:
        instances: The plug-in, as often as the layout needs it: one for fewer channels than there are
            plays them one by one or two by two, each with an instance of its own and all with the same settings.
        width: How many channels an instance takes; 0 until `fit`.
    """

    def __init__(self, node: PluginNode, folder: Path | None) -> None:
        self.title = node.title
        self._node = node
        self._path = local_file(node.plugin, folder, f"the plug-in {node.title}")
        self._refuse_crash()
        self.instances: list[Any] = [self._load()]
        self.width, self._rate, self._size = 0, 48000, 1
        self._twin: Any = None
        if not self.plugin.is_effect:
            raise PresetError(f"{self.title} is an instrument; the chain takes effects only")
        self._parameters: list[Mapping[str, Any]] = [self.plugin.parameters]
        self._check_settings()
        self.configure()
        self.controls = tuple(
            self._control(key, node.settings.get(key)) for key in self._parameters[0] if self._turns(key)
        )

    @property
    def plugin(self) -> Any:
        """The first instance, which stands for all."""
        return self.instances[0]

    def fit(self, sample_rate: int, channels: int, size: int) -> None:
        """Find the width at which it processes so many channels, and load as many instances as that needs.

        Raises:
            ValueError: It processes neither all of them nor two nor one; one sentence.
        """
        refusals: list[str] = []
        self._rate, self._size = sample_rate, size
        for width in dict.fromkeys((channels, 2, 1)):
            try:
                self.plugin.process(np.zeros((width, size), np.float32), sample_rate, buffer_size=size, reset=False)
            except (ValueError, RuntimeError) as error:
                refusals.append(" ".join(str(error).split()))
                continue
            self.width = width
            while len(self.instances) < -(-channels // width):
                self.instances.append(self._load())
                self._parameters.append(self.instances[-1].parameters)
            return
        raise ValueError(f"{self.title} can't work on {channels} channels; take it out of the preset: {refusals[0]}")

    def configure(self) -> None:
        """Give it the preset's state, then its settings."""
        for plugin in self.instances:
            self._configure(plugin)

    def _configure(self, plugin: Any) -> None:
        try:
            if self._node.state:
                plugin.raw_state = base64.b64decode(self._node.state)
            for key, value in self._node.settings.items():
                setattr(plugin, key, value)
        except (ValueError, TypeError, RuntimeError) as error:
            raise PresetError(f"{self.title} refuses its settings: {' '.join(str(error).split())}") from None

    def position(self, name: str, value: float) -> float:
        """Return the plug-in's own 0..1 for a value in its unit."""
        parameter = self._parameters[0][name]
        low, high, _ = parameter.range
        return float(parameter.get_raw_value_for(min(high, max(low, value))))

    def turn(self, name: str, position: float) -> None:
        """Move a knob at once."""
        for parameters in self._parameters:
            parameters[name].raw_value = position

    def state(self) -> str:
        """Return the state in base64 for a preset; stale until a block has been processed."""
        return base64.b64encode(self.plugin.raw_state).decode()

    @property
    def reported_latency(self) -> int:
        """What the plug-in itself declares, in samples; a change while another thread plays it is not seen here."""
        return int(self.plugin.reported_latency_samples)

    def latency_at(self, positions: Mapping[str, float]) -> int:
        """Return what the plug-in declares with its knobs at these positions of 0..1; on the main thread.

        An instance of its own answers: the one that plays hands changes on to the main thread's event loop, and there
        is none.
        """
        if self._twin is None:
            self._twin = self._load()
            self._configure(self._twin)
        parameters = self._twin.parameters
        for name, position in positions.items():
            parameters[name].raw_value = position
        silence = np.zeros((self.width, self._size), np.float32)
        self._twin.process(silence, self._rate, buffer_size=self._size, reset=False)
        return int(self._twin.reported_latency_samples)

    def _refuse_crash(self) -> None:
        fault = fault_of(self._path, self._node.name, self._node.state, dict(self._node.settings))
        if fault:
            raise PresetError(
                f"the plug-in {self.title} ({self._path}) {fault}, so it is not loaded; install another version of it "
                "or take it out of the preset"
            )

    def _load(self) -> Any:
        try:
            with _float_mode_kept():
                return _PEDALBOARD.load_plugin(str(self._path), plugin_name=self._node.name)
        except (ImportError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise PresetError(
                f"the plug-in {self._path} can't be loaded; install it again or take it out: {reason}"
            ) from None

    def _check_settings(self) -> None:
        for key in self._node.settings:
            if key not in self._parameters[0]:
                raise PresetError(f"{self.title} has no setting '{key}'; it has {', '.join(self._parameters[0])}")

    def _turns(self, key: str) -> bool:
        parameter = self._parameters[0][key]
        low, high, _ = parameter.range
        # What is not automatable is the plug-in's own meter or its guess at the host's block size.
        return (
            parameter.is_automatable and parameter.type is float and low is not None and high is not None and low < high
        )

    def _control(self, key: str, given: object) -> Control:
        parameter = self._parameters[0][key]
        low, high, _ = (float(edge or 0.0) for edge in parameter.range)
        value = float(given) if isinstance(given, (int, float)) else float(getattr(self.plugin, key))
        return Control(key, parameter.name, parameter.label or "", low, high, min(high, max(low, value)))


@contextlib.contextmanager
def _float_mode_kept() -> Iterator[None]:
    """Undo what loading a plug-in built with -ffast-math does to this thread: denormals would be zero for everybody."""
    maths, mode = ctypes.CDLL(None), ctypes.create_string_buffer(64)
    maths.fegetenv(mode)
    try:
        yield
    finally:
        maths.fesetenv(mode)


def local_file(text: str, folder: Path | None, what: str) -> Path:
    """Return the file that a preset in a folder names; raise PresetError if there is none or it may name none."""
    if folder is None:
        raise PresetError(f"{what} is refused: only a preset from a file of yours may name plug-ins or files")
    path = folder / Path(text).expanduser()
    if not path.exists():
        raise PresetError(f"{what} is missing: {path} does not exist; install it or take it out of the preset")
    return path
