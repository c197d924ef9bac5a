"""Laws of the picture: it shows where the sound is, in memory that does not grow."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from plugin_host.files.audio_reader import AudioFileError
from plugin_host.render import captions
from plugin_host.render.captions import in_fonts, readable
from plugin_host.render.spectrogram import draw, measure


def tone(path: Path, rate: int = 48000, frames: int = 48000, hertz: float = 6000.0) -> Path:
    soundfile.write(path, np.sin(2 * np.pi * hertz * np.arange(frames) / rate), rate, subtype="FLOAT")
    return path


@pytest.mark.parametrize("rate", [8000, 44100, 96000])
def test_a_full_scale_sine_stands_at_its_frequency_and_0_db(tmp_path: Path, rate: int) -> None:
    shown = measure(tone(tmp_path / "a.wav", rate, rate, 3000.0))
    loudest = shown.levels_db.argmax(axis=0)
    bin_hz = shown.nyquist_hz / shown.levels_db.shape[0]
    assert np.all(np.abs(loudest * bin_hz - 3000) <= bin_hz)
    np.testing.assert_allclose(shown.levels_db.max(axis=0), 0, atol=1.5)


def test_a_long_file_has_no_more_columns_than_a_screen(tmp_path: Path) -> None:
    assert measure(tone(tmp_path / "a.wav", frames=48000 * 100)).levels_db.shape[1] == 1100


@pytest.mark.parametrize("frames", [1, 100, 48000])
def test_the_picture_is_a_png_and_leaves_nothing_beside_it(tmp_path: Path, frames: int) -> None:
    dry, wet = tone(tmp_path / "a.wav", 16000, frames), tone(tmp_path / "b.wav", 48000, 3 * frames)
    draw(dry, wet, tmp_path / "b.png", crossover_hz=8000.0, caption="figures")
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(os.listdir(tmp_path)) == ["a.wav", "b.png", "b.wav"]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", frames=1000)
    with pytest.raises(AudioFileError, match=r"b.png can't be written: it does not exist"):
        draw(path, path, tmp_path / "missing/b.png", crossover_hz=None, caption="")


# Drawing is what costs: each picture has what one kind of reader stumbles over.
NAMES = ["a take $1^{ $2 $\\frac{ %s {} \\", "東京 مرحبا 🎸 solo", "a\nb" + os.fsdecode(b"caf\xe9"), "x" * 200]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_drawn_without_a_warning(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    path = tone(tmp_path / "a.wav", frames=4800).rename(tmp_path / f"{name}.wav")
    draw(path, path, tmp_path / "b.png", crossover_hz=None, caption="live, $5")
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")


def test_what_no_font_has_becomes_a_mark_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "_others", lambda: ())
    text, families = in_fonts(readable("a\U000e0fff$\n"))
    assert text.startswith("a\N{REPLACEMENT CHARACTER}$")
    assert in_fonts("b\U0010fffdc\n")[0] == "b\N{WHITE SQUARE}c\n"
    assert families[0] == "DejaVu Sans"


def test_a_tone_is_painted_at_its_height_in_both_pictures(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", frames=48000 * 3)
    draw(path, path, tmp_path / "b.png", crossover_hz=None, caption="")
    with Image.open(tmp_path / "b.png") as picture:
        column = np.asarray(picture.convert("L"))[:, picture.width // 4].astype(int)
    inside = np.flatnonzero(column < 5)
    gap = inside[np.diff(inside).argmax()]
    for axis in (inside[inside <= gap], inside[inside > gap]):
        low, high = axis.max(), axis.min()
        loudest = high + column[high:low].argmax()
        assert (low - loudest) / (low - high) == pytest.approx(6000 / 24000, abs=0.02)
