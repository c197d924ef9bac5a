"""Laws of the lines: every value is found where it stands, and nothing makes the search fail."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plugin_host.files.json_document import lines

TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_each_value_has_its_line() -> None:
    text = '{\n "a": [1,\n {"b":\n 2}],\n "c,\\"]": "x\\n{"\n, "d": {}}'
    found = lines(text)
    assert found == {(): 1, ("a",): 2, ("a", 0): 2, ("a", 1): 3, ("a", 1, "b"): 3, ('c,"]',): 5, ("d",): 6}


@given(TREES)
def test_every_path_of_a_tree_is_found_in_order(tree: Any) -> None:
    paths: list[tuple[str | int, ...]] = []

    def walk(value: Any, path: tuple[str | int, ...]) -> None:
        paths.append(path)
        items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
        for key, item in items:
            walk(item, (*path, key))

    walk(tree, ())
    found = lines(json.dumps(tree, indent=1))
    assert list(found) == paths
    assert sorted(found.values()) == list(found.values())


@given(st.text(alphabet='{}[]",:\\ a1\n'))
def test_nonsense_never_makes_it_fail(text: str) -> None:
    assert lines(text)[()] == 1
