"""Which files belong together: those of one name in sub-folders, those of one folder, or those of a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plugin_host.files.suffixes import INPUT_SUFFIXES


class ListeningError(Exception):
    """A test that can't be made of these files or answers; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class Group:
    """Versions of one recording.

    Attributes:
        name: Of the recording.
        versions: The file of each version, at least two.
    """

    name: str
    versions: dict[str, Path]

    def reference(self, wanted: str | None) -> str:
        """Return the version with which the others are compared: the wanted one where there is it, else the first."""
        return wanted if wanted is not None and wanted in self.versions else next(iter(self.versions))


def find_groups(paths: Sequence[Path]) -> list[Group]:
    """Return the recordings that can be compared, in the order of their names.

    Args:
        paths: One folder, or two and more files. A folder's sub-folders are versions, which hold files of the same
            names; in a folder without audio in sub-folders, each file is a version of one recording.

    Raises:
        ListeningError: There is nothing to compare.
    """
    if len(paths) == 1 and paths[0].is_dir():
        return _in_folder(paths[0])
    if any(path.is_dir() for path in paths):
        raise ListeningError("name one folder, or two or more files")
    if len(paths) < 2:
        raise ListeningError("one file can't be compared; name two or more, or a folder")
    return [Group("files", _labelled(paths))]


def refuse_unknown(reference: str | None, groups: Sequence[Group]) -> None:
    """Raise ListeningError where no recording has a version of this name."""
    known = sorted({version for group in groups for version in group.versions})
    if reference is not None and reference not in known:
        raise ListeningError(f"there is no version {reference}; choose one of {', '.join(known)}")


def _in_folder(folder: Path) -> list[Group]:
    found: dict[str, dict[str, Path]] = {}
    for version in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        for path in _audio(version):
            if version.name in found.setdefault(path.stem, {}):
                raise ListeningError(f"{version} holds two files named {path.stem}; leave one of them there")
            found[path.stem][version.name] = path
    if not found:
        files = _audio(folder)
        if len(files) < 2:
            raise ListeningError(
                f"{folder} has nothing to compare; put two files into it, or folders with files of the same name"
            )
        return [Group(folder.resolve().name or "files", _labelled(files))]
    groups = [Group(name, versions) for name, versions in sorted(found.items()) if len(versions) > 1]
    if not groups:
        raise ListeningError(f"no file in the sub-folders of {folder} has the name of another; name versions alike")
    return groups


def _audio(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in INPUT_SUFFIXES and path.is_file() and not path.name.startswith(".")
    )


def _labelled(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the files by their shortest names that differ."""
    for labels in (
        [path.stem for path in paths],
        [path.name for path in paths],
        [f"{path.resolve().parent.name}/{path.name}" for path in paths],
        [str(path.resolve()) for path in paths],
    ):
        if max(Counter(labels).values()) == 1:
            return dict(zip(labels, paths, strict=True))
    raise ListeningError("a file is named twice; name different ones")
