"""Laws of the WaveNet-type generator: causal, blocks equal the whole, features are heard."""

from __future__ import annotations

import pytest
import torch

from models.wavenet import HOP, Wavenet, WavenetConfig
from tests.models.generators import TIME, heard, in_blocks, wide_awake

CONFIGS = {
    "plain": WavenetConfig(channels=16, dilations=(1, 2, 4, 8)),
    "conditioned": WavenetConfig(channels=16, dilations=(1, 2, 4, 8), conditioning=7),
    "strided, with noise": WavenetConfig(inputs=2, channels=16, dilations=(1, 2, 4, 8), stride=4, conditioning=7),
}


@pytest.fixture(params=CONFIGS, ids=str)
def network(request: pytest.FixtureRequest) -> Wavenet:
    made = wide_awake(Wavenet(CONFIGS[request.param]))
    assert isinstance(made, Wavenet)
    return made


@torch.inference_mode()
@pytest.mark.parametrize("block", [17, 64, 128, 256, 1000])
def test_blocks_equal_the_whole(network: Wavenet, block: int) -> None:
    signal, frames = heard(network)
    expected, _ = network(signal, network.start(2), frames)
    assert expected.shape == (2, 1, TIME)
    torch.testing.assert_close(in_blocks(network, signal, frames, block), expected, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_single_samples_equal_the_whole(network: Wavenet) -> None:
    signal, frames = heard(network)
    expected, _ = network(signal, network.start(2), frames)
    made = in_blocks(network, signal[..., :70], frames, 1)
    torch.testing.assert_close(made, expected[..., :70], atol=1e-5, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize("at", [256, 511, 700])
def test_there_is_no_look_ahead(network: Wavenet, at: int) -> None:
    signal, frames = heard(network)
    changed = signal.clone()
    changed[..., at:] += 1
    one, other = (network(given, network.start(2), frames)[0] for given in (signal, changed))
    torch.testing.assert_close(one[..., :at], other[..., :at], atol=1e-5, rtol=0)
    # A strided one hears a sample at its next step.
    soon = slice(at, at + network.config.stride)
    assert float((one[..., soon] - other[..., soon]).abs().max()) > 1e-5


@torch.inference_mode()
def test_features_are_heard_from_the_frame_before_on() -> None:
    network = wide_awake(Wavenet(CONFIGS["conditioned"]))
    signal, frames = heard(network)
    assert frames is not None
    changed = frames.clone()
    changed[..., 3] += 1
    one, other = (network(signal, network.start(2), told)[0] for told in (frames, changed))
    difference = (one - other).abs().amax((0, 1))
    assert float(difference[: 2 * HOP + 1].max()) < 1e-6
    assert float(difference[2 * HOP + 1 : 3 * HOP].max()) > 1e-4


def test_every_weight_learns(network: Wavenet) -> None:
    signal, frames = heard(network)
    network(signal, network.start(2), frames)[0].square().mean().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []


def test_a_stride_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="must divide 256"):
        WavenetConfig(stride=3)
