"""How a long command shows how far it is: a live bar on a terminal, a line now and then elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from workbench.commands.exits import say
from workbench.text import cost, count, duration

if TYPE_CHECKING:
    from evals.progress import Progress

SECONDS_BETWEEN_LINES = 5.0


class HowFar(Protocol):
    """`done` of `total`, of whatever a command does."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...


Show = Callable[[Any], None]  # takes what the sentence takes


def sentence(progress: Progress) -> str:
    """`120/214 turns, 18/s, cost $0.0132, 2 fallbacks, 5.2 s left`."""
    parts = [
        f"{progress.done:,}/{count(progress.total, 'turn')}",
        rate(progress.turns_per_second),
        cost(progress.cost_usd),
        count(progress.fallbacks, "fallback"),
        count(progress.failures, "failure") if progress.failures else "",
        "" if progress.seconds_left is None else f"{duration(progress.seconds_left)} left",
    ]
    return ", ".join(part for part in parts if part)


def rate(turns_per_second: float | None) -> str:
    """`0.25/s`, `18/s`; nothing as long as it is not known."""
    if turns_per_second is None:
        return ""
    return f"{turns_per_second:,.0f}/s" if turns_per_second >= 10 else f"{turns_per_second:.2g}/s"


Say = Callable[[Any], str]  # what is said of a `HowFar`


@contextmanager
def shown_progress(title: str, said: Say = sentence) -> Iterator[Show]:
    """Give what is to be called with each progress: a bar if stderr is a terminal, else lines."""
    if sys.stderr.isatty():
        with _bar(title, said) as show:
            yield show
    else:
        yield lines(title, said=said)


def lines(title: str, clock: Callable[[], float] = time.monotonic, *, said: Say = sentence) -> Show:
    """Say how far it is at the beginning and then at most every SECONDS_BETWEEN_LINES seconds."""
    say(f"{title} ...")
    last = clock()

    def show(progress: HowFar) -> None:
        nonlocal last
        now = clock()
        if now - last >= SECONDS_BETWEEN_LINES:
            last = now
            say("  " + said(progress))

    return show


@contextmanager
def _bar(title: str, said: Say) -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    say(title)
    columns = (
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        TextColumn("{task.fields[details]}", table_column=Column(no_wrap=True)),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as bar:
        task = bar.add_task(title, total=None, details="getting ready")
        yield lambda progress: bar.update(task, total=progress.total, completed=progress.done, details=said(progress))
