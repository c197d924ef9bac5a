"""Why a file can't be read or written, in one sentence."""

from __future__ import annotations

import errno


class AudioFileError(ValueError):
    """A file that can't be read or written; the message is one sentence that names it and says what to do."""


def reason(error: OSError) -> str:
    """Say in words why the system refused, and what to do."""
    words = (error.strerror or "the system refused").lower()
    return _REASONS.get(error.errno or 0, f"{words}; check the disk and the path")


_REASONS = {
    errno.ENOENT: "it does not exist; check the name",
    errno.EACCES: "permission is missing; change the rights of the file or its folder",
    errno.EPERM: "permission is missing; change the rights of the file or its folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EISDIR: "it is a folder; name a file",
    errno.ENOTDIR: "a part of the path is not a folder; check the path",
    errno.ENOSPC: "the disk is full; free space and run the command again",
    errno.EDQUOT: "the disk quota is used up; free space and run the command again",
    errno.EFBIG: "the file grew beyond the allowed size; choose another disk or a smaller depth",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}
