"""Which runs are put side by side, and how runs are listed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.model.conversation import Channel, Persona
from evals.library import Dataset
from evals.records import RunStatus
from evals.runs.rows import RunRow, TurnRow
from tests.workbench.prepared import conversation, conversations, run_row
from workbench.presenters.conversations import Wanted, message_of_turn, wanted_conversations
from workbench.presenters.links import not_here, not_the_customers
from workbench.presenters.runs import (
    command_of,
    default_sides,
    fell_back_throughout,
    listed,
    unanswered,
    variant_to_add,
)
from workbench.presenters.sides import side_names

LATER = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([], ()),
        ([run_row("r")], ("r",)),
        ([run_row("c", "recorded"), run_row("r", "rules")], ("r", "c")),
        ([run_row("new", "rules"), run_row("old", "rules"), run_row("c", "recorded")], ("new", "c")),
        ([run_row("new", "rules", status=RunStatus.RUNNING), run_row("old", "rules"), run_row("c", "recorded")],
         ("old", "c")),
        ([run_row("m", "llm:m"), run_row("l", "labels"), run_row("r", "rules")], ("r", "m")),
        ([run_row("new", "rules"), run_row("old", "rules")], ("new", "old")),
        ([run_row("try", "rules", state_mode="turns"), run_row("old", "rules"), run_row("c", "recorded")],
         ("old", "c")),
        ([run_row("try", "rules", state_mode="turns"), run_row("r", "rules", status=RunStatus.INCOMPLETE)],
         ("r", "try")),
    ],
)  # fmt: skip
def test_two_different_variants_are_put_side_by_side(rows: list[RunRow], chosen: tuple[str, ...]) -> None:
    assert default_sides(rows) == chosen


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([run_row("dead", "llm:m")], ()),
        ([run_row("dead", "llm:m"), run_row("r")], ("r",)),
        ([run_row("dead", "recorded"), run_row("c", "recorded"), run_row("r")], ("r", "c")),
        ([run_row("dead", "llm:m"), run_row("new"), run_row("old")], ("new", "old")),
    ],
)  # fmt: skip
def test_a_run_in_which_no_model_answered_is_never_chosen(rows: list[RunRow], chosen: tuple[str, ...]) -> None:
    assert default_sides(rows, {"dead"}) == chosen


def answers(*reasons: str | None) -> TurnRow:
    return TurnRow("a-run", "carrier", 1, 0, None, None, None, None, *reasons)


FAILED = TurnRow("a-run", "carrier", 1, 0, "ZeroDivisionError")


@pytest.mark.parametrize(
    ("turns", "nothing"),
    [
        ([answers("connection", "connection", "timeout")], True),
        ([answers("connection", "connection", "connection"), FAILED], True),
        ([answers("connection", "connection", None)], False),
        ([answers("deadline", "deadline", "deadline"), answers(None, None, None)], False),
        ([answers(None, None, None)], False),
        ([FAILED], False),
        ([], False),
    ],
)  # fmt: skip
def test_a_run_has_no_answer_if_every_call_fell_back(turns: list[TurnRow], nothing: bool) -> None:
    assert unanswered(turns) is nothing


@pytest.mark.parametrize(
    ("row", "throughout"),
    [
        (run_row(), False),
        (run_row(fallbacks=6), False),
        (run_row(fallbacks=7), True),
        (run_row(fallbacks=5, failures=2), True),
        (run_row(turns=0), False),
    ],
)
def test_a_run_may_have_a_fallback_in_every_turn(row: RunRow, throughout: bool) -> None:
    assert fell_back_throughout(row) is throughout


def test_a_run_without_answers_is_not_listed_as_if_all_were_well() -> None:
    row = run_row(variant="llm:m", fallbacks=7)
    assert listed(row, unanswered=True).status.name == "Complete, the model answered nothing"
    assert "fallbacks in 7 turns (100 %)" in listed(row, unanswered=True).facts
    assert listed(row).status.name == "Complete"


@pytest.mark.parametrize(("dirty", "explained"), [(True, True), (False, False), (None, False)])
def test_the_plus_behind_a_commit_is_explained(dirty: bool | None, explained: bool) -> None:
    assert ("uncommitted changes" in (listed(run_row(dirty=dirty)).made_with or "")) is explained


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([run_row("a"), run_row("b", "recorded")], ("Rules", "Recorded answers")),
        ([run_row("a", "llm:openai/gpt-4.1"), run_row("b", "labels")], ("openai/gpt-4.1", "Labels")),
        ([run_row("a"), run_row("b", created_at=LATER)], ("Rules, 2 Mar 2026, 09:00", "Rules, 3 Mar 2026, 09:00")),
        ([run_row("run-aaaaaaaa"), run_row("run-bbbbbbbb", created_at=LATER - timedelta(days=1))],
         ("Rules, 2 Mar 2026, 09:00 (aaaaaaaa)", "Rules, 2 Mar 2026, 09:00 (bbbbbbbb)")),
    ],
)  # fmt: skip
def test_names_tell_runs_apart(rows: list[RunRow], names: tuple[str, ...]) -> None:
    assert side_names(rows) == names


@pytest.mark.parametrize(
    ("row", "facts"),
    [
        (run_row(), ("3 conversations", "7 turns", "no fallbacks")),
        (run_row(turns=1), ("3 conversations", "1 of 7 turns", "no fallbacks")),
        (run_row(variant="recorded", fallbacks=1, cost_usd=None),
         ("3 conversations", "7 turns", "fallbacks in 1 turn (14 %)", "cost not known")),
        (run_row(variant="llm:m", cost_usd=0.5, failures=2, samples=3, state_mode="gold"),
         ("3 conversations", "7 turns", "3 samples", "gold state", "no fallbacks", "2 failures", "$0.50")),
    ],
)  # fmt: skip
def test_a_run_is_listed_with_its_figures(row: RunRow, facts: tuple[str, ...]) -> None:
    assert listed(row).facts == facts


@pytest.mark.parametrize(
    ("commit", "dirty", "made"),
    [
        ("0123456789abcdef", False, "2 Mar 2026, 09:00 · 01234567"),
        ("0123456789abcdef", True, "2 Mar 2026, 09:00 · 01234567+"),
        (None, None, "2 Mar 2026, 09:00"),
    ],
)
def test_a_run_says_when_and_with_which_code(commit: str | None, dirty: bool | None, made: str) -> None:
    assert listed(run_row(commit=commit, dirty=dirty)).made == made


@pytest.mark.parametrize(
    ("present", "recorded", "labelled", "variant"),
    [
        ((), True, True, "rules"),
        (("rules",), True, True, "recorded"),
        (("rules",), False, True, "labels"),
        (("rules",), False, False, None),
        (("recorded",), True, False, "rules"),
    ],
)
def test_what_to_replay_next_needs_no_model_if_possible(
    present: tuple[str, ...], recorded: bool, labelled: bool, variant: str | None
) -> None:
    assert variant_to_add(present, recorded=recorded, labelled=labelled) == variant


@pytest.mark.parametrize(
    ("row", "command"),
    [
        (run_row(), "qbs replay small --variant rules"),
        (run_row(variant="llm:a model"), "qbs replay small --variant 'llm:a model'"),
        (run_row(state_mode="gold"), "qbs replay small --variant rules --state gold"),
    ],
)
def test_the_command_that_goes_on_with_a_run_is_named(row: RunRow, command: str) -> None:
    assert command_of(row) == command


DATASET = Dataset(
    name="small",
    folder=Path("small"),
    conversations=conversations(),
    labels={},
    split={"carrier": "dev", "carrier-again": "test", "hostile": "test"},
    hashes={"carrier": "0", "carrier-again": "1", "hostile": "2"},
)


@pytest.mark.parametrize(
    ("wanted", "fitting"),
    [
        (Wanted(), ["hostile", "carrier", "carrier-again"]),
        (Wanted(channels=(Channel.EMAIL,)), ["carrier", "carrier-again"]),
        (Wanted(channels=(Channel.EMAIL, Channel.CHAT)), ["hostile", "carrier", "carrier-again"]),
        (Wanted(personas=(Persona.C_SUITE,)), ["hostile"]),
        (Wanted(splits=("dev",)), ["carrier"]),
        (Wanted(channels=(Channel.CALL,)), []),
        (Wanted(channels=(Channel.EMAIL,), personas=(Persona.C_SUITE,)), []),
    ],
)
def test_filters_narrow_the_choice_and_titles_order_it(wanted: Wanted, fitting: list[str]) -> None:
    assert [item.id for item in wanted_conversations(DATASET, wanted)] == fitting


@pytest.mark.parametrize(("turn", "message"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (99, 3)])
def test_a_turn_belongs_to_the_customer_message_it_is_or_follows(turn: int, message: int) -> None:
    assert message_of_turn(conversation("carrier"), turn) == message


@pytest.mark.parametrize(
    ("turn", "said"),
    [(1, None), (2, "Turn 2 is not the customer's"), (6, "but the last turn is 5"), (99, "but the last turn is 5")],
)
def test_a_turn_that_cannot_be_shown_is_explained(turn: int, said: str | None) -> None:
    problem = not_the_customers(conversation("carrier"), turn)
    assert problem is None if said is None else said in (problem or "")


def test_what_a_link_names_in_vain_is_named_and_cut_short() -> None:
    assert not_here("run", "x", None) == "The link names a run that is not here: “x”."
    assert not_here("run", "x", "Rules") == "The link names a run that is not here: “x”. Shown instead: “Rules”."
    assert len(not_here("run", "x" * 10_000, None)) < 200
