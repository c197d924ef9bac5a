"""Excerpts that differ in nothing but their sound: one rate, aligned to the sample, equally loud at what is played."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyloudnorm
import soundfile
from numpy.typing import NDArray

from models.stage import Block
from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.resample import played_rate, resampled
from plugin_host.panel.listening.anchors import anchors_of
from plugin_host.panel.listening.groups import Group, ListeningError

# Lengths may differ by the rounding of a conversion of rates; positions are searched within a twentieth of a second.
LENGTH_SLACK, _SEARCH_S = 8, 0.05
# Below this correlation two sounds have too little in common for a delay between them to mean anything.
_ALIKE = 0.2
_TOLERANCE_LU, _MOST_ROUNDS = 0.02, 8
# Of the ends, so that a loop does not click.
_FADE_S = 0.01
_SHORTEST_S = 0.4
_HIGHEST_PEAK = 0.98
_HIGHEST_RATE = 96000


@dataclass(frozen=True)
class Excerpt:
    """One version of a recording, as it is played.

    Attributes:
        version: Its name.
        wav: A WAV file of 24 bits.
        lufs: Loudness of that file (ITU-R BS.1770-4).
        gain_db: By which the version was made louder.
        shift_samples: By how many samples it came later than the first version before it was moved.
    """

    version: str
    wav: bytes
    lufs: float
    gain_db: float
    shift_samples: int


def load_excerpts(group: Group, start_s: float, seconds: float, anchored: str | None = None) -> list[Excerpt]:
    """Read, align and match the versions of a recording.

    Args:
        group: The files.
        start_s: Where the excerpt begins.
        seconds: Its length; shorter where the files end.
        anchored: The version of which anchors are made, which are matched as the others are; None for no anchors.

    Raises:
        AudioFileError: A file can't be read.
        ListeningError: The versions don't fit each other, are silent or too short.
    """
    readers: list[AudioReader] = []
    try:
        for path in group.versions.values():
            readers.append(AudioReader(path))
        rate = min(_HIGHEST_RATE, max(played_rate(reader.rate) for reader in readers))
        _refuse_others(readers, rate)
        channels = max(reader.channels for reader in readers)
        sounds = [_read(reader, rate, channels, start_s, seconds) for reader in readers]
    finally:
        for reader in readers:
            reader.close()
    for path, sound in zip(group.versions.values(), sounds, strict=True):
        if sound.shape[1] < _SHORTEST_S * rate:
            raise ListeningError(f"{path} has less than {_SHORTEST_S} s after {start_s:g} s; choose another --start")
        if not sound.any():
            raise ListeningError(f"{path} is silent there and can't be matched in loudness; choose another --start")
    aligned, shifts = align(sounds, round(_SEARCH_S * rate))
    versions = dict(zip(group.versions, aligned, strict=True))
    anchors = {} if anchored is None else anchors_of(versions[anchored], rate)
    return match({**versions, **anchors}, [*shifts, *[0] * len(anchors)], rate)


def _refuse_others(readers: Sequence[AudioReader], rate: int) -> None:
    first = readers[0]
    for reader in readers:
        if reader.channels > 2:
            raise ListeningError(f"{reader.path} has {reader.channels} channels; compare mono or stereo files")
        excess = round(reader.frames * rate / reader.rate) - round(first.frames * rate / first.rate)
        if abs(excess) > LENGTH_SLACK:
            words = "longer" if excess > 0 else "shorter"
            raise ListeningError(
                f"{reader.path} is {abs(excess)} samples {words} than {first.path}; cut both to the same part"
            )


def _read(reader: AudioReader, rate: int, channels: int, start_s: float, seconds: float) -> Block:
    samples = reader.read_at(round(start_s * reader.rate), round(seconds * reader.rate))
    sound = np.concatenate(list(resampled([samples], reader.rate, rate, reader.channels)), axis=1)
    return np.repeat(sound, channels, axis=0) if reader.channels < channels else sound


def align(sounds: Sequence[Block], most: int) -> tuple[list[Block], list[int]]:
    """Return the sounds from their common beginning to their common end, and how late each came after the first.

    Args:
        sounds: Shape (channels, samples) each, the same channels.
        most: Samples within which they are searched.
    """
    shifts = [0, *(delay(sounds[0], sound, most) for sound in sounds[1:])]
    skips = [shift - min(shifts) for shift in shifts]
    length = min(sound.shape[1] - skip for sound, skip in zip(sounds, skips, strict=True))
    return [sound[:, skip : skip + length] for sound, skip in zip(sounds, skips, strict=True)], shifts


def delay(first: Block, second: Block, most: int) -> int:
    """Return by how many samples the second sound comes later, 0 where the two have little in common.

    It is where the differences of neighbouring samples correlate best: they weigh highs more, whose peak is narrow.
    """
    one, other = (np.diff(sound.sum(0, dtype=np.float64)) for sound in (first, second))
    size = 1 << (len(one) + len(other)).bit_length()
    spectrum = np.conj(np.fft.rfft(one, size)) * np.fft.rfft(other, size)
    correlation = np.fft.irfft(spectrum, size)
    near = np.concatenate((correlation[-most:], correlation[: most + 1]))
    place = int(np.argmax(near))
    norm = float(np.sqrt((one @ one) * (other @ other)))
    # Periodic sounds correlate as well a period away; what is together stays so.
    if norm == 0.0 or near[place] < _ALIKE * norm or near[most] >= near[place] - 1e-6 * norm:
        return 0
    return place - most


def match(sounds: dict[str, Block], shifts: Sequence[int], rate: int) -> list[Excerpt]:
    """Return the sounds as files that are equally loud, as loud as the quietest of them can be without an over.

    Args:
        sounds: By version, aligned, shape (channels, samples) each.
        shifts: What is noted of each.
        rate: In Hz.
    """
    faded = [_faded(sound, rate) for sound in sounds.values()]
    levels = [_lufs(sound.T, rate) for sound in faded]
    if not np.isfinite(levels).all():
        raise ListeningError("a version is too quiet there to be matched in loudness; choose another --start")
    room = [20.0 * np.log10(_HIGHEST_PEAK / np.abs(sound).max()) for sound in faded]
    target = min(min(levels), *(level + db for level, db in zip(levels, room, strict=True)))
    made = []
    for version, sound, level, shift in zip(sounds, faded, levels, shifts, strict=True):
        gain_db = target - level
        for _ in range(_MOST_ROUNDS):
            wav = _wav(sound * 10.0 ** (gain_db / 20.0), rate)
            played = played_lufs(wav)
            if abs(played - target) <= _TOLERANCE_LU:
                break
            gain_db += target - played
        made.append(Excerpt(version, wav, played, gain_db, shift))
    if max(one.lufs for one in made) - min(one.lufs for one in made) > 0.1:
        raise ListeningError("the versions can't be matched in loudness there; choose another --start")
    return made


def played_lufs(wav: bytes) -> float:
    """Return the loudness of a WAV file."""
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float64", always_2d=True)
    return _lufs(samples, rate)


def _lufs(frames: NDArray[np.floating], rate: int) -> float:
    # A sound below the gate is of no loudness, which the library divides by.
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(pyloudnorm.Meter(rate).integrated_loudness(frames.astype(np.float64)))


def _faded(sound: Block, rate: int) -> Block:
    ramp = np.linspace(0.0, 1.0, round(_FADE_S * rate), dtype=np.float32)
    faded = sound.copy()
    faded[:, : len(ramp)] *= ramp
    faded[:, -len(ramp) :] *= ramp[::-1]
    return faded


def _wav(sound: Block, rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound.T, rate, format="WAV", subtype="PCM_24")
    return file.getvalue()
