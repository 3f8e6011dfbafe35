"""What the pages are about, as ids: kept in the session, and in the address so that it can be sent around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

import streamlit as st

# Keys of widgets.
DATASET, CONVERSATION, LEFT, RIGHT = "dataset", "conversation", "left", "right"
MESSAGE = "message"  # which customer message, from 1
HIGHLIGHT = "highlight"  # whose quotes are highlighted

_PLACE, _PAGE = "at.place", "at.page"


@dataclass(frozen=True, slots=True)
class Place:
    """A turn of a conversation of a data set, seen by two runs. What is None is not chosen."""

    dataset: str | None = None
    conversation: str | None = None
    left: str | None = None
    right: str | None = None
    turn: int | None = None

    @classmethod
    def of_address(cls, query: Mapping[str, str]) -> Place:
        """The place that an address names. A turn that is not a number counts as not chosen."""
        turn = query.get("turn", "")
        return cls(
            dataset=query.get("dataset") or None,
            conversation=query.get("conversation") or None,
            left=query.get("left") or None,
            right=query.get("right") or None,
            turn=int(turn) if turn.isascii() and turn.isdigit() and len(turn) < 7 else None,
        )

    def address(self) -> dict[str, str]:
        """The query that names this place."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}


def arrive(page: str) -> Place | None:
    """The place to go to: the one that a new address names, or on coming back to `page` the one it was left at.

    None while the page goes on with what its widgets say.
    """
    comes_back = comes_to(page)
    asked = Place.of_address(st.query_params.to_dict())
    if asked not in (Place(), left_at()):
        return asked
    return left_at() if comes_back else None


def comes_to(page: str) -> bool:
    """Whether another page, or none, was shown before `page`."""
    comes = st.session_state.get(_PAGE) != page
    st.session_state[_PAGE] = page
    return comes


def left_at() -> Place:
    """The place that was shown last."""
    return cast("Place", st.session_state.get(_PLACE, Place()))


def settle(place: Place) -> None:
    """Remember the place, and name it in the address."""
    st.session_state[_PLACE] = place
    if st.query_params.to_dict() != place.address():
        st.query_params.from_dict(place.address())


def offer(
    key: str,
    options: Sequence[str],
    wanted: str | None,
    default: str | None = None,
    otherwise: Sequence[str] | None = None,
) -> str | None:
    """Make sure that the widget `key` holds one of `options`; what was wanted and is not there is returned.

    In this order: `wanted` (None: what the widget holds), `default`, the first of `otherwise` (None: of the options).
    If there is none of these, nothing is chosen.
    """
    preferred = (wanted or st.session_state.get(key), default, *(options if otherwise is None else otherwise))
    chosen = next((choice for choice in preferred if choice in options), None)
    if key not in st.session_state or chosen != st.session_state[key]:
        st.session_state[key] = chosen
    return wanted if wanted is not None and wanted not in options else None


def message() -> int:
    """The customer message that is shown, from 1."""
    return cast("int", st.session_state.get(MESSAGE, 1))


def first_message() -> None:
    """Begin at the beginning, as for another conversation."""
    st.session_state[MESSAGE] = 1


def go_to_message(number: int, last: int) -> None:
    """Show this customer message, or the nearest there is."""
    st.session_state[MESSAGE] = min(max(1, number), last)
