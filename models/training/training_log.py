"""The log of a training run: lines of JSON always, TensorBoard with audio and pictures where it is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.exciters.ltv_layer import RATE

_RANGE_DB = 100.0


class TrainingLog:
    """Writes to a run's folder.

    Args:
        home: The folder.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / "log.jsonl"
        self._board = _board(home)

    def line(self, step: int, values: Mapping[str, float]) -> None:
        """Write the values of a step, and print them."""
        text = json.dumps({"step": step, **{name: round(value, 4) for name, value in values.items()}})
        with self._file.open("a", encoding="utf-8") as log:
            log.write(text + "\n")
        print(text, flush=True)
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def sound(self, step: int, name: str, signal: Tensor) -> None:
        """Keep a signal of shape (time,) as audio and as the picture of its spectrogram."""
        if self._board is not None:
            self._board.add_audio(name, signal.detach().cpu().clamp(-1, 1)[None], step, RATE)
            self._board.add_image(name, picture(signal), step)

    def close(self) -> None:
        """Write what is still held back."""
        if self._board is not None:
            self._board.close()


def picture(signal: Tensor) -> Tensor:
    """Return a spectrogram as a grey picture: 0..1 for -100..0 dB, the top on top, shape (1, height, width)."""
    window = torch.hann_window(1024, device=signal.device)
    spectrum = torch.stft(signal.detach(), 1024, 256, window=window, return_complex=True).abs() / window.sum()
    level_db = 20 * torch.log10(spectrum.clamp(min=1e-10)) + 6.0
    return (1 + level_db / _RANGE_DB).clamp(0, 1).flip(0)[None].cpu()


def _board(home: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(home / "board"))
