"""Which runs there are, which of them to put side by side, and how they are listed."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from evals.records import RunStatus, StateMode
from evals.runs.rows import RunRow, TurnRow
from workbench.presenters import figures
from workbench.presenters.sides import variant_name
from workbench.presenters.words import STATE_MODES, STATUSES, Word
from workbench.text import count

_FIRST = ("rules", "recorded")  # what a newcomer compares
_LAST = ("labels",)
_UNANSWERED = (
    "Every call fell back: nothing was read from the messages, and each question comes from the fixed table of seed "
    "questions. It says nothing about the model."
)


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run as a row of the list. `facts` are short, in the order in which they are read; `made_with` explains `made`.

    `unanswered` says that no model answered anything that it was asked.
    """

    run_id: str
    dataset: str
    variant: str
    models: str
    status: Word
    state: RunStatus
    facts: tuple[str, ...]
    made: str
    made_with: str | None
    problem: str | None
    unanswered: bool


def default_sides(rows: Sequence[RunRow], unanswered: Collection[str] = ()) -> tuple[str, ...]:
    """The ids of up to two runs to begin with: complete ones first, then the newest, of two different variants.

    `rows` hold the conversation, newest first. `unanswered` names those in which no model answered: they are never
    among the chosen. Runs of single turns come after all others.
    """
    answered = sorted(
        (row for row in rows if row.run_id not in unanswered), key=lambda row: row.state_mode == StateMode.TURNS
    )
    best: dict[str, RunRow] = {}
    for row in sorted(
        answered, key=lambda row: (row.state_mode == StateMode.TURNS, row.status is not RunStatus.COMPLETE)
    ):
        best.setdefault(row.variant, row)
    chosen = sorted(best.values(), key=lambda row: _rank(row.variant))[:2]
    spare = [row for row in answered if row not in chosen]
    return tuple(row.run_id for row in [*chosen, *spare][:2])


def _rank(variant: str) -> int:
    if variant in _FIRST:
        return _FIRST.index(variant)
    return len(_FIRST) + (variant in _LAST)


def fell_back_throughout(row: RunRow) -> bool:
    """Whether every turn has a fallback; not, whether each of its calls is one."""
    return 0 < row.fallbacks == row.turns - row.failures


def unanswered(turns: Iterable[TurnRow]) -> bool:
    """Whether a model was to answer each call of these turns and answered none."""
    answers = [turn for turn in turns if turn.error is None]
    return bool(answers) and all(
        turn.extraction_reason and turn.question_reason and turn.expansion_reason for turn in answers
    )


def variant_to_add(present: Collection[str], *, recorded: bool, labelled: bool) -> str | None:
    """What to replay a conversation by, so that there is something (more) to compare; None if it takes a model.

    `present` are the variants of the runs there are; `recorded` and `labelled` say what the data set comes with.
    """
    possible = {"rules": True, "recorded": recorded, "labels": labelled}
    return next((variant for variant, there in possible.items() if there and variant not in present), None)


def command_of(row: RunRow) -> str:
    """The command that goes on with a run of a whole data set."""
    gold = ["--state", "gold"] if row.state_mode == StateMode.GOLD else []
    return shlex.join(["qbs", "replay", row.dataset, "--variant", row.variant, *gold])


def listed(row: RunRow, *, unanswered: bool = False) -> ListedRun:
    """The run in words and figures; `unanswered` as in `ListedRun`."""
    return ListedRun(
        run_id=row.run_id,
        dataset=row.dataset,
        variant=variant_name(row),
        models=", ".join(sorted({model for model in (row.reasoning_model, row.fast_model) if model})),
        status=_status(row, unanswered),
        state=row.status,
        facts=tuple(_facts(row)),
        made=figures.moment(row.created_at) + _code(row),
        made_with=_code_meaning(row),
        problem=row.problem,
        unanswered=unanswered,
    )


def _status(row: RunRow, unanswered: bool) -> Word:
    name = STATUSES[row.status].name
    return Word(f"{name}, the model answered nothing", _UNANSWERED) if unanswered else STATUSES[row.status]


def _facts(row: RunRow) -> list[str]:
    turns = (
        f"{row.turns:,} of {row.turns_expected:,} turns" if row.turns < row.turns_expected else count(row.turns, "turn")
    )
    facts = [count(row.conversations, "conversation"), turns]
    facts += [count(row.samples, "sample")] if row.samples > 1 else []
    facts += [f"{STATE_MODES[StateMode(row.state_mode)].name.lower()} state"] if row.state_mode != "carried" else []
    facts += [_fallbacks(row)] if row.fallbacks else ["no fallbacks"]
    facts += [count(row.failures, "failure")] if row.failures else []
    asks_a_model = row.variant not in ("rules", "labels")
    known = "cost not known" if row.cost_usd is None else figures.cost(row.cost_usd)
    return facts + ([known] if asks_a_model else [])


def _fallbacks(row: RunRow) -> str:
    """`fallbacks in 12 turns (7 %)`."""
    share = row.fallbacks / max(row.turns, row.fallbacks)
    return f"fallbacks in {count(row.fallbacks, 'turn')} ({'under 1 %' if share < 0.01 else figures.percent(share)})"


def _code_meaning(row: RunRow) -> str | None:
    return "+ means uncommitted changes: the code differed from that commit." if row.commit and row.dirty else None


def _code(row: RunRow) -> str:
    """The commit that it ran with, `+` if the tree differed from it."""
    return f" · {row.commit[:8]}{'+' if row.dirty else ''}" if row.commit else ""
