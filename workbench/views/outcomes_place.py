"""What the Outcomes page is about: in the session, and in the address so that it can be sent around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import cast

import streamlit as st

from engine.errors import InputError
from engine.model.outcome import OutcomeType
from evals.learning.facts import Filters
from evals.learning.facts.filters import check_words
from workbench import session
from workbench.presenters.outcomes_words import SPLITS

# Keys that the pages about outcomes share: of no widget, so that they outlive the page.
TENANT_SHARED, TYPE_SHARED = "learning.tenant", "learning.outcome_type"

# Keys of widgets.
TENANT, TYPE, SECTION, BY, ACROSS, PERIOD, GROUPS, SCALE, CELL, SINCE, UNTIL = (
    f"outcomes {name}"
    for name in ("tenant", "type", "section", "by", "across", "period", "groups", "scale", "cell", "since", "until")
)
FILTERS = {name: f"outcomes filter {name}" for name in SPLITS}

RATES, TREND, TIME, FUNNEL, ASSOCIATION = "rates", "trend", "time", "funnel", "association"
SECTIONS = (RATES, TREND, TIME, FUNNEL, ASSOCIATION)
PERIODS = ("week", "month")
SCALES = ("odds", "points")
NOTHING = "-"  # of a second dimension
UNKNOWN = "~"  # a word that is not known, in the address and in widgets

_AT = "outcomes.at"
_SINGLE = {"section": SECTIONS, "by": tuple(SPLITS), "across": tuple(SPLITS), "period": PERIODS, "scale": SCALES}


@dataclass(frozen=True, slots=True)
class Part:
    """Which outcomes: those with one of the words in each dimension, recommended on days of UTC, both ends included."""

    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    since: date | None = None
    until: date | None = None

    @property
    def count(self) -> int:
        """How many filters are on."""
        return len(self.words) + (self.since is not None) + (self.until is not None)

    def filters(self) -> Filters:
        """Raises InputError for a word that there is none of."""
        return Filters(
            {name: [_known(word) for word in words] for name, words in self.words},
            since=_midnight(self.since),
            until=_midnight(self.until + timedelta(days=1)) if self.until else None,
        )

    def narrowed(self, names: Sequence[str], key: Sequence[str | None]) -> Part:
        """Only those of one cell."""
        cell = {name: (UNKNOWN if word is None else word,) for name, word in zip(names, key, strict=True)}
        return Part(tuple({**dict(self.words), **cell}.items()), self.since, self.until)

    def from_day(self, day: date) -> Part:
        return Part(self.words, max(day, self.since or day), self.until)


EVERYTHING = Part()


@dataclass(frozen=True, slots=True)
class OutcomesPlace:
    """Outcomes of a tenant, and how they are looked at. What is None is not chosen; `cell` is the one that is open."""

    tenant: str | None = None
    outcome_type: OutcomeType | None = None
    part: Part = EVERYTHING
    section: str | None = None
    by: str | None = None
    across: str | None = None
    period: str | None = None
    groups: str | None = None
    scale: str | None = None
    cell: tuple[str, ...] = ()

    @classmethod
    def of_address(cls, query: Mapping[str, Sequence[str]]) -> OutcomesPlace:
        """The place that an address names; what cannot be read there counts as not chosen."""
        single = {name: _last(query, name) for name in _SINGLE}
        chosen = {name: value if value in _SINGLE[name] else None for name, value in single.items()}
        groups = _last(query, "groups")
        kind = _last(query, "type")
        return cls(
            tenant=_last(query, "tenant"),
            outcome_type=OutcomeType(kind) if kind in list(OutcomeType) else None,
            part=_part(query),
            groups=groups if groups in SPLITS else None,
            cell=tuple(query.get("cell", ())),
            **chosen,
        )

    def address(self) -> dict[str, str | list[str]]:
        """The query that names this place."""
        single = {
            "tenant": self.tenant,
            "type": self.outcome_type and self.outcome_type.value,
            **{name: getattr(self, name) for name in (*_SINGLE, "groups")},
            "since": self.part.since and self.part.since.isoformat(),
            "until": self.part.until and self.part.until.isoformat(),
        }
        several = {**{name: list(words) for name, words in self.part.words}, "cell": list(self.cell)}
        return {
            **{name: value for name, value in single.items() if value},
            **{name: values for name, values in several.items() if values},
        }


def arrive() -> OutcomesPlace | None:
    """The place to go to: the one that a new address names, or on coming back to the page the one it was left at."""
    comes = session.comes_to("outcomes")
    asked = OutcomesPlace.of_address(_query())
    if asked not in (OutcomesPlace(), left_at()):
        return asked
    return _as_elsewhere(left_at()) if comes else None


def _as_elsewhere(place: OutcomesPlace) -> OutcomesPlace:
    """The place with the tenant and the kind of outcomes that were chosen on another page since."""
    tenant = st.session_state.get(TENANT_SHARED) or place.tenant
    kind = st.session_state.get(TYPE_SHARED) or place.outcome_type
    there = place if (tenant, kind) == (place.tenant, place.outcome_type) else replace(place, cell=(), part=EVERYTHING)
    return replace(there, tenant=tenant, outcome_type=OutcomeType(kind) if kind else None)


def left_at() -> OutcomesPlace:
    return cast("OutcomesPlace", st.session_state.get(_AT, OutcomesPlace()))


def settle(place: OutcomesPlace) -> None:
    """Remember the place, also for the other pages about outcomes, and name it in the address."""
    st.session_state[_AT] = place
    st.session_state[TENANT_SHARED] = place.tenant
    st.session_state[TYPE_SHARED] = place.outcome_type and place.outcome_type.value
    if OutcomesPlace.of_address(_query()) != place:
        st.query_params.from_dict(place.address())


def part() -> Part:
    """What the filters say."""
    words = {name: tuple(st.session_state.get(key) or ()) for name, key in FILTERS.items()}
    since, until = (st.session_state.get(key) for key in (SINCE, UNTIL))
    return Part(tuple((name, chosen) for name, chosen in words.items() if chosen), since, until)


def set_part(wanted: Part) -> None:
    words = dict(wanted.words)
    for name, key in FILTERS.items():
        st.session_state[key] = list(words.get(name, ()))
    st.session_state[SINCE], st.session_state[UNTIL] = wanted.since, wanted.until


def clear_filters() -> None:
    set_part(EVERYTHING)


def _query() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _last(query: Mapping[str, Sequence[str]], name: str) -> str | None:
    return next(reversed(query.get(name, ())), None) or None


def _part(query: Mapping[str, Sequence[str]]) -> Part:
    words = (
        (name, tuple(dict.fromkeys(word for word in query.get(name, ()) if _exists(name, word)))) for name in SPLITS
    )
    since, until = (_day(_last(query, name) or "") for name in ("since", "until"))
    return Part(tuple((name, chosen) for name, chosen in words if chosen), since, until)


def _exists(name: str, word: str) -> bool:
    try:
        check_words(name, [_known(word)])
    except InputError:
        return False
    return bool(word)


def _known(word: str) -> str | None:
    return None if word == UNKNOWN else word


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
