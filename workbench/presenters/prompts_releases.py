"""What is in production for whom, what the gate said, and every release there was, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.releases import Release, Stage
from evals.gates import Outcome
from evals.report import figures
from evals.tuning.decision import Decision, Finding, TellingTurn
from workbench.presenters.figures import moment
from workbench.text import clip, count

EVERYBODY_NAME = "everybody"
SHIPPED_NAME = "shipped"
Row = Mapping[str, str]

_ICONS = {Outcome.PASSED: "check_circle", Outcome.FAILED: "cancel", Outcome.NOT_ENOUGH_DATA: "help"}
_WORDS = {Outcome.PASSED: "ok", Outcome.FAILED: "no", Outcome.NOT_ENOUGH_DATA: "not enough data"}
_LONGEST_NOTE = 120


@dataclass(frozen=True, slots=True)
class StandingCard:
    """What one tenant, or everybody, is read with. `passed` is None where no gate was asked."""

    whose: str
    production: str
    about: str
    passed: bool | None
    overridden: str | None
    candidate: str | None


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One thing that the gate looked at; `word` says how it came out, beside its icon."""

    icon: str
    word: str
    kind: str
    reason: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class TurnLine:
    """A turn that says why."""

    dataset: str
    conversation: str
    turn: int
    metric: str
    moved: str


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """One release. `can_return` says that it can be brought back."""

    number: int
    stage: str
    name: str
    when: str
    by: str
    verdict: str
    overridden: str | None
    note: str
    current: bool
    can_return: bool


def standing(whose: str, history: Sequence[Release], names: Mapping[str, str], otherwise: str) -> StandingCard:
    """`history` is newest first; `names` are sets by hash, `otherwise` what is used where there is no own release."""
    own = next((release for release in history if release.stage is Stage.PRODUCTION), None)
    newest = _candidate(history)
    candidate = None if newest is None else names_of(newest, names)
    if own is None or not own.is_own:
        return StandingCard(whose, otherwise, "no release of its own", None, None, candidate)
    about = f"release {own.number}, {moment(own.released_at)}, by {own.released_by}"
    about += f", back to release {own.returns_to}" if own.returns_to is not None else ""
    passed = own.evidence.get("passed")
    return StandingCard(
        whose,
        names_of(own, names),
        f"{about}; {own.verdict}" if own.verdict else about,
        passed if isinstance(passed, bool) else None,
        own.overridden_because,
        candidate,
    )


def stage_of(prompt_set: str, history: Sequence[Release]) -> Stage:
    """How far a set has come for a tenant: what in production was replaced is a draft again."""
    newest = next((own.stage for own in history if own.prompt_set == prompt_set), Stage.DRAFT)
    in_use = next((own.prompt_set for own in history if own.stage is Stage.PRODUCTION), None)
    return Stage.DRAFT if newest is Stage.PRODUCTION and in_use != prompt_set else newest


def names_of(release: Release, names: Mapping[str, str]) -> str:
    """The set of a release as the workspace knows it, else its short hash."""
    return names.get(release.prompt_set, release.short) if release.is_own else "nothing of its own"


def headline(decision: Decision) -> str:
    """`Passed: better`, or `Blocked: worse`."""
    meant = ", as it is meant to be" if decision.neutral and decision.verdict == "tied" else ""
    return f"{'Passed' if decision.passed else 'Blocked'}: {decision.verdict}{meant}"


def finding_lines(decision: Decision) -> tuple[FindingLine, ...]:
    """What blocks first, then what is not known, then what is in order. Missing runs are told with their commands."""
    rank = {Outcome.FAILED: 1, Outcome.NOT_ENOUGH_DATA: 2, Outcome.PASSED: 3}
    told = [own for own in decision.findings if not (decision.missing and own.kind == "runs")]
    ordered = sorted(told, key=lambda own: (not own.blocks, rank[own.outcome]))
    return tuple(_finding(own) for own in ordered)


def turn_lines(turns: Sequence[TellingTurn]) -> tuple[TurnLine, ...]:
    return tuple(
        TurnLine(
            own.dataset,
            own.conversation_id,
            own.turn,
            own.metric.title,
            f"{figures.value(own.before, own.metric.unit)} → {figures.value(own.after, own.metric.unit)}",
        )
        for own in turns
    )


def broken_lines(decision: Decision) -> tuple[TurnLine, ...]:
    """The turns that must not break, and did."""
    return tuple(
        TurnLine(
            own.protected.dataset,
            own.protected.conversation_id,
            own.protected.turn,
            "must not break",
            f"was right, and is not any more: {', '.join(own.what)}",
        )
        for own in decision.broken
    )


def runs_of(decision: Decision, dataset: str) -> tuple[str, str] | None:
    """The runs over a data set that were compared: in production, and candidate."""
    found = next((own for own in decision.runs if own.dataset == dataset), None)
    return None if found is None else (found.production, found.candidate)


def release_lines(history: Sequence[Release], names: Mapping[str, str]) -> tuple[ReleaseLine, ...]:
    current = next((own.number for own in history if own.stage is Stage.PRODUCTION), None)
    return tuple(
        ReleaseLine(
            own.number,
            own.stage.value,
            names_of(own, names),
            moment(own.released_at),
            own.released_by,
            own.verdict or "",
            own.overridden_because,
            clip(" ".join(_remarks(own)), _LONGEST_NOTE),
            own.number == current,
            own.stage is Stage.PRODUCTION and own.is_own and own.number != current,
        )
        for own in history
    )


def can_roll_back(history: Sequence[Release]) -> bool:
    """Whether something of its own is in production, so that there is a step back."""
    present = next((own for own in history if own.stage is Stage.PRODUCTION), None)
    return present is not None and present.is_own


def done_words(done: Release, whose: str, names: Mapping[str, str]) -> str:
    """What a step came to: `Release 3: brief is in production for demo.`"""
    if not done.is_own:
        return f"Release {done.number}: {whose} has no prompts of its own any more."
    where = "in production" if done.stage is Stage.PRODUCTION else f"a {done.stage} now"
    return f"Release {done.number}: {names_of(done, names)} is {where} for {whose}."


def rests_on(decision: Decision) -> str:
    """`b2b_discovery: 104 labelled turns of 16 conversations that both answered`."""
    return "; ".join(
        f"{own.dataset}: {count(own.turns, 'labelled turn')} of {count(own.conversations, 'conversation')} "
        "that both answered"
        for own in decision.runs
    )


def _candidate(history: Sequence[Release]) -> Release | None:
    """What was made a candidate, and has neither been put back nor into production since."""
    seen: set[str] = set()
    for own in history:
        if own.stage is Stage.CANDIDATE and own.prompt_set not in seen:
            return own
        seen.add(own.prompt_set)
    return None


def _finding(own: Finding) -> FindingLine:
    return FindingLine(_ICONS[own.outcome], _WORDS[own.outcome], own.kind, own.reason, own.blocks)


def _remarks(own: Release) -> list[str]:
    said = [f"Back to release {own.returns_to}."] if own.returns_to is not None else []
    return [*said, own.note] if own.note else said
