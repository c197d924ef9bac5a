"""Laws of SEANet and SEANet-2: causal, blocks equal the whole, features are heard."""

from __future__ import annotations

import pytest
import torch

from models.seanet import HOP, Seanet, SeanetConfig
from tests.models.generators import TIME, heard, in_blocks, wide_awake

CONFIGS = {
    "plain": SeanetConfig(channels=(4, 6, 8, 10, 12)),
    "conditioned": SeanetConfig(channels=(4, 6, 8, 10, 12), conditioning=7),
    "with noise": SeanetConfig(inputs=2, channels=(4, 6, 8), strides=(2, 8), conditioning=7),
}


@pytest.fixture(params=CONFIGS, ids=str)
def network(request: pytest.FixtureRequest) -> Seanet:
    made = wide_awake(Seanet(CONFIGS[request.param]))
    assert isinstance(made, Seanet)
    return made


@torch.inference_mode()
@pytest.mark.parametrize("block", [17, 64, 128, 256, 1000])
def test_blocks_equal_the_whole(network: Seanet, block: int) -> None:
    signal, frames = heard(network)
    expected, _ = network(signal, network.start(2), frames)
    assert expected.shape == (2, 1, TIME)
    torch.testing.assert_close(in_blocks(network, signal, frames, block), expected, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_single_samples_equal_the_whole(network: Seanet) -> None:
    signal, frames = heard(network)
    expected, _ = network(signal, network.start(2), frames)
    made = in_blocks(network, signal[..., :70], frames, 1)
    torch.testing.assert_close(made, expected[..., :70], atol=1e-5, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize("at", [256, 511, 700])
def test_there_is_no_look_ahead(network: Seanet, at: int) -> None:
    signal, frames = heard(network)
    changed = signal.clone()
    changed[..., at:] += 1
    one, other = (network(given, network.start(2), frames)[0] for given in (signal, changed))
    torch.testing.assert_close(one[..., :at], other[..., :at], atol=1e-5, rtol=0)
    assert float((one[..., at] - other[..., at]).abs().max()) > 1e-5


@torch.inference_mode()
def test_features_are_heard_from_the_frame_before_on() -> None:
    network = wide_awake(Seanet(CONFIGS["conditioned"]))
    signal, frames = heard(network)
    assert frames is not None
    changed = frames.clone()
    changed[..., 3] += 1
    one, other = (network(signal, network.start(2), told)[0] for told in (frames, changed))
    difference = (one - other).abs().amax((0, 1))
    assert float(difference[: 2 * HOP + 1].max()) < 1e-6
    assert float(difference[2 * HOP + 1 : 3 * HOP].max()) > 1e-4


def test_every_weight_learns(network: Seanet) -> None:
    signal, frames = heard(network)
    network(signal, network.start(2), frames)[0].square().mean().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()] == []


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="one level more"):
        SeanetConfig(channels=(8, 16), strides=(2, 2))
    with pytest.raises(ValueError, match="divisor of 256"):
        SeanetConfig(channels=(8, 16), strides=(3,))
