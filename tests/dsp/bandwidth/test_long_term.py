"""Laws of the long-term spectrum: a wall's place to a few Hz, also one that nothing else shows, and none in nature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from dsp.bandwidth.long_term import Edge, LongTermSpectrum
from tests.plugin_host.render.inspect.recordings import RATE, Samples, cut, falling, recording, through_rate


def edge_of(samples: Samples, coarse_hz: float | None = None, *, is_coded: bool = False) -> Edge | None:
    measured = LongTermSpectrum(RATE)
    for start in range(0, samples.shape[1], RATE):
        measured.add(samples[:, start : start + RATE])
    return measured.edge(coarse_hz, is_coded)


@pytest.mark.parametrize("hertz", [3000.0, 7990.0, 15750.0, 18612.0])
def test_a_wall_is_found_by_any_guess_and_by_none(hertz: float) -> None:
    samples = cut(recording(1), hertz)
    for guess in (0.96 * hertz, hertz, 1.03 * hertz, None):
        found = edge_of(samples, guess)
        assert found is not None
        assert found.is_wall
        assert found.hertz == pytest.approx(hertz, abs=60)


def test_a_wall_behind_a_natural_fall_is_found_down_to_the_last_bits() -> None:
    quiet = cut(falling(recording(4), -12.0), 16_000.0)
    found = edge_of(np.round(quiet * 2**23) / np.float32(2**23))
    assert found is not None
    assert found.hertz == pytest.approx(16_000, abs=100)


def test_a_converters_edge_is_where_its_slope_begins() -> None:
    found = edge_of(through_rate(recording(5), 32_000))
    assert found is not None
    assert found.is_wall
    assert found.hertz == pytest.approx(15_210, abs=100)


@pytest.mark.parametrize("order", [6, 8])
def test_a_gradual_edge_is_between_its_usual_definitions(order: int) -> None:
    hertz = 9000.0
    sections = signal.butter(order, hertz, fs=RATE, output="sos")
    found = edge_of(signal.sosfilt(sections, recording(6), axis=1).astype(np.float32), 0.95 * hertz)
    assert found is not None
    assert not found.is_wall
    # From 3 to 6 dB down.
    assert hertz - 200 < found.hertz < hertz * 3 ** (1 / (2 * order)) + 200


def test_a_step_that_an_encoder_leaves_below_its_wall_is_no_end() -> None:
    spectrum = np.fft.rfft(cut(recording(8), 16_000.0))
    above = np.fft.rfftfreq(2 * (spectrum.shape[1] - 1), 1 / RATE) > 15_800.0
    found = edge_of(np.fft.irfft(spectrum * 10 ** (-7.0 * above / 20)).astype(np.float32), 15_800.0, is_coded=True)
    assert found is not None
    assert found.hertz == pytest.approx(16_000, abs=100)


@pytest.mark.parametrize("hertz", [5000.0, 9000.0, 14_000.0])
def test_a_gradual_edge_that_no_guess_is_known_of_is_found(hertz: float) -> None:
    sections = signal.ellip(5, 0.5, 80, hertz, fs=RATE, output="sos")
    found = edge_of(signal.sosfilt(sections, falling(recording(6), -6.0), axis=1).astype(np.float32))
    assert found is not None
    frequencies, response = signal.sosfreqz(sections, 1 << 14, fs=RATE)
    # 6 dB down.
    assert found.hertz == pytest.approx(frequencies[abs(response) > 0.5][-1], abs=500)


@pytest.mark.parametrize(
    ("is_coded", "fall_db", "goes_on"), [(False, 10.0, True), (False, 30.0, False), (True, 20.0, True)]
)
def test_what_goes_on_above_a_guess_ends_at_the_wall_above(is_coded: bool, fall_db: float, goes_on: bool) -> None:
    """As below an encoder's low-pass, whose bands are empty in most frames and have nearly all of their power."""
    samples, guess = cut(recording(8), 16_000.0), 12_000.0
    spectrum = np.fft.rfft(samples)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(samples.shape[1], 1 / RATE), guess) / guess)
    softer = np.fft.irfft(spectrum * 10 ** (-fall_db * octaves / np.log2(16 / 12) / 20)).astype(np.float32)
    measured = LongTermSpectrum(RATE)
    measured.add(softer)
    found = measured.edge(guess, is_coded)
    assert found is not None
    assert (abs(found.hertz - 16_000) < 60) == goes_on


def test_a_wall_behind_a_gap_between_lines_is_found() -> None:
    samples = cut(recording(7), 15_000.0)
    hole = signal.butter(8, [6000, 7000], "bandstop", fs=RATE, output="sos")
    found = edge_of(signal.sosfilt(hole, samples, axis=1).astype(np.float32))
    assert found is not None
    assert found.hertz == pytest.approx(15_000, abs=60)


def test_what_was_not_cut_has_no_edge() -> None:
    for samples in (recording(2), falling(recording(3), -18.0), np.zeros((1, RATE), np.float32)):
        assert edge_of(samples) is None


@pytest.mark.parametrize("samples", [1, 3000, 9000])
def test_a_moment_of_sound_does_no_harm(samples: int) -> None:
    assert edge_of(recording(7)[:, :samples]) is None
