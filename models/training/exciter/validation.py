"""Listening while training: fixed validation clips through the averaged extender, for the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from models.exciters.ltv_layer import HOP, RATE
from models.exciters.two_stage import LearnedExtender
from models.training import metrics
from models.training.data.corpus import Clip
from models.training.data.lowpass import resample_to
from models.training.exciter.acoustic_loss import REACH, acoustic_features
from models.training.exciter.examples import crop_48k
from models.training.exciter.run import WaveformRun
from models.training.training_log import TrainingLog

_CLIPS = 4
_SECONDS = 2.0
_CUTOFF_HZ = 4000.0
# Where a host finds the edge of what soxr leaves of a band that ends at the cutoff.
_EDGE = 0.94


def listen(run: WaveformRun, weights: Mapping[str, Tensor], clips: Sequence[Clip], log: TrainingLog, step: int) -> None:
    """Log the distance on fixed clips, and how the first of them sounds and looks.

    The features are the clean signal's: what is followed here is the exciter and not the predictor.
    """
    extender = LearnedExtender(run.extender())
    extender.load_state_dict({name: value.cpu() for name, value in weights.items()})
    extender.eval()
    # Evenly from the list, so that speech and music both occur.
    chosen = clips[:: max(1, len(clips) // _CLIPS)][:_CLIPS]
    distances = []
    for place, clip in enumerate(chosen):
        clean, degraded, restored = _restored(extender, clip)
        distances.append(metrics.lsd(clean, restored, _CUTOFF_HZ, clip.trusted_hz))
        if not place:
            for name, signal in {"clean": clean, "degraded": degraded, "restored": restored}.items():
                log.sound(step, name, torch.from_numpy(signal[0]))
    if distances:
        log.line(step, {"valid_lsd_hf": float(np.mean(distances))})


@torch.inference_mode()
def _restored(extender: LearnedExtender, clip: Clip) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    time = round(min(_SECONDS, clip.seconds) * RATE) // HOP * HOP
    clean = crop_48k(clip, time, 0)
    clean = np.pad(clean, ((0, 0), (0, time - clean.shape[1])))
    degraded = resample_to(clean, RATE, 2 * _CUTOFF_HZ)
    features = acoustic_features(torch.from_numpy(np.pad(clean, ((0, 0), (REACH, REACH)))))
    restored = extender(torch.from_numpy(degraded), features, [_EDGE * _CUTOFF_HZ]).restored
    return clean, degraded, restored.numpy()
