"""Laws of kernels: they compute what their source says, and numbers that are none stay none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

from dsp.compile import BoundKernel, kernel
from dsp.fft import Array


@kernel
def _sum_of_ratios(first: Array, second: Array) -> float:
    total = 0.0
    for i in range(len(first)):
        total += first[i] / second[i]
    return total


def test_a_kernel_is_its_source() -> None:
    first, second = np.random.default_rng(0).uniform(1.0, 2.0, (2, 1000)).astype(np.float32)
    assert _sum_of_ratios(first, second) == pytest.approx(float((first / second).sum()), rel=1e-5)


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_none(strange: float) -> None:
    values = np.ones(100, np.float32)
    values[37] = strange
    assert not np.isfinite(_sum_of_ratios(values, np.ones(100, np.float32)))


class _Tables(NamedTuple):
    first: Array
    second: Array


@kernel
def _sum_of_tables(tables: _Tables, factor: float) -> float:
    return factor * _sum_of_ratios(tables.first, tables.second)


def test_a_bound_kernel_computes_what_it_computes_unbound_from_the_first_call_on() -> None:
    bound = BoundKernel(_sum_of_tables)
    for count in (1000, 10):
        tables = _Tables(*np.random.default_rng(count).uniform(1.0, 2.0, (2, count)).astype(np.float32))
        assert bound.call(tables, 2.0) == _sum_of_tables(tables, 2.0)


def test_a_bound_kernel_refuses_arrays_of_numbers_of_another_size() -> None:
    bound, ones = BoundKernel(_sum_of_tables), np.ones(4, np.float32)
    bound.call(_Tables(ones, ones), 1.0)
    doubles: Any = np.ones(4)
    with pytest.raises(TypeError, match="can't unbox array"):
        bound.call(_Tables(doubles, ones), 1.0)


def test_division_by_zero_is_not_an_error_but_infinite() -> None:
    assert _sum_of_ratios(np.ones(3, np.float32), np.zeros(3, np.float32)) == np.inf


@kernel
def _too_long_to_be_a_part(values: Array) -> float:
    total = 0.0
    for i in range(len(values)):
        for j in range(len(values)):
            total += np.sin(values[i] * values[j]) / 3.0
            if total > 1e30:
                total = values[i] / values[j]
    return total


def _calls(values: Array) -> float:
    return _too_long_to_be_a_part(values) + _too_long_to_be_a_part(values[1:])


def test_a_kernel_runs_its_own_copies_of_those_that_it_calls_whatever_was_loaded_before() -> None:
    # Of one that comes from the disk the code can't be read.
    compiled: Any = numba.njit(_calls)
    compiled(np.ones(3, np.float32))
    [code] = compiled.inspect_asm().values()
    assert "_too_long_to_be_a_part" in code, "it was inlined, so that nothing is tested"
    shared = re.findall(r"\.(?:weak|globl)\t(\S+)", code)
    assert shared
    assert not [name for name in shared if "_calls" not in name]


def test_a_machine_without_a_folder_to_write_to_compiles_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr("numba.core.dispatcher.FunctionCache", refuse)

    @kernel
    def twice(value: float) -> float:
        return 2.0 * value

    assert twice(21.0) == 42.0


def _in_a_process_of_its_own(folder: Path) -> dict[str, tuple[int, int]]:
    """Run the kernels of `outer.py`; return what each gave and how often it came from the disk, by name."""
    program = "import outer\nfor one in outer.KERNELS: print(one.__name__, one(), sum(one.stats.cache_hits.values()))"
    # Python's own cache goes by seconds and sizes, and would not see a digit that changes at once.
    paths = {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | paths, capture_output=True, text=True, check=True
    )
    return {name: (int(value), int(hits)) for name, value, hits in map(str.split, ran.stdout.splitlines())}


_INNER = """
import numpy as np
from dsp.compile import kernel
NUMBER, TUPLE, ARRAY = {0}, ({0}, 0), np.array([{0}, 0])
@kernel
def inside() -> int:
    return {0}
"""
_OUTER = """
import inner
from dsp.compile import kernel
from inner import ARRAY, NUMBER, TUPLE
@kernel
def calls() -> int:
    return inner.inside()
@kernel
def reads_a_number() -> int:
    return NUMBER
@kernel
def reads_a_tuple() -> int:
    return TUPLE[0]
@kernel
def reads_an_array() -> int:
    return ARRAY[0]
KERNELS = (calls, reads_a_number, reads_a_tuple, reads_an_array)
"""


def test_a_kernel_is_made_anew_when_one_that_it_calls_or_a_constant_from_elsewhere_is_changed(tmp_path: Path) -> None:
    (tmp_path / "outer.py").write_text(_OUTER)
    for number, from_disk in ((1, False), (1, True), (42, False)):
        (tmp_path / "inner.py").write_text(_INNER.format(number))
        ran = _in_a_process_of_its_own(tmp_path)
        assert len(ran) == 4
        assert ran == dict.fromkeys(ran, (number, int(from_disk)))
