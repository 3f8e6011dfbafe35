from __future__ import annotations

import pytest

from evals.progress import Progress
from evals.records import RunTotals
from workbench.commands.progress import SECONDS_BETWEEN_LINES, lines, rate, sentence, shown_progress


def progress(done: int = 120, speed: float | None = 18.2, left: float | None = 5.2, **totals: object) -> Progress:
    return Progress(done, 214, speed, left, RunTotals(turns=done, **totals))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (progress(cost_usd=0.0132, fallbacks=2), "120/214 turns, 18/s, cost $0.0132, 2 fallbacks, 5.2 s left"),
        (progress(0, None, None), "0/214 turns, cost $0.00, 0 fallbacks"),
        (progress(2, 0.5, None), "2/214 turns, 0.5/s, cost $0.00, 0 fallbacks"),
        (progress(cost_usd=None, failures=1), "120/214 turns, 18/s, cost unknown, 0 fallbacks, 1 failure, 5.2 s left"),
    ],
)
def test_a_sentence_says_turns_rate_cost_fallbacks_and_time_left(given, said):
    assert sentence(given) == said


@pytest.mark.parametrize(("speed", "said"), [(None, ""), (0.254, "0.25/s"), (9.94, "9.9/s"), (1234.5, "1,234/s")])
def test_a_rate_has_as_many_digits_as_are_of_use(speed, said):
    assert rate(speed) == said


def test_away_from_a_terminal_there_is_a_line_now_and_then(capsys):
    times = iter((0.0, 1.0, SECONDS_BETWEEN_LINES, SECONDS_BETWEEN_LINES + 1, 2 * SECONDS_BETWEEN_LINES))
    show = lines("talks by rules", clock=lambda: next(times))
    for _ in range(4):
        show(progress())
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 3


def test_on_a_terminal_there_is_a_bar_that_leaves_nothing_behind_but_its_title(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    with shown_progress("talks by rules") as show:
        show(progress())
    assert capsys.readouterr().err.startswith("talks by rules\n")
