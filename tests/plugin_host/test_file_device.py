"""Laws of the devices that are files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.audio_file import AudioFileError
from plugin_host.file_device import open_clocked


@pytest.mark.parametrize("name", ["in.wav", "sub/../in.wav", "link.wav"])
def test_the_input_is_never_written_over(tmp_path: Path, name: str) -> None:
    source = tmp_path / "in.wav"
    soundfile.write(source, np.zeros(480), 48000)
    (tmp_path / "link.wav").symlink_to(source)
    (tmp_path / "sub").mkdir()
    with pytest.raises(AudioFileError, match="is the input itself"):
        open_clocked(f"file:{source},{tmp_path / name}", rate=48000, channels=2, block=128, is_paced=False)
