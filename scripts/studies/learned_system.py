"""A trained learned extender as a system of the comparison: features from the shipped predictor, all of it causal."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsp import bands
from dsp.tonality import measure_tonality, tone_tables
from models.exciters import torch_bands
from models.exciters.causal_conv import folded
from models.exciters.ltv_layer import HOP, RATE
from models.exciters.two_stage import LearnedExtender, above
from models.predictor.network import Predictor
from models.training.evaluation.evaluate import edge_hz
from models.training.exciter.acoustic_loss import REACH, acoustic_features, spectral_flatness

Audio = NDArray[np.float32]


class LearnedSystem:
    """Restores as a host would: it finds the edge, predicts the features and generates the band above.

    Args:
        extender: Trained.
        predictor: Of a shipped artifact; what it predicts lies in the future of its input.
        window_fall: Of that artifact; see `models.extender.config.ExtenderConfig`.
    """

    def __init__(self, extender: LearnedExtender, predictor: Predictor, window_fall: float = bands.HANN_FALL) -> None:
        folded(extender)
        self.extender, self.predictor, self._fall = extender.eval(), predictor.eval(), window_fall

    def __call__(self, degraded: Audio, rate: int) -> Audio:
        """Return the restored signal, same shape (channels, samples), at 48 kHz."""
        return self.restored(degraded, edge_hz(degraded, rate))

    @torch.inference_mode()
    def restored(self, degraded: Audio, crossover_hz: float) -> Audio:
        """Return the restored signal for a known edge of the degraded one's band."""
        signal = _whole_hops(degraded)
        levels_db = predicted_db(self.predictor, signal, crossover_hz, self._fall)
        generated = self.extender(signal, levels_db, [crossover_hz] * len(signal))
        restored: Audio = generated.restored[:, : degraded.shape[1]].numpy()
        return restored

    @torch.inference_mode()
    def flatness(self, degraded: Audio, crossover_hz: float, clean_hz: float) -> float:
        """Return the mean spectral flatness of the excitation between crossover and the clean signal's bandwidth."""
        signal = _whole_hops(degraded)
        levels_db = predicted_db(self.predictor, signal, crossover_hz, self._fall)
        return flatness(self.extender.excite(signal, levels_db, [crossover_hz] * len(signal)), crossover_hz, clean_hz)


def flatness(excitation: Tensor, crossover_hz: float, clean_hz: float) -> float:
    """Return the mean spectral flatness of the frames of signals between two frequencies, 0..1.

    Even white noise does not come to 1, as no frame of it is flat.
    """
    judged = above([crossover_hz]) * torch_bands.band_mask(RATE, 0.0, clean_hz)
    return float(spectral_flatness(acoustic_features(excitation), judged).mean())


class Costs(NamedTuple):
    """What a system takes to run.

    Attributes:
        exciter: Weights of the network.
        predictor: Weights of the predictor, if the system receives features.
        block_ms: Processor time of the network for a live block of a hop (5.33 ms), the median of many.
    """

    exciter: int
    predictor: int
    block_ms: float


def costs(system: LearnedSystem) -> Costs:
    """Return what a system takes to run."""
    config = system.extender.config
    conditioned = bool(config.filtered or config.network.conditioning)
    return Costs(_weights(system.extender), _weights(system.predictor) if conditioned else 0, block_ms(system.extender))


@torch.inference_mode()
def block_ms(extender: LearnedExtender, blocks: int = 60) -> float:
    """Return the median processor time that the network takes for a block of a hop, played block by block."""
    network, config = extender.network, extender.network.config
    signal, past, times = 0.1 * torch.randn(1, config.inputs, HOP), network.start(1), []
    frames = torch.zeros(1, config.conditioning, 2) if config.conditioning else None
    for _ in range(blocks):
        begun = time.process_time()
        _, past = network(signal, past, frames)
        times.append(time.process_time() - begun)
    return round(1000 * float(np.median(times)), 3)


def predicted_db(predictor: Predictor, degraded: Tensor, crossover_hz: float, fall: float = bands.HANN_FALL) -> Tensor:
    """Return the features of the frames on a signal's hops as they are known when each hop begins.

    Args:
        predictor: Its horizon says how many frames beyond its newest input it predicts.
        degraded: At 48 kHz, shape (batch, frames * HOP).
        crossover_hz: Up to where the signal may be trusted.
        fall: Of the window of the frames of the predictor's input.

    Returns:
        Shape (batch, frames + 1, bands); frame k lies on sample k * HOP.
    """
    frames, horizon = degraded.shape[1] // HOP + 1, predictor.config.horizon
    before = REACH + horizon * HOP
    behind = max(0, REACH - horizon * HOP)
    signal = torch.nn.functional.pad(degraded, (before, behind))[:, : 2 * REACH + (frames - 1) * HOP]
    mask = torch_bands.band_mask(RATE, 0.0, crossover_hz)[None, None]
    levels = acoustic_features(signal, fall)
    tables = tone_tables(RATE)
    # The longer frames of tonality end where the others do.
    longer = np.pad(signal.numpy(), ((0, 0), (len(tables.window) - 2 * REACH, 0)))
    tones = np.empty(levels.shape, np.float32)
    measure_tonality(longer, 0, HOP, tables, tones)
    predicted, _ = predictor(levels, torch.from_numpy(tones), mask, predictor.start(len(degraded)))
    levels_db: Tensor = predicted.levels_db
    return levels_db


def _whole_hops(signal: Audio) -> Tensor:
    return torch.from_numpy(np.pad(signal, ((0, 0), (0, -signal.shape[1] % HOP))))


def _weights(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())
