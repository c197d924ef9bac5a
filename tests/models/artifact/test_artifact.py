"""Laws of the artifact: what was exported is what is loaded, and anything else is refused in a sentence."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from models.artifact.load import load_extender
from models.artifact.manifest import (
    GRAPH,
    MANIFEST,
    PROOF,
    WEIGHTS,
    ArtifactError,
    find_artifact,
    list_artifacts,
    read_manifest,
)
from models.training.predictor.export import prove

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def copy(folders: Mapping[str, Path], tmp_path: Path) -> Path:
    """Return an artifact that a test may damage."""
    return Path(shutil.copytree(folders["untrained-live"], tmp_path / "copy"))


def change_manifest(folder: Path, **changes: object) -> None:
    file = folder / MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def accept_files(folder: Path) -> None:
    """Write the files' hashes into the manifest, as whoever forges an artifact would."""
    names = (WEIGHTS, GRAPH, PROOF)
    change_manifest(folder, files={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names})


def test_what_was_exported_is_loaded(artifact: Path) -> None:
    extender, manifest = load_extender(artifact), read_manifest(artifact)
    assert extender.config.lookahead_hops == manifest.extender.lookahead_hops
    assert sum(weights.size for weights in load_file(artifact / WEIGHTS).values()) == manifest.weights
    extender.prepare(48000, 1, 64)
    assert extender.latency_samples / 48 == pytest.approx(manifest.latency_ms, abs=0.01)
    assert manifest.provenance["data"]["licences"]


def test_artifacts_are_listed_and_found(folders: Mapping[str, Path]) -> None:
    home = folders["untrained-live"].parent
    names = [info.name for info in list_artifacts(home)]
    assert names == sorted(name for name, path in folders.items() if path.parent == home)
    assert find_artifact(home / "untrained-live") == home / "untrained-live"
    assert list_artifacts(home / "nothing") == []


@pytest.mark.parametrize("name", ["", ".", "..", "../..", "nothing", "/etc", "live/../../artifacts", "a" * 300])
def test_what_is_no_artifact_is_not_found(name: str) -> None:
    with pytest.raises(ArtifactError, match="there is no artifact") as refusal:
        find_artifact(name)
    assert len(str(refusal.value).splitlines()) == 1


def truncate(folder: Path) -> None:
    file = folder / WEIGHTS
    file.write_bytes(file.read_bytes()[:-100])
    accept_files(folder)


def randomise(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(np.random.default_rng(1).bytes(5000))
        accept_files(folder)

    return damage


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def flip(folder: Path) -> None:
    file = folder / WEIGHTS
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)


def other_sizes(folder: Path) -> None:
    extender = json.loads((folder / MANIFEST).read_text())["extender"]
    extender["predictor"]["hidden"] += 1
    change_manifest(folder, extender=extender)


def huge(folder: Path) -> None:
    extender = json.loads((folder / MANIFEST).read_text())["extender"]
    extender["predictor"]["width"] = 10**9
    change_manifest(folder, extender=extender)


def other_exciter(folder: Path) -> None:
    extender = json.loads((folder / MANIFEST).read_text())["extender"]
    change_manifest(folder, extender={**extender, "exciter": "os.system"})


def other_proof(folder: Path) -> None:
    proof = load_file(folder / PROOF)
    save_file({**proof, "output": proof["output"] * np.float32(1.01)}, folder / PROOF)
    accept_files(folder)


def empty_proof(folder: Path) -> None:
    save_file({"nothing": np.zeros(3, np.float32)}, folder / PROOF)
    accept_files(folder)


DAMAGES: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "flipped bit": (flip, "copy the artifact again"),
    "truncated weights": (truncate, "does not hold the weights"),
    "random weights": (randomise(WEIGHTS), "does not hold the weights"),
    "random proof": (randomise(PROOF), "proof"),
    "empty proof": (empty_proof, "proof"),
    "other proof": (other_proof, "does not sound as it did"),
    "no weights": (remove(WEIGHTS), "copy the artifact again"),
    "no graph": (remove(GRAPH), "copy the artifact again"),
    "no proof": (remove(PROOF), "copy the artifact again"),
    "other sizes": (other_sizes, "does not hold the weights"),
    "huge sizes": (huge, "is not a manifest"),
    "other exciter": (other_exciter, "exciter"),
    "newer": (lambda folder: change_manifest(folder, format=99), "newer Highband"),
    "path for a name": (lambda folder: change_manifest(folder, name="../evil"), "is not a manifest"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_artifact_is_refused_in_one_sentence(copy: Path, damage: str) -> None:
    hurt, words = DAMAGES[damage]
    hurt(copy)
    with pytest.raises(ArtifactError, match=words) as refusal:
        load_extender(copy)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"null", b"[]", b'{"format": "NaN"}', b"[" * 100000])
def test_random_bytes_are_no_manifest(copy: Path, content: bytes) -> None:
    (copy / MANIFEST).write_bytes(content)
    with pytest.raises(ArtifactError, match="is not a manifest"):
        read_manifest(copy)


def test_the_list_needs_no_torch() -> None:
    program = "import sys, models.artifact.manifest as a; a.list_artifacts(); print('torch' in sys.modules)"
    fresh = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert fresh.stdout.strip() == "False"


def test_a_proof_that_no_longer_holds_can_be_renewed(copy: Path) -> None:
    proof = load_file(copy / PROOF)
    save_file({"input": proof["input"], "output": 0.5 * proof["output"]}, copy / PROOF)
    accept_files(copy)
    with pytest.raises(ArtifactError, match="does not sound"):
        load_extender(copy)
    prove(copy)
    load_extender(copy)
