"""What can be taken along from the Outcomes page: every table, and a report; read again when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from engine.errors import InputError
from evals.learning.association import Association
from evals.learning.funnel import funnel
from evals.learning.rates import design_effect
from evals.learning.trend import TrendPoint, trend
from workbench.presenters import outcomes_association, outcomes_waiting
from workbench.presenters import outcomes_export as exports
from workbench.presenters import outcomes_rates as rates_shown
from workbench.presenters.outcomes_export import About, Rows
from workbench.presenters.outcomes_words import SPLITS, by_title, cell_name
from workbench.presenters.table_files import Format
from workbench.views import outcomes_place as place
from workbench.views import outcomes_reading
from workbench.views.outcomes_choice import OutcomesChoice

COUNTS, RATES, TREND, TIME, FUNNEL, ASSOCIATION = "counts", "rates", "trend", "time", "funnel", "association"
CONVERSATIONS = "conversations"


@dataclass(frozen=True, slots=True)
class _Taken:
    """What was shown when the page was drawn: a click takes that, whatever was chosen since."""

    choice: OutcomesChoice
    by: tuple[str, ...]
    groups: str | None
    period: str
    cell: tuple[str | None, ...]  # that is open; empty: none

    def file(self, what: str, format_: Format) -> bytes:
        return exports.file(self._about(), self._rows(what), format_)

    def report(self) -> str:
        from workbench.presenters import outcomes_report  # what reports are made of, the page need not wait for

        choice, whole = self.choice, outcomes_reading.whole(self.choice.asked)
        return outcomes_report.render(
            outcomes_report.OutcomesReport(
                tenant=choice.tenant,
                simulated=choice.simulated,
                watched=choice.watched,
                part=choice.part_words,
                known_at=choice.known_at,
                made_at=datetime.now(UTC),
                rate=whole.rate,
                by=self.by,
                rows=rates_shown.rows(self.by, outcomes_reading.pooled(choice.asked, self.by)),
                points=self._points(),
                promotions=outcomes_reading.promotions(choice.asked.tenant)[0],
                waiting=outcomes_reading.waiting(choice.asked, self.groups),
                steps=funnel(whole.rate.cell),
                association=self._association(),
            )
        )

    def _about(self) -> About:
        choice = self.choice
        known = choice.known_at.isoformat() if choice.known_at else ""
        return About(choice.tenant, choice.asked.outcome_type.value, choice.simulated, choice.part_words, known)

    def _rows(self, what: str) -> Rows:
        asked = self.choice.asked
        if what == RATES:
            return exports.cells_rows(self.by, outcomes_reading.pooled(asked, self.by))
        if what == CONVERSATIONS:
            return list(outcomes_reading.outcomes_of(asked.of(asked.part.narrowed(self.by, self.cell))).rows())
        if what == TREND:
            return exports.trend_rows(self._points())
        if what == TIME:
            return outcomes_waiting.exported(outcomes_reading.waiting(asked, self.groups))
        if what == ASSOCIATION:
            found = self._association()
            return [{"problem": found}] if isinstance(found, str) else outcomes_association.exported(found)
        rate = outcomes_reading.whole(asked).rate
        return exports.funnel_rows(funnel(rate.cell)) if what == FUNNEL else exports.counts_rows(rate)

    def _points(self) -> tuple[TrendPoint, ...]:
        whole = outcomes_reading.whole(self.choice.asked)
        return trend(
            whole.weeks,
            outcomes_reading.promotions(self.choice.asked.tenant)[0],
            by="month" if self.period == "month" else "week",
            design_effect=design_effect(whole.rate.cell),
        )

    def _association(self) -> Association | str:
        try:
            return outcomes_reading.association(self.choice.asked)[0]
        except InputError as error:
            return str(error)


def titles(choice: OutcomesChoice) -> dict[str, str]:
    """The tables that can be taken along, by name."""
    taken = _taken(choice)
    return {
        COUNTS: "Where outcomes stand",
        RATES: f"Rates by {by_title(taken.by)}",
        TREND: f"By {taken.period}",
        TIME: f"Time to {choice.watched.noun}{f' by {by_title((taken.groups,))}' if taken.groups else ''}",
        FUNNEL: "Funnel",
        ASSOCIATION: f"What goes with {choice.watched.a_noun}",
        **({CONVERSATIONS: f"Newest conversations of {cell_name(taken.by, taken.cell)}"} if taken.cell else {}),
    }


def makers(choice: OutcomesChoice) -> tuple[Callable[[str, Format], bytes], Callable[[], str]]:
    """What makes a file of a table, and the report."""
    taken = _taken(choice)
    return taken.file, taken.report


def name(choice: OutcomesChoice) -> str:
    """Of the files, without ending; what is simulated says so."""
    tenant = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in choice.tenant)
    return "outcomes-simulated" if choice.simulated else f"outcomes-{tenant}"


def _taken(choice: OutcomesChoice) -> _Taken:
    state = st.session_state
    groups = state.get(place.GROUPS)
    return _Taken(
        choice, choice.by, groups if groups in SPLITS else None, str(state.get(place.PERIOD) or "week"), _cell(choice)
    )


def _cell(choice: OutcomesChoice) -> tuple[str | None, ...]:
    """The cell that is open; none if it is not of this crossing."""
    words = str(st.session_state.get(place.CELL) or "").split("\x1f")
    key = tuple(None if word == place.UNKNOWN else word for word in words)
    return key if words != [""] and len(key) == len(choice.by) else ()
