"""The collector looks less often while large runs are judged, and then as before, however such blocks overlap."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from evals.collecting import SELDOM, rarely_collected


@pytest.fixture(autouse=True)
def usual() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield (700, 10, 10)
    gc.set_threshold(*before)


def test_it_is_as_before_once_the_last_block_ended(usual: tuple[int, int, int]) -> None:
    first, second = rarely_collected(), rarely_collected()
    first.__enter__()
    second.__enter__()
    assert gc.get_threshold() == (SELDOM, 10, 10)
    first.__exit__(None, None, None)
    assert gc.get_threshold() == (SELDOM, 10, 10)
    second.__exit__(None, None, None)
    assert gc.get_threshold() == usual


def test_an_error_inside_changes_nothing_for_good(usual: tuple[int, int, int]) -> None:
    with pytest.raises(ZeroDivisionError), rarely_collected():
        _ = 1 / 0
    assert gc.get_threshold() == usual


def test_who_switched_it_off_or_made_it_rarer_keeps_that() -> None:
    for chosen in ((0, 10, 10), (90_000, 10, 10)):
        gc.set_threshold(*chosen)
        with rarely_collected():
            assert gc.get_threshold() == chosen
