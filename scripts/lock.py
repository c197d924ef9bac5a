"""Write requirements.lock: the exact version of everything in this environment that Highband needs.

Run it with `make lock` after the new versions are installed and the tests pass with them.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# The versions that Highband was tested with; `make lock` writes this file, `make setup` installs it.
# On Linux, PyPI's torch brings several GB of CUDA libraries; for the CPU build of the same version set
# PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu before `make setup`.
"""


def declared() -> list[str]:
    """Return the requirements that pyproject.toml declares, extras and build system included."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = table["project"]
    extras: list[list[str]] = list(project["optional-dependencies"].values())
    return [*table["build-system"]["requires"], *project["dependencies"], *(line for lines in extras for line in lines)]


def needed(lines: list[str]) -> dict[str, str]:
    """Return the version of every package that these requirements need here, directly or not, by its plain name."""
    versions: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(line) for line in lines]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        # A build tag such as +cpu names one index's file; the version is the same everywhere.
        versions[name] = Version(version(name)).public
        for extra in {"", *requirement.extras} - {extra for known, extra in seen if known == name}:
            seen.add((name, extra))
            waiting += _applying(name, extra)
    return versions


def _applying(name: str, extra: str) -> Iterator[Requirement]:
    """Yield what a package needs on this machine, with this extra or with none ("")."""
    for line in requires(name) or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def main() -> None:
    """Write the lock file beside pyproject.toml."""
    pins = [f"{name}=={number}\n" for name, number in sorted(needed(declared()).items())]
    partial = ROOT / "requirements.lock.partial"
    partial.write_text(HEADER + "".join(pins), encoding="utf-8")
    os.replace(partial, ROOT / "requirements.lock")


if __name__ == "__main__":
    main()
