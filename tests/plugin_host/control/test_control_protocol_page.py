"""The page about the control protocol says what the program does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from plugin_host.control import protocol
from plugin_host.control.request import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "control-protocol.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"`(\{\"do\".*?\})`(?=[ ,])", PAGE)
SOURCES = [path for room in ("control", "settings", "midi") for path in (ROOT / "plugin_host" / room).glob("*.py")]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_request(example: str) -> None:
    message = {"version": 1, "id": 1, **json.loads(example)}
    assert protocol.read_request(json.dumps(message).encode()).do == message["do"]


def test_every_command_has_an_example_and_every_topic_is_named() -> None:
    assert {json.loads(example)["do"] for example in EXAMPLES} == set(COMMANDS)
    assert all(f"| `{topic}` |" in PAGE for topic in protocol.TOPICS)


def test_every_name_of_an_error_is_on_the_page() -> None:
    named = re.compile(r'(?:Refusal|SettingsError|protocol\.refuse)\(\s*(?:[\w.]+, )?"([a-z_]+)"')
    kinds = {kind for source in SOURCES for kind in named.findall(source.read_text(encoding="utf-8"))}
    assert len(kinds) > 10
    assert sorted(kind for kind in kinds if f"`{kind}`" not in PAGE) == []
