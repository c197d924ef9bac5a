"""Laws of the LTV filter: it has the wanted gains, no latency, and no seams."""

from __future__ import annotations

import numpy as np
import pytest

from dsp import bands, ltv
from dsp.band_power import LOG_PER_DB
from dsp.fft import Array
from dsp.ltv import FilterDesign, minimum_phase_spectrum

RATES = (44100, 48000, 96000)


def smooth_gains_db(seed: int, spread_db: float = 10.0) -> Array:
    """Return gains that move slowly over the bands, as envelopes do."""
    knots = np.random.default_rng(seed).standard_normal(8) * spread_db
    return np.interp(np.linspace(0, 7, bands.BAND_COUNT), np.arange(8), knots).astype(np.float32)


def impulse_of(design: FilterDesign, gains_db: Array) -> Array:
    rows = gains_db.reshape(-1, bands.BAND_COUNT) * np.float32(LOG_PER_DB)
    return design.impulse(rows).reshape(*gains_db.shape[:-1], -1)


def response_db(impulse: Array, rate: int) -> Array:
    """Return the gain at the bands' centres in dB."""
    n_fft = 16384
    spectrum = np.abs(np.fft.rfft(impulse.astype(np.float64), n=n_fft))
    bins = (bands.band_centres_hz() / rate * n_fft).round().astype(int).clip(max=n_fft // 2)
    levels: Array = (20 * np.log10(spectrum[bins])).astype(np.float32)
    return levels


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(3))
def test_the_response_has_the_wanted_gains_to_one_db(rate: int, seed: int) -> None:
    gains = smooth_gains_db(seed)
    audible = bands.band_mask(rate, 1500.0, 0.47 * rate) > 0
    error = (response_db(impulse_of(FilterDesign(rate), gains), rate) - gains)[audible]
    assert np.abs(error).max() < 1.0


@pytest.mark.parametrize("rate", RATES)
def test_the_magnitude_is_never_negative_and_flat_gains_are_a_flat_filter(rate: int) -> None:
    design = FilterDesign(rate)
    assert (np.exp(smooth_gains_db(4, 40.0) * LOG_PER_DB @ design.log_magnitude) >= 0).all()
    impulse = impulse_of(design, np.full(bands.BAND_COUNT, -6.0, np.float32))
    assert impulse[0] == pytest.approx(10 ** (-6 / 20), rel=1e-4)
    assert np.abs(impulse[1:]).max() < 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_the_zeros_lie_inside_the_unit_circle(seed: int) -> None:
    impulse = impulse_of(FilterDesign(48000), smooth_gains_db(seed, 6.0)).astype(np.float64)
    assert float(np.abs(np.roots(impulse)).max()) < 1.001


@pytest.mark.parametrize("seed", range(3))
def test_the_energy_comes_first(seed: int) -> None:
    """No filter of the same magnitude has let more energy through at any time (Oppenheim and Schafer)."""
    power = np.square(impulse_of(FilterDesign(48000), smooth_gains_db(seed)).astype(np.float64))
    energy = power.cumsum()
    assert (energy >= power[::-1].cumsum() - 1e-12).all()
    assert energy[24] / energy[-1] > 0.9


def test_a_minimum_phase_spectrum_keeps_its_magnitude_and_starts_at_once() -> None:
    log_magnitude = 0.5 * np.cos(np.linspace(0, 3 * np.pi, 513))
    spectrum = minimum_phase_spectrum(log_magnitude)
    np.testing.assert_allclose(spectrum.real, log_magnitude, atol=1e-12)
    impulse = np.fft.irfft(np.exp(spectrum))
    assert np.square(impulse[:100]).sum() / np.square(impulse).sum() > 0.9999


def test_a_factor_is_a_gain_of_the_whole_filter() -> None:
    design, gains = FilterDesign(48000), smooth_gains_db(2)[None] * np.float32(LOG_PER_DB)
    plain = design(gains[None])
    halved = np.empty((1, 2, plain.shape[2]), np.complex64)
    ltv.append_filters(plain, 1, gains[None], np.full((1, 1), 0.5, np.float32), design.tables, halved)
    np.testing.assert_array_equal(halved[:, 0], plain[:, 0])
    np.testing.assert_allclose(halved[:, 1], 0.5 * plain[:, 0], atol=1e-6)
    np.testing.assert_allclose(plain[0], np.fft.rfft(design.impulse(gains), n=design.n_fft), atol=1e-5)


def filtered_hops(signals: Array, gains_db: Array, design: FilterDesign, hop: int) -> Array:
    """Pass sources, shape (sources, channels, time), through filters with gains (sources, boundaries, bands)."""
    boundaries = gains_db.shape[1]
    channels, time, reach = signals.shape[1], signals.shape[2], design.taps - 1
    held = np.repeat(design(gains_db * np.float32(LOG_PER_DB))[:, None], channels, 1)
    hops = boundaries - 1
    products = np.zeros((2, channels * hops, design.n_fft // 2 + 1), np.complex64)
    for signal, own in zip(signals, held, strict=True):
        spectra = ltv.hop_spectra(signal, reach, time, hop, hops, design.taps, design.n_fft)
        ltv.apply_filters(spectra, own, 0, products, True, products)
    out = np.empty((channels, time - reach), np.float32)
    ltv.cross_fade(products, hop, design.taps, 0, out)
    return out


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sources", [1, 2])
@pytest.mark.parametrize("hops", [1, 5])
def test_a_constant_filter_is_a_convolution(rate: int, sources: int, hops: int) -> None:
    hop, design = bands.hop_samples(rate), FilterDesign(rate)
    gains = np.stack([smooth_gains_db(k) for k in range(sources)])
    signals = np.random.default_rng(0).standard_normal((sources, 2, design.taps - 1 + hops * hop)).astype(np.float32)
    held = np.repeat(gains[:, None], hops + 1, 1)
    impulses = impulse_of(design, gains).astype(np.float64)
    for late in (0, 7):
        filtered = filtered_hops(signals[..., : signals.shape[-1] - late].copy(), held, design, hop)
        for row in range(2):
            direct = np.sum([np.convolve(signals[k, row], impulses[k], "valid") for k in range(sources)], 0)
            np.testing.assert_allclose(filtered[row], direct[: hops * hop - late], atol=1e-4)


def test_a_block_inside_a_hop_is_that_part_of_it() -> None:
    hop, design = bands.hop_samples(48000), FilterDesign(48000)
    filters = design(np.stack([smooth_gains_db(k) for k in range(3)])[None] * np.float32(LOG_PER_DB))
    signal = np.random.default_rng(0).standard_normal((1, design.taps - 1 + 2 * hop)).astype(np.float32)
    products = np.zeros((2, 2, design.n_fft // 2 + 1), np.complex64)
    spectra = ltv.hop_spectra(signal, design.taps - 1, signal.shape[1], hop, 2, design.taps, design.n_fft)
    ltv.apply_filters(spectra, filters, 0, products, True, products)
    whole, part = np.empty((1, 2 * hop), np.float32), np.empty((1, 300), np.float32)
    ltv.cross_fade(products, hop, design.taps, 0, whole)
    ltv.cross_fade(products, hop, design.taps, 100, part)
    np.testing.assert_array_equal(part, whole[:, 100:400])


def test_filters_are_cross_faded_without_a_step() -> None:
    """A constant signal through gains that jump follows a straight line from the one to the other."""
    hop, design = bands.hop_samples(48000), FilterDesign(48000)
    gains = np.zeros((1, 3, bands.BAND_COUNT), np.float32)
    gains[:, 1] = 20.0
    flat = filtered_hops(np.ones((1, 1, design.taps - 1 + 2 * hop), np.float32), gains, design, hop)[0]
    assert np.abs(np.diff(flat)).max() == pytest.approx(9 / hop, rel=1e-3)
    assert flat[0] == pytest.approx(1.0, abs=9 / hop)
    assert flat[hop] == pytest.approx(10.0, abs=9 / hop)
