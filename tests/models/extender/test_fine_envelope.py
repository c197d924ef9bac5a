"""Laws of the fine envelope: what is steady stays, a rise is followed, no knob is undone, blocks equal the whole."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file

from dsp.fft import Array
from models.artifact.load import part_of
from models.artifact.manifest import FINE, FOLDER, WEIGHTS
from models.extender import fine_envelope
from models.extender.fine_envelope import FineNetwork
from models.extender.fine_following import follow

CROSSOVER_HZ = 7000.0
# What a shipped extender's signal is delayed by.
DELAYS = {"live": 0, "studio": 2816}


def network(artifact: str) -> FineNetwork:
    weights = part_of(load_file(FOLDER / artifact / WEIGHTS), FINE)
    found = fine_envelope.network_of(weights, DELAYS[artifact] > 0)
    assert found is not None
    return found


def noise(seconds: float, rate: int = 48000) -> tuple[Array, Array]:
    """Return an input below the crossover and a band that stands for what is generated above."""
    random = np.random.default_rng(0)
    hz = np.fft.rfftfreq(round(seconds * rate), 1 / rate)
    spectra = np.fft.rfft(random.standard_normal((2, round(seconds * rate))))
    low, high = (
        np.fft.irfft(spectra * part, round(seconds * rate)) for part in (hz < CROSSOVER_HZ, hz >= CROSSOVER_HZ)
    )
    return (0.1 * low).astype(np.float32), (0.01 * high).astype(np.float32)


def followed(
    low: Array, high: Array, artifact: str = "live", block: int | None = None, rate: int = 48000, position: int = 0
) -> Array:
    """Return a band that goes with the input delayed after the fine envelope."""
    delay = round(DELAYS[artifact] * rate / 48000)
    grid, poles = fine_envelope.frame_grid(rate, delay), fine_envelope.poles(CROSSOVER_HZ, rate)
    weights, memory = network(artifact), fine_envelope.start(len(low), grid)
    late, band = (np.pad(signal, ((0, 0), (delay, 0))) for signal in (low, high))
    band = band[:, : high.shape[1]]
    size, parts = block or band.shape[1], []
    for at in range(0, band.shape[1], size):
        part = np.ascontiguousarray(band[:, at : at + size])
        follow(late, at, position + at, grid, poles, weights, memory, True, part)
        parts.append(part)
    return np.concatenate(parts, 1)


def level_db(band: Array) -> float:
    return float(10 * np.log10(np.square(band).mean() + 1e-20))


@pytest.mark.parametrize("artifact", DELAYS)
def test_steady_noise_keeps_its_level(artifact: str) -> None:
    low, high = noise(0.6)
    after = followed(low, high, artifact)
    assert level_db(after[:, 14400:]) == pytest.approx(level_db(high), abs=1.5)


@pytest.mark.parametrize("artifact", DELAYS)
def test_a_knob_that_turns_the_band_up_is_not_undone(artifact: str) -> None:
    low, high = noise(0.3)
    np.testing.assert_allclose(
        followed(low, 4 * high, artifact)[:, 7200:], 4 * followed(low, high, artifact)[:, 7200:], rtol=1e-3
    )


def test_a_rise_is_followed_within_two_milliseconds_and_then_left_to_the_filter() -> None:
    low, high = noise(0.5)
    onset = 12000
    low[:, :onset] *= 0.01
    after = followed(low, high)
    gain_db = [
        level_db(after[:, onset + a : onset + b]) - level_db(high[:, onset + a : onset + b])
        for a, b in ((96, 240), (7200, 12000))
    ]
    assert gain_db[0] > 4
    assert abs(gain_db[1]) < 1.5


def test_with_a_delay_what_comes_before_a_rise_is_held_down() -> None:
    low, high = noise(0.5)
    onset = 12000
    low[:, :onset] *= 0.01
    after = followed(low, high, "studio")
    at = onset + DELAYS["studio"]
    before, behind = (level_db(after[:, at + a : at + b]) for a, b in ((-480, -96), (96, 480)))
    assert behind - before > 12


@pytest.mark.parametrize("value", [0.0, 1e-5, 1.0])
def test_silence_and_direct_current_leave_the_band_steady(value: float) -> None:
    low, high = noise(0.5)
    after = followed(np.full_like(low, value), high)
    assert np.isfinite(after).all()
    ratio = after[:, 12000:] / high[:, 12000:]
    np.testing.assert_allclose(np.median(ratio[0, :2000]), np.median(ratio[0, -2000:]), rtol=0.2)


@pytest.mark.parametrize(("artifact", "rate"), [("live", 48000), ("studio", 44100)])
@pytest.mark.parametrize("block", [1, 17, 480])
def test_blocks_equal_the_whole(artifact: str, rate: int, block: int) -> None:
    low, high = noise(0.08, rate)
    low[:, :1200] = 0.0
    whole = followed(low, high, artifact, rate=rate, position=70)
    np.testing.assert_allclose(followed(low, high, artifact, block, rate, position=70), whole, rtol=1e-5, atol=1e-8)


def test_without_a_network_the_band_stays_as_it_is() -> None:
    low, high = noise(0.05)
    grid = fine_envelope.frame_grid(48000, 0)
    band, memory = high.copy(), fine_envelope.start(2, grid)
    poles = fine_envelope.poles(CROSSOVER_HZ, 48000)
    follow(low, 0, 0, grid, poles, fine_envelope.without_gain(False), memory, True, band)
    np.testing.assert_array_equal(band, high)


def test_weights_of_another_shape_are_refused() -> None:
    weights = part_of(load_file(FOLDER / "live" / WEIGHTS), FINE)
    with pytest.raises(ValueError, match=r"fine\.enter\.weight"):
        fine_envelope.network_of(weights, sees_ahead=True)
    assert fine_envelope.network_of({}, sees_ahead=True) is None


@pytest.mark.parametrize("artifact", DELAYS)
@pytest.mark.parametrize("pitch_hz", [55.0, 220.0])
def test_a_steady_buzz_is_changed_by_6_db_at_most(artifact: str, pitch_hz: float) -> None:
    # Its pulses look like attacks; where in a pulse a gain falls is counted to 2 dB.
    wave = np.float32(0.2) * (2 * np.modf(pitch_hz * np.arange(144000) / 48000)[0] - 1)[None]
    spectrum, hz = np.fft.rfft(wave), np.fft.rfftfreq(144000, 1 / 48000)
    parts = (spectrum * (hz < CROSSOVER_HZ), spectrum * (hz >= CROSSOVER_HZ))
    low, high = (np.fft.irfft(part, 144000).astype(np.float32) for part in parts)
    after = followed(low, high, artifact)
    assert abs(level_db(after[:, 96000:]) - level_db(high[:, 48000:-2816])) < 8


@pytest.mark.parametrize("artifact", DELAYS)
def test_a_band_that_begins_is_followed_alike_where_the_network_rested_before(artifact: str) -> None:
    low, high = noise(0.3)
    # A band before as well, so that there is something to forget, and pauses that end within a frame.
    high[:, 3000:9600], low[:, 6000:] = 0.0, 3.0 * low[:, 6000:]
    delay, out = DELAYS[artifact], []
    grid, poles = fine_envelope.frame_grid(48000, delay), fine_envelope.poles(CROSSOVER_HZ, 48000)
    late = np.pad(low, ((0, 0), (0, delay)))
    for rests in (False, True):
        memory, band = fine_envelope.start(2, grid), high.copy()
        for at in range(0, band.shape[1], 120):
            part = np.ascontiguousarray(band[:, at : at + 120])
            follow(late, at, at, grid, poles, network(artifact), memory, bool(part.any()) or not rests, part)
            band[:, at : at + 120] = part
        out.append(band)
    np.testing.assert_allclose(out[1], out[0], rtol=1e-4, atol=1e-8)
