"""Laws of the demonstration: a free clip, dull before, as long after, three lines of figures."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import soundfile

from plugin_host.chain.file_program import Sound
from plugin_host.panel.listening.excerpts import load_excerpts
from plugin_host.panel.listening.groups import find_groups
from plugin_host.render.demo import run
from tests.plugin_host.stages import FollowingDelay

CLIPS = Path(str(resources.files("plugin_host"))) / "clips"


def test_the_demo_leaves_its_files_and_prints_its_figures(tmp_path: Path) -> None:
    lines = list(run(tmp_path / "demo", Sound(lambda: FollowingDelay(7), {}, "live", "", {})))
    assert [line.split()[0] for line in lines] == ["LSD", "Bandwidth", "Speed", "Listen"]
    assert sorted(os.listdir(tmp_path / "demo")) == ["bright.spectrogram.png", "bright.wav", "clean.wav", "dull.wav"]
    dull, bright, clean = (soundfile.info(tmp_path / "demo" / f"{name}.wav") for name in ("dull", "bright", "clean"))
    assert (dull.samplerate, bright.samplerate, clean.samplerate) == (16000, 48000, 48000)
    assert bright.frames == 3 * dull.frames
    # The conversion of the dull clip rounds its length.
    assert abs(clean.frames - bright.frames) <= 3


def test_the_demos_versions_lie_together_for_a_blind_test(tmp_path: Path) -> None:
    list(run(tmp_path, Sound(lambda: FollowingDelay(7), {}, "live", "", {})))
    (group,) = find_groups([tmp_path])
    excerpts = load_excerpts(group, 0.0, 10.0)
    assert [(one.version, one.shift_samples) for one in excerpts] == [("bright", 0), ("clean", 0), ("dull", 0)]
    assert max(one.lufs for one in excerpts) - min(one.lufs for one in excerpts) < 0.1


def test_a_stage_that_adds_nothing_brings_nothing(tmp_path: Path) -> None:
    words = next(run(tmp_path, Sound(lambda: FollowingDelay(7), {}, "live", "", {}))).split()
    assert float(words[1]) > 1.0
    assert abs(float(words[1]) - float(words[3])) < 0.05


def test_every_clip_is_short_and_has_its_credit() -> None:
    credits = (CLIPS / "CREDITS.md").read_text("utf-8")
    clips = sorted(path for path in CLIPS.iterdir() if path.suffix == ".flac")
    assert clips
    for clip in clips:
        assert f"| {clip.name} |" in credits
        assert soundfile.info(clip).duration <= 8
