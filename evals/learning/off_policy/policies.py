"""Ways of choosing that are asked about: for each turn of the log, which actions they would have taken how probably.

    policy_named("always:impact")            this type at every turn
    policy_named("prefer:impact+label")      wherever it could have been asked; elsewhere what was asked
    policy_named("table:choices.csv")        by segment: the first line that fits a turn says what to ask

What another variant would have chosen is a `Recommended`, made by `evals.learning.alternative`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from engine.errors import InputError
from engine.model.qbs import QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from evals.learning.facts.schema import ENUMS
from evals.learning.facts.values import Flags
from evals.learning.off_policy.log import CONTEXT, INTERACTIONS, NOWHERE, PARTS, Action, ChoiceLog, Codes, Shares

FORMS = (
    "always:WORDS, prefer:WORDS or table:FILE, where WORDS are a question type, a target or a delivery, or several of "
    "these with + between"
)
SEGMENTS = (*CONTEXT, "interaction")

_WORDS: dict[str, tuple[str, ...]] = {
    "question_type": tuple(QBSQuestionType),
    "target": tuple(Dimension),
    "delivery": tuple(VossDelivery),
}


class Policy(Protocol):
    """A way of choosing. `parts` are those of an action that it speaks of; it leaves the others as they were."""

    @property
    def name(self) -> str: ...

    @property
    def parts(self) -> tuple[str, ...]: ...

    def shares(self, log: ChoiceLog) -> Shares:
        """Its probabilities at each turn of `log`, which has actions of its `parts`: 1 in sum at each turn it speaks
        of, nothing at one that it says nothing of. Raises InputError where the log lacks what it needs to know.
        """
        ...


@dataclass(frozen=True, slots=True)
class Always:
    """One action at every turn, whether it could have been taken there or not."""

    action: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"always {_spoken(self.action)}"

    @property
    def parts(self) -> tuple[str, ...]:
        return _parts(self.action)

    def shares(self, log: ChoiceLog) -> Shares:
        return _certain(np.full(len(log), _code(log, self.action)))


@dataclass(frozen=True, slots=True)
class Prefer:
    """One action wherever it could have been taken; elsewhere as it was chosen."""

    action: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{_spoken(self.action)} wherever it could have been asked"

    @property
    def parts(self) -> tuple[str, ...]:
        return _parts(self.action)

    def shares(self, log: ChoiceLog) -> Shares:
        offered = _offered(log, self.name)
        preferred = _code(log, self.action)
        able = offered.of(np.arange(len(log)), np.full(len(log), preferred), len(log.actions)) > 0
        return _or_as_logged(np.where(able, preferred, NOWHERE), offered, able)


@dataclass(frozen=True, slots=True)
class Rule:
    """In a segment (all of these words hold), this action."""

    segment: Mapping[str, str]
    action: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """By segment: the first rule that fits a turn says what is asked; where none does, as it was chosen."""

    name: str
    rules: tuple[Rule, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        return _parts({part: "" for rule in self.rules for part in rule.action})

    def shares(self, log: ChoiceLog) -> Shares:
        wanted, ruled = np.full(len(log), NOWHERE), np.zeros(len(log), np.bool_)
        for rule in self.rules:
            fits = ~ruled & _fits(log, rule.segment)
            wanted[fits] = _code(log, rule.action)
            ruled |= fits
        if ruled.all():
            return _certain(wanted)
        return _or_as_logged(wanted, _offered(log, self.name), ruled)


@dataclass(frozen=True, slots=True)
class Recommended:
    """What something else recommended at the same turns, by (conversation, turn); it says nothing of other turns."""

    name: str
    choices: Mapping[tuple[str, int], Action] = field(repr=False)
    parts: tuple[str, ...] = PARTS

    def shares(self, log: ChoiceLog) -> Shares:
        code = {action: number for number, action in enumerate(log.actions)}
        kept = [PARTS.index(part) for part in log.parts]
        rows, actions = [], []
        for row, (conversation, turn) in enumerate(zip(log.conversation.words(), log.turn.tolist(), strict=True)):
            if conversation is None or turn != turn or (found := self.choices.get((conversation, int(turn)))) is None:
                continue
            rows.append(row)
            actions.append(code.get(tuple(found[place] for place in kept), NOWHERE))
        return Shares(np.array(rows, np.int64), np.array(actions, np.int64), np.ones(len(rows)))


def policy_named(text: str) -> Policy:
    """The policy that a person asked for, in one of FORMS. Raises InputError that says what can be asked for."""
    form, _, rest = text.partition(":")
    makers: dict[str, Callable[[str], Policy]] = {
        "always": lambda words: Always(action_named(words)),
        "prefer": lambda words: Prefer(action_named(words)),
        "table": lambda path: read_table(Path(path)),
    }
    if form not in makers or not rest:
        raise InputError(f"{text!r} is no policy; write {FORMS}")
    return makers[form](rest)


def action_named(words: str) -> dict[str, str]:
    """Parts of an action from words with + between them, such as `impact+label`. Raises InputError."""
    found: dict[str, str] = {}
    for word in words.split("+"):
        part = next((part for part, known in _WORDS.items() if word.strip() in known), None)
        if part is None:
            known = "; ".join(f"{part.replace('_', ' ')}: {', '.join(words)}" for part, words in _WORDS.items())
            raise InputError(f"{word.strip()!r} is none of the words for an action. {known}")
        if part in found:
            raise InputError(f"{words!r} names two of the same kind, {found[part]} and {word.strip()}; name one")
        found[part] = word.strip()
    return found


def read_table(path: Path) -> Table:
    """A table by segment from a CSV file: columns of SEGMENTS say where, columns of PARTS what to ask.

    An empty segment cell fits everything. Every line names the same parts. Raises InputError with the line.
    """
    try:
        lines = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), strict=True))
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path.name} cannot be read as a CSV file ({type(error).__name__})") from None
    if not lines:
        raise InputError(f"{path.name} has no lines after its first, which names its columns")
    if unknown := [name for name in lines[0] if name is not None and name not in (*SEGMENTS, *PARTS)]:
        raise InputError(f"{path.name}, line 1: {unknown[0]!r} is no column of {', '.join((*SEGMENTS, *PARTS))}")
    return table_of(path.name, lines, name=f"the table {path.name}", first=2)


def table_of(where: str, lines: Sequence[Mapping[str, str | None]], *, name: str, first: int = 1) -> Table:
    """A table from its lines, the first of which has the number `first`. Raises InputError with the line."""
    rules = tuple(_rule(f"{where}, line {number}", line) for number, line in enumerate(lines, start=first))
    if len({tuple(rule.action) for rule in rules}) > 1:
        raise InputError(f"{where}: every line has to name the same parts of an action, or none of it compares")
    return Table(name, rules)


def _rule(where: str, line: Mapping[str, str | None]) -> Rule:
    if unknown := [name for name in line if name not in (*SEGMENTS, *PARTS)]:
        raise InputError(f"{where}: {unknown[0]!r} is no column of {', '.join((*SEGMENTS, *PARTS))}")
    filled = {name: (value or "").strip() for name, value in line.items() if (value or "").strip()}
    action = {part: filled[part] for part in PARTS if part in filled}
    for part, word in action.items():
        if word not in _WORDS[part]:
            raise InputError(f"{where}: {word!r} is no {part.replace('_', ' ')}; there are {', '.join(_WORDS[part])}")
    if not action:
        raise InputError(f"{where}: it says nothing to ask; fill in one of {', '.join(PARTS)}")
    segment = {name: filled[name] for name in SEGMENTS if name in filled}
    for name, word in segment.items():
        if word not in (known := ENUMS.get(name, INTERACTIONS)):
            raise InputError(f"{where}: {word!r} is no {name.replace('_', ' ')}; there are {', '.join(known)}")
    return Rule(segment, action)


def unmatched(log: ChoiceLog, shares: Shares) -> tuple[ChoiceLog, Shares]:
    """Log and shares without the turns of which the policy says nothing; they are counted as left out."""
    spoken_of = np.zeros(len(log), np.bool_)
    spoken_of[shares.row] = True
    if spoken_of.all():
        return log, shares
    place = np.cumsum(spoken_of) - 1
    counted = replace(log.left_out, unmatched=int(np.count_nonzero(~spoken_of)))
    return log.where(spoken_of, counted), Shares(place[shares.row], shares.action, shares.share)


def _certain(action: Codes) -> Shares:
    return Shares(np.arange(len(action)), action, np.ones(len(action)))


def _or_as_logged(wanted: Codes, offered: Shares, ruled: Flags) -> Shares:
    """`wanted` where `ruled`, elsewhere everything as it was offered."""
    rows = np.flatnonzero(ruled)
    rest = ~ruled[offered.row]
    return Shares(
        np.concatenate([rows, offered.row[rest]]),
        np.concatenate([wanted[rows], offered.action[rest]]),
        np.concatenate([np.ones(len(rows)), offered.share[rest]]),
    )


def _offered(log: ChoiceLog, name: str) -> Shares:
    if log.offered is None:
        raise InputError(
            f"{name}: to tell what else could have been asked, the outcomes have to say so; these have only the "
            "probability of what was asked. Ask for a policy that says what to ask at every turn, such as always:impact"
        )
    return log.offered


def _fits(log: ChoiceLog, segment: Mapping[str, str]) -> Flags:
    fits = np.ones(len(log), np.bool_)
    for name, word in segment.items():
        fits &= log.context[name].equals(word)
    return fits


def _code(log: ChoiceLog, action: Mapping[str, str]) -> int:
    wanted = tuple(action[part] for part in log.parts)
    return log.actions.index(wanted) if wanted in log.actions else NOWHERE


def _parts(action: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(part for part in PARTS if part in action)


def _spoken(action: Mapping[str, str] | Sequence[str]) -> str:
    words = action.values() if isinstance(action, Mapping) else action
    return " + ".join(word.replace("_", " ") for word in words)
