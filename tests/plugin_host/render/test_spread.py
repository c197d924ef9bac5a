"""Laws of work in other processes: the same items and answers, the same errors, no process that stays."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from plugin_host.files.audio_reader import AudioFileError
from plugin_host.render.spread import Aside, ahead, beside, can_spread
from plugin_host.render.stopped import ProcessLost

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are copied on Linux alone"),
    # Other tests of the same process may have left threads, which copies don't have.
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
]


def blocks(count: int, error: BaseException | None = None) -> Iterator[np.ndarray]:
    for number in range(count):
        yield np.full((2, 48000), number, np.float32)
    if error:
        raise error


def total(marks: Path, items: Iterator[np.ndarray]) -> tuple[float, int]:
    """Return the sum of all, and the process that has computed it; note how it ends."""
    try:
        return sum(float(item.sum()) for item in items), os.getpid()
    except BaseException as error:
        marks.write_text(type(error).__name__)
        raise


def fail(items: Iterator[np.ndarray]) -> None:
    next(items)
    raise AudioFileError("the disk is full")


def die(items: Iterator[np.ndarray]) -> None:
    next(items)
    os.kill(os.getpid(), signal.SIGKILL)


def dying() -> Iterator[int]:
    yield 1
    os.kill(os.getpid(), signal.SIGKILL)


def processes() -> Iterator[int]:
    yield os.getpid()


@pytest.fixture(autouse=True)
def no_process_stays() -> Iterator[None]:
    before = set(multiprocessing.active_children())
    yield
    assert set(multiprocessing.active_children()) <= before


def test_items_are_those_of_this_process() -> None:
    for expected, item in zip(blocks(5), ahead(blocks(5)), strict=True):
        np.testing.assert_array_equal(item, expected)
    assert next(ahead(processes())) != os.getpid()


@pytest.mark.parametrize("shape", [(2, 1_500_000), (3, 131_073), (0, 5), (1,), ()])
def test_an_array_of_any_size_arrives_whole(shape: tuple[int, ...]) -> None:
    sent = np.random.default_rng(0).standard_normal(shape)
    items: Iterator[tuple[np.ndarray, list[np.ndarray]]] = iter([(sent, [sent.T, sent[:1] if shape else sent])] * 3)
    received = list(ahead(items))
    assert len(received) == 3
    for whole, (turned, part) in received:
        np.testing.assert_array_equal(whole, sent)
        np.testing.assert_array_equal(turned, sent.T)
        np.testing.assert_array_equal(part, sent[:1] if shape else sent)


def test_what_computing_raises_comes_after_the_items_before() -> None:
    items = ahead(blocks(2, AudioFileError("it is damaged")))
    assert [float(next(items)[0, 0]) for _ in range(2)] == [0.0, 1.0]
    with pytest.raises(AudioFileError, match="it is damaged"):
        next(items)


def test_items_that_nobody_wants_end_their_process() -> None:
    items = ahead(blocks(1000))
    next(items)
    items.close()


def test_an_answer_is_computed_in_another_process(tmp_path: Path) -> None:
    answer, process = beside(partial(total, tmp_path / "mark"), blocks(5))
    assert answer == 10 * 96000
    assert process != os.getpid()


def test_a_functions_error_comes_here_and_the_items_end() -> None:
    with pytest.raises(AudioFileError, match="the disk is full"):
        beside(fail, blocks(1000))


def test_an_error_of_the_items_is_met_by_the_function_before_it_comes_here(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="stop"):
        beside(partial(total, tmp_path / "mark"), blocks(3, KeyError("stop")))
    assert (tmp_path / "mark").read_text() == "_GivenUp"


def test_a_process_that_dies_is_named() -> None:
    with pytest.raises(ProcessLost):
        list(ahead(dying()))
    with pytest.raises(ProcessLost):
        beside(die, blocks(1000))


def doubled(request: tuple[np.ndarray, str]) -> tuple[np.ndarray, str, int]:
    block, word = request
    if word == "end":
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * block, word, os.getpid()


def test_requests_are_answered_in_their_order_by_one_process() -> None:
    aside: Aside[tuple[np.ndarray, str], tuple[np.ndarray, str, int]] = Aside(partial(map, doubled))
    requests = [(np.full((1, 70_000 * number), number, np.float32), f"{number}") for number in range(4)]
    for block, word in requests[:2]:
        aside.ask((block, word))
    answers = [aside.answer(), aside.answer()]
    for block, word in requests[2:]:
        aside.ask((block, word))
        answers.append(aside.answer())
    for (block, word), (out, said, _) in zip(requests, answers, strict=True):
        assert said == word
        np.testing.assert_array_equal(out, 2 * block)
    assert {process for _, _, process in answers} & {os.getpid()} == set()
    aside.ask((requests[0][0], "end"))
    with pytest.raises(ProcessLost):
        aside.answer()
    aside.close()


def test_a_process_with_threads_is_not_copied() -> None:
    from threading import Event, Thread

    end = Event()
    thread = Thread(target=end.wait)
    thread.start()
    try:
        assert not can_spread()
    finally:
        end.set()
        thread.join()
