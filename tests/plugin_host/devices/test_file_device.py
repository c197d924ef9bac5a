"""Laws of the devices that are files."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.chain.chain import Chain
from plugin_host.devices.clocked import open_clocked
from plugin_host.engine.engine import Engine
from plugin_host.files.audio_reader import AudioFileError
from plugin_host.settings.store import SettingsStore


@pytest.mark.parametrize("name", ["in.wav", "sub/../in.wav", "link.wav"])
def test_the_input_is_never_written_over(tmp_path: Path, name: str) -> None:
    source = tmp_path / "in.wav"
    soundfile.write(source, np.zeros(480), 48000)
    (tmp_path / "link.wav").symlink_to(source)
    (tmp_path / "sub").mkdir()
    with pytest.raises(AudioFileError, match="is the input itself"):
        open_clocked(f"file:{source},{tmp_path / name}", rate=48000, channels=2, block=128, is_paced=False)


@pytest.mark.parametrize(("rate", "played"), [(8000, 48000), (22050, 48000), (44100, 44100)])
def test_a_file_of_a_low_rate_is_raised_as_render_does(tmp_path: Path, rate: int, played: int) -> None:
    sound = (0.3 * np.sin(2 * np.pi * 440 / rate * np.arange(rate))).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", sound, rate, subtype="FLOAT")
    words = f"file:{tmp_path / 'in.wav'},{tmp_path / 'out.wav'}"
    device = open_clocked(words, rate=96000, channels=2, block=128, is_paced=False)
    device.prepare(Engine(Chain([], None, []), SettingsStore([])))
    device.start()
    while not device.is_done:
        time.sleep(0.01)
    device.stop()
    out, out_rate = soundfile.read(tmp_path / "out.wav")
    wanted = 0.3 * np.sin(2 * np.pi * 440 / played * np.arange(played))
    assert (out_rate, len(out)) == (played, played)
    assert np.abs(out - wanted)[2000:-2000].max() < 1e-3
