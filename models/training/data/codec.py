"""Round trips through lossy codecs, in memory, aligned to the sample."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

Audio = NDArray[np.float32]
# The longest delay seen is LAME's at a constant 8 kbit/s: encoder 576, decoder 529 samples.
_LONGEST_DELAY = 2400
# A low-rate codec does not keep the waveform, so its correlation may peak a few samples off without any delay.
_SHORTEST_DELAY = 32
_LEAST_SECONDS = 0.2
_PEAK = 0.99
_PROBE_LEVEL = 0.5


@dataclass(frozen=True)
class Codec:
    """A codec at one setting.

    Attributes:
        name: For people.
        container, subtype: libsndfile's names.
        rate: Sample rate in Hz at which it is run.
        edge_hz: Upper end of what it passes, measured with white noise at -12 dB.
        level: libsndfile's compression level, 0 best .. 1 smallest; None where the codec has none.
        mode: libsndfile's bit rate mode; None for its default.
    """

    name: str
    container: str
    subtype: str
    rate: int
    edge_hz: float
    level: float | None = None
    mode: str | None = None


def _mp3(rate: int, level: float, edge_hz: float, mode: str) -> Codec:
    return Codec(f"mp3 {mode.lower()} {level:g}", "MP3", "MPEG_LAYER_III", rate, edge_hz, level, mode)


def _ogg(subtype: str, rate: int, level: float, edge_hz: float) -> Codec:
    return Codec(f"{subtype.lower()} {level:g}", "OGG", subtype, rate, edge_hz, level)


CODECS: tuple[Codec, ...] = (
    Codec("mu-law", "WAV", "ULAW", 8000, 4000),
    Codec("A-law", "WAV", "ALAW", 8000, 4000),
    Codec("GSM 6.10", "WAV", "GSM610", 8000, 4000),
    Codec("ADPCM", "WAV", "IMA_ADPCM", 16000, 8000),
    Codec("ADPCM", "WAV", "IMA_ADPCM", 22050, 11000),
    _mp3(8000, 0.8, 3900, "CONSTANT"),
    _mp3(16000, 0.9, 5800, "CONSTANT"),
    _mp3(16000, 0.8, 7200, "CONSTANT"),
    _mp3(44100, 0.9, 7700, "VARIABLE"),
    _mp3(22050, 0.8, 10000, "CONSTANT"),
    _mp3(24000, 0.6, 11200, "VARIABLE"),
    _mp3(44100, 0.85, 11100, "VARIABLE"),
    _mp3(32000, 0.85, 15000, "CONSTANT"),
    _mp3(44100, 0.9, 16500, "CONSTANT"),
    _mp3(44100, 0.3, 18000, "VARIABLE"),
    _mp3(44100, 0.8, 20100, "CONSTANT"),
    _ogg("VORBIS", 8000, 0.9, 4000),
    _ogg("VORBIS", 16000, 0.9, 8000),
    _ogg("VORBIS", 22050, 0.95, 11000),
    _ogg("VORBIS", 32000, 0.9, 13100),
    _ogg("VORBIS", 44100, 0.95, 15900),
    _ogg("VORBIS", 44100, 0.6, 19300),
    _ogg("OPUS", 8000, 0.97, 4000),
    _ogg("OPUS", 12000, 0.97, 6000),
    _ogg("OPUS", 16000, 0.95, 8000),
    _ogg("OPUS", 24000, 0.95, 12000),
    _ogg("OPUS", 48000, 0.9, 20100),
)


def choices(cutoff_hz: float) -> list[Codec]:
    """Return the codecs that one would meet with this bandwidth: they pass it, and not more than half as much again."""
    passing = [codec for codec in CODECS if codec.edge_hz >= cutoff_hz]
    near = [codec for codec in passing if codec.edge_hz <= 1.5 * cutoff_hz]
    return near or passing[:1] or [max(CODECS, key=lambda codec: codec.edge_hz)]


def round_trip(codec: Codec, clean: Audio, rate: int) -> Audio:
    """Encode and decode every channel by itself.

    Args:
        codec: What to go through.
        clean: Shape (channels, samples).
        rate: Of `clean`, in Hz.

    Returns:
        The decoded signal at `rate`: same shape, the codec's delay taken out.
    """
    return np.stack([_round_trip_mono(codec, channel, rate) for channel in clean]) if clean.size else clean.copy()


def _round_trip_mono(codec: Codec, clean: Audio, rate: int) -> Audio:
    # Codecs clip above full scale and refuse signals shorter than a few of their frames.
    gain = min(1.0, _PEAK / max(float(np.abs(clean).max()), _PEAK))
    padded = np.pad(clean * np.float32(gain), (0, max(0, round(_LEAST_SECONDS * rate) - len(clean))))
    narrow = np.asarray(soxr.resample(padded, rate, codec.rate, quality="VHQ"), dtype=np.float32)
    decoded = fitted(_coded(codec, narrow)[delay_samples(codec) :], len(narrow))
    wide = np.asarray(soxr.resample(decoded, codec.rate, rate, quality="VHQ"), dtype=np.float32)
    return fitted(wide, len(clean)) / np.float32(gain)


def _coded(codec: Codec, mono: Audio) -> Audio:
    file = io.BytesIO()
    soundfile.write(
        file, mono, codec.rate, codec.subtype, None, codec.container,
        compression_level=codec.level, bitrate_mode=codec.mode,
    )  # fmt: skip
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    return np.asarray(decoded, dtype=np.float32)


@cache
def delay_samples(codec: Codec) -> int:
    """Return how far the decoder lags, in samples at the codec's rate, as measured with a probe of noise.

    libsndfile trims what it knows of; it does not know that of an MP3 frame too small for LAME's tag. The probe makes
    it a property of the codec: on a steady tone, the recording's own correlation peaks at every period.
    """
    noise = np.random.default_rng(0).standard_normal(codec.rate)
    probe = (np.cumsum(noise) - np.linspace(0, noise.sum(), codec.rate)) * _PROBE_LEVEL / np.sqrt(codec.rate)
    decoded = _coded(codec, probe.astype(np.float32))
    size = 2 * len(decoded)
    spectrum = np.fft.rfft(decoded, size) * np.conj(np.fft.rfft(probe, size))
    # Dividing by the magnitude keeps the peak sharp although the probe is mostly bass.
    delay = int(np.argmax(np.fft.irfft(spectrum / (np.abs(spectrum) + 1e-9), size)[:_LONGEST_DELAY]))
    return delay if delay >= _SHORTEST_DELAY else 0


def fitted(audio: Audio, samples: int) -> Audio:
    """Cut or fill with silence at the end, so that the last axis has this many samples."""
    short = max(0, samples - audio.shape[-1])
    return np.pad(audio[..., :samples], [(0, 0)] * (audio.ndim - 1) + [(0, short)])
