"""Laws of the causal convolutions: blocks equal the whole, no output depends on later input, steps stand on a grid."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.exciters.causal_conv import CausalConv, CausalTransposed, folded

TIME = 61


def signal() -> Tensor:
    return torch.randn(2, 3, TIME)


@torch.inference_mode()
@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(1, 1, 1), (3, 1, 9), (4, 2, 1), (16, 8, 1), (7, 1, 1)])
@pytest.mark.parametrize("block", [1, 5, 17])
def test_blocks_equal_the_whole(kernel: int, stride: int, dilation: int, block: int) -> None:
    layer, sound = CausalConv(3, 5, kernel, stride, dilation), signal()
    expected, last = layer(sound, layer.start(2))
    assert expected.shape == (2, 5, -(-TIME // stride))
    outputs, past = [], layer.start(2)
    for part in sound.split(block, -1):
        steps, past = layer(part, past)
        outputs.append(steps)
    torch.testing.assert_close(torch.cat(outputs, -1), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(past, last)


@torch.inference_mode()
@pytest.mark.parametrize("stride", [1, 2, 8])
@pytest.mark.parametrize("block", [1, 5, 17])
def test_blocks_of_a_transposed_layer_equal_the_whole(stride: int, block: int) -> None:
    layer = CausalTransposed(3, 5, 2 * stride, stride)
    layer.bias.normal_()
    steps = torch.randn(2, 3, -(-TIME // stride))
    expected, _ = layer(steps, layer.start(2), TIME)
    assert expected.shape == (2, 5, TIME)
    outputs, past, begun = [], layer.start(2), 0
    for start in range(0, TIME, block):
        time = min(block, TIME - start)
        until = -(-(start + time) // stride)
        part, past = layer(steps[..., begun:until], past, time)
        outputs.append(part)
        begun = until
    torch.testing.assert_close(torch.cat(outputs, -1), expected, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_a_step_sees_nothing_newer_than_its_own_sample() -> None:
    layer, sound = CausalConv(3, 5, 16, 8), signal()
    changed = sound.clone()
    changed[..., 25:] = 0
    one, other = (layer(given, layer.start(2))[0] for given in (sound, changed))
    # Steps stand on samples 0, 8, 16, 24, 32, ...
    torch.testing.assert_close(one[..., :4], other[..., :4])
    assert float((one[..., 4] - other[..., 4]).abs().max()) > 1e-3


@torch.inference_mode()
def test_it_is_the_usual_convolution_of_a_signal_that_begins_in_silence() -> None:
    layer, sound = CausalConv(3, 5, 3, dilation=4), signal()
    expected = functional.conv1d(functional.pad(sound, (8, 0)), layer.conv.weight, layer.conv.bias, dilation=4)
    torch.testing.assert_close(layer(sound, layer.start(2))[0], expected)


@torch.inference_mode()
def test_a_step_of_a_transposed_layer_sounds_from_its_own_sample_on() -> None:
    layer = CausalTransposed(3, 5, 8, 4)
    steps = torch.zeros(1, 3, 4)
    steps[..., 2] = 1
    outputs, _ = layer(steps, layer.start(1), 16)
    assert not outputs[..., :8].any()
    assert bool(outputs[..., 8:16].any(1).all())


@torch.inference_mode()
def test_folded_layers_sound_the_same_with_plain_weights() -> None:
    layer, sound = CausalConv(3, 5, 3), signal()
    expected, _ = layer(sound, layer.start(2))
    assert folded(layer) is layer
    torch.testing.assert_close(layer(sound, layer.start(2))[0], expected)
    assert set(layer.state_dict()) == {"conv.weight", "conv.bias"}
