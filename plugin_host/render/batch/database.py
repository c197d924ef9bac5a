"""The database of a journal: one file, one writer, and never a reason not to render."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from plugin_host.render.batch.plan import BatchError

_FORMAT = 1
_LOG_PAGES = 8192
_TABLES = """
CREATE TABLE IF NOT EXISTS outputs (
    target TEXT PRIMARY KEY, source TEXT NOT NULL, state TEXT NOT NULL, key TEXT, input TEXT, size INTEGER,
    mtime_ns INTEGER, staged TEXT, at REAL NOT NULL, figures TEXT, fault TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inputs (
    source TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, digest TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS energies (key TEXT PRIMARY KEY, content BLOB NOT NULL);
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the database for one writer; one that is damaged is put aside, and one that can't be is in memory.

    What is written stays when it is committed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _connect(str(path))
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise BatchError(f"another highband renders into {path.parent}; wait for it or choose another -o") from None
    except sqlite3.DatabaseError:
        os.replace(path, path.with_suffix(".damaged"))
        return _connect(str(path))
    except OSError:
        pass
    # Where no journal can be written, most likely no output can, which says so itself.
    return _connect(":memory:")


def _connect(name: str) -> sqlite3.Connection:
    database = sqlite3.connect(name, timeout=1.0, check_same_thread=False)
    try:
        # Alone, the log needs no memory that is shared with others, which network disks don't have.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        # A page that is written again and again goes from the log into the file once.
        database.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version > _FORMAT:
            raise BatchError(f"{name} was written by a newer Highband; upgrade, or choose another folder with -o")
        database.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT;")
    except BaseException:
        database.close()
        raise
    return database
