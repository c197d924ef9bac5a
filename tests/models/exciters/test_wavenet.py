"""Laws of the WaveNet-type generator alone; test_generators.py holds what it shares with others."""

from __future__ import annotations

import pytest

from models.exciters.config import WavenetConfig
from tests.models.exciters.generators import WAVENETS, Generator, generator, inputs


@pytest.fixture(params=WAVENETS, ids=str)
def network(request: pytest.FixtureRequest) -> Generator:
    return generator(WAVENETS[request.param])


def test_every_weight_learns(network: Generator) -> None:
    signal, frames = inputs(network)
    network(signal, network.start(2), frames)[0].square().mean().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []


def test_a_stride_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="must divide 256"):
        WavenetConfig(stride=3)
