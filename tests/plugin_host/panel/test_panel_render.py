"""Files on the page: dropped, rendered with the present settings, played before and after, fetched, and stopped."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page

from models.artifact.manifest import FOLDER
from plugin_host.control.client import Client
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, until
from tests.plugin_host.panel.panel_page import DESK, PHONE, barriers_by_look, shown, unfolded

DROP = """(element, names) => {
  const files = new DataTransfer();
  for (const [name, bytes] of names) files.items.add(new File([new Uint8Array(bytes)], name));
  for (const type of ["dragover", "drop"]) {
    element.dispatchEvent(new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture
def page(page: Page) -> Page:
    """The page loaded again: what a window keeps would go from test to test."""
    page.reload()
    return unfolded(page)


@pytest.fixture(autouse=True)
def _shipped_model(page: Page, studio: Studio) -> None:
    assert studio.host is not None
    studio.host.artifact = str(FOLDER / "live")


def noise(frames: int, channels: int = 2) -> np.ndarray:
    return (0.1 * np.random.default_rng(1).standard_normal((frames, channels))).astype(np.float32)


def packed(samples: np.ndarray, kind: str = "WAV", subtype: str = "PCM_16") -> list[int]:
    held = io.BytesIO()
    soundfile.write(held, samples, 48000, subtype, format=kind)
    return list(held.getvalue())


def test_a_dropped_file_comes_back_rendered_with_the_present_settings_and_as_long(
    page: Page, studio: Studio, tmp_path: Path
) -> None:
    assert studio.host is not None
    studio.host.artifact = str(FOLDER / "live")
    with Client(studio.address, timeout_s=PATIENCE_S) as client:
        client.set_many({"amount": -24, "output": -6})
    until(lambda: shown(page, "Output") == "-6 dB")
    samples = (0.1 * np.random.default_rng(1).standard_normal((30001, 2))).astype(np.float32)
    soundfile.write(tmp_path / "my take.wav", samples, 48000, "FLOAT")
    page.locator("input[type=file]").set_input_files(tmp_path / "my take.wav")
    page.get_by_role("button", name="render the file").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="download").click(timeout=3 * PATIENCE_S * 1000.0)
    assert download.value.suggested_filename == "my take.highband.wav"
    rendered, rate = soundfile.read(download.value.path(), dtype="float32")
    assert (rendered.shape, rate) == (samples.shape, 48000)
    gain = 10 ** (-6 / 20)
    assert np.abs(rendered - gain * samples).max() < 0.5 * np.abs(gain * samples).max()
    page.get_by_role("img", name="Spectrograms of my take.wav").wait_for()


def test_a_file_that_is_no_audio_by_its_name_is_refused_in_a_sentence(page: Page) -> None:
    page.locator(".hb-render").evaluate(DROP, [["evil.exe", [1, 2, 3]]])
    page.get_by_text("failed").wait_for()
    page.get_by_text("'evil.exe' is no audio file").wait_for()


def test_several_files_are_one_batch_and_one_download_and_play_before_and_after_in_step(page: Page) -> None:
    sounds = [["one.wav", packed(noise(9000))], ["two.aiff", packed(noise(4 * 48000, 1), "AIFF")]]
    page.locator(".hb-render").evaluate(DROP, [["../../evil.wav", [1, 2, 3]], *sounds])
    page.get_by_role("button", name="render all 3 files").click()
    page.get_by_text("failed, 2 of 3 files").wait_for(timeout=3 * PATIENCE_S * 1000.0)
    page.locator(".hb-fault", has_text="evil.wav is not audio").wait_for()
    page.locator(".hb-caption", has_text="LUFS").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="download all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["one.highband.wav", "two.highband.wav"]
        frames = [soundfile.info(io.BytesIO(archive.read(name))).frames for name in archive.namelist()]
    assert frames == [9000, 4 * 48000]
    for name in ("one.wav", "two.aiff"):
        page.get_by_role("img", name=f"Spectrograms of {name}").wait_for()
    for screen in (PHONE, DESK):
        page.set_viewport_size(screen)
        assert barriers_by_look(page, ".hb-rendered") == []
    play_in_step(page, "two.aiff")


def test_a_part_is_selected_and_played_before_the_whole_is_rendered(page: Page, tmp_path: Path) -> None:
    sound = noise(12 * 48000)
    soundfile.write(tmp_path / "song.wav", sound, 48000, "PCM_24")
    page.locator("input[type=file]").set_input_files(tmp_path / "song.wav")
    wave = page.locator(".hb-wave")
    wave.scroll_into_view_if_needed()
    box = wave.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 9)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 9, steps=5)
    page.mouse.up()
    start, length = page.get_by_label("Part of song.wav from, in seconds"), page.get_by_label("Length of the part")
    until(lambda: (float(start.input_value()), float(length.input_value())) == (3.0, 3.0))
    length.fill("2")
    page.get_by_role("button", name="Try the part of song.wav").click()
    part = "song.wav from 3 s for 2 s"
    page.get_by_role("button", name=f"Play {part}").wait_for(timeout=3 * PATIENCE_S * 1000.0)
    sounds: list[np.ndarray] = []
    for side in ("before", "after", "added"):
        page.get_by_role("button", name=f"Hear {part} {side}").click()
        answer = page.request.get(f"{page.url}{page.locator('audio').nth(len(sounds)).get_attribute('src')}")
        sounds.append(soundfile.read(io.BytesIO(answer.body()), dtype="float32")[0])
    before, after, added = sounds
    np.testing.assert_allclose(before, sound[3 * 48000 : 5 * 48000], atol=1e-6)
    np.testing.assert_allclose(added, after - before, atol=1e-6)
    page.get_by_text("ready: try a part, or render, 0 of 1 files").wait_for()
    assert barriers_by_look(page, ".hb-rendered") == []


def play_in_step(page: Page, name: str) -> None:
    """Play the last of the files, change between before and after, seek, and pause."""
    look = """() => [...document.querySelectorAll("audio")].slice(-3).map((one) =>
      ({ at: one.currentTime, muted: one.muted, paused: one.paused, length: one.duration }))"""
    page.get_by_role("button", name=f"Play {name}").click()
    until(lambda: all(one["at"] > 0.3 and not one["paused"] for one in page.evaluate(look)))
    before, after, added = page.evaluate(look)
    assert [one["muted"] for one in (before, after, added)] == [True, False, True]
    assert before["length"] == after["length"] == added["length"] == 4.0
    page.get_by_role("button", name=f"Hear {name} before").click()
    until(lambda: [one["muted"] for one in page.evaluate(look)] == [False, True, True])
    until(lambda: np.ptp([one["at"] for one in page.evaluate(look)]) < 0.05)
    page.get_by_role("slider", name=f"Place in {name}").fill("2.5")
    until(lambda: all(one["at"] >= 2.5 for one in page.evaluate(look)))
    page.get_by_role("button", name=f"Pause {name}").click()
    assert all(one["paused"] for one in page.evaluate(look))


def test_progress_moves_inside_a_file_and_a_render_is_stopped(page: Page, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", noise(600 * 48000, 1), 48000)
    page.locator("input[type=file]").set_input_files(tmp_path / "long.wav")
    page.get_by_role("button", name="render the file").click()
    bar = page.get_by_role("progressbar", name="long.wav")
    bar.wait_for()
    until(lambda: 0.0 < float(bar.get_attribute("value") or 0) < 1.0)
    page.get_by_role("button", name="cancel", exact=True).click()
    page.get_by_text("stopped, 0 of 1 files").wait_for()
    bar.wait_for(state="detached")
    assert page.get_by_role("link", name="download").count() == 0
