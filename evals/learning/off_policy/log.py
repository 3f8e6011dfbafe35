"""The log of choices: what was asked, how probably, what else could have been asked, and whether it was answered.

An action is what makes one question another: its type, target and delivery, or some of these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.model.outcome import OutcomeStatus
from evals.learning.facts import Coded, Facts
from evals.learning.facts.values import Flags

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
Action = tuple[str | None, ...]

PARTS = ("question_type", "target", "delivery")  # of an action
INTERACTIONS = ("1", "2", "3 or more")  # how often the customer had written
NOWHERE = -1  # the code of an action that the log does not have at all
CONTEXT = ("engagement", "pain_depth", "stage", "persona", "channel")
COLUMNS = (
    "conversation", *PARTS, *CONTEXT, "origin", "status", "choices", "interaction_count", "turn", "propensity",
    "closes_at",
)  # fmt: skip

_SAME = 1e-5  # probabilities that differ by less are taken for equal


class Shares(NamedTuple):
    """Probabilities of actions, row by row, as three columns of equal length; what is not listed has none."""

    row: Codes
    action: Codes
    share: Numbers

    def of(self, row: Codes, action: Codes, actions: int) -> Numbers:
        """The share of one action in each of `row`; 0 where it has none."""
        keys = self.row * actions + self.action
        order = np.argsort(keys, kind="stable")
        wanted = row * actions + action
        place = np.minimum(np.searchsorted(keys[order], wanted), max(len(keys) - 1, 0))
        if not len(keys):
            return np.zeros(len(wanted))
        found = order[place]
        return np.where((keys[found] == wanted) & (action != NOWHERE), self.share[found], 0.0)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Outcomes of the facts that say nothing here, and why.

    `early` are answered already, in windows newer than all that were looked at; `no_propensity` were not chosen at
    random, or nobody wrote down how; `unlike` were chosen with another probability than their choices say;
    `unmatched` are turns of which the policy says nothing.
    """

    pending: int = 0
    superseded: int = 0
    not_sent: int = 0
    early: int = 0
    no_propensity: int = 0
    unlike: int = 0
    unmatched: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class ChoiceLog:
    """Resolved outcomes whose question was chosen with a known probability.

    Row by row: `action` (a code of `actions`), `propensity` (above 0), `reply` (1 or 0), `conversation` and `turn`;
    `context` is what was known when it was chosen. `offered` are the probabilities of everything that could have been
    chosen, None where only that of what was chosen was written down. `parts` say which of type, target and delivery
    make up an action.
    """

    parts: tuple[str, ...]
    actions: tuple[Action, ...]
    action: Codes
    propensity: Numbers
    reply: Numbers
    conversation: Coded
    turn: Numbers
    context: Mapping[str, Coded]
    offered: Shares | None
    left_out: LeftOut

    def __len__(self) -> int:
        return len(self.action)

    @property
    def conversations(self) -> int:
        return len(np.unique(self.conversation.codes))

    @property
    def is_deterministic(self) -> bool:
        """Whether nothing was left to chance."""
        return bool(np.all(self.propensity > 1 - _SAME))

    def coarse(self, parts: Sequence[str]) -> ChoiceLog:
        """The log with actions told apart by these parts alone. Where everything offered is known, probabilities of
        actions that become one are added up; else the propensity is taken for that of the coarser action.
        """
        kept = [self.parts.index(part) for part in PARTS if part in parts]
        shorter = [tuple(action[place] for place in kept) for action in self.actions]
        actions = tuple(sorted(set(shorter), key=str))
        code = np.array([actions.index(action) for action in shorter], np.int64)
        action, offered, propensity = code[self.action], self.offered, self.propensity
        if offered is not None:
            offered = _summed(offered.row, code[offered.action], offered.share, len(actions))
            propensity = offered.of(np.arange(len(self)), action, len(actions))
        return ChoiceLog(
            tuple(self.parts[place] for place in kept), actions, action, propensity, self.reply, self.conversation,
            self.turn, self.context, offered, self.left_out,
        )  # fmt: skip

    def where(self, chosen: Flags, left_out: LeftOut) -> ChoiceLog:
        """The rows that are chosen."""
        context = {name: column.where(chosen) for name, column in self.context.items()}
        offered = None if self.offered is None else _renumbered(self.offered, chosen)
        return ChoiceLog(
            self.parts, self.actions, self.action[chosen], self.propensity[chosen], self.reply[chosen],
            self.conversation.where(chosen), self.turn[chosen], context, offered, left_out,
        )  # fmt: skip


def choice_log(facts: Facts) -> ChoiceLog:
    """What the facts say of choices made at random. Facts need COLUMNS; `choices` may be missing.

    Pending, superseded and unsent outcomes, and those without a propensity, are left out and counted. Where most rows
    say what else could have been chosen, the others are left out too; else what else there was counts as not known.
    `choices` hold the JSON of `OutcomeDetails.choices`; a part that it names nowhere was not chosen at random.
    """
    status = facts.words("status")
    resolved, known = facts.resolved, facts.array("propensity") > 0
    used = resolved & known
    choices = facts.words("choices") if "choices" in facts.columns else None
    complete = choices is not None and bool(used.any()) and float((choices.codes[used] >= 0).mean()) > 0.5
    counted = LeftOut(
        pending=_count(status.equals(OutcomeStatus.PENDING)),
        superseded=_count(status.equals(OutcomeStatus.SUPERSEDED)),
        not_sent=_count(status.equals(OutcomeStatus.NOT_SENT)),
        early=_count(_is_resolved(status) & ~resolved),
        no_propensity=_count(resolved & ~known),
    )
    if choices is not None and complete:
        return _with_offers(facts, used, choices, counted)
    actions, action = _actions([facts.words(part).where(used) for part in PARTS])
    return _log(facts, used, PARTS, actions, action, None, counted)


def _with_offers(facts: Facts, used: Flags, choices: Coded, left_out: LeftOut) -> ChoiceLog:
    """The log of rows that say what they were chosen from, where that agrees with what was chosen."""
    own = facts.where(used & (choices.codes >= 0))
    offers = own.words("choices")
    listed = {code: json.loads(offers.labels[code]) for code in np.unique(offers.codes).tolist()}
    parts = tuple(
        part for part in PARTS if any(each.get(part) is not None for found in listed.values() for each in found)
    )
    read = {code: _chances(found, parts) for code, found in listed.items()}
    asked, taken = _actions([own.words(part) for part in parts])
    every = tuple(sorted({*asked, *(action for found in read.values() for action in found)}, key=str))
    number = {action: code for code, action in enumerate(every)}
    action = np.array([number[each] for each in asked], np.int64)[taken] if len(own) else np.zeros(0, np.int64)
    offered = _spread(offers.codes, {code: {number[a]: p for a, p in found.items()} for code, found in read.items()})
    said = offered.of(np.arange(len(own)), action, len(every))
    alike = np.abs(said - own.array("propensity")) < _SAME
    missing = left_out.no_propensity + _count(used) - len(own)
    counted = replace(left_out, no_propensity=missing, unlike=_count(~alike))
    whole = _log(own, np.ones(len(own), np.bool_), parts, every, action, offered, counted)
    return whole.where(alike, counted)


def _log(
    facts: Facts,
    used: Flags,
    parts: tuple[str, ...],
    actions: tuple[Action, ...],
    action: Codes,
    offered: Shares | None,
    left_out: LeftOut,
) -> ChoiceLog:
    context = {name: facts.words(name).where(used) for name in CONTEXT}
    context["interaction"] = _interactions(facts.array("interaction_count")[used])
    return ChoiceLog(
        parts=parts,
        actions=actions,
        action=action,
        propensity=facts.array("propensity")[used],
        reply=facts.positive[used].astype(np.float64),
        conversation=facts.words("conversation").where(used),
        turn=facts.array("turn")[used],
        context=context,
        offered=offered,
        left_out=left_out,
    )


def _actions(columns: Sequence[Coded]) -> tuple[tuple[Action, ...], Codes]:
    """The distinct actions of some columns, and the code of each row's."""
    codes = np.stack([column.codes for column in columns], axis=1)
    distinct, action = np.unique(codes, axis=0, return_inverse=True)
    named = (
        tuple(None if code < 0 else column.labels[code] for code, column in zip(row, columns, strict=True))
        for row in distinct.tolist()
    )
    return tuple(named), action.reshape(-1).astype(np.int64)


def _interactions(counts: Numbers) -> Coded:
    """Counts as one of INTERACTIONS."""
    codes = np.where(np.isnan(counts), -1, np.clip(np.nan_to_num(counts), 1, 3) - 1)
    return Coded(codes.astype(np.int32), INTERACTIONS)


def _chances(choices: Sequence[Mapping[str, Any]], parts: Sequence[str]) -> dict[Action, float]:
    """Actions and their probabilities, of `OutcomeDetails.choices`; those that differ in other parts are one."""
    found: dict[Action, float] = {}
    for each in choices:
        action = tuple(each.get(part) for part in parts)
        found[action] = found.get(action, 0.0) + float(each["probability"])
    return found


def _spread(codes: NDArray[np.int32], offers: Mapping[int, Mapping[int, float]]) -> Shares:
    """Each row's offers, of which many rows have the same."""
    code = np.array(list(offers), np.int64)
    sizes = np.array([len(found) for found in offers.values()], np.int64)
    action = np.array([each for found in offers.values() for each in found], np.int64)
    share = np.array([each for found in offers.values() for each in found.values()], np.float64)
    own = np.searchsorted(code, codes)  # the codes of `offers` are in ascending order
    begins = np.cumsum(sizes) - sizes
    row = np.repeat(np.arange(len(codes)), sizes[own])
    first = np.repeat(np.cumsum(sizes[own]) - sizes[own], sizes[own])
    place = np.repeat(begins[own], sizes[own]) + np.arange(len(row)) - first
    return Shares(row, action[place], share[place])


def _summed(row: Codes, action: Codes, share: Numbers, actions: int) -> Shares:
    keys, place = np.unique(row * actions + action, return_inverse=True)
    total: Numbers = np.bincount(place.reshape(-1), weights=share, minlength=len(keys)).astype(np.float64)
    return Shares(keys // actions, keys % actions, total)


def _renumbered(shares: Shares, chosen: Flags) -> Shares:
    place = np.cumsum(chosen) - 1
    kept = chosen[shares.row]
    return Shares(place[shares.row[kept]], shares.action[kept], shares.share[kept])


def _is_resolved(status: Coded) -> Flags:
    return status.equals(*(str(each) for each in OutcomeStatus if each.resolved))


def _count(flags: Flags) -> int:
    return int(np.count_nonzero(flags))
