"""Arrays and files through the model, as a person would guess it: the functions of `import highband`."""

from __future__ import annotations

import sys
import warnings
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from models.extender.controls import control, defaults
from models.stage import Block, Stage
from plugin_host.chain.chain import Chain
from plugin_host.chain.file_program import default_artifact
from plugin_host.files.resample import output_rate, resampled
from plugin_host.preset.artifact_pin import warning_for
from plugin_host.preset.file import Preset, load_preset
from plugin_host.render import render

if TYPE_CHECKING:
    from plugin_host.files.suffixes import Bits
    from plugin_host.render.figures import Rendering

# numpy.ndarray or torch.Tensor, which is not imported for this.
Samples = TypeVar("Samples")
# Long recordings are played in blocks of so many samples, which gives the same sound in constant memory.
_BLOCK = 1 << 16


def restore(
    samples: Samples,
    sample_rate: float,
    *,
    preset: str | PathLike[str] | Preset | None = None,
    artifact: str | PathLike[str] | Stage | None = None,
    **settings: float | str,
) -> tuple[Samples, int]:
    """Return the samples with their missing top octaves, aligned to the input, and the rate of the result.

        bright, rate = highband.restore(samples, rate, preset="dull-vocal", amount="-3 dB", crossover="auto")

    Args:
        samples: Shape (time,) or (channels, time), float32 or float64 from -1 to 1: a numpy array or a torch tensor.
            The result is of the same kind, on the same device.
        sample_rate: Hz. From 44.1 kHz on the rate stays, below it the result is at 48 kHz.
        preset: Name, path or loaded preset, with its effects; by default the model alone.
        artifact: Name or folder of a trained model, or a loaded stage; by default the preset's, else the best one.
        settings: Knobs over the preset's values, as numbers in their unit or as the command line takes them.

    Raises:
        TypeError: The samples are no array of floating-point numbers.
        ValueError: With one sentence: the shape, the rate, a knob, the preset or the artifact can't be used.
    """
    block = _to_block(samples)
    is_number = isinstance(sample_rate, Real)
    if not is_number or not 1000 <= sample_rate <= 1_000_000 or sample_rate != int(sample_rate):
        raise ValueError(f"the sample rate must be a whole number of Hz such as 44100, not {sample_rate!r}")
    stage, values = _program(preset, artifact, settings)
    old_rate = int(sample_rate)
    rate = output_rate(old_rate)
    raised = np.concatenate(list(resampled([block], old_rate, rate, len(block))), axis=1)
    wet = render.render_samples(stage, values, raised, rate, block=min(_BLOCK, max(1, raised.shape[1])))
    if isinstance(stage, render.KeepsFaults) and (fault := stage.take_error()):
        raise ValueError(f"the samples can't be rendered: {fault}")
    return _like(wet, samples), rate


def render_file(
    source: str | PathLike[str],
    target: str | PathLike[str],
    *,
    preset: str | PathLike[str] | Preset | None = None,
    artifact: str | PathLike[str] | Stage | None = None,
    bits: Bits | None = None,
    **settings: float | str,
) -> Rendering:
    """Render one audio file into a .wav or .flac file, which appears only when it is complete; see `restore`.

    Raises:
        ValueError: With one sentence: a file, a knob, the preset or the artifact can't be used.
    """
    stage, values = _program(preset, artifact, settings)
    return render.render_file(stage, values, Path(source), Path(target), bits=bits)


def _program(
    preset: str | PathLike[str] | Preset | None,
    artifact: str | PathLike[str] | Stage | None,
    settings: dict[str, float | str],
) -> tuple[Stage, dict[str, float]]:
    """Return the stage and the value of every knob."""
    changes = {name: control(name).from_text(str(value)) for name, value in settings.items()}
    loaded = preset if isinstance(preset, Preset | None) else load_preset(preset)
    stage: Stage
    if isinstance(artifact, str | PathLike | None):
        from models.artifact.load import load_extender

        name = artifact or (loaded and loaded.artifact) or default_artifact()
        stage = load_extender(Path(name) if isinstance(name, PathLike) else name)
        if loaded is not None and (warning := warning_for(loaded, str(name))):
            warnings.warn(warning, stacklevel=4)
    else:
        stage = artifact
    if loaded is None:
        return stage, {**defaults(), **changes}
    return Chain.from_preset(loaded, stage), {**defaults(), **loaded.settings, **changes}


def _to_block(samples: Any) -> Block:
    """Return samples as a block, shape (channels, time)."""
    is_tensor = _is_tensor(samples)
    if not is_tensor and not isinstance(samples, np.ndarray):
        hint = "; a file is rendered by highband.render_file" if isinstance(samples, str | PathLike) else ""
        raise TypeError(f"samples must be a numpy array or a torch tensor, not {type(samples).__name__}{hint}")
    kind = str(samples.dtype).removeprefix("torch.") if is_tensor else samples.dtype.name
    if kind not in ("float32", "float64"):
        raise TypeError(f"samples must be float32 or float64 from -1 to 1, not {kind}; convert and scale them")
    array: Block = samples.detach().cpu().numpy() if is_tensor else samples
    if array.ndim not in (1, 2):
        raise ValueError(f"samples must be of shape (time,) or (channels, time), not {array.shape}; give one recording")
    if array.ndim == 2 and (array.shape[0] > array.shape[1] > 0 or not array.shape[0]):
        raise ValueError(f"samples must be of shape (channels, time), not {array.shape}; give the transpose, samples.T")
    return np.ascontiguousarray(np.atleast_2d(array), np.float32)


def _like(block: Block, samples: Any) -> Any:
    """Return a block as what the samples were: their dimensions, type and device."""
    array = block if samples.ndim == 2 else block[0]
    if not _is_tensor(samples):
        return array.astype(samples.dtype, copy=False)
    return sys.modules["torch"].from_numpy(np.ascontiguousarray(array)).to(samples.device, samples.dtype)


def _is_tensor(samples: object) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(samples, torch.Tensor)
