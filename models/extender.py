"""The extender: exciter, predictor, LTV filter and crossover as one stage.

Everything happens on a grid of hops counted from the reset. A call works on the hops that its block touches and
returns the block's samples of them, so a whole file, a device's block and a single sample take the same path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from dsp import bands, crossover
from dsp.control import Control
from dsp.ltv import FilterDesign, filter_hops, filter_steady, steady_fft
from models import envelope, knobs
from models.crossover_path import CrossoverPath
from models.envelope import Shape
from models.excitation import Excitation
from models.extender_config import ExtenderConfig, horizon
from models.gain_ramp import GainRamp
from models.predictor import Envelope, Past, Predictor
from models.stage import Block

Predict = Callable[[Tensor, Tensor, Past], tuple[Envelope, Past]]
# A sample beyond this is not audio; like NaN and Inf it is played as silence.
_LOUDEST = 1e4
# High-pass spectra that are kept: every step of the crossover at a few lengths.
_MOST_SPECTRA = 500
# Frames over which a source's levels are averaged before they are taken out. Without look-ahead they tell of the
# past, and a long average does least harm where the signal changes (chosen on splits train and valid).
_AVERAGED_NOW = 12
_AVERAGED_LATE = 3


class Extender:
    """A stage that adds the missing top octaves; see `models.stage.Stage` for the contract."""

    def __init__(self, config: ExtenderConfig, predictor: Predictor, predict: Predict | None = None) -> None:
        """Build a stage around trained weights.

        Args:
            config: From the artifact.
            predictor: The network; also tells how its past starts.
            predict: Another form of the same function (ONNX Runtime), or None for torch.
        """
        self.config = config
        self.predictor = predictor.eval()
        self._predict: Predict = predict or predictor
        self._edge_hz: float | None = None
        self._rate = 0

    @property
    def controls(self) -> Sequence[Control]:
        """The knobs."""
        return knobs.CONTROLS

    @property
    def latency_samples(self) -> int:
        """The look-ahead; 0 for a live extender."""
        return self.config.lookahead_hops * bands.hop_samples(self._rate or 48000)

    @property
    def crossover_hz(self) -> float | None:
        """The crossover of the newest hop in Hz, or None where nothing is generated."""
        step = self._steps[-1]
        return None if step is None else crossover.step_hz(step)

    def set_bandwidth(self, edge_hz: float | None) -> None:
        """Tell the true bandwidth that an automatic crossover follows, in Hz; None listens for it instead."""
        self._edge_hz = edge_hz
        if self._rate:
            self._path.edge_hz = edge_hz

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Allocate for a rate of 44.1 to 96 kHz and any number of channels."""
        if not 44100 <= sample_rate <= 96000:
            raise ValueError(f"the extender runs at 44.1 to 96 kHz, not {sample_rate} Hz: resample to 48000 Hz first")
        if channels < 1:
            raise ValueError("the extender needs at least one channel")
        if sample_rate != self._rate:
            self._design_for(sample_rate)
        self._channels = channels
        self.reset()

    def _design_for(self, rate: int) -> None:
        self._rate = rate
        self._hop = bands.hop_samples(rate)
        self._window = bands.hann(bands.window_samples(rate))
        self._weights = bands.band_weights(rate, bands.fft_size(len(self._window)))
        self._scale = bands.power_scale(rate, self._window)
        # The source is measured over half a window: what matters of it lies above 2 kHz, and less lag whitens better.
        self._source_window = bands.hann(len(self._window) // 2)
        self._source_weights = bands.band_weights(rate, bands.fft_size(len(self._source_window)))
        # A band above Nyquist holds nothing; taken as it is, it would be lifted, and the band below along with it.
        above = bands.band_centres_hz() >= rate / 2
        self._source_weights[:, above] = self._source_weights[:, ~above][:, -1:]
        self._source_scale = bands.power_scale(rate, self._source_window)
        self._noise_db = torch.full((bands.BAND_COUNT,), 10.0 * float(torch.log10(torch.tensor(48000.0 / rate))))
        self._design = FilterDesign(rate)
        self._high_passes = crossover.high_pass_table(rate)
        self._high_pass_spectra: dict[tuple[int, int], Tensor] = {}
        self._excitation = Excitation(self.config.exciter, rate)
        self._lag = max(0, -horizon(self.config.lookahead_hops))
        self._source_frames_averaged = _AVERAGED_LATE if self._lag else _AVERAGED_NOW

    def reset(self) -> None:
        """Forget the past."""
        channels, delay, window = self._channels, self.latency_samples, len(self._window)
        self._position = 0
        self._input = torch.zeros(channels, max(window, delay, self._excitation.reach) + self._hop)
        self._source = torch.zeros(channels, max(window, delay + self._design.taps) + self._hop)
        self._generated = torch.zeros(channels, self._high_passes.shape[1] - 1 + self._hop)
        self._filters = torch.zeros(channels, 2, 2, self._design.n_fft // 2 + 1, dtype=torch.complex64)
        self._source_power = torch.zeros(channels, self._source_frames_averaged - 1, bands.BAND_COUNT)
        self._context = torch.full((channels, self._lag, 2 * bands.BAND_COUNT + 2), bands.FLOOR_DB)
        self._energy_db = torch.full((channels, envelope.ONSET_PAST), bands.FLOOR_DB)
        self._steps: list[int | None] = [None, None]
        self._past = self.predictor.start(channels)
        self._path = CrossoverPath(self._rate, self._edge_hz)
        self._dry_gain, self._band_gain = GainRamp(self._rate), GainRamp(self._rate)
        self._excitation.reset(channels)

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Return the block with the band added, delayed by the latency."""
        values = {**knobs.defaults(), **settings}
        with torch.inference_mode():
            samples = torch.from_numpy(block)
            samples = torch.where(samples.abs() <= _LOUDEST, samples, 0.0)
            pieces = [
                self._piece(piece, step, values) for piece, step in self._path.pieces(samples, values["crossover"])
            ]
            return torch.cat(pieces, -1).numpy()

    def _piece(self, block: Tensor, step: int | None, values: Mapping[str, float]) -> Tensor:
        """Process samples whose crossover stays put."""
        count, delay = block.shape[-1], self.latency_samples
        signal = torch.cat([self._input, block], -1)
        band = self._band(signal, count, step, values)
        end = signal.shape[-1] - delay
        dry = signal[:, end - count : end]
        self._input = signal[:, -self._input.shape[-1] :].clone()
        self._position += count
        output, bypass, delta = 10 ** (values["output"] / 20), values["bypass"] >= 0.5, values["delta"] >= 0.5
        dry_gain = 1.0 if bypass else 0.0 if delta else output
        band_gain = 0.0 if bypass else output * values["mix"] / 100
        return dry * self._dry_gain.next(dry_gain, count) + band * self._band_gain.next(band_gain, count)

    def _band(self, signal: Tensor, count: int, step: int | None, values: Mapping[str, float]) -> Tensor:
        """Return the generated band of the newest samples at full mix, shape (channels, count)."""
        phase = self._position % self._hop
        first = (self._hop - phase) % self._hop
        frames = self._frames(signal, first, count)
        crossover_hz = None if step is None else crossover.step_hz(step)
        reached = signal[:, -count - self._excitation.reach :]
        source = self._excitation.source(reached, frames, self._position, crossover_hz, values["drive"])
        source = torch.cat([self._source, source], -1)
        filters = self._filters if phase else self._filters[:, :, 1:]
        if frames.shape[1]:
            new = self._new_filters(frames, self._source_frames(source, first, count), crossover_hz, values)
            filters = torch.cat([filters, new], 2)
        shaped = self._shape(source, filters, phase, count, values["width"] / 100)
        self._filters = torch.cat([self._filters, filters], 2)[:, :, -2:].clone()
        self._source = source[:, -self._source.shape[-1] :].clone()
        return self._cross(shaped, phase, count, frames.shape[1], step)

    def _frames(self, signal: Tensor, first: int, count: int) -> Tensor:
        """Return the frames that end `first` samples into the newest `count`, and every hop from there."""
        if first >= count:
            return signal.new_zeros(signal.shape[0], 0, len(self._window))
        start = signal.shape[-1] - count + first - len(self._window)
        return signal[:, start : signal.shape[-1] - 1].unfold(-1, len(self._window), self._hop)

    def _source_frames(self, source: Tensor, first: int, count: int) -> Tensor:
        """Return half as long frames: the newest, or with look-ahead those in the middle of the input's frames."""
        frames, half = self._frames(source, first, count), len(self._source_window)
        start = half // 2 if self._lag else half
        return frames[..., start : start + half]

    def _new_filters(
        self, frames: Tensor, source_frames: Tensor, crossover_hz: float | None, values: Mapping[str, float]
    ) -> Tensor:
        """Return the filters at the ends of frames, shape (channels, sources, frames, bins)."""
        present = bands.band_levels_db(frames, self._window, self._weights, self._scale)
        source = self._source_levels(source_frames)
        gate = envelope.silence_gate(frames)
        energy = 10 * torch.log10(frames[..., -self._hop :].square().mean(-1, keepdim=True) + 1e-12)
        top = crossover_hz or self._rate / 2
        mask = bands.band_mask(self._rate, 0.0, top)[None, None]
        predicted, self._past = self._predict(present, mask, self._past)
        reference = envelope.top_level_db(present, mask)
        levels = envelope.linked(predicted.levels_db, reference) if self._channels > 1 else predicted.levels_db
        present, source, gate, energy = self._delayed(torch.cat([present, source, gate, energy], -1))
        if crossover_hz is None:
            return torch.zeros(*levels.shape[:1], 2, levels.shape[1], self._filters.shape[-1], dtype=torch.complex64)
        shape = Shape(
            crossover_hz, values["amount"], values["tilt"], values["tone"] / 100, max(values["ceiling"], crossover_hz)
        )
        onset = self._onset(energy, values["attack"] / 100)
        return self._design_filters(Envelope(levels + onset, predicted.tonality), present, source, gate, shape)

    def _design_filters(self, wanted: Envelope, present: Tensor, source: Tensor, gate: Tensor, shape: Shape) -> Tensor:
        missing = envelope.missing_db(envelope.wanted_db(wanted.levels_db, shape), present)
        harmonic_db, noise_db = envelope.mixture_db(wanted.tonality, shape.tone)
        whitening = source if self.config.whiten else source.mean(-1, keepdim=True)
        gains = [
            envelope.source_gains_db(missing, harmonic_db, whitening, shape.crossover_hz),
            envelope.source_gains_db(missing, noise_db, self._noise_db, shape.crossover_hz),
        ]
        return torch.mul(self._design(torch.stack(gains, 1)), gate[:, None])

    def _source_levels(self, frames: Tensor) -> Tensor:
        levels = bands.band_levels_db(frames, self._source_window, self._source_weights, self._source_scale)
        power = torch.cat([self._source_power, torch.pow(10.0, levels / 10)], 1)
        self._source_power = power[:, power.shape[1] - self._source_frames_averaged + 1 :].clone()
        return 10 * torch.log10(power.unfold(1, self._source_frames_averaged, 1).mean(-1) + 1e-12)

    def _delayed(self, context: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Hold what was measured back until the delayed signal gets there."""
        kept = torch.cat([self._context, context], 1)
        self._context = kept[:, kept.shape[1] - self._lag :].clone()
        now = kept[:, : context.shape[1]]
        present, source, gate, energy = now.split([bands.BAND_COUNT, bands.BAND_COUNT, 1, 1], -1)
        return present, source, gate.clamp(min=0.0), energy

    def _onset(self, energy_db: Tensor, attack: float) -> Tensor:
        history = torch.cat([self._energy_db, energy_db[..., 0]], -1)
        self._energy_db = history[:, -envelope.ONSET_PAST :].clone()
        return envelope.onset_db(history, attack)

    def _shape(self, source: Tensor, filters: Tensor, phase: int, count: int, width: float) -> Tensor:
        """Pass source and noise through the filters; returns shape (channels, count)."""
        reach, length = self._design.taps - 1, (filters.shape[2] - 1) * self._hop
        end = source.shape[-1] - self.latency_samples
        heard = source[:, end - count - phase - reach : end]
        heard = functional.pad(heard, (0, length + reach - heard.shape[-1]))
        noise = self._excitation.noise(self._position - phase - reach, length + reach, self._channels, width)
        signals = torch.stack([heard, noise], 1)
        return filter_hops(signals, filters, self._hop, self._design.n_fft)[:, phase : phase + count]

    def _cross(self, shaped: Tensor, phase: int, count: int, new: int, step: int | None) -> Tensor:
        """Keep the band out of what lies below the crossover, cross-fading over a hop where that moves."""
        steps = (self._steps if phase else self._steps[1:]) + [step] * new
        self._steps = (self._steps + [step] * new)[-2:]
        generated = torch.cat([self._generated, shaped], -1)
        self._generated = generated[:, -self._generated.shape[-1] :].clone()
        reach = self._high_passes.shape[1] - 1
        used = sorted({held for held in steps if held is not None})
        signal = generated[:, -count - reach :]
        if not used:
            return torch.zeros_like(shaped)
        passed = {held: filter_steady(signal, self._high_pass(held, signal.shape[-1]), reach + 1) for held in used}
        if len(used) == 1:
            return passed[used[0]]
        return sum(
            (passed[held] * self._presence(steps, held, phase, count) for held in used), torch.zeros_like(shaped)
        )

    def _high_pass(self, step: int, samples: int) -> Tensor:
        """Return the transform of a high-pass for a signal of this length; live there is but one of each."""
        key = (step, steady_fft(samples))
        if key not in self._high_pass_spectra:
            if len(self._high_pass_spectra) > _MOST_SPECTRA:
                self._high_pass_spectra.clear()
            self._high_pass_spectra[key] = torch.fft.rfft(self._high_passes[step], n=key[1])
        return self._high_pass_spectra[key]

    def _presence(self, steps: Sequence[int | None], held: int, phase: int, count: int) -> Tensor:
        """Return how much of each sample passes through one of the high-passes, shape (count,)."""
        # Where generation stops or starts the LTV filters fade; the high-pass itself stays.
        filled = [step if step is not None else held for step in steps]
        at = torch.tensor([float(step == held) for step in filled])
        ramp = (torch.arange(self._hop) + 0.5) / self._hop
        return torch.lerp(at[:-1, None], at[1:, None], ramp).flatten()[phase : phase + count]
