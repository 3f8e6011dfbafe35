"""The quieter parts of a turn: people, the pain ladder, where the conclusions came from, the label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from workbench.components import badges
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.labels import LabelRow, Verdict
from workbench.presenters.people import Person
from workbench.presenters.provenance import Provenance
from workbench.presenters.words import NO_ANSWER

_PEOPLE = "People at the customer's whom the seller does not know yet."


def heading(text: str) -> None:
    """The heading of a part of the page."""
    st.subheader(text, anchor=False)


def title(text: str, meaning: str) -> None:
    """The heading of a card, its meaning on hover."""
    st.markdown(f"##### {text}", help=meaning, anchors=False)


def ladder(spec: Mapping[str, Any], described: str) -> None:
    st.vega_lite_chart(dict(spec), width="stretch", alt=described)


def people(name: str, found: Sequence[Person] | None) -> None:
    """`found` is None where the side says nothing."""
    st.markdown(f"##### People mentioned :small[:gray[{on_one_line(name)}]]", help=_PEOPLE, anchors=False)
    if found is None:
        st.markdown(f":gray[{NO_ANSWER}]")
    elif not found:
        st.markdown(":gray[Nobody yet]")
    for person in found or ():
        _person(person)


def provenance(name: str, found: Sequence[Provenance]) -> None:
    st.markdown(f":small[:gray[{on_one_line(name)}]]")
    if not found:
        st.markdown(f":gray[{NO_ANSWER}]")
    for item in found:
        prompt = f"prompt {on_one_line(item.prompt)} · " if item.prompt else ""
        taken = " · ".join(f"{caption} {on_one_line(figure)}" for caption, figure in item.figures)
        with st.container(gap="xxsmall"):
            with badges.row():
                st.markdown(f"**{', '.join(item.conclusions)}**")
                badges.origins([item.origin])
            st.markdown(f":small[:gray[{prompt}{taken}]]")


def against_label(rows: Sequence[LabelRow], names: Sequence[str]) -> None:
    body = [[f":gray[{row.aspect}]", on_one_line(row.label), *map(_verdict, row.verdicts)] for row in rows]
    st.markdown(_table(["", "Label", *map(on_one_line, names)], body))


def _person(person: Person) -> None:
    """Somebody this message brought with all that was said; those from before by name, the rest on hover."""
    about = " · ".join(on_one_line(part) for part in (person.relationship, person.approach) if part)
    quote = f"“{on_one_line(person.quote)}”" if person.quote else ""
    said = [line for line in (about, quote) if line]
    with st.container(gap="xxsmall"):
        with badges.row():
            name = f"**{on_one_line(person.name)}**"
            st.markdown(name, help=None if person.new else "\n\n".join(said) or None)
            badges.badge(person.urgency, icon=":material/schedule:")
            if person.new:
                st.badge("new", color="green")
        if person.new and said:
            st.markdown("\\\n".join(f":small[:gray[{line}]]" for line in said))


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table in markdown; its cells are markdown on one line already."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _verdict(verdict: Verdict | None) -> str:
    if verdict is None:
        return "—"
    icon = ":green[:material/check:]" if verdict.agrees else ":orange[:material/close:]"
    return f"{icon} {on_one_line(verdict.said)}"
