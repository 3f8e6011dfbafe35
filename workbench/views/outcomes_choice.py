"""What the Outcomes page is about: from the address, from the widgets, or what a newcomer would begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.model.outcome import OutcomeType
from engine.state.tenants import tenant_uuid
from workbench import learning
from workbench.background import background
from workbench.components import outcomes_choosing
from workbench.presenters.outcomes_words import SPLITS, WATCHED, Watched, part_words
from workbench.session import offer
from workbench.views import outcomes_place as place
from workbench.views import outcomes_reading, reading
from workbench.views.outcomes_place import OutcomesPlace
from workbench.views.outcomes_reading import Asked

_FIRST_BY = "question_type"


@dataclass(frozen=True, slots=True)
class OutcomesChoice:
    """Outcomes of a tenant. `tenant` is its name here, `words` what occurs of open vocabularies."""

    tenant: str
    asked: Asked
    has_facts: bool
    known_at: datetime | None
    words: Mapping[str, tuple[str, ...]]

    @property
    def simulated(self) -> bool:
        return learning.is_simulated(self.tenant)

    @property
    def by(self) -> tuple[str, ...]:
        """The dimensions that rates are crossed by."""
        chosen = (st.session_state.get(key) for key in (place.BY, place.ACROSS))
        return tuple(dict.fromkeys(str(each) for each in chosen if each in SPLITS))

    @property
    def watched(self) -> Watched:
        return WATCHED[self.asked.outcome_type]

    @property
    def part_words(self) -> str:
        """Which outcomes, in words; empty if all."""
        part = self.asked.part
        known = [(name, [None if word == place.UNKNOWN else word for word in words]) for name, words in part.words]
        since, until = (day.isoformat() if day else None for day in (part.since, part.until))
        return part_words(known, since, until)


def choose(goal: OutcomesPlace | None) -> tuple[OutcomesChoice, DeltaGenerator]:
    """Draw what there is to choose from, set to `goal` where one is given; and a cell of that bar for what is more."""
    name, has_facts = _tenant(goal)
    _offer(goal)
    bar = st.grid(7, min_column_width=130, vertical_alignment="bottom")
    with bar.cell(column_span=2):
        outcomes_choosing.tenant(_choices(name), place.TENANT)
    with bar.cell(column_span=2):
        outcomes_choosing.outcome_type(place.TYPE)
    asked = Asked(
        str(tenant_uuid(name)), OutcomeType(st.session_state[place.TYPE]), place.part(), outcomes_reading.stamp()
    )
    words = outcomes_reading.vocabulary(asked) if has_facts else {}
    known_at = outcomes_reading.known_at(asked) if has_facts else None
    choice = OutcomesChoice(name, asked, has_facts, known_at, words)
    with bar.cell():
        days = (place.SINCE, place.UNTIL)
        offered = {own: _with_chosen(words.get(own, ()), asked, own) for own in ("prompt", "analyzer")}
        outcomes_choosing.filters(asked.part.count, offered, place.FILTERS, days, place.clear_filters)
    with bar.cell():
        _copied(choice)
    return choice, bar.cell()


def begin_sync(tenant: str) -> None:
    """Bring the copy up to date in the background. Callback of a button."""
    work = learning.synchronising(reading.services(), tenant)
    background().submit(learning.sync_key(tenant), f"Copying outcomes of {tenant}", work, unit=learning.UNIT)


def show_simulated() -> None:
    """Callback of a button."""
    st.session_state[place.TENANT] = learning.SIMULATED


def _tenant(goal: OutcomesPlace | None) -> tuple[str, bool]:
    """Whose outcomes: the link's, chosen here or on a page like it, one's own if there are any, else simulated."""
    state = st.session_state
    asked = (goal.tenant if goal else None) or state.get(place.TENANT) or state.get(place.TENANT_SHARED)
    choices = _choices(asked)
    usual = choices[0].name if choices[0].has_facts else learning.SIMULATED
    chosen = next((each for each in choices if asked and tenant_uuid(each.name) == tenant_uuid(asked)), None)
    offer(place.TENANT, [each.name for each in choices], chosen.name if chosen else None, usual)
    name = str(state[place.TENANT])
    if learning.is_simulated(name):
        outcomes_reading.load_simulated_world()
        return name, True
    return name, next(each.has_facts for each in choices if each.name == name)


def _choices(asked: str | None) -> tuple[learning.Whose, ...]:
    return learning.tenants(reading.services(), outcomes_reading.present(), asked)


def _offer(goal: OutcomesPlace | None) -> None:
    """Set every widget that has not to wait for figures."""
    to = goal or OutcomesPlace()
    kind = to.outcome_type or (None if place.TYPE in st.session_state else st.session_state.get(place.TYPE_SHARED))
    offer(place.TYPE, list(OutcomeType), kind)
    if goal is not None:
        place.set_part(goal.part)
        st.session_state[place.CELL] = cell_option(goal.cell) if goal.cell else None
        if goal.groups:
            st.session_state[place.GROUPS] = goal.groups
    offer(place.SECTION, place.SECTIONS, to.section)
    offer(place.BY, list(SPLITS), to.by, _FIRST_BY)
    offer(place.ACROSS, [place.NOTHING, *SPLITS], to.across if goal else None, place.NOTHING)
    offer(place.GROUPS, [place.NOTHING, *SPLITS], to.groups, place.NOTHING)
    offer(place.PERIOD, place.PERIODS, to.period)
    offer(place.SCALE, place.SCALES, to.scale)


def cell_option(cell: tuple[str, ...]) -> str:
    """What the widget holds for a cell."""
    return "\x1f".join(cell)


def _with_chosen(words: tuple[str, ...], asked: Asked, name: str) -> tuple[str, ...]:
    """A widget has to offer what it holds, also what a link names and no outcome has."""
    return tuple(dict.fromkeys((*words, *dict(asked.part.words).get(name, ()))))


def _copied(choice: OutcomesChoice) -> None:
    if choice.simulated:
        outcomes_choosing.simulated_origin(choice.known_at)
        return
    job = background().job(learning.sync_key(choice.tenant))
    outcomes_choosing.copied(choice.known_at, datetime.now(UTC), job, lambda: begin_sync(choice.tenant))


def source_words(choice: OutcomesChoice, *said: str) -> str:
    """What a figure rests on: told parts, the part of the outcomes, and until when the copy knows."""
    known = f"as known on {choice.known_at:%d %b %Y, %H:%M} UTC" if choice.known_at else ""
    only = f"only {choice.part_words}" if choice.part_words else ""
    return " · ".join(part.rstrip(".") for part in (*said, only, known) if part)
