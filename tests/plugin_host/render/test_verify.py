"""Laws of verify: it passes what is equal and finds what is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from models.stage import Block
from plugin_host.render.verify import BLOCK_SIZES, compare, load
from tests.plugin_host.stages import Delay

SAMPLES = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 20_000)).astype(np.float32)


class Forgetful(Delay):
    """Its output depends on where the blocks are cut."""

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        out = super().process(block, settings)
        out[:, 0] *= 0.999
        return out


class Silenced(Delay):
    """Its output is no number whenever blocks are short."""

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        out = super().process(block, settings)
        return out * np.float32(np.nan) if block.shape[1] < 100 else out


def test_a_stage_that_keeps_its_past_passes() -> None:
    found = list(compare(Delay(333), {}, SAMPLES, 48000))
    assert [row.block for row in found] == list(BLOCK_SIZES)
    assert all(row.holds and row.worst == 0.0 for row in found)
    assert min(row.compared for row in found) >= 12_000


def test_a_stage_that_depends_on_the_cutting_is_found_out() -> None:
    (row,) = compare(Forgetful(), {}, SAMPLES, 48000, [64])
    assert not row.holds
    assert row.worst_at % 64 == 0


def test_output_that_is_no_number_is_the_worst() -> None:
    (row,) = compare(Silenced(), {}, SAMPLES, 48000, [64])
    assert row.worst == np.inf


def test_only_the_beginning_is_read_at_the_rate_of_render(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", SAMPLES.T, 16000)
    samples, rate = load(tmp_path / "a.wav", 0.5)
    assert (samples.shape, rate) == ((2, 24000), 48000)
