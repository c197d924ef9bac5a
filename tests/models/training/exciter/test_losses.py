"""Laws of the losses of waveforms: each can be stated on a signal or two."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from dsp import bands
from models.exciters.ltv_layer import HOP, RATE
from models.training.exciter.acoustic_loss import REACH, WHITE_DB, acoustic_features, acoustic_loss, spectral_flatness
from models.training.exciter.adversarial import Game, Verdict, adversarial_loss, critic_loss, matching_loss
from models.training.exciter.balancer import Balancer
from models.training.exciter.spectral_loss import WaveformLoss, judged_only

ALL = torch.ones(1, 1, bands.BAND_COUNT)
GAMES: tuple[Game, ...] = ("hinge", "squares")


def noise(frames: int = 60) -> Tensor:
    return torch.randn(2, 2 * REACH + frames * HOP)


def test_white_noise_of_unit_variance_is_what_the_acoustic_loss_calls_white() -> None:
    levels_db = acoustic_features(noise(800)).mean((0, 1))
    # The mean of a decibel lies below the decibel of the mean, most of all in narrow bands.
    assert float(levels_db[bands.band_centres_hz() > 4000].sub(WHITE_DB).abs().max()) < 1.5


def test_the_acoustic_loss_counts_judged_bands_alone_in_units_of_10_db() -> None:
    levels_db = torch.zeros(2, 5, bands.BAND_COUNT)
    levels_db[..., 40:] = 20.0
    judged = torch.zeros(2, 1, bands.BAND_COUNT)
    judged[..., 40:] = 1
    assert float(acoustic_loss(levels_db, 0.0, judged)) == pytest.approx(4.0)
    assert float(acoustic_loss(levels_db, 0.0, 1 - judged)) == 0.0
    assert float(acoustic_loss(levels_db, 0.0, judged, tolerance_db=10.0)) == pytest.approx(1.0)
    assert float(acoustic_loss(levels_db, 0.0, 0 * judged)) == 0.0


def test_flatness_is_one_for_a_flat_spectrum_at_any_level_and_falls_with_a_slope() -> None:
    flat = torch.full((1, 3, bands.BAND_COUNT), -200.0)
    assert torch.allclose(spectral_flatness(flat, ALL), torch.ones(1, 3))
    sloping = flat + torch.linspace(0, 30, bands.BAND_COUNT)
    assert 0.05 < float(spectral_flatness(sloping, ALL).max()) < 0.6


def test_the_spectral_loss_is_nothing_for_equal_signals_and_log_of_the_gain_for_others() -> None:
    loss, signal = WaveformLoss(), noise()
    assert float(loss(signal, signal)) == pytest.approx(0.0, abs=1e-6)
    assert float(loss(0.5 * signal, signal)) == pytest.approx(math.log(2), rel=0.01)


def test_above_the_true_bandwidth_nothing_is_judged() -> None:
    clean, restored = noise(), noise()
    mixed = judged_only(restored, clean, torch.tensor([10000.0, 20000.0]))
    frequencies = torch.fft.rfftfreq(clean.shape[1], 1 / RATE)
    for row, bandwidth_hz in enumerate((10000, 20000)):
        spectra = [torch.fft.rfft(signal[row]) for signal in (mixed, clean, restored)]
        beyond = frequencies >= bandwidth_hz
        torch.testing.assert_close(spectra[0][beyond], spectra[1][beyond], atol=1e-2, rtol=1e-3)
        torch.testing.assert_close(spectra[0][~beyond], spectra[2][~beyond], atol=1e-2, rtol=1e-3)


def verdict(value: float, layer: float = 0.0) -> list[Verdict]:
    return [Verdict([torch.full((1, 2, 3), layer)], torch.full((1, 1, 3), value))]


@pytest.mark.parametrize("game", GAMES)
def test_a_discriminator_wants_real_high_and_made_low(game: Game) -> None:
    right = critic_loss(verdict(1.0), verdict(-1.0 if game == "hinge" else 0.0), game)
    wrong = critic_loss(verdict(-1.0), verdict(1.0), game)
    assert float(right) == 0.0
    assert float(wrong) > 1.0


@pytest.mark.parametrize("game", GAMES)
def test_the_generator_wants_what_it_made_to_be_taken_for_real(game: Game) -> None:
    assert float(adversarial_loss(verdict(1.0), game)) < float(adversarial_loss(verdict(0.0), game))


def test_matching_is_relative_and_teaches_the_made_one_only() -> None:
    real = [Verdict([torch.full((1, 2), 4.0, requires_grad=True)], torch.zeros(1))]
    generated = [Verdict([torch.full((1, 2), 3.0, requires_grad=True)], torch.zeros(1))]
    loss = matching_loss(real, generated)
    assert loss.item() == pytest.approx(0.25)
    loss.backward()
    assert real[0].layers[0].grad is None
    assert generated[0].layers[0].grad is not None
    assert matching_loss(generated, generated).item() == 0.0


def test_balanced_losses_pull_with_their_shares_whatever_their_scale() -> None:
    balancer = Balancer({"one": 1.0, "two": 3.0, "absent": 5.0})
    output = torch.randn(4, 10, requires_grad=True)
    for _ in range(3):
        pull = balancer({"one": 1e-6 * output[:2].sum(), "two": 1e6 * output[2:].sum()}, output)
    assert float(pull[:2].norm()) == pytest.approx(1.0, rel=1e-3)
    assert float(pull[2:].norm()) == pytest.approx(3.0, rel=1e-3)


def test_a_loss_that_falls_pulls_less() -> None:
    balancer, output = Balancer({"one": 1.0}), torch.ones(4, requires_grad=True)
    first = balancer({"one": output.sum()}, output)
    later = balancer({"one": 0.1 * output.sum()}, output)
    assert float(later.norm()) < 0.5 * float(first.norm())
