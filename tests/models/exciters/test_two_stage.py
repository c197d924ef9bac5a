"""Laws of the learned extender: causal, the low band passes, the LTV filter alone carries the envelope."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dsp import bands
from models.exciters.config import SeanetConfig, WavenetConfig
from models.exciters.ltv_layer import HOP, RATE, ShapingFilter
from models.exciters.two_stage import LearnedConfig, LearnedExtender, above, high_passed
from models.training.exciter.acoustic_loss import REACH, acoustic_features

FRAMES = 40
CROSSOVERS_HZ = [4000.0, 7600.0]
NETWORKS: dict[str, SeanetConfig | WavenetConfig] = {
    "seanet": SeanetConfig(inputs=2, channels=(3, 4, 5), strides=(2, 8), dilations=(1,)),
    "seanet-2": SeanetConfig(channels=(3, 4, 5), strides=(2, 8), dilations=(1,), conditioning=bands.BAND_COUNT),
    "hifigan-2": WavenetConfig(channels=4, dilations=(1, 2), stride=4, conditioning=bands.BAND_COUNT),
}


@pytest.fixture(params=[(name, filtered) for name in NETWORKS for filtered in (False, True)], ids=str)
def extender(request: pytest.FixtureRequest) -> LearnedExtender:
    name, filtered = request.param
    return LearnedExtender(LearnedConfig(NETWORKS[name], filtered)).eval()


def sound() -> tuple[Tensor, Tensor]:
    signal = high_passed(torch.randn(2, FRAMES * HOP), [100.0, 100.0]) * 0.1
    return signal, -60 + 5 * torch.randn(2, FRAMES + 1, bands.BAND_COUNT)


@torch.inference_mode()
def test_it_is_causal(extender: LearnedExtender) -> None:
    signal, levels_db = sound()
    changed = signal.clone()
    changed[:, 5000:] += 0.1
    one, other = (extender(given, levels_db, CROSSOVERS_HZ).restored for given in (signal, changed))
    torch.testing.assert_close(one[:, :5000], other[:, :5000], atol=1e-5, rtol=0)
    assert float((one - other)[:, 5000:].abs().max()) > 0.01


@torch.inference_mode()
def test_what_was_there_stays(extender: LearnedExtender) -> None:
    signal, levels_db = sound()
    added = extender(signal, levels_db, CROSSOVERS_HZ).restored - signal
    window = torch.kaiser_window(added.shape[1], True, 24.0)
    power, there = (torch.fft.rfft(given * window).abs().square() for given in (added, signal))
    frequencies = torch.fft.rfftfreq(added.shape[1], 1 / RATE)
    for row, crossover_hz in enumerate(CROSSOVERS_HZ):
        # The table of crossovers is a 48th of an octave wide.
        below = frequencies < 0.98 * crossover_hz
        assert float(10 * torch.log10(power[row, below].sum() / there[row, below].sum())) < -90
        assert bool(power[row, ~below].any())


@torch.inference_mode()
def test_the_filter_gives_white_noise_the_target_levels() -> None:
    target_db = (-60 + 10 * torch.sin(torch.arange(bands.BAND_COUNT) / 6)).expand(1, 401, bands.BAND_COUNT)
    shaped = ShapingFilter()(torch.randn(1, 400 * HOP), target_db)
    levels_db = acoustic_features(shaped)[:, 4:]
    measured = 10 * torch.log10(torch.pow(10, levels_db / 10).mean(1))
    # Narrow bands far down are blurred by the short filter; the generated ones begin at 2 kHz.
    upper = bands.band_centres_hz() > 2000
    assert float((measured - target_db[:, 0])[:, upper].abs().max()) < 1.0


@torch.inference_mode()
def test_the_filter_adds_no_latency() -> None:
    impulse = torch.zeros(1, 8 * HOP)
    impulse[0, 1000] = 1
    shaped = ShapingFilter()(impulse, torch.zeros(1, 9, bands.BAND_COUNT))
    torch.testing.assert_close(shaped, impulse, atol=1e-5, rtol=0)


def test_features_below_the_crossover_do_not_matter(extender: LearnedExtender) -> None:
    signal, levels_db = sound()
    other = torch.where(above(CROSSOVERS_HZ) > 0, levels_db, 20.0)
    with torch.inference_mode():
        one, two = (extender(signal, given, CROSSOVERS_HZ).restored for given in (levels_db, other))
    assert torch.equal(one, two)


def test_gradients_reach_the_network_through_the_filter(extender: LearnedExtender) -> None:
    signal, levels_db = sound()
    extender(signal, levels_db, CROSSOVERS_HZ).restored.square().sum().backward()
    assert [name for name, weight in extender.named_parameters() if weight.grad is None] == []


def test_features_that_do_not_fit_the_signal_are_refused(extender: LearnedExtender) -> None:
    signal, levels_db = sound()
    with pytest.raises(ValueError, match="n \\+ 1 frames"):
        extender(signal, levels_db[:, 1:], CROSSOVERS_HZ)


def test_the_frames_of_the_features_lie_on_the_hops() -> None:
    click = torch.zeros(1, REACH + 8 * HOP + REACH)
    click[0, REACH + 3 * HOP] = 1
    assert int(acoustic_features(click)[0].mean(-1).argmax()) == 3


@torch.inference_mode()
def test_mixed_precision_makes_nearly_the_same(extender: LearnedExtender) -> None:
    signal, levels_db = sound()
    expected = extender.excite(signal, levels_db, CROSSOVERS_HZ)
    with torch.autocast("cpu", torch.bfloat16):
        output = extender.excite(signal, levels_db, CROSSOVERS_HZ)
    assert output.dtype == torch.float32
    assert float((output - expected).std()) < 0.05 * float(expected.std() + expected.mean().abs())
