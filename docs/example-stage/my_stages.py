"""A stage of your own in torch: a small causal network that brightens, with one knob."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from models.control import Control
from models.stage import Block

TAPS = 16


class Brightener:
    """Adds what a causal convolution filters out of the input; put a trained network in place of the convolution."""

    def __init__(self) -> None:
        self._filter = torch.nn.Conv1d(1, 1, TAPS, bias=False)
        with torch.no_grad():
            # The input less its mean over the last samples: a high-pass.
            self._filter.weight.fill_(-1.0 / TAPS)
            self._filter.weight[..., -1] += 1.0

    @property
    def controls(self) -> Sequence[Control]:
        """One knob, which the DAW shows."""
        return [Control("shine", "Shine", "dB", -60.0, 12.0, -6.0, about="Level of what is added.")]

    @property
    def latency_samples(self) -> int:
        """None: the convolution is causal."""
        return 0

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Allocate for so many channels; any rate will do."""
        self._channels = channels
        self.reset()

    def reset(self, position: int = 0) -> None:
        """Forget the past."""
        self._past = torch.zeros(self._channels, 1, TAPS - 1)

    @torch.inference_mode()
    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Return a block of the same shape."""
        dry = torch.from_numpy(block)[:, None]
        whole = torch.cat([self._past, dry], 2)
        self._past = whole[..., whole.shape[2] - TAPS + 1 :].clone()
        bright: Block = (dry + 10 ** (settings["shine"] / 20) * self._filter(whole))[:, 0].numpy()
        return bright
