"""Devices without a sound card: silence or a file at the input, nothing or a file at the output, paced by the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from dsp.buffers.reblock import reblocked
from plugin_host.engine.channels import chain_channels
from plugin_host.engine.engine import Engine
from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_writer import AudioWriter, refuse_overwrite
from plugin_host.files.resample import output_rate, played_rate, resampled
from plugin_host.files.suffixes import Bits

# A spectrum of one block again and again would always be the same.
_NOISE_BLOCKS = 97


class ClockedDevice:
    """Plays an engine block by block on a thread of its own, as a sound card would.

    Attributes:
        name: For people.
        rate: In Hz.
        inputs, outputs: Channels.
        block: Samples of a block.
    """

    def __init__(self, rate: int, channels: int, block: int, *, is_paced: bool = True, noise: float = 0.0) -> None:
        """Make a device whose input is silence, or white noise of that root mean square."""
        self.name = "null"
        self._noise = noise
        self.rate, self.block = rate, block
        self.inputs = self.outputs = channels
        self._is_paced = is_paced
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._done = threading.Event()
        self._error: Exception | None = None

    @property
    def latency_samples(self) -> int:
        """None beyond the chain's: there is no converter and no driver."""
        return 0

    @property
    def is_done(self) -> bool:
        """Whether the input has ended or the device failed."""
        return self._done.is_set()

    @property
    def state(self) -> str:
        """For people: "ready", "playing" or "ended"."""
        if self._thread is None:
            return "ready"
        return "ended" if self.is_done else "playing"

    def prepare(self, engine: Engine) -> None:
        """Prepare the engine for this device."""
        engine.is_timed = self._is_paced
        engine.prepare(self.rate, chain_channels(self.inputs, self.outputs), self.block)
        self._engine = engine

    def start(self) -> None:
        """Begin to play."""
        self._thread = threading.Thread(target=self._run, args=(self._engine,), name="audio", daemon=True)
        self._thread.start()

    def poll(self) -> str | None:
        """Return nothing: this device needs no care from the main thread."""
        return None

    def stop(self) -> None:
        """End, and raise what went wrong on the way, such as AudioFileError for a full disk."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self, engine: Engine) -> None:
        try:
            self._play(engine)
        except Exception as error:  # Kept for the main thread, which alone shows errors.
            self._error = error
        finally:
            self._done.set()

    def _play(self, engine: Engine) -> None:
        sound = np.random.default_rng(0).standard_normal((_NOISE_BLOCKS, self.block, self.inputs)).astype(np.float32)
        self._pace(engine, cycle(self._noise * sound), None)

    def _pace(self, engine: Engine, blocks: Iterator[Any], writer: AudioWriter | None) -> None:
        out = np.zeros((self.block, self.outputs), np.float32)
        began, played = time.perf_counter(), 0
        for frames in blocks:
            late_s = time.perf_counter() - began - (played + self.block) / self.rate if self._is_paced else 0.0
            if self._ending.is_set():
                return
            # A card would have lost what came in meanwhile; a clock just goes on from now.
            is_xrun = late_s > self.block / self.rate
            if is_xrun:
                began += late_s
            elif late_s < 0.0:
                time.sleep(-late_s)
            played += len(frames)
            engine.callback(frames, out[: len(frames)], is_xrun)
            if writer is not None:
                writer.write(out[: len(frames)].T)


class FileDevice(ClockedDevice):
    """A file at both ends: the output is what plays for the input, later by the chain's latency and as much longer.

    A file below 44.1 kHz is raised to 48 kHz on the way in, as render does; one above 96 kHz comes in at half its rate.
    """

    def __init__(self, source: Path, target: Path, block: int, *, is_paced: bool = True) -> None:
        """Look at both; raises AudioFileError if the input can't be read, or would be written over."""
        with AudioReader(source) as reader:
            refuse_overwrite(source, target)
            super().__init__(played_rate(output_rate(reader.rate)), reader.channels, block, is_paced=is_paced)
            self._frames = round(reader.frames * self.rate / reader.rate)
        self.name = f"file {source} to {target}"
        self._source, self._target = source, target

    def _play(self, engine: Engine) -> None:
        with ExitStack() as files:
            reader = files.enter_context(AudioReader(self._source))
            # 32-bit floats hold what a card would get before it clips.
            bits: Bits = "24" if self._target.suffix.lower() == ".flac" else "32f"
            frames = self._frames + engine.latency_samples
            writer = files.enter_context(AudioWriter(self._target, self.rate, self.outputs, bits, frames))
            self._pace(engine, self._blocks(reader, engine.latency_samples), writer)

    def _blocks(self, reader: AudioReader, tail: int) -> Iterator[Any]:
        """Yield the file and then silence for what the chain still owes, frames first."""
        raised = resampled(reader.blocks(self.block), reader.rate, self.rate, self.inputs)
        for block in reblocked(raised, self.block):
            yield block.T
        for start in range(0, tail, self.block):
            yield np.zeros((min(self.block, tail - start), self.inputs), np.float32)


def open_clocked(words: str, *, rate: int, channels: int, block: int, is_paced: bool) -> ClockedDevice:
    """Read "null" or "file:IN.wav,OUT.wav" as a device; raise ValueError with a sentence otherwise."""
    if words == "null":
        return ClockedDevice(rate, channels, block, is_paced=is_paced)
    kind, _, rest = words.partition(":")
    source, _, target = rest.partition(",")
    if kind != "file" or not source or not target:
        raise ValueError(f"'{words}' is no device; give null, or file:IN.wav,OUT.wav")
    return FileDevice(Path(source), Path(target), block, is_paced=is_paced)
