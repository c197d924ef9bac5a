"""Write the file tree into README.md: every module with the first line of its docstring, every folder of data once."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- file tree: python scripts/file_tree.py -->\n", "<!-- end of file tree -->\n"
FLOORS = ("plugin_host", "models", "models/training", "dsp", "presets", "tests", "scripts", "docs")
OTHERS = {
    "pyproject.toml": "The package: dependencies, checks, tests",
    "requirements.lock": "The versions that were tested",
    "Makefile": "make demo, make test, make check",
    ".ci/run": "What continuous integration runs",
    "presets/*.json": "The presets, one file each",
    "plugin_host/clips/": "The demo's clip, with its credit",
    "plugin_host/controller_maps/": "Maps of MIDI controllers that are shipped",
    "plugin_host/panel_assets/": "Style and script of the panel's page",
    "models/artifacts/": "The trained extenders: weights, graph, manifest, proof",
    "models/training/runs/": "Training runs, one TOML file each",
    "scripts/system-packages.sh": "What the system must have, for running and for testing",
    "docs/control-protocol.md": "The messages by which a running host is played",
    "docs/elsewhere.md": "How the extenders fare on recordings from elsewhere, beside other systems",
    "docs/learned-exciters.md": "Learned exciters, compared: how, and with what result",
    "tests/": "The laws, mirroring the source",
}


def tree() -> str:
    """Return the tree as a block of text, one line a file."""
    lines = []
    for floor in FLOORS:
        for file in sorted((ROOT / floor).glob("*.py")) if floor != "tests" else []:
            if file.name != "__init__.py":
                lines.append((file.relative_to(ROOT).as_posix(), _summary(file)))
    lines += [(name, about) for name, about in OTHERS.items() if list(ROOT.glob(name.rstrip("/")))]
    lines.sort(key=lambda line: (_place(line[0]), line[0]))
    width = max(len(name) for name, _ in lines)
    return "```text\n" + "".join(f"{name:<{width}}  {about}\n" for name, about in lines) + "```\n"


def _place(name: str) -> int:
    """Return where a file's folder stands among the floors; files of the top level come last."""
    folders = [str(parent) for parent in Path(name).parents]
    return min((FLOORS.index(folder) for folder in folders if folder in FLOORS), default=len(FLOORS))


def _summary(file: Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].rstrip(".")


def updated(text: str) -> str:
    """Return a README with its tree made anew."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + tree() + END + rest.partition(END)[2]


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    if "--check" in sys.argv and updated(text) != text:
        sys.exit("README.md does not show the files as they are: run python scripts/file_tree.py")
    README.write_text(updated(text), encoding="utf-8")
