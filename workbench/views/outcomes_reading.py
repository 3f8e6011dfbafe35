"""What the Outcomes page reads, each kept for as long as the copy of outcomes is the same.

The tenant is in every key. Where there are very many outcomes, how alike those of a conversation are is found once, of
all of them together, and holds for every cell.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import streamlit as st

from engine.errors import InputError, QBSError
from engine.model.outcome import OutcomeType
from engine.state.tenants import tenant_uuid
from evals.learning.association import ADJUSTED_FOR, CHOICES, Association
from evals.learning.facts import Cell, OutcomeStore, Overview, Waits, Week
from evals.learning.facts.values import Facts
from evals.learning.pooling import Pooled
from evals.learning.rates import Rate, rate_of
from evals.learning.survival import TimeToReply
from evals.learning.trend import Promotion
from workbench import learning
from workbench.background import background
from workbench.presenters.outcomes_listed import COLUMNS as LISTED
from workbench.presenters.outcomes_listed import MOST_LISTED
from workbench.presenters.outcomes_waiting import MOST_LINES, WaitingLine
from workbench.presenters.outcomes_words import shown
from workbench.views import reading
from workbench.views.outcomes_place import UNKNOWN, Part

MOST_ASSOCIATED = 200_000  # outcomes that the regression looks at; of more, the newest
_MANY = 500_000  # outcomes of a tenant from which on not everything is looked at anew for each filter
_FINE_S, _COARSE_S = 60, 300  # bins of times to reply
_OPEN_WORDS = ("prompt", "analyzer")  # whose words only the outcomes know
_PROMOTIONS_S = 60  # for which they are not asked for again
_WAIT_S = 15.0  # that a page waits for them

Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which outcomes, of which copy: the key of everything that is kept. `tenant` is a UUID's text."""

    tenant: str
    outcome_type: OutcomeType
    part: Part
    stamp: Stamp

    def of(self, part: Part) -> Asked:
        return Asked(self.tenant, self.outcome_type, part, self.stamp)


@dataclass(frozen=True, slots=True)
class Whole:
    """All outcomes that are asked for together: their rate, and the weeks.

    `estimated` says that how alike the outcomes of a conversation are was found once, of all of the tenant's.
    """

    rate: Rate
    weeks: tuple[Week, ...]
    estimated: bool


def store() -> OutcomeStore:
    return reading.services().outcome_store()


def stamp() -> Stamp:
    """What differs once anything in the copy does."""
    try:
        found = store().path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_size, found.st_mtime_ns)


def load_simulated_world() -> None:
    """Have the simulated world in the copy. Raises InputError if its file is damaged."""
    if tenant_uuid(learning.SIMULATED) not in present():
        with st.spinner("Loading the simulated world"):
            reading.services().outcomes_of(learning.SIMULATED)


def present() -> tuple[UUID, ...]:
    """Whose facts there are. Raises LockedError."""
    return _present(stamp()) if stamp() != (0, 0) else ()


def whole(asked: Asked, by: tuple[str, ...] = ()) -> Whole:
    """Everything together. `by` is what else is going to be asked for: one look at the copy is enough for both."""
    found = _overview(asked.tenant, asked, by)
    return Whole(rate_of(_alike(asked, (found.whole,), ())[0]), found.weeks, _outcomes(asked) > _MANY)


def pooled(asked: Asked, by: tuple[str, ...]) -> tuple[Pooled, ...]:
    """The rates of a crossing; none if nothing is resolved."""
    return _pooled(asked.tenant, asked, by)


def vocabulary(asked: Asked) -> dict[str, tuple[str, ...]]:
    """The words that occur, of dimensions whose vocabulary is open."""
    found = _vocabulary(asked.tenant, asked.of(Part()))
    return {name: tuple(word for word, _ in words) for name, words in found.items()}


def waiting(asked: Asked, groups: str | None) -> tuple[WaitingLine, ...]:
    """How long replies took: of all, or of the largest groups of a dimension."""
    return _waiting(asked.tenant, asked, groups)


def association(asked: Asked) -> tuple[Association, date | None]:
    """The regression, and since when its outcomes are if they are too many for all. Raises InputError if too few."""
    found = _association(asked.tenant, asked)
    if isinstance(found, str):
        raise InputError(found)
    return found


def outcomes_of(asked: Asked) -> Facts:
    """The newest outcomes, at least as many as are listed if there are."""
    return _outcomes_of(asked.tenant, asked)


def known_at(asked: Asked) -> datetime | None:
    """Until when the copy knows what became of outcomes."""
    return _known_at(asked.tenant, asked.stamp)


def promotions(tenant: str) -> tuple[tuple[Promotion, ...], str]:
    """When prompts were promoted, and why that cannot be told where it cannot."""
    return _promotions(tenant, int(time.time() // _PROMOTIONS_S))


@st.cache_resource(show_spinner=False, max_entries=4)
def _present(stamp: Stamp) -> tuple[UUID, ...]:
    return tuple(tenant for tenant in store().tenants() if store().derived_at(tenant) is not None)


@st.cache_resource(show_spinner=False, max_entries=200)
def _overview(tenant: str, asked: Asked, by: tuple[str, ...]) -> Overview:
    return store().overview(tenant, (), by, outcome_type=asked.outcome_type, filters=asked.part.filters())


@st.cache_resource(show_spinner=False, max_entries=200)
def _pooled(tenant: str, asked: Asked, by: tuple[str, ...]) -> tuple[Pooled, ...]:
    from evals.learning.pooling import pooled as pulled

    return tuple(pulled(_alike(asked, _overview(tenant, asked, by).crossed, by)))


def _alike(asked: Asked, cells: Sequence[Cell], by: tuple[str, ...]) -> list[Cell]:
    """The cells with what their intervals have to know of conversations."""
    if _outcomes(asked) > _MANY:
        effect = _effect(asked.tenant, asked.of(Part()))
        return [learning.as_alike(cell, effect) for cell in cells]
    known = {cell.key: cell for cell in _clustered(asked.tenant, asked, by)}
    return [known.get(cell.key, cell) for cell in cells]


def _outcomes(asked: Asked) -> int:
    """How many the tenant has, whatever the filters."""
    return sum(number for _, number in _vocabulary(asked.tenant, asked.of(Part()))["analyzer"])


@st.cache_resource(show_spinner=False, max_entries=200)
def _clustered(tenant: str, asked: Asked, by: tuple[str, ...]) -> tuple[Cell, ...]:
    return tuple(store().cells(tenant, by, outcome_type=asked.outcome_type, filters=asked.part.filters()))


@st.cache_resource(show_spinner=False, max_entries=20)
def _effect(tenant: str, asked: Asked) -> float:
    """How many times the variance is what independent outcomes would have, of all outcomes together."""
    from evals.learning.rates import design_effect

    cells = store().cells(tenant, (), outcome_type=asked.outcome_type)
    return design_effect(cells[0]) if cells else 1.0


@st.cache_resource(show_spinner=False, max_entries=50)
def _vocabulary(tenant: str, asked: Asked) -> dict[str, tuple[tuple[str, int], ...]]:
    """The words with how many outcomes have them."""
    cells = store().cells(tenant, _OPEN_WORDS, outcome_type=asked.outcome_type, clustered=False)
    found: dict[str, Counter[str]] = {name: Counter() for name in _OPEN_WORDS}
    for cell in cells:
        for name, word in zip(_OPEN_WORDS, cell.key, strict=True):
            found[name][UNKNOWN if word is None else word] += cell.outcomes
    return {name: tuple(words.most_common()) for name, words in found.items()}


@st.cache_resource(show_spinner=False, max_entries=100)
def _waiting(tenant: str, asked: Asked, groups: str | None) -> tuple[WaitingLine, ...]:
    if groups is None:
        return (_line(asked, "All"),)
    cells = store().cells(
        tenant, (groups,), outcome_type=asked.outcome_type, filters=asked.part.filters(), clustered=False
    )
    largest = sorted(cells, key=lambda cell: -cell.resolved)[:MOST_LINES]
    return tuple(
        _line(asked.of(asked.part.narrowed((groups,), cell.key)), shown(groups, cell.key[0])) for cell in largest
    )


def _line(asked: Asked, name: str) -> WaitingLine:
    from evals.learning.survival import time_to_reply

    waits: Waits = store().waits(
        asked.tenant,
        outcome_type=asked.outcome_type,
        filters=asked.part.filters(),
        bin_s=_COARSE_S if _outcomes(asked) > _MANY else _FINE_S,
    )
    found: TimeToReply = time_to_reply(waits)
    return WaitingLine(name, found, waits)


@st.cache_resource(show_spinner=False, max_entries=50)
def _association(tenant: str, asked: Asked) -> tuple[Association, date | None] | str:
    """What it found, or why it cannot be told."""
    from evals.learning.association import association as regression

    since = _newest(whole(asked).weeks, MOST_ASSOCIATED)
    part = asked.part.from_day(since) if since else asked.part
    columns = ("conversation", *CHOICES, *ADJUSTED_FOR)
    facts = store().facts(tenant, outcome_type=asked.outcome_type, filters=part.filters(), columns=columns)
    try:
        return regression(facts), since
    except InputError as error:
        return str(error)


@st.cache_resource(show_spinner=False, max_entries=50)
def _outcomes_of(tenant: str, asked: Asked) -> Facts:
    weeks = store().weeks(tenant, outcome_type=asked.outcome_type, filters=asked.part.filters())
    since = _reaching(weeks, MOST_LISTED)
    part = asked.part.from_day(since) if since else asked.part
    return store().facts(tenant, outcome_type=asked.outcome_type, filters=part.filters(), columns=LISTED)


@st.cache_resource(show_spinner=False, max_entries=50)
def _known_at(tenant: str, stamp: Stamp) -> datetime | None:
    return store().derived_at(tenant)


@st.cache_resource(show_spinner=False, max_entries=20)
def _promotions(tenant: str, minute: int) -> tuple[tuple[Promotion, ...], str]:
    services = reading.services()
    try:
        if learning.is_simulated(tenant):
            return learning.simulated_promotions(services), ""
        if not learning.postgres_runs(services):
            return (), "Promotions are in Postgres, which does not run now: the Live page starts it."
        return background().call(learning.promotions(services, tenant), _WAIT_S), ""
    except QBSError as error:
        return (), f"Promotions cannot be read: {error}"


def _newest(weeks: Sequence[Week], most: int) -> date | None:
    """The Monday from which on there are at most so many outcomes (but one week at least); None if all are few."""
    total = sum(week.cell.outcomes for week in weeks)
    if total <= most:
        return None
    counted, since = 0, weeks[-1].monday
    for week in reversed(weeks):
        counted += week.cell.outcomes
        if counted > most:
            break
        since = week.monday
    return since


def _reaching(weeks: Sequence[Week], enough: int) -> date | None:
    """The Monday from which on there are at least so many outcomes; None if there are not."""
    counted = 0
    for week in reversed(weeks):
        counted += week.cell.outcomes
        if counted >= enough:
            return week.monday
    return None
