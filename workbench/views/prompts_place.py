"""What the Prompts page is about, as ids: kept in the session, and in the address so that it can be sent around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast

import streamlit as st

from workbench import session

# Keys of widgets.
PROMPT, VERSION, AGAINST, TAB, DATASET, RUN, CONVERSATION, TURN = (
    f"prompts {name}" for name in ("prompt", "version", "against", "tab", "dataset", "run", "conversation", "turn")
)
CANDIDATE, TENANT, NEUTRAL, SEARCHED = (f"prompts {name}" for name in ("candidate", "tenant", "neutral", "searched"))
AUTHOR = "prompts.author"  # who decided last; of no widget

WRITE, DIFFERENCE, RELEASE, SEARCH = "write", "difference", "release", "search"
TABS = {WRITE: "Write and try", DIFFERENCE: "Difference", RELEASE: "Release", SEARCH: "Search"}

_AT, _TRIAL, _DRAFTS, _GO = "prompts.at", "prompts.trial", "prompts.drafts", "prompts.go"
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class PromptsPlace:
    """A version of a prompt, looked at on a turn of a run. What is None is not chosen.

    `version` is the beginning of its content hash, or its name; `against` another one that it is compared with;
    `trial` the run in which it was tried; `candidate` the set that is to be released, for `tenant`.
    """

    prompt: str | None = None
    version: str | None = None
    against: str | None = None
    dataset: str | None = None
    run: str | None = None
    conversation: str | None = None
    turn: int | None = None
    trial: str | None = None
    candidate: str | None = None
    tenant: str | None = None
    tab: str | None = None

    @classmethod
    def of_address(cls, query: Mapping[str, str]) -> PromptsPlace:
        """The place that an address names; what cannot be read there counts as not chosen."""
        turn = query.get("turn", "")
        there = turn.isascii() and turn.isdigit() and len(turn) <= _MOST_DIGITS
        names = {name: query.get(name) or None for name in cls.__slots__ if name != "turn"}
        return cls(**names, turn=int(turn) if there else None)

    def address(self) -> dict[str, str]:
        """The query that names this place."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}


def arrive() -> PromptsPlace | None:
    """The place to go to: the one that a new address names, or on coming back to the page the one it was left at."""
    comes = session.comes_to("prompts")
    going = cast("PromptsPlace | None", st.session_state.pop(_GO, None))
    if going is not None:
        return going
    asked = PromptsPlace.of_address(st.query_params.to_dict())
    if asked not in (PromptsPlace(), left_at()):
        return asked
    return left_at() if comes else None


def left_at() -> PromptsPlace:
    return cast("PromptsPlace", st.session_state.get(_AT, PromptsPlace()))


def settle(place: PromptsPlace) -> None:
    """Remember the place, and name it in the address."""
    st.session_state[_AT] = place
    if st.query_params.to_dict() != place.address():
        st.query_params.from_dict(place.address())


def go(place: PromptsPlace) -> None:
    """Show this when the page is drawn next."""
    st.session_state[_GO] = place


def trial() -> str | None:
    """The run of the trial that is looked at."""
    return cast("str | None", st.session_state.get(_TRIAL))


def look_at_trial(run_id: str | None) -> None:
    st.session_state[_TRIAL] = run_id


def draft(ref: str) -> str | None:
    """The text that was written on top of a version and is not saved yet."""
    return cast("str | None", st.session_state.get(_DRAFTS, {}).get(ref))


def keep_draft(ref: str, text: str | None) -> None:
    """Remember what was written, also while another version or page is shown; None forgets it."""
    drafts = dict(st.session_state.get(_DRAFTS, {}))
    drafts.pop(ref, None)
    st.session_state[_DRAFTS] = drafts if text is None else {**drafts, ref: text}
