"""A network in the exciter's place: it makes the coloured source out of the input, sample by sample.

The networks are causal and stream by an explicit past, so the extender has no more latency with one than without, and
blocks equal the whole. What a network makes is whitened and shaped like any source (`models.extender.gains`).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from dsp.exciter import NOISE_LENGTH, noise_table
from dsp.fft import Array
from models.exciters.causal_conv import folded
from models.exciters.config import NetworkConfig, SeanetConfig
from models.exciters.seanet import Seanet, SeanetPast
from models.exciters.wavenet import Wavenet, WavenetPast

Network = Seanet | Wavenet
# Brings programme material of -20 dB to the size of the noise, which is what a network's weights expect at first.
_SIGNAL_GAIN = 10.0


def network_of(config: NetworkConfig) -> Network:
    """Return an untrained network of these sizes."""
    return Seanet(config) if isinstance(config, SeanetConfig) else Wavenet(config)


def entering(signal: Tensor, noise: Tensor, inputs: int, noise_at: int) -> Tensor:
    """Return the input of a network for signals.

    Args:
        signal: Shape (batch, time).
        noise: `dsp.exciter.noise_table`.
        inputs: 2 where the noise goes in beside the signal, else 1.
        noise_at: Where in the noise the signals begin.

    Returns:
        Shape (batch, inputs, time).
    """
    entered = _SIGNAL_GAIN * signal[:, None]
    if inputs == 1:
        return entered
    index = (torch.arange(signal.shape[1], device=signal.device) + noise_at) % NOISE_LENGTH
    return torch.cat([entered, noise[index].expand_as(entered)], 1)


def trained_network(config: NetworkConfig, weights: Mapping[str, Array]) -> Network:
    """Return a network with these weights, ready to play; raise RuntimeError or ValueError where they don't fit."""
    network = folded(network_of(config))
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return network


class NetworkExciter:
    """Plays a trained network, each channel by itself.

    Args:
        network: With the weights as they are played (`models.exciters.causal_conv.folded`), without conditioning.

    Raises:
        ValueError: The network has conditioning, whose features are known only after it has played.
    """

    def __init__(self, network: Network) -> None:
        if network.config.conditioning:
            raise ValueError("a network with conditioning can't be an exciter here: take one without conditioning")
        self.network = network
        self._noise = torch.from_numpy(noise_table())

    def reset(self, channels: int) -> None:
        """Forget the past."""
        self._past: SeanetPast | WavenetPast = self.network.start(channels)

    def excite(self, block: Array, position: int) -> Array:
        """Return what the network makes of a block, shape (channels, samples).

        Args:
            block: Same shape; numbers only.
            position: Index of its first sample since the reset.
        """
        with torch.inference_mode():
            entered = entering(torch.from_numpy(block), self._noise, self.network.config.inputs, position)
            output, self._past = self.network(entered, self._past)
            excitation: Array = output[:, 0].numpy()
            return excitation
