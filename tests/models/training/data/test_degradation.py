"""Laws of degradation, for every kind: the top is gone, time is kept, the same seed gives the same signal."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy import signal

from models.training.data.codec import CODECS, Codec, choices, round_trip
from models.training.data.degradation import Degradation, Kind, Recipe, draw_lowpass
from models.training.data.lowpass import CONVERTERS, Conversion, Slope, WindowedSinc, resample_to
from models.training.data.scene import Scene

Audio = NDArray[np.float32]
RATE = 48000
KINDS: tuple[Kind, ...] = get_args(Kind)
WAYS = [
    *(Slope("chebyshev", 1, 1e-6, 0.0, 0.9, zero_phase) for zero_phase in (True, False)),
    *(Slope("chebyshev", 6, 1.0, 0.0, 0.9, zero_phase) for zero_phase in (True, False)),
    *(Slope("chebyshev", 11, 3.0, 0.0, 0.9, zero_phase) for zero_phase in (True, False)),
    *(Slope("elliptic", order, 1.0, 60.0, 0.8, False) for order in (1, 8)),
    Slope("butterworth", 11, 0.0, 0.0, 0.7, False),
    WindowedSinc("hann", 0.02),
    WindowedSinc("blackman", 0.3),
    *(Conversion(way, way) for way in CONVERTERS),
]  # fmt: skip


def noise(channels: int = 2, samples: int = RATE) -> Audio:
    """Noise that falls by 6 dB an octave, as recordings do, so that it has both a top to lose and a bass to align."""
    quiet = np.zeros((channels, samples), np.float32)
    return Scene(seed=5, noise_db=-20.0, noise_slope_db=-6.0).apply(quiet, RATE)


def power(audio: Audio, low_hz: float, high_hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(audio * signal.windows.blackmanharris(audio.shape[1]), axis=1)) ** 2
    inside = (np.fft.rfftfreq(audio.shape[1], 1 / RATE) >= low_hz) & (
        np.fft.rfftfreq(audio.shape[1], 1 / RATE) < high_hz
    )
    return float(spectrum[:, inside].sum()) + 1e-30


def lag_samples(late: Audio, early: Audio) -> int:
    size = 2 * early.shape[1]
    product = (np.fft.rfft(late, size) * np.conj(np.fft.rfft(early, size))).sum(0)
    lag = int(np.argmax(np.fft.irfft(product, size)))
    return lag - size if lag > size // 2 else lag


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.text())
@pytest.mark.parametrize("cutoff_hz", [2000.0, 7351.2, 20000.0])
def test_the_top_is_gone_and_time_is_kept(way: Slope | WindowedSinc | Conversion, cutoff_hz: float) -> None:
    clean = noise()
    degraded = Recipe(cutoff_hz, way, Scene()).apply(clean, RATE)
    assert degraded.shape == clean.shape
    assert degraded.dtype == np.float32
    assert np.isfinite(degraded).all()
    assert power(degraded, cutoff_hz, RATE) < 1e-6 * power(clean, cutoff_hz, RATE)
    assert abs(lag_samples(degraded, clean)) <= 1
    degraded_db, played = power(degraded, 50, 0.25 * cutoff_hz), power(clean, 50, 0.25 * cutoff_hz)
    assert abs(10 * np.log10(degraded_db / played)) < 6


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: f"{codec.name} {codec.rate}")
def test_a_codec_keeps_time_and_ends_at_its_edge(codec: Codec) -> None:
    clean = noise()
    decoded = round_trip(codec, clean, RATE)
    assert decoded.shape == clean.shape
    assert np.isfinite(decoded).all()
    # Opus turns the phase of the bass by a sample or two; a delay it has not.
    assert abs(lag_samples(decoded, clean)) <= (3 if codec.subtype == "OPUS" else 1)
    assert power(decoded, 1.1 * codec.edge_hz, RATE) < 0.05 * power(clean, 1.1 * codec.edge_hz, RATE)
    assert power(decoded, 0.8 * codec.edge_hz, codec.edge_hz) > 0.05 * power(clean, 0.8 * codec.edge_hz, codec.edge_hz)


@pytest.mark.parametrize("cutoff_hz", [2000.0, 5000.0, 12000.0, 20000.0])
def test_codecs_pass_the_cutoff_they_are_chosen_for(cutoff_hz: float) -> None:
    assert choices(cutoff_hz)
    assert all(codec.edge_hz >= cutoff_hz for codec in choices(cutoff_hz))


@pytest.mark.parametrize("kind", KINDS)
def test_every_drawn_recipe_keeps_the_laws(kind: Kind) -> None:
    clean = noise(1, RATE // 2)
    plan = Degradation(kinds={kind: 1.0})
    for seed in range(12):
        recipe = plan.draw(seed)
        assert plan.cutoff_low_hz <= recipe.cutoff_hz <= plan.cutoff_high_hz
        target, degraded = recipe.pair(clean, RATE)
        assert degraded.shape == clean.shape
        assert np.isfinite(degraded).all()
        assert power(degraded, recipe.cutoff_hz, RATE) < 1e-6 * power(target, 50, RATE)
        np.testing.assert_array_equal(degraded, plan.draw(seed).apply(clean, RATE))
        assert "\n" not in recipe.text
        assert "kHz" in recipe.text


def test_seeds_differ_and_cutoffs_spread_over_the_octaves() -> None:
    plan = Degradation()
    recipes = [plan.draw(seed) for seed in range(400)]
    assert len({recipe.text for recipe in recipes}) == 400
    cutoffs = np.log([recipe.cutoff_hz for recipe in recipes])
    assert abs(np.median(cutoffs) - np.log(np.sqrt(2000 * 20000))) < 0.2


def test_the_ceiling_is_the_highest_cutoff() -> None:
    assert max(Degradation().draw(seed, ceiling_hz=6000.0).cutoff_hz for seed in range(100)) <= 6000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("samples", [0, 1, 7, 500])
def test_short_signals_and_silence_survive(kind: Kind, samples: int) -> None:
    lowpass = draw_lowpass(kind, 4000.0, np.random.default_rng(1))
    recipe = Recipe(3900.0, lowpass, Scene(decay_s=0.1, eq_db=(0.0, 6.0)))
    for channels in (1, 3):
        silent = recipe.apply(np.zeros((channels, samples), np.float32), RATE)
        assert silent.shape == (channels, samples)
        assert float(np.abs(silent).max(initial=0.0)) < 2e-3


def test_a_cutoff_above_the_band_changes_nothing() -> None:
    clean = noise(1, 4000)
    lowpass = draw_lowpass("chebyshev", 4000.0, np.random.default_rng(1))
    np.testing.assert_array_equal(Recipe(24000.0, lowpass, Scene()).apply(clean, RATE), clean)
    np.testing.assert_array_equal(resample_to(clean, RATE, RATE), clean)


@pytest.mark.parametrize("target_rate", [8000, 12000, 16000, 24000])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_resampling_removes_the_top_and_leaves_the_rest(rate: int, target_rate: int) -> None:
    clean = noise(1, rate)
    degraded = resample_to(clean, rate, target_rate)
    assert degraded.shape == clean.shape
    scale = RATE / rate
    assert power(degraded, scale * target_rate / 2, RATE) < 1e-9 * power(clean, scale * target_rate / 2, RATE)
    passed = scale * 0.4 * target_rate
    assert power(degraded - clean, 50, passed) < 1e-6 * power(clean, 50, passed)


@pytest.mark.parametrize(
    "scene",
    [Scene(gain_db=-6.0), Scene(eq_db=(6.0, -6.0, 3.0, 0.0)), Scene(decay_s=0.4, echo_db=-6.0), Scene(noise_db=-50.0)],
    ids=Scene.text,
)
def test_a_scene_is_audible_keeps_time_and_repeats(scene: Scene) -> None:
    clean = noise()
    changed = scene.apply(clean, RATE)
    assert changed.shape == clean.shape
    assert changed.dtype == np.float32
    assert lag_samples(changed, clean) == 0
    assert power(changed - clean, 50, RATE) > 1e-4 * power(clean, 50, RATE)
    np.testing.assert_array_equal(changed, scene.apply(clean, RATE))


def test_a_plain_scene_is_the_clean_signal_and_loud_ones_stay_below_full_scale() -> None:
    clean = noise(1, 4800)
    np.testing.assert_array_equal(Scene().apply(clean, RATE), clean)
    assert np.abs(Scene(gain_db=40.0).apply(clean, RATE)).max() <= 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"kinds": {"tape": 1.0}},
        {"kinds": {}},
        {"cutoff_low_hz": 9000, "cutoff_high_hz": 4000},
        {"eq_share": 2},
        {"hiss": 1},
    ],
)
def test_a_wrong_plan_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Degradation.model_validate(wrong)
