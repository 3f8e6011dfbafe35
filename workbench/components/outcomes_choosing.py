"""Choosing whose outcomes are looked at, of what kind, and which of them; and bringing the copy up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import streamlit as st

from engine.model.outcome import OutcomeType
from workbench.background import Job, JobStatus
from workbench.learning import Whose
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.outcomes_words import NOT_KNOWN, SIMULATED_NOTE, SPLITS, WATCHED
from workbench.text import ago

IMPORT_COMMAND = "qbs outcomes import crm.csv --mapping crm"
_UNKNOWN = "~"
_PILLS = ("question_type", "target", "delivery", "engagement", "pain_depth", "stage", "persona", "channel", "analyzer")


def tenant(choices: Sequence[Whose], key: str) -> None:
    by_name = {each.name: each for each in choices}
    st.selectbox(
        "Tenant",
        list(by_name),
        format_func=lambda name: _name(by_name.get(name), name),
        key=key,
        help="Whose outcomes: your own, or those of a simulated world in which the truth is known.",
    )


def outcome_type(key: str) -> None:
    st.segmented_control(
        "Watched for",
        list(OutcomeType),
        format_func=lambda own: WATCHED[own].name,
        key=key,
        required=True,
        help="Replies: the customer answers within 24 hours. Deal progress: the deal moves on within 30 days.",
        width="stretch",
    )


def filters(
    on: int,
    words: Mapping[str, Sequence[str]],
    keys: Mapping[str, str],
    days: tuple[str, str],
    clear: Callable[[], None],
) -> None:
    """Folded away behind one button that says how many are on; they hold for everything on the page."""
    with st.popover(f"Filter ({on})" if on else "Filter", icon=":material/filter_list:", width="stretch"):
        st.caption("Everything on the page is then about these outcomes alone.")
        for name in _PILLS:
            options = [*(SPLITS[name].words if name not in words else words[name])]
            if options:
                st.pills(
                    SPLITS[name].title,
                    options,
                    selection_mode="multi",
                    format_func=_named(name),
                    key=keys[name],
                    help=SPLITS[name].meaning,
                )
        st.multiselect(
            SPLITS["prompt"].title,
            list(words.get("prompt", ())),
            format_func=_named("prompt"),
            key=keys["prompt"],
            help=SPLITS["prompt"].meaning,
        )
        with st.container(horizontal=True):
            st.date_input("Recommended from", value=None, key=days[0], help="The first day, in UTC.")
            st.date_input("until", value=None, key=days[1], help="The last day, in UTC.")
        st.button("Clear the filters", icon=":material/filter_list_off:", on_click=clear, disabled=not on)


def copied(known_at: datetime | None, now: datetime, job: Job | None, begin: Callable[[], None]) -> None:
    """When the copy was last brought up to date, and a button to do it now."""
    running = job is not None and not job.ended
    when = ago(known_at, now) if known_at else "never"
    with st.popover(f"Synced {when}", icon=":material/sync:", width="stretch", help="Where these outcomes come from."):
        st.markdown("These figures come from a copy of the outcomes in Postgres, brought up to date by a click:")
        st.button(
            "Sync now",
            icon=":material/sync:",
            type="primary",
            key="sync now",
            on_click=begin,
            disabled=running,
            help="Copies what is new. Stopped, or killed, the next one goes on where it was.",
        )
        if job is not None and job.outcome:
            (st.error if job.status is JobStatus.FAILED else st.caption)(on_one_line(job.outcome))
        st.caption("The same on the command line, and outcomes that live elsewhere, such as a CRM export:")
        commands()


def commands() -> None:
    st.code("qbs outcomes sync", language=None, wrap_lines=True)
    st.code(IMPORT_COMMAND, language=None, wrap_lines=True)


def simulated_origin(known_at: datetime | None) -> None:
    """In the place of a synchronisation, where there is nothing to synchronise with."""
    until = f" It ends on {known_at:%d %B %Y}." if known_at else ""
    with st.popover("Simulated", icon=":material/science:", width="stretch"):
        st.markdown(
            f"This world is made by code from a seed.{until} Your own outcomes are under the other tenants; they come "
            "from Postgres, or from a file:"
        )
        commands()


def simulated_banner() -> None:
    """What nobody can miss."""
    st.warning(f"**SIMULATED** {on_one_line(SIMULATED_NOTE.removeprefix('Simulated: '))}", icon=":material/science:")


def _name(found: Whose | None, name: str) -> str:
    if found is not None and found.simulated:
        return "Simulated world"
    return name if found is None or found.has_facts else f"{name} · nothing copied yet"


def _named(dimension: str) -> Callable[[str], str]:
    words = SPLITS[dimension].words
    return lambda word: NOT_KNOWN if word == _UNKNOWN else words.get(word, word)
