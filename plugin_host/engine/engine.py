"""The engine: what happens to a block between a device's input and its output, whatever device that is."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.stage import Block, Stage
from plugin_host.chain.chain import Chain
from plugin_host.chain.input_trim import TRIM, InputTrim
from plugin_host.engine.channels import fold, spread
from plugin_host.engine.parties import Listener, SettingsSource
from plugin_host.engine.swap import Swap
from plugin_host.metering.levels import BANDS, FLOOR_DB, Meter
from plugin_host.metering.load import CallTimer, LoadMeter

Frames = NDArray[np.float32]
_KEPT_MOVES = 1 << 16
_PATIENCE_S = 0.5


class Engine:
    """Settings, chain, meters, in that order, for every block; no sound card is known here.

    `callback` belongs to the audio thread; `prepare` runs before it starts; everything else may be called from any
    thread at any time.

    Attributes:
        position: Samples played since `prepare`.
        xruns: Interruptions that the device reported.
        missed: Deadlines that were missed.
        moves: Changed settings with the sample they begin at, oldest first; none unless `keep_moves` was called.
        on_prepare: Called with rate (Hz) and channels whenever the engine was prepared, before sound plays.
        on_enter: Called once on the audio thread before its first block.
        is_timed: Whether a block that takes too long is a missed deadline; off where nobody waits.
        listener: Receives what is played, such as a recorder.
    """

    def __init__(self, chain: Stage, store: SettingsSource) -> None:
        self._chain = _as_chain(chain)
        self._swap: Swap | None = None
        self._old: deque[Chain] = deque(maxlen=4)
        self._store, self._trim = store, InputTrim()
        self._timer = CallTimer()
        self.moves: deque[tuple[int, dict[str, float]]] = deque(maxlen=_KEPT_MOVES)
        self.on_prepare: Callable[[int, int], None] = lambda rate, channels: None
        self.on_enter: Callable[[], None] = lambda: None
        self.is_timed = True
        self._with_spectra, self._resting, self._keeps_moves = True, False, False
        self.listener: Listener | None = None
        self._error: Exception | None = None
        # Input and output of the block whose levels are still to be measured.
        self._unmeasured: tuple[Block, Block] | None = None
        self.position = self.xruns = self.missed = self._blocks_to_rest = 0
        self._rate = 0
        self._swapping = threading.Lock()

    def __repr__(self) -> str:
        return f"<Engine at {self._rate} Hz: {self._chain!r}>"

    def prepare(self, rate: int, channels: int, max_block: int) -> None:
        """Allocate for blocks of up to `max_block` samples and start from silence; raise ValueError if impossible.

        Args:
            rate: In Hz.
            channels: Of the chain; the device may have more or fewer on either side.
            max_block: A device that gives more at once is served in pieces.
        """
        self._store.prepare(rate)
        self._trim.reset()
        self._rate, self._channels, self._max_block = rate, channels, max_block
        self._values = self._store.drain(0)
        self._make_ready(self._chain)
        self._swap = None
        self._input = np.zeros((channels, max_block), np.float32)
        self._block = self._input
        self.meter_in, self.meter_out = Meter(rate, channels), Meter(rate, channels)
        self.on_prepare(rate, channels)
        self._noted: dict[str, float] = {}
        self.moves.clear()
        self._timer.clear()
        self.position = self.xruns = self.missed = self._blocks_to_rest = 0
        self._has_entered = False

    @property
    def load(self) -> LoadMeter:
        """What each callback took, as shares of its deadline."""
        return self._timer.load

    @property
    def waiting(self) -> LoadMeter:
        """What of it every seventh callback spent without the processor: waiting for the system or the interpreter."""
        return self._timer.waiting

    def keep_calls(self, calls: int) -> None:
        """Forget what the callbacks took, and keep so many from now on."""
        self._timer.keep(calls)

    def callback(self, indata: Frames, outdata: Frames, xrun: bool = False) -> None:
        """Play one block of the device; fills `outdata` whatever happens, never raises, never waits.

        Args:
            indata: Shape (frames, inputs).
            outdata: Shape (frames, outputs), overwritten.
            xrun: Whether the device says that samples were lost before this block.
        """
        self.play(indata, outdata, xrun)
        self.measure()

    def play(self, indata: Frames, outdata: Frames, xrun: bool = False) -> None:
        """Fill `outdata` as `callback` does; `measure` is to follow once whoever waits for it has it."""
        self._timer.begin()
        self._unmeasured, self._deadline_s = None, len(indata) / self._rate
        try:
            if not self._has_entered:
                self._has_entered = True
                self.on_enter()
            self.xruns += xrun
            for start in range(0, len(indata), self._max_block):
                self._measure_levels()
                self._play(indata[start : start + self._max_block], outdata[start : start + self._max_block])
        except Exception as error:  # An exception in a device's callback would stop the sound for good.
            self._error = error
            outdata.fill(0.0)

    def measure(self) -> None:
        """Measure what was played, and its time; after a missed deadline the next block is dry."""
        try:
            self._measure_levels()
        except Exception as error:
            self._error = error
        if self._deadline_s and self._timer.end(self._deadline_s) and self.is_timed:
            self.missed += 1
            self._blocks_to_rest = 1

    def _measure_levels(self) -> None:
        if self._unmeasured is None:
            return
        block, wet = self._unmeasured
        self._unmeasured = None
        self.meter_in.update(block)
        self.meter_out.update(wet)
        if self.listener is not None:
            self.listener.push(block, wet)
        self.position += block.shape[1]

    def _play(self, indata: Frames, outdata: Frames) -> None:
        count = len(indata)
        if self._block.shape[1] != count:
            # Without gaps between the channels, which kernels are compiled for and like best.
            self._block = self._input.ravel()[: len(self._input) * count].reshape(-1, count)
        block = self._block
        if indata.shape[1] == len(block):
            block[:] = indata.T
        else:
            fold(indata, block)
        self._values = values = self._store.drain(count)
        trim_db = values.get(TRIM.id, 0.0)
        if trim_db or self._trim.gain != 1.0:
            self._trim.apply(block, trim_db)
        if self._keeps_moves and values != self._noted:
            self._note(values)
        rest = self._resting or self._blocks_to_rest > 0
        self._blocks_to_rest = 0
        wet = self._chain.play(block, values, rest)
        swap = self._swap
        if swap is not None:
            wet = swap.play(block, wet, values, rest, self.position)
            if swap.is_over:
                self._old.append(self._chain)
                self._chain, self._swap = swap.chain, None
        if outdata.shape[1] == len(wet):
            outdata[:] = wet.T
        else:
            spread(wet, outdata)
        self._unmeasured = block, wet

    def _note(self, values: Mapping[str, float]) -> None:
        noted, self._noted = self._noted, dict(values)
        self.moves.append((self.position, {name: value for name, value in values.items() if noted.get(name) != value}))

    def _make_ready(self, chain: Chain) -> None:
        chain.prepare(self._rate, self._channels, self._max_block)
        chain.warm_up(self._values)

    def seek(self, position: int, *, forget: bool) -> None:
        """Go on elsewhere on the timeline; on the audio thread, between two blocks.

        Args:
            position: Sample of the timeline at which the next block begins.
            forget: Begin from silence with every knob at its target, as a bounce does; else go on without a gap.
        """
        if not forget:
            self._chain.seek(position)
            return
        self._store.prepare(self._rate)
        self._trim.reset()
        if self._swap is not None:
            self._chain, self._swap = self._swap.chain, None
        self._chain.reset(position)

    def swap_chain(self, chain: Stage) -> None:
        """Prepare another chain here and play it the newest input; then the audio thread cross-fades to it in 20 ms.

        Raises:
            ValueError: The chain can't do this rate or layout; the old one plays on.
        """
        coming = _as_chain(chain)
        with self._swapping:
            self._make_ready(coming)
            # A cross-fade under way ends first; where nothing plays there is nothing to wait for.
            patience = time.monotonic() + _PATIENCE_S
            while self._swap is not None and time.monotonic() < patience:
                time.sleep(0.005)
            # Dropped here and not on the audio thread, where taking a plug-in apart would cost a block.
            self._old.clear()
            swap = Swap(coming, self._rate, self._max_block)
            swap.catch_up(self._chain, self.meter_in.newest, dict(self._values))
            self._swap = swap

    def rest(self) -> None:
        """Play the aligned dry signal and spare the chain's time."""
        self._resting = True

    def resume(self) -> None:
        """Play the chain again."""
        self._resting = False

    def keep_moves(self) -> None:
        """Keep the moves for a recording, beginning with every knob; before the audio thread starts."""
        self._keeps_moves = True

    def stop_spectra(self) -> None:
        """Spare the time of spectra, which other threads compute at the cost of this one; `spectra` returns silence."""
        self._with_spectra = False

    def start_spectra(self) -> None:
        """Compute spectra again."""
        self._with_spectra = True

    @property
    def is_swapping(self) -> bool:
        """Whether a cross-fade to another chain is waiting or under way."""
        return self._swap is not None

    @property
    def chain(self) -> Chain:
        """What plays now."""
        return self._chain

    @property
    def latency_samples(self) -> int:
        """The chain's; the device adds its own."""
        return self._chain.latency_samples

    def take_error(self) -> Exception | None:
        """Return the newest fault of engine or chain and forget it."""
        inside = self._chain.take_error()
        error, self._error = self._error or inside, None
        return error

    def stats(self) -> dict[str, Any]:
        """Return load as shares of the deadline, interruptions, latency in samples and the state of the sound."""
        return {
            "load": {"callback": self.load.figures(), **self._chain.loads()},
            "waiting": self.waiting.figures(),
            "blocks": self.load.calls,
            "missed": self.missed,
            "xruns": self.xruns,
            "position": self.position,
            "sample_rate": self._rate,
            "channels": self._channels,
            "latency": {"chain": self.latency_samples},
            "resting": self._resting,
            "dry_share": self._chain.dry_share,
        }

    def meters(self) -> dict[str, Any]:
        """Return the levels of input and output (see `Meter.levels`), and whether the output's true peak is over."""
        levels = {"in": self.meter_in.levels(), "out": self.meter_out.levels()}
        return {**levels, "true_peak_over": levels["out"]["true_peak_db"] > 0.0}

    def spectra(self) -> tuple[list[float], list[float]]:
        """Return the levels of 64 bands in dBFS, in and out."""
        if not self._with_spectra:
            return [FLOOR_DB] * BANDS, [FLOOR_DB] * BANDS
        return self.meter_in.spectrum_db(), self.meter_out.spectrum_db()


def _as_chain(stage: Stage) -> Chain:
    """Return a chain as it is, and any other stage in a chain of its own, which fades, falls back and rests."""
    return stage if isinstance(stage, Chain) else Chain([], stage, [])
