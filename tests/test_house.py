"""The laws of the layout: who imports whom, what ships, what is pinned."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("dsp", "models", "plugin_host", "presets")
NOT_DATA = {".py", ".pyc", ".partial", ".log"}
# What arrays and math need around them to be written down: types, containers, iteration.
PLAIN = {"__future__", "abc", "collections", "dataclasses", "enum", "functools", "itertools", "math", "typing"}
# Each takes from a tenth of a second to three seconds to load, and `highband --help` has half a second.
HEAVY = (
    "torch",
    "scipy",
    "numba",
    "soundfile",
    "soxr",
    "pedalboard",
    "onnxruntime",
    "matplotlib",
    "sounddevice",
    "numpy",
    "pydantic",
    "zmq",
    "nicegui",
    "rtmidi",
    "mutagen",
    "mido",
)


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path, *, lazily: bool = True) -> Iterator[str]:
    """Yield the full name of all that a module imports; without `lazily`, not what its functions import."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{origin(path, node)}.{alias.name}" for alias in node.names)
        elif lazily or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def origin(path: Path, node: ast.ImportFrom) -> str:
    """Return the full name of the module that an import line names, a relative one too."""
    package = path.relative_to(ROOT).parts[:-1]
    above = package[: len(package) - node.level + 1] if node.level else ()
    return ".".join([*above, *([node.module] if node.module else [])])


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("path", modules("dsp"), ids=short)
def test_dsp_is_arrays_and_math_only(path: Path) -> None:
    arrays = {"contextlib", "llvmlite", "numpy", "numba", "operator", "rocket_fft", "sys"}
    assert {name.partition(".")[0] for name in imported(path)} <= PLAIN | arrays | {"dsp"}


@pytest.mark.parametrize("path", modules("models"), ids=short)
def test_models_do_not_look_up_to_the_host(path: Path) -> None:
    assert [name for name in imported(path) if within(name, "plugin_host")] == []


@pytest.mark.parametrize("path", modules(*FLOORS), ids=short)
def test_training_is_imported_by_itself_and_lazily_by_the_host(path: Path) -> None:
    if path.is_relative_to(ROOT / "models" / "training"):
        return
    may_be_lazy = path.is_relative_to(ROOT / "plugin_host")
    assert [name for name in imported(path, lazily=not may_be_lazy) if within(name, "models.training")] == []


@pytest.mark.parametrize("path", modules(*FLOORS), ids=short)
def test_the_product_does_not_import_its_tests_or_scripts(path: Path) -> None:
    assert [name for name in imported(path) if within(name, "tests") or within(name, "scripts")] == []


@pytest.mark.parametrize("path", modules(*FLOORS, "tests", "scripts"), ids=short)
def test_nothing_is_pickled(path: Path) -> None:
    assert [name for name in imported(path) if name.partition(".")[0] in {"pickle", "marshal", "shelve", "dill"}] == []


@pytest.mark.parametrize("path", modules(*FLOORS, "tests", "scripts"), ids=short)
def test_a_module_is_under_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 300


def test_no_folder_holds_more_than_15_modules() -> None:
    folders = Counter(path.parent for path in modules(*FLOORS) if path.name != "__init__.py")
    assert {short(folder): count for folder, count in folders.items() if count > 15} == {}


def test_tests_have_no_package_files() -> None:
    assert [short(path) for path in (ROOT / "tests").rglob("__init__.py")] == []


def test_every_folder_of_modules_is_a_package_and_so_is_installed() -> None:
    folders = {path.parent for path in modules(*FLOORS)}
    assert sorted(short(folder) for folder in folders if not (folder / "__init__.py").is_file()) == []


def test_every_data_file_is_shipped() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    patterns: list[str] = tool["setuptools"]["package-data"]["*"]
    found = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*") if path.is_file())
    found = [path for path in found if "__pycache__" not in path.parts]
    data = [path for path in found if path.suffix not in NOT_DATA and not path.name.startswith(".")]
    endings = {pattern.removeprefix("**/") for pattern in patterns}
    assert [short(path) for path in data if not any(path.match(ending) for ending in endings)] == []


def test_the_lock_pins_what_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = dict(line.split("==") for line in text.splitlines() if not line.startswith("#"))
    wanted = [Requirement(line) for line in lines]
    assert [str(need) for need in wanted if not need.specifier.contains(pins.get(need.name, "0"))] == []


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    program = f"import plugin_host.cli.app, sys\nprint(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    fresh = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert (fresh.returncode, fresh.stdout.split()) == (0, []), fresh.stderr


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=short)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_the_readme_is_read_in_minutes() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= 10_000
