"""Harmonicity: the share of a band's power that comes again after one period of the pitch below.

The pitch is found in the low band, which is there at playing time too, and the band above is compared with itself one
period later, over a window so short that a moving pitch does not blur its lines; the lag may differ a little from band
to band. A line spectrum gives 1, noise 0, whatever the tonality of long windows says of a vibrato.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsp import bands
from models.exciters import torch_bands

LOWEST_HZ, HIGHEST_HZ = 70.0, 1000.0
# Up to where a pitch is looked for, and from where on bands are compared: over so many Hz at once.
_PITCH_TOP_HZ = 3500.0
EDGES_HZ = (0.0, 1000.0, 2000.0, 3000.0, 4000.0, 6000.0, 8000.0, 10000.0, 12000.0, 14000.0, 16000.0, 20000.0, 24000.0)
# Seconds by which a band's lag may differ from the pitch's, and the steps between.
_SEARCH_SECONDS, _SEARCH_STEPS = 1.5 / 48000, 13
# Hops from one frame to the next: it changes slowly.
STRIDE = 2
# What noise reaches by chance in such a search.
_BY_CHANCE = 0.2
_CHUNK = 2048
_TINY = 1e-9


def harmonicity(samples: NDArray[np.float32], rate: float) -> NDArray[np.uint8]:
    """Return the harmonicity of a mono signal, 0..255 for 0..1.

    Args:
        samples: Shape (time,).
        rate: Hz.

    Returns:
        Shape (frames, len(EDGES_HZ) - 1): of the ranges between `EDGES_HZ`; frame k is centred at k * STRIDE
        hops.
    """
    hop, short = bands.hop_samples(rate), bands.window_samples(rate)
    longest = math.ceil(rate / LOWEST_HZ) + 2
    signal = torch.from_numpy(samples)
    reach = 2 * short + longest
    count = len(samples) // (STRIDE * hop) + 1
    padded = torch.nn.functional.pad(signal, (reach, reach))
    # One row a frame, centred on it.
    rows = padded.unfold(0, 2 * reach, STRIDE * hop)[:count]
    chunks = [_of_frames(chunk, rate, short) for chunk in rows.split(_CHUNK)]
    return torch.cat([(chunk * 255).to(torch.uint8) for chunk in chunks]).numpy()


def at_bands(
    harmonic: NDArray[np.uint8], rows: NDArray[np.int64], speed: float, sample_rate: float
) -> NDArray[np.float32]:
    """Return the harmonicity, 0..1, at frames and bands of a clip at another speed, shape (rows, bands).

    Args:
        harmonic: From `harmonicity`, of the clip as it is.
        rows: Frames of the clip at its speed.
        speed: How many times as fast it is taken.
        sample_rate: Hz that the clip at its speed is declared to have.
    """
    places = rows * (bands.hop_samples(sample_rate) / bands.hop_samples(sample_rate / speed) / STRIDE)
    there = np.minimum(np.rint(places).astype(np.int64), len(harmonic) - 1)
    centres = bands.band_centres_hz() / speed
    columns = np.clip(np.searchsorted(EDGES_HZ, centres, side="right") - 1, 0, harmonic.shape[1] - 1)
    result: NDArray[np.float32] = harmonic[there][:, columns].astype(np.float32) / 255
    return result


def pitch_lags(frames: Tensor, rate: float) -> Tensor:
    """Return the period of each frame's low band in samples, by the autocorrelation of its compressed spectrum.

    Args:
        frames: Shape (frames, samples).
        rate: Hz.
    """
    length = frames.shape[1]
    n_fft = bands.fft_size(2 * length)
    power = torch.fft.rfft(frames * torch_bands.hann(length), n=n_fft).abs()
    hz = torch.arange(power.shape[1]) * rate / n_fft
    power = power.sqrt() * ((hz > LOWEST_HZ / 2) & (hz < _PITCH_TOP_HZ))
    result = torch.fft.irfft(power, n=n_fft)
    first, last = int(rate / HIGHEST_HZ), math.ceil(rate / LOWEST_HZ)
    peaks = result[:, first : last + 1]
    inner = (peaks[:, 1:-1] >= peaks[:, :-2]) & (peaks[:, 1:-1] >= peaks[:, 2:])
    heights = torch.where(inner, peaks[:, 1:-1], peaks.new_tensor(-1.0))
    # A period fits a multiple of itself as well: the first peak that is nearly as high as the highest is the pitch.
    is_high = heights >= 0.85 * heights.amax(1, keepdim=True)
    return is_high.to(torch.uint8).argmax(1) + first + 1


def _of_frames(frames: Tensor, rate: float, short: int) -> Tensor:
    middle = frames.shape[1] // 2
    lags = pitch_lags(frames[:, middle - short : middle + short], rate)
    # Two looks one period apart, as far before the frame's middle as behind it.
    starts = middle - short // 2 - lags // 2
    index = torch.arange(short)
    early = torch.gather(frames, 1, starts[:, None] + index)
    late = torch.gather(frames, 1, (starts + lags)[:, None] + index)
    return coherence(early, late, rate, torch.tensor(EDGES_HZ))


def coherence(early: Tensor, late: Tensor, rate: float, edges_hz: Tensor) -> Tensor:
    """Return how far two looks at a sound are alike in ranges of frequency, up to a small lag, less what is chance.

    Args:
        early: Shape (frames, samples).
        late: Same shape.
        rate: Hz.
        edges_hz: Rising, shape (ranges + 1,).

    Returns:
        0..1, shape (frames, ranges).
    """
    window = torch_bands.hann(early.shape[1])
    n_fft = bands.fft_size(early.shape[1])
    one, other = (torch.fft.rfft(part * window, n=n_fft) for part in (early, late))
    hz = torch.arange(one.shape[1]) * rate / n_fft
    inside = ((hz >= edges_hz[:-1, None]) & (hz < edges_hz[1:, None])).float().T
    power = [part.abs().square() @ inside for part in (one, other)]
    cross = one * other.conj()
    best = torch.zeros_like(power[0])
    for lag in torch.linspace(-_SEARCH_SECONDS, _SEARCH_SECONDS, _SEARCH_STEPS):
        turned = torch.polar(torch.ones_like(hz), -2 * math.pi * hz * lag)
        best = torch.maximum(best, (cross.real * turned.real - cross.imag * turned.imag) @ inside)
    alike = best / (power[0] * power[1]).sqrt().clamp(min=_TINY)
    result: Tensor = ((alike - _BY_CHANCE) / (1 - _BY_CHANCE)).clamp(0.0, 1.0)
    return result
