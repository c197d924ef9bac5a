"""Laws of SEANet and SEANet-2 alone; test_generators.py holds what they share with others."""

from __future__ import annotations

import pytest

from models.exciters.config import SeanetConfig
from tests.models.exciters.generators import SEANETS, Generator, generator, inputs


@pytest.fixture(params=SEANETS, ids=str)
def network(request: pytest.FixtureRequest) -> Generator:
    return generator(SEANETS[request.param])


def test_every_weight_learns(network: Generator) -> None:
    signal, frames = inputs(network)
    network(signal, network.start(2), frames)[0].square().mean().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()] == []


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="one level more"):
        SeanetConfig(channels=(8, 16), strides=(2, 2))
    with pytest.raises(ValueError, match="divisor of 256"):
        SeanetConfig(channels=(8, 16), strides=(3,))
