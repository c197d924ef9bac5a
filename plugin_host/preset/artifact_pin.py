"""The hash by which a preset pins the content of its artifact: computed, and compared where the preset is used.

Artifacts of one name are distinguished by their manifests, which hold the hashes of the weights.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from models.artifact.manifest import MANIFEST, ArtifactError, find_artifact

if TYPE_CHECKING:
    from plugin_host.preset.schema import Preset

_SHOWN_DIGITS = 12


def hash_of(artifact: str) -> str:
    """Return the SHA-256 of an artifact's manifest in hexadecimal digits.

    Raises:
        ArtifactError: There is no such artifact; one sentence.
    """
    return hashlib.sha256((find_artifact(artifact) / MANIFEST).read_bytes()).hexdigest()


def pin_of(artifact: str | None) -> str | None:
    """Return what a preset that is saved keeps of its artifact; None where it leaves the choice to the host."""
    try:
        return None if artifact is None else f"sha256:{hash_of(artifact)}"
    except (ArtifactError, OSError):
        return None


def warning_for(preset: Preset, artifact: str) -> str:
    """Return a sentence where a preset pins another content than its artifact has here, else "".

    Args:
        preset: What is played.
        artifact: Name or path of the artifact that plays it. One that the person named instead of the preset's own is
            not compared.
    """
    pinned = (preset.artifact_hash or "").removeprefix("sha256:")
    if not pinned or preset.artifact not in (None, artifact):
        return ""
    present = hash_of(artifact)
    if present.startswith(pinned):
        return ""
    return (
        f"the preset '{preset.name or preset.id}' was saved with another version of the artifact {artifact} "
        f"({pinned[:_SHOWN_DIGITS]}, here it is {present[:_SHOWN_DIGITS]}) and may sound different; it plays on, and "
        "saving it again keeps this version"
    )
