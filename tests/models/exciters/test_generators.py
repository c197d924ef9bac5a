"""Laws of the generators, plain and conditioned: causal, blocks equal the whole, features change the output."""

from __future__ import annotations

import pytest
import torch

from models.exciters.config import HOP, WavenetConfig
from tests.models.exciters.generators import SEANETS, TIME, WAVENETS, Generator, generator, in_blocks, inputs

CONFIGS = {**SEANETS, **WAVENETS}


@pytest.fixture(params=CONFIGS, ids=str)
def network(request: pytest.FixtureRequest) -> Generator:
    return generator(CONFIGS[request.param])


@torch.inference_mode()
@pytest.mark.parametrize("block", [17, 64, 256, 1000])
def test_blocks_equal_the_whole(network: Generator, block: int) -> None:
    signal, frames = inputs(network)
    expected, _ = network(signal, network.start(2), frames)
    assert expected.shape == (2, 1, TIME)
    # Small blocks cross every boundary of a hop in a part of it.
    part = signal[..., : 40 * block]
    torch.testing.assert_close(
        in_blocks(network, part, frames, block), expected[..., : part.shape[-1]], atol=1e-5, rtol=0
    )


@torch.inference_mode()
def test_single_samples_equal_the_whole(network: Generator) -> None:
    signal, frames = inputs(network)
    expected, _ = network(signal, network.start(2), frames)
    alone = in_blocks(network, signal[..., :40], frames, 1)
    torch.testing.assert_close(alone, expected[..., :40], atol=1e-5, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize("at", [256, 511, 700])
def test_there_is_no_look_ahead(network: Generator, at: int) -> None:
    signal, frames = inputs(network)
    changed = signal.clone()
    changed[..., at:] += 1
    one, other = (network(given, network.start(2), frames)[0] for given in (signal, changed))
    torch.testing.assert_close(one[..., :at], other[..., :at], atol=1e-5, rtol=0)
    # A strided one sees a sample at its next step.
    stride = network.config.stride if isinstance(network.config, WavenetConfig) else 1
    soon = slice(at, at + stride)
    assert float((one[..., soon] - other[..., soon]).abs().max()) > 1e-5


@torch.inference_mode()
@pytest.mark.parametrize("name", ["SEANet-2", "conditioned WaveNet"])
def test_features_count_from_the_frame_before_on(name: str) -> None:
    network = generator(CONFIGS[name])
    signal, frames = inputs(network)
    assert frames is not None
    changed = frames.clone()
    changed[..., 3] += 1
    one, other = (network(signal, network.start(2), features)[0] for features in (frames, changed))
    difference = (one - other).abs().amax((0, 1))
    assert float(difference[: 2 * HOP + 1].max()) < 1e-6
    assert float(difference[2 * HOP + 1 : 3 * HOP].max()) > 1e-4
