"""What the Live page reads of the database; while that does not answer, what it answered last in this session."""

from __future__ import annotations

from collections.abc import Coroutine, Hashable
from typing import Any, TypeVar, cast

import streamlit as st

from engine.errors import DatabaseUnavailableError, QBSError
from workbench.background import TooSlowError, background
from workbench.live import SECONDS
from workbench.views.live_place import SEEN

AGAIN = 3.0  # seconds until the page looks whether the database is back
AWAY = (DatabaseUnavailableError, TooSlowError)

_PROBLEM = "live.away"
ResultT = TypeVar("ResultT")


def seen(what: str, about: Hashable, reading: Coroutine[Any, Any, ResultT]) -> ResultT:
    """What `reading` brings. While the database is away, what it brought last, if that was about the same.

    Of each `what` the newest is kept, and nothing of another tenant's or contact's is ever shown in its place. Raises
    what `reading` raises, one of AWAY where there is nothing to show instead.
    """
    before = st.session_state.setdefault(SEEN, {})
    try:
        found = background().call(reading, SECONDS)
    except AWAY as error:
        st.session_state[_PROBLEM] = str(error)
        if what not in before or before[what][0] != about:
            raise
        return cast("ResultT", before[what][1])
    before[what] = (about, found)
    st.session_state[_PROBLEM] = ""
    return found


def away() -> str:
    """Why the newest reading brought nothing; empty while the database answers."""
    return cast("str", st.session_state.get(_PROBLEM, ""))


def advice(problem: str) -> str:
    """What a page says while the database is away, and what to do."""
    return (
        f"The database does not answer: {problem.rstrip('.')}. Nothing that was kept is lost. The page looks "
        f"again every {AGAIN:g} seconds and goes on by itself; `qbs db status` says where the database "
        "stands and what to do."
    )


def said_of(error: QBSError) -> str:
    """The sentence for an error that ended a page."""
    return advice(str(error)) if isinstance(error, AWAY) else str(error)
