"""Print how many lines of Python each room of the package holds, before the rooms were made and now, as Markdown.

    python scripts/room_lines.py

Where a module of before went is read from the commit that moved every module into its room. Modules that have no
ancestor there count as new: parts that were split off, and all that was added since.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("dsp", "models", "plugin_host", "presets")
# The last commit before the rework, and the one that moved every module into its room.
BEFORE, MOVE = "5543020", "3d61529"
OUT = "out of the package: tests/stress, scripts"
RENAMED_FIELDS = 3


def git(*words: str) -> str:
    """Return what git prints."""
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True)
    return done.stdout


def moves(old: str, new: str, likeness: int = 40) -> dict[str, str]:
    """Return where files went between two commits, by git's detection of renames."""
    words = ["diff", "--name-status", "--diff-filter=R", f"-M{likeness}%", "-l0", old, new]
    rows = (line.split("\t") for line in git(*words).splitlines())
    return {row[1]: row[2] for row in rows if len(row) == RENAMED_FIELDS}


def room(path: str) -> str:
    """Return the room of a module: its folder, of training and of the host the one below."""
    parts = path.split("/")
    if parts[0] not in FLOORS:
        return OUT
    depth = 3 if parts[:2] == ["models", "training"] else 2
    return "/".join(parts[: min(depth, len(parts) - 1)]) + "/"


def lines_before() -> tuple[Counter[str], set[str]]:
    """Return the lines of each room before, and the paths that those modules have now."""
    early, moved, late = moves(BEFORE, f"{MOVE}^"), moves(f"{MOVE}^", MOVE), moves(MOVE, "HEAD")
    lines, ancestors = Counter[str](), set[str]()
    for path in git("ls-tree", "-r", "--name-only", BEFORE, *FLOORS).splitlines():
        if path.endswith(".py"):
            then = early.get(path, path)
            home = moved.get(then, then)
            now = late.get(home, home)
            lines[room(home if not now.startswith("scripts/") else now)] += git("show", f"{BEFORE}:{path}").count("\n")
            ancestors.add(now)
    return lines, ancestors


def main() -> None:
    """Print the table."""
    before, ancestors = lines_before()
    now, new = Counter[str](), Counter[str]()
    for floor in FLOORS:
        for file in (ROOT / floor).rglob("*.py"):
            path = file.relative_to(ROOT).as_posix()
            count = file.read_text(encoding="utf-8").count("\n")
            now[room(path)] += count
            if path not in ancestors:
                new[room(path)] += count
    print("| room | before | now | in new modules |\n|---|---:|---:|---:|")
    for name in sorted({*before, *now}, key=lambda name: (name == OUT, name)):
        print(f"| {name} | {before[name]:,} | {now[name]:,} | {new[name]:,} |")
    print(f"| all | {before.total():,} | {now.total():,} | {new.total():,} |")


if __name__ == "__main__":
    main()
