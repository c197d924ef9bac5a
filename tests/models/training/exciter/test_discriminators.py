"""Laws of the discriminators: they take any length, teach what they judge, and see what they are there to see."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from models.exciters.ltv_layer import RATE
from models.training.exciter.adversarial import adversarial_loss, critic_loss, matching_loss
from models.training.exciter.cqt_discriminator import LOWEST_HZ, OCTAVES, ConstantQ, MultiScaleConstantQ
from models.training.exciter.period_discriminator import PERIODS, MultiPeriod
from models.training.exciter.run import CRITICS
from models.training.exciter.stft_discriminator import WINDOWS, StftDiscriminator, amplitude_picture, phase_picture

TIME = 9001
CASES: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "periods": (lambda: MultiPeriod((2, 3, 4)), len(PERIODS)),
    "amplitude": (lambda: StftDiscriminator("amplitude", 3), len(WINDOWS)),
    "phase": (lambda: StftDiscriminator("phase", 3), len(WINDOWS)),
    "constant-q": (lambda: MultiScaleConstantQ(3, (6, 12)), 2),
}


@pytest.fixture(params=CASES)
def critic(request: pytest.FixtureRequest) -> tuple[nn.Module, int]:
    make, parts = CASES[request.param]
    return make(), parts


def test_every_part_gives_a_verdict_and_its_layers(critic: tuple[nn.Module, int]) -> None:
    verdicts = critic[0](torch.randn(2, TIME))
    assert len(verdicts) == critic[1]
    for layers, verdict in verdicts:
        assert len(layers) >= 3
        assert verdict.shape[:2] == (2, 1)
        assert verdict.isfinite().all()


def test_the_losses_reach_the_sound_and_every_weight(critic: tuple[nn.Module, int]) -> None:
    real, generated = torch.randn(2, TIME), torch.randn(2, TIME, requires_grad=True)
    fooled = critic[0](generated)
    (adversarial_loss(fooled, "hinge") + matching_loss(critic[0](real), fooled)).backward()
    assert generated.grad is not None
    assert generated.grad.isfinite().all()
    assert bool(generated.grad.any(-1).all())
    critic[0].zero_grad()
    critic_loss(critic[0](real), critic[0](generated.detach()), "hinge").backward()
    assert [name for name, weight in critic[0].named_parameters() if weight.grad is None] == []


def test_silence_has_finite_verdicts_and_gradients(critic: tuple[nn.Module, int]) -> None:
    silence = torch.zeros(1, TIME, requires_grad=True)
    adversarial_loss(critic[0](silence), "squares").backward()
    assert silence.grad is not None
    assert silence.grad.isfinite().all()


def test_every_discriminator_can_be_named_in_a_run() -> None:
    assert set(CRITICS) == set(CASES)
    assert all(sum(weight.numel() for weight in make().parameters()) > 1000 for make in CRITICS.values())


@pytest.mark.parametrize("bins_per_octave", [12, 24])
def test_the_constant_q_transform_finds_a_tone_in_its_own_bin(bins_per_octave: int) -> None:
    transform, time = ConstantQ(bins_per_octave), torch.arange(24000) / RATE
    for wanted in (3, bins_per_octave * 2, bins_per_octave * OCTAVES - 2):
        frequency = LOWEST_HZ * 2 ** ((wanted + 0.5) / bins_per_octave)
        picture = transform(torch.cos(2 * torch.pi * frequency * time)[None])
        magnitude = picture.square().sum(1).sqrt()[0, :, 40]
        assert int(magnitude.argmax()) == wanted
        # A window that sums to 1 shows half of a cosine.
        assert float(magnitude[wanted]) == pytest.approx(0.5, rel=0.02)


def test_an_octave_up_is_so_many_bins_up() -> None:
    transform, time = ConstantQ(12), torch.arange(24000) / RATE
    pictures = [transform(torch.cos(2 * torch.pi * hz * time)[None]).square().sum(1)[0, :, 40] for hz in (1700, 3400)]
    assert int(pictures[1].argmax() - pictures[0].argmax()) == 12


def test_phase_is_seen_without_amplitude_and_amplitude_without_phase() -> None:
    spectrum = torch.randn(1, 5, 6, dtype=torch.complex64) + 3
    torch.testing.assert_close(phase_picture(spectrum), phase_picture(5 * spectrum), atol=1e-4, rtol=0)
    torch.testing.assert_close(amplitude_picture(spectrum), amplitude_picture(1j * spectrum))
    torch.testing.assert_close(amplitude_picture(10 * spectrum), amplitude_picture(spectrum) + 1, atol=1e-4, rtol=0)
