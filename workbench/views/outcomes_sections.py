"""The sections of the Outcomes page, one of which is open."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from engine.errors import InputError
from evals.learning.funnel import funnel as funnel_of
from evals.learning.rates import design_effect
from evals.learning.trend import trend as trend_of
from workbench.components import outcomes_drawn
from workbench.components.outcomes_listed import conversations
from workbench.presenters import outcomes_association as associations
from workbench.presenters import outcomes_funnel as funnels
from workbench.presenters import outcomes_rates as rates_shown
from workbench.presenters import outcomes_trend as trends
from workbench.presenters import outcomes_waiting as waiting_shown
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.outcomes_listed import listed
from workbench.presenters.outcomes_rates import RateRow
from workbench.presenters.outcomes_words import FEW, SPLITS, by_title
from workbench.views import live, outcomes_reading
from workbench.views import outcomes_place as place
from workbench.views.outcomes_choice import OutcomesChoice, cell_option, source_words
from workbench.views.outcomes_reading import Whole

_PULLED = (
    f"Small cells are pulled toward the whole of this crossing, the more the fewer outcomes they have: that is the "
    f"better guess of what such a cell will do. Fewer than {FEW} resolved outcomes count as small."
)
_MEANINGS = {
    "n": "Resolved outcomes: positive, negative and late, of windows that were looked at.",
    "95 %": "Interval of the rate as counted: Wilson's, widened where conversations have several outcomes.",
    "Pulled": _PULLED,
    "95 % ": "Interval of the pulled rate.",
    "Own weight": "How much of the pulled rate comes from the cell's own outcomes.",
    "Size": f"Fewer than {FEW} resolved outcomes.",
}
_ASSOCIATED = {"Apart": "● the interval leaves out no difference, ○ it does not."}
_CENSORED = (
    "Kaplan-Meier: a question whose window is still open, or whose place a newer one took, is censored there, not "
    "counted as unanswered. Bands: 95 %, outcomes taken for independent"
)


def rates(choice: OutcomesChoice, whole: Whole) -> None:
    """By a dimension or a crossing of two; a cell's conversations below."""
    by = _by()
    found = rates_shown.rows(by, outcomes_reading.pooled(choice.asked, by))
    if not found:
        outcomes_drawn.nothing_resolved()
        return
    title = f"{choice.watched.rate} by {by_title(by)}"
    st.caption(_PULLED)
    more = rates_shown.left_out(found)
    source = source_words(
        choice,
        f"n = {sum(row.found.raw.n for row in found):,} resolved",
        "95 % intervals",
        "widened as all outcomes together say that a conversation's are alike" if whole.estimated else "",
        f"{more} further cells in the table" if more else "",
    )
    outcomes_drawn.chart(
        rates_shown.chart(found, choice.watched, _titled(choice, title)),
        rates_shown.described(found, choice.watched),
        source,
        simulated=choice.simulated,
        key=f"rates chart {' '.join(by)}",
    )
    key = f"rates of {' '.join(by)}"
    rows = rates_shown.table(by, found, choice.watched)
    outcomes_drawn.chosen_row(rows, key, partial(_open_row, key, found), _MEANINGS, simulated=choice.simulated)
    _conversations(choice, by, found)


def trend(choice: OutcomesChoice, whole: Whole) -> None:
    """By week or month, with promotions."""
    period = st.segmented_control(
        "By", place.PERIODS, format_func=str.capitalize, key=place.PERIOD, required=True, width="content"
    )
    promotions, problem = outcomes_reading.promotions(choice.asked.tenant)
    points = trend_of(
        whole.weeks,
        promotions,
        by="month" if period == "month" else "week",
        design_effect=design_effect(whole.rate.cell),
    )
    title = f"{choice.watched.rate} by {period} of the recommendation"
    said = "dashed: a prompt set was promoted" if promotions else ""
    outcomes_drawn.chart(
        trends.chart(points, promotions, choice.watched, _titled(choice, title)),
        trends.described(points, choice.watched),
        source_words(choice, f"n = {whole.rate.n:,} resolved", "band: 95 % intervals", said),
        simulated=choice.simulated,
        key=f"trend chart {period}",
    )
    if problem:
        st.caption(f":material/info: {on_one_line(problem)}")
    outcomes_drawn.chart(
        trends.stands(points, _titled(choice, f"Outcomes by {period}, by where they stand")),
        f"Counts of outcomes by {period} and status, as in the table.",
        source_words(choice, f"{whole.rate.cell.outcomes:,} outcomes"),
        simulated=choice.simulated,
        key=f"stands chart {period}",
    )
    outcomes_drawn.table(
        trends.table(points, choice.watched), f"trend table {period}", _MEANINGS, simulated=choice.simulated
    )


def time(choice: OutcomesChoice, whole: Whole) -> None:
    """How long it takes, of all or by groups."""
    options = [place.NOTHING, *SPLITS]
    groups = st.selectbox(
        "Compare by", options, format_func=_split_name, key=place.GROUPS, width=260, help="The four largest groups."
    )
    lines = outcomes_reading.waiting(choice.asked, groups if groups in SPLITS else None)
    outcomes_drawn.chart(
        waiting_shown.chart(lines, choice.watched, _titled(choice, f"Time to {choice.watched.noun}")),
        waiting_shown.described(lines, choice.watched),
        source_words(choice, f"n = {sum(line.found.n for line in lines):,} questions", _CENSORED),
        simulated=choice.simulated,
        key=f"time chart {groups}",
    )
    st.markdown("**Still waited for**", help="Numbers at risk: neither answered nor censored before that hour.")
    outcomes_drawn.table(waiting_shown.at_risk(lines, choice.watched), f"at risk {groups}", simulated=choice.simulated)
    outcomes_drawn.table(waiting_shown.table(lines, choice.watched), f"time table {groups}", simulated=choice.simulated)


def funnel(choice: OutcomesChoice, whole: Whole) -> None:
    """From recommended to stage advanced, what is unknown apart."""
    steps = funnel_of(whole.rate.cell)
    st.caption(
        "Of those who came to the step before. A question of which nobody said whether it was sent goes on to the next "
        "step, and so do windows that are still open: what is not known is neither yes nor no."
    )
    outcomes_drawn.chart(
        funnels.chart(steps, _titled(choice, "From recommended to stage advanced")),
        funnels.described(steps),
        source_words(choice, f"{whole.rate.cell.outcomes:,} outcomes"),
        simulated=choice.simulated,
        key="funnel chart",
    )
    outcomes_drawn.table(funnels.table(steps), "funnel table", simulated=choice.simulated)


def association(choice: OutcomesChoice, whole: Whole) -> None:
    """Which choices go with a reply, persona and stage accounted for."""
    from evals.learning.association import WARNING

    st.warning(WARNING, icon=":material/warning:")
    try:
        with st.spinner("Fitting"):
            found, since = outcomes_reading.association(choice.asked)
    except InputError as error:
        st.info(on_one_line(str(error)), icon=":material/hourglass_empty:")
        return
    scale = st.segmented_control(
        "As",
        place.SCALES,
        format_func=lambda own: associations.SCALES[own],
        key=place.SCALE,
        required=True,
        help="Odds ratio: how many times the odds of a reply. Points: the average difference in its probability.",
    )
    newest = f"the newest, recommended since {since.isoformat()}" if since else ""
    outcomes_drawn.chart(
        associations.chart(
            found,
            "points" if scale == "points" else "odds",
            _titled(choice, f"What goes with {choice.watched.a_noun}"),
        ),
        associations.described(found),
        source_words(choice, associations.rests_on(found), newest, "filled: the interval leaves out no difference"),
        simulated=choice.simulated,
        key=f"association chart {scale}",
    )
    outcomes_drawn.table(associations.table(found), "association table", _ASSOCIATED, simulated=choice.simulated)


def _by() -> tuple[str, ...]:
    """The dimensions that are crossed."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.selectbox("Rates by", list(SPLITS), format_func=_split_name, key=place.BY, width=240)
        options = [place.NOTHING, *(name for name in SPLITS if name != first)]
        if st.session_state.get(place.ACROSS) not in options:
            st.session_state[place.ACROSS] = place.NOTHING
        second = st.selectbox("crossed with", options, format_func=_split_name, key=place.ACROSS, width=240)
    return (first,) if second == place.NOTHING else (first, second)


def _open_row(key: str, found: Sequence[RateRow]) -> None:
    """Open the cell whose row was clicked. Callback of the table."""
    rows = st.session_state[key].selection.rows
    st.session_state[place.CELL] = _option(found[rows[0]]) if rows and rows[0] < len(found) else None


def _conversations(choice: OutcomesChoice, by: tuple[str, ...], found: Sequence[RateRow]) -> None:
    names = {_option(row): f"{row.name} · {row.found.raw.cell.outcomes:,}" for row in found}
    if st.session_state.get(place.CELL) not in names:
        st.session_state[place.CELL] = None
    chosen = st.selectbox(
        "Conversations of",
        list(names),
        index=None,
        format_func=lambda own: names[own],
        key=place.CELL,
        placeholder="Click a row, or choose a cell",
        width=420,
    )
    row = next((row for row in found if _option(row) == chosen), None)
    if row is None:
        return
    part = choice.asked.part.narrowed(by, row.key)
    outcomes = listed(outcomes_reading.outcomes_of(choice.asked.of(part)))
    conversations(
        outcomes,
        row.found.raw.cell.outcomes,
        tenant=choice.tenant,
        simulated=choice.simulated,
        opens=live.as_page(),
        key=f"listed {chosen}",
    )


def _option(row: RateRow) -> str:
    return cell_option(tuple(place.UNKNOWN if word is None else word for word in row.key))


def _split_name(name: str) -> str:
    return "—" if name == place.NOTHING else SPLITS[name].title


def _titled(choice: OutcomesChoice, title: str) -> str:
    return f"{title} (simulated)" if choice.simulated else title
