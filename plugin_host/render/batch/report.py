"""The report of a batch: what the journal holds, as a table for a spreadsheet or as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.atomic_write import write_atomically
from plugin_host.files.audio_error import AudioFileError, reason
from plugin_host.render.batch.journal import Journal
from plugin_host.render.batch.plan import BatchError

_FORMATS = (".csv", ".json")
# The columns, in the order in which a person asks.
_COLUMNS = (
    "source", "target", "state", "fault", "warnings", "seconds", "rate", "channels", "bits", "edge_hz", "added_db",
    "lufs_before", "lufs_after", "true_peak_before_db", "true_peak_after_db", "clipped", "mended", "took_s", "at",
)  # fmt: skip
# Of those that are measured more finely than is of use.
_DECIMALS = {"seconds": 3, "edge_hz": 1, "took_s": 3}


def check_report_file(path: Path | None) -> None:
    """Raise BatchError where a report can't have this name."""
    if path is not None and path.suffix.lower() not in _FORMATS:
        raise BatchError(f"{path} can't be a report; name a .csv or a .json file")


def write_report(journal: Journal, path: Path | None) -> None:
    """Write what the journal holds; raise AudioFileError where it can't be written."""
    if path is None:
        return
    rows = list(_rows(journal))
    text = json.dumps(rows, indent=1) if path.suffix.lower() == ".json" else _table(rows)
    try:
        write_atomically(path, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise AudioFileError(f"{path} can't be written: {reason(error)}") from None


def _rows(journal: Journal) -> Iterator[dict[str, Any]]:
    for row in journal.rows():
        row["at"] = datetime.fromtimestamp(row["at"], UTC).isoformat(timespec="seconds")
        yield {name: _rounded(row.get(name), _DECIMALS.get(name)) for name in _COLUMNS}


def _rounded(value: Any, decimals: int | None) -> Any:
    return value if decimals is None or value is None else round(value, decimals)


def _table(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, _COLUMNS)
    table.writeheader()
    for row in rows:
        table.writerow({**row, "warnings": "; ".join(row["warnings"] or ())})
    return text.getvalue()
