"""The ways in which recordings lose their top: analogue slopes, windowed sincs, converters, codecs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import signal

from models.training.data.codec import Codec, fitted, round_trip

Audio = NDArray[np.float32]
Family = Literal["chebyshev", "butterworth", "elliptic"]
# Main lobes, in sample rates a tap: the transition of a windowed sinc is this wide over the number of taps.
WINDOWS = {"hann": 3.1, "hamming": 3.3, "blackman": 5.5}
CONVERTERS = ("VHQ", "HQ", "MQ", "LQ", "QQ", "linear", "nearest")
_MOST_TAPS = 8191
_PAD_SAMPLES = 4096
# A filter closer to half the sample rate than this passes everything that counts.
_OPEN = 0.98
_GRID = 4096
_LOWEST_HZ = 50.0


class Lowpass(Protocol):
    """Something that takes away the band above a cutoff and keeps time."""

    def apply(self, clean: Audio, rate: int, cutoff_hz: float) -> Audio:
        """Return the filtered signal: same shape (channels, samples), aligned to the sample."""
        ...

    def text(self) -> str:
        """Describe it in a few words."""
        ...


@dataclass(frozen=True)
class Slope:
    """A recursive filter, as in analogue gear, mixers and cheap processors.

    Attributes:
        family: Chebyshev is of type I.
        order: Steepness, from 1.
        ripple_db: In the pass band; not used by Butterworth.
        attenuation_db: In the stop band; used by elliptic only.
        corner: Where it starts to fall, as a share of the cutoff.
        zero_phase: Run forward and backward, else forward only with its delay on an average sound taken out.
    """

    family: Family
    order: int
    ripple_db: float
    attenuation_db: float
    corner: float
    zero_phase: bool

    def apply(self, clean: Audio, rate: int, cutoff_hz: float) -> Audio:
        """Filter; see `Lowpass`."""
        corner_hz = min(self.corner * cutoff_hz, _OPEN * rate / 2)
        sections = self._sections(corner_hz, rate)
        if self.zero_phase:
            pad = min(_PAD_SAMPLES, clean.shape[1] - 1)
            return np.asarray(signal.sosfiltfilt(sections, clean, padlen=pad), dtype=np.float32)
        late = _delay_samples(sections, rate)
        filtered = signal.sosfilt(sections, np.pad(clean, ((0, 0), (0, late))))
        return np.asarray(filtered[:, late:], dtype=np.float32)

    def text(self) -> str:
        """Describe it in a few words."""
        phase = "zero" if self.zero_phase else "minimum"
        return f"{self.family} of order {self.order} from {self.corner:.2f} of the cutoff, {phase} phase"

    def _sections(self, corner_hz: float, rate: int) -> NDArray[np.float64]:
        if self.family == "butterworth":
            sections = signal.butter(self.order, corner_hz, fs=rate, output="sos")
        elif self.family == "chebyshev":
            sections = signal.cheby1(self.order, self.ripple_db, corner_hz, fs=rate, output="sos")
        else:
            sections = signal.ellip(self.order, self.ripple_db, self.attenuation_db, corner_hz, fs=rate, output="sos")
        # Even orders of the rippled families start at the bottom of their ripple; level is not theirs to change.
        sections[0, :3] /= np.prod(sections[:, :3].sum(1) / sections[:, 3:].sum(1))
        return np.asarray(sections, dtype=np.float64)


@dataclass(frozen=True)
class WindowedSinc:
    """A linear-phase filter whose stop band starts at the cutoff.

    Attributes:
        window: One of `WINDOWS`.
        transition: Width of its fall as a share of the cutoff.
    """

    window: str
    transition: float

    def apply(self, clean: Audio, rate: int, cutoff_hz: float) -> Audio:
        """Filter; see `Lowpass`."""
        wanted = WINDOWS[self.window] * rate / (self.transition * cutoff_hz)
        taps = min(_MOST_TAPS, 2 * round(wanted / 2) + 1)
        middle_hz = min((1 - self.transition / 2) * cutoff_hz, _OPEN * rate / 2)
        kernel = signal.firwin(taps, middle_hz, window=self.window, fs=rate)
        filtered = signal.oaconvolve(clean, kernel[None], mode="full", axes=1)
        return np.asarray(filtered[:, taps // 2 : taps // 2 + clean.shape[1]], dtype=np.float32)

    def text(self) -> str:
        """Describe it in a few words."""
        return f"{self.window} sinc falling over {self.transition:.2f} of the cutoff"


@dataclass(frozen=True)
class Conversion:
    """Down to twice the cutoff and up again, with good or bad converters.

    Attributes:
        down, up: Of `CONVERTERS`; the last three fold the band above the cutoff into the one below.
    """

    down: str
    up: str

    def apply(self, clean: Audio, rate: int, cutoff_hz: float) -> Audio:
        """Convert; see `Lowpass`."""
        narrow = _converted(clean, rate, 2 * cutoff_hz, self.down)
        return fitted(_converted(narrow, 2 * cutoff_hz, rate, self.up), clean.shape[1])

    def text(self) -> str:
        """Describe it in a few words."""
        return f"converted down by {self.down} and up by {self.up}"


@dataclass(frozen=True)
class Coding:
    """A round trip through a lossy codec."""

    codec: Codec

    def apply(self, clean: Audio, rate: int, cutoff_hz: float) -> Audio:
        """Encode and decode what a converter left; see `Lowpass`."""
        return round_trip(self.codec, resample_to(clean, rate, 2 * cutoff_hz), rate)

    def text(self) -> str:
        """Describe it in a few words."""
        return f"{self.codec.name} at {self.codec.rate} Hz"


def resample_to(clean: Audio, rate: int, target_rate: float) -> Audio:
    """Take a signal down to a lower rate and up again by soxr VHQ: nothing is left at and above half that rate.

    Args:
        clean: Shape (channels, samples).
        rate: Of the signal, in Hz; a target at or above it leaves the signal as it is.
        target_rate: In Hz.

    Returns:
        Same shape and rate, aligned to the sample.
    """
    if target_rate >= rate * _OPEN or not clean.size:
        return clean.copy()
    return Conversion("VHQ", "VHQ").apply(clean, rate, target_rate / 2)


def _converted(audio: Audio, rate_in: float, rate_out: float, converter: str) -> Audio:
    if not audio.shape[1]:
        return audio
    if converter not in ("linear", "nearest"):
        return np.ascontiguousarray(soxr.resample(audio.T, rate_in, rate_out, quality=converter).T, dtype=np.float32)
    last = audio.shape[1] - 1
    places = np.arange(round(audio.shape[1] * rate_out / rate_in)) * (rate_in / rate_out)
    if converter == "nearest":
        return audio[:, np.minimum(np.round(places).astype(int), last)]
    return np.stack([np.interp(places, np.arange(last + 1), channel) for channel in audio]).astype(np.float32)


def _delay_samples(sections: NDArray[np.float64], rate: int) -> int:
    """Return the delay at which the output agrees best with a sound that falls by 6 dB an octave, as most do."""
    frequencies = np.linspace(0, rate / 2, _GRID + 1)
    _, response = signal.sosfreqz(sections, frequencies, fs=rate)
    power = np.maximum(frequencies, _LOWEST_HZ) ** -2.0
    return int(np.argmax(np.fft.irfft(response * power)[:_GRID]))
