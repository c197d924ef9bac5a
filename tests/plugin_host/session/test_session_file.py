from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_host.session.state_file import Session, SessionError, read_session, write_session


def test_a_session_makes_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "state/last.json"
    session = Session(preset="dull-vocal", artifact=None, settings={"amount": -1 / 3, "mix": 80.0})
    write_session(path, session)
    first = path.read_bytes()
    assert read_session(path) == session
    write_session(path, read_session(path))
    assert path.read_bytes() == first
    assert [entry.name for entry in path.parent.iterdir()] == ["last.json"]


@pytest.mark.parametrize("text", ["", "[]", '{"settings": {"amount": "loud"}}', '{"preset": 7}', '{"format": 2}'])
def test_a_wrong_session_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "last.json"
    path.write_text(text)
    with pytest.raises(SessionError, match="--resume"):
        read_session(path)


@given(data=st.binary(max_size=100))
def test_random_bytes_never_crash_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.json"
    path.write_bytes(data)
    with suppress(SessionError):
        read_session(path)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SessionError, match="can't be written"):
        write_session(tmp_path / "file/last.json", Session())
