"""What is played live: the chain that a preset, an artifact and a runtime add up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from models.stage import Stage
from plugin_host.preset import Preset, load_preset
from plugin_host.timed_chain import TimedChain

Runtime = Literal["onnx", "torch"]
DEFAULT_ARTIFACT = "live"
LoadModel = Callable[[str, Runtime], Stage]


@dataclass(frozen=True)
class LiveSound:
    """A chain, not yet prepared, and the settings that go with it.

    Attributes:
        chain: The preset's chain around the extender.
        settings: Values that the preset names, by control id.
        preset: The preset's name or path, "" for none.
        artifact: Name or path of the artifact.
        runtime: What computes the predictor.
    """

    chain: TimedChain
    settings: Mapping[str, float]
    preset: str
    artifact: str
    runtime: Runtime


def build(preset: str, artifact: str | None, runtime: Runtime) -> LiveSound:
    """Load what is named; call it on the main thread, where plug-ins want to be loaded.

    Args:
        preset: Name or path, "" for the extender alone.
        artifact: Name or path; by default the preset's, else "live".
        runtime: "onnx" or "torch".

    Raises:
        ValueError: With one sentence: the preset, an effect, a plug-in or the artifact can't be used.
    """
    loaded = load_preset(preset) if preset else Preset(id="live", name="Live")
    name = artifact or loaded.artifact or DEFAULT_ARTIFACT
    chain = TimedChain.from_preset(loaded, load_model(name, runtime), live=True)
    assert isinstance(chain, TimedChain)
    return LiveSound(chain, loaded.settings, preset, name, runtime)


def load_model(name: str, runtime: Runtime) -> Stage:
    """Load an extender; raise ValueError with one sentence if it can't be used."""
    import torch

    from models.artifact import load_extender

    # A second thread only makes the first one wait on a machine that has other work.
    torch.set_num_threads(1)
    return load_extender(name, runtime)
