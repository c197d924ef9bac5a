"""Laws of the proof: an output holds its input below its generated band, and what was changed is found out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.artifact.load import load_extender
from models.extender.controls import defaults
from plugin_host.chain.file_program import Sound
from plugin_host.files.audio_reader import AudioFileError
from plugin_host.render.inspect.untouched import prove
from plugin_host.render.loudness import LoudnessTarget
from plugin_host.render.provenance import origin
from plugin_host.render.render import render_file
from tests.plugin_host.render.inspect.recordings import cut, recording


def render(source: Path, target: Path, **changes: object) -> Path:
    sound = Sound(lambda: load_extender("live"), defaults(), "live", "", {})
    loudness = LoudnessTarget(-20.0) if changes.get("louder") else None
    render_file(sound.stage, sound.settings, source, target, loudness=loudness, origin=origin(sound, "digest"))
    return target


def write(path: Path, rate: int = 48000, hertz: float = 6000.0, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, cut(recording(1, 3.0, rate=rate), hertz, rate).T, rate, subtype=subtype)
    return path


@pytest.mark.parametrize(("rate", "subtype"), [(48000, "PCM_16"), (44100, "FLOAT"), (16000, "PCM_24")])
@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_a_render_leaves_the_rest_untouched(tmp_path: Path, rate: int, subtype: str, ending: str) -> None:
    source = write(tmp_path / "in.wav", rate, 6000, subtype)
    proof = prove(render(source, tmp_path / f"out.{ending}"), source)
    assert 5000 < proof.below_hz < 6500
    assert proof.holds
    assert proof.difference_db < proof.input_db - 60


def test_an_output_that_was_changed_is_found_out(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav")
    output = render(source, tmp_path / "out.wav")
    samples, _ = soundfile.read(output, dtype="int16")
    kept = output.read_bytes()
    at = kept.index(samples.tobytes())
    samples[40_000:40_100] += 200
    output.write_bytes(kept[:at] + samples.tobytes() + kept[at + samples.nbytes :])
    assert not prove(output, source).holds


def test_another_loudness_is_named_as_the_reason(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav")
    proof = prove(render(source, tmp_path / "out.wav", louder=True), source)
    assert (proof.holds, proof.reason) == (False, "its loudness was changed on purpose")


def test_peaks_that_were_clipped_are_named_as_the_reason(tmp_path: Path) -> None:
    sound = cut(recording(1, 3.0), 6000.0)
    sound[:, 60_000:90_000] *= 1.2 / np.abs(sound[:, 60_000:90_000]).max()
    source = tmp_path / "in.wav"
    soundfile.write(source, sound.T, 48000, subtype="PCM_16")
    proof = prove(render(source, tmp_path / "out.wav"), source)
    assert not proof.holds
    assert proof.reason == "it reaches full scale in 1 of 3 seconds and was clipped there; WAV with --bits 32f is not"


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav")
    output = render(source, tmp_path / "out.wav")
    soundfile.write(tmp_path / "short.wav", np.zeros(1000), 48000)
    with pytest.raises(AudioFileError, match="is not the input of"):
        prove(output, tmp_path / "short.wav")
    with pytest.raises(AudioFileError, match="does not say that Highband made it"):
        prove(source, source)
