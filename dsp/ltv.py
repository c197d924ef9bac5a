"""The linear time-varying filter: short minimum-phase responses, one a hop, cross-faded from hop to hop.

Minimum phase keeps the signal path free of latency. The magnitude comes from band levels in dB, so it is never
negative, and both it and its phase are linear in those levels (the phase of a minimum-phase system is the Hilbert
transform of its log magnitude, Oppenheim and Schafer), so a filter costs two small matrix products and one inverse FFT.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from dsp import bands

_TAPS_SECONDS = 256 / 48000
_DESIGN_FFT = 16384
_NEPER_PER_DB = math.log(10.0) / 20.0


class FilterDesign(nn.Module):
    """Turns band gains into the spectra of short minimum-phase filters at one sample rate.

    Attributes:
        taps: Length of a filter in samples.
        n_fft: Size of the transform that applies it to one hop.
    """

    def __init__(self, sample_rate: float) -> None:
        super().__init__()
        self.taps = round(_TAPS_SECONDS * sample_rate)
        self.n_fft = bands.fft_size(self.taps + bands.hop_samples(sample_rate) - 1)
        log_magnitude, phase = _responses(sample_rate, self.n_fft)
        self.register_buffer("log_magnitude", log_magnitude, persistent=False)
        self.register_buffer("phase", phase, persistent=False)
        self.register_buffer("fade", _fade_out(self.taps), persistent=False)

    log_magnitude: Tensor
    phase: Tensor
    fade: Tensor

    def forward(self, gains_db: Tensor) -> Tensor:
        """Return the spectra of the filters with these band gains.

        Args:
            gains_db: Shape (..., bands).

        Returns:
            Complex, shape (..., n_fft // 2 + 1).
        """
        spectra: Tensor = torch.fft.rfft(self.impulse(gains_db), n=self.n_fft)
        return spectra

    def impulse(self, gains_db: Tensor) -> Tensor:
        """Return the impulse responses of the filters, shape (..., taps)."""
        magnitude = torch.exp(gains_db @ self.log_magnitude)
        angle = gains_db @ self.phase
        response = torch.complex(magnitude * torch.cos(angle), magnitude * torch.sin(angle))
        whole: Tensor = torch.fft.irfft(response, n=self.n_fft)
        return whole[..., : self.taps] * self.fade


def _responses(sample_rate: float, n_fft: int) -> tuple[Tensor, Tensor]:
    """Return log magnitude (nepers) and phase (radians) per dB of each band, both of shape (bands, bins)."""
    frequencies = torch.arange(_DESIGN_FFT // 2 + 1, dtype=torch.float64) * sample_rate / _DESIGN_FFT
    log_magnitude = bands.bands_to_frequencies(frequencies).double() * _NEPER_PER_DB
    phase = minimum_phase_spectrum(log_magnitude).imag
    step = _DESIGN_FFT // n_fft
    return log_magnitude[:, ::step].float().contiguous(), phase[:, ::step].float().contiguous()


def minimum_phase_spectrum(log_magnitude: Tensor) -> Tensor:
    """Return the log spectrum of the minimum-phase system with this log magnitude, by folding its cepstrum.

    Args:
        log_magnitude: Nepers at the bins of a real transform, shape (..., n // 2 + 1).

    Returns:
        Complex, same shape: log magnitude + 1j * phase.
    """
    size = 2 * (log_magnitude.shape[-1] - 1)
    cepstrum = torch.fft.irfft(torch.complex(log_magnitude, torch.zeros_like(log_magnitude)), n=size)
    cepstrum[..., 1 : size // 2] *= 2.0
    cepstrum[..., size // 2 + 1 :] = 0.0
    spectrum: Tensor = torch.fft.rfft(cepstrum, n=size)
    return spectrum


def _fade_out(taps: int) -> Tensor:
    """Return a window that is 1 and falls to 0 over the last quarter, so that the cut-off tail leaves no ripple."""
    fade = torch.ones(taps)
    tail = taps // 4
    fade[-tail:] = 0.5 + 0.5 * torch.cos(math.pi * (torch.arange(tail) + 1) / (tail + 1))
    return fade


def filter_hops(signals: Tensor, spectra: Tensor, hop: int, n_fft: int) -> Tensor:
    """Filter each hop by two neighbouring filters and cross-fade from the one to the other; sum over sources.

    Args:
        signals: Each source with the past that the filters reach, shape (batch, sources, reach + hops * hop), where
            reach is the filters' length - 1 and reach + hop is at most n_fft.
        spectra: Filters at the hops' boundaries, shape (batch, sources, hops + 1, n_fft // 2 + 1).
        hop: Samples of a hop.
        n_fft: Size of the transform.

    Returns:
        Shape (batch, hops * hop).
    """
    hops = spectra.shape[2] - 1
    reach = signals.shape[-1] - hops * hop
    blocks = torch.fft.rfft(signals.unfold(-1, reach + hop, hop), n=n_fft)
    before = torch.fft.irfft((blocks * spectra[:, :, :-1]).sum(1), n=n_fft)[..., reach : reach + hop]
    after = torch.fft.irfft((blocks * spectra[:, :, 1:]).sum(1), n=n_fft)[..., reach : reach + hop]
    ramp = (torch.arange(hop, dtype=signals.dtype) + 0.5) / hop
    return torch.lerp(before, after, ramp).flatten(1)


def steady_fft(samples: int) -> int:
    """Return the size of the transform by which `filter_steady` works through a signal of so many samples."""
    return min(_LONGEST_FFT, bands.fft_size(samples))


def filter_steady(signal: Tensor, spectrum: Tensor, taps: int) -> Tensor:
    """Filter by one response that does not change, by overlap-save.

    Args:
        signal: The past that the filter reaches, then the block; shape (batch, taps - 1 + time).
        spectrum: The response's transform of size `steady_fft(taps - 1 + time)`.
        taps: Length of the response in samples.

    Returns:
        Shape (batch, time).
    """
    reach = taps - 1
    count = signal.shape[-1] - reach
    n_fft = 2 * (len(spectrum) - 1)
    step = min(count, n_fft - reach)
    pieces = math.ceil(count / step)
    padded = torch.nn.functional.pad(signal, (0, pieces * step - count))
    blocks = torch.fft.rfft(padded.unfold(-1, reach + step, step), n=n_fft)
    filtered: Tensor = torch.fft.irfft(blocks * spectrum, n=n_fft)
    return filtered[..., reach : reach + step].flatten(1)[:, :count]


_LONGEST_FFT = 8192
