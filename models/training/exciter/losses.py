"""The judge of waveforms: all losses of a batch, for the generator and for the discriminators."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.exciters import torch_bands
from models.exciters.ltv_layer import HOP, RATE
from models.exciters.two_stage import Generated, above
from models.training.exciter.acoustic_loss import REACH, WHITE_DB, acoustic_features, acoustic_loss
from models.training.exciter.adversarial import Verdict, adversarial_loss, critic_loss, matching_loss
from models.training.exciter.examples import WaveExample
from models.training.exciter.run import WaveformRun
from models.training.exciter.spectral_loss import WaveformLoss, judged_only
from models.training.predictor.losses import pooled_db

# White noise must be right as it is: judged frame by frame, a train of clicks would be taken for whiter than noise.
_WHITE_SPAN = 8
_WHITE_TOLERANCE_DB = 1.5


class Losses(NamedTuple):
    """What a batch costs: the generator's losses by name, and the discriminators' one if they take part."""

    generator: dict[str, Tensor]
    critics: Tensor | None


class WaveformJudge(nn.Module):
    """Weighs what an extender generated against the clean signals.

    Args:
        run: The run.
        critics: The discriminators by name.
    """

    def __init__(self, run: WaveformRun, critics: nn.ModuleDict) -> None:
        super().__init__()
        self.run, self.critics, self.spectrum = run, critics, WaveformLoss()

    def forward(self, generated: Generated, batch: WaveExample, adversarial: bool) -> Losses:
        """Return the losses of a batch; `adversarial` says whether the discriminators take part."""
        restored = judged_only(generated.restored, batch.clean, batch.bandwidths_hz)
        parts = {"acoustic": self._acoustic(generated, batch), "spectrum": self.spectrum(restored, batch.clean)}
        if not adversarial:
            return Losses(parts, None)
        with torch.autocast(restored.device.type, torch.bfloat16, enabled=restored.is_cuda):
            real, fooled = self._verdicts(batch.clean), self._verdicts(restored)
            warned = self._verdicts(restored.detach())
            parts |= {"adversarial": adversarial_loss(fooled, self.run.game), "matching": matching_loss(real, fooled)}
            return Losses(parts, critic_loss(real, warned, self.run.game))

    def _acoustic(self, generated: Generated, batch: WaveExample) -> Tensor:
        """Return the acoustic loss: an excitation shall be white, a baseline's output as the clean signal is."""
        judged = missing_bands(batch).to(generated.restored.device)
        if self.run.filtered:
            levels_db = pooled_db(acoustic_features(generated.excitation), _WHITE_SPAN)
            return acoustic_loss(levels_db, WHITE_DB, judged, _WHITE_TOLERANCE_DB)
        # The margins of a crop are not generated: frames that reach into them are not judged.
        whole_frames = batch.features_db[:, REACH // HOP : -(REACH // HOP)]
        return acoustic_loss(acoustic_features(generated.restored), whole_frames, judged)

    def _verdicts(self, signal: Tensor) -> list[Verdict]:
        return [verdict for critic in self.critics.values() for verdict in critic(signal)]


def missing_bands(batch: WaveExample) -> Tensor:
    """Return 1 for bands above the crossover and within the clean signal's true bandwidth, shape (batch, 1, bands)."""
    known = torch.stack([torch_bands.band_mask(RATE, 0.0, float(edge)) for edge in batch.bandwidths_hz])[:, None]
    return above(batch.crossovers_hz) * known
