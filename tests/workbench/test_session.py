"""A place in the address: read leniently, written exactly, and found again."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from workbench.session import Place

WHOLE = Place("small", "carrier", "left-run", "right-run", 3)


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({}, Place()),
        ({"dataset": "small", "turn": "3"}, Place(dataset="small", turn=3)),
        ({"turn": "x"}, Place()),
        ({"turn": "-1"}, Place()),
        ({"turn": "²"}, Place()),
        ({"turn": "9" * 4_000}, Place()),
        ({"conversation": "", "other": "y"}, Place()),
        ({"dataset": "small", "conversation": "carrier", "left": "left-run", "right": "right-run", "turn": "3"}, WHOLE),
    ],
)
def test_an_address_is_read(query: dict[str, str], place: Place) -> None:
    assert Place.of_address(query) == place


@pytest.mark.parametrize("place", [Place(), Place(turn=0), WHOLE])
def test_a_place_is_found_again_by_its_address(place: Place) -> None:
    assert Place.of_address(place.address()) == place


def visiting() -> None:
    """A page that says where it was told to go, and settles wherever the test wants it."""
    import streamlit as st

    from workbench import session

    st.session_state["told"] = session.arrive(st.session_state.get("page", "replay"))
    if (place := st.session_state.get("settle_at")) is not None:
        session.settle(place)


def at(**state: object) -> AppTest:
    app = AppTest.from_function(visiting)
    for key, value in state.items():
        app.session_state[key] = value
    return app


def test_a_first_visit_without_an_address_goes_nowhere_in_particular() -> None:
    assert at().run().session_state["told"] == Place()


def test_a_new_address_is_gone_to_once() -> None:
    app = at(settle_at=WHOLE)
    for name, value in WHOLE.address().items():
        app.query_params[name] = value
    assert app.run().session_state["told"] == WHOLE
    assert app.run().session_state["told"] is None


def test_what_widgets_settle_on_is_written_into_the_address() -> None:
    app = at(settle_at=WHOLE).run()
    assert dict(app.query_params) == WHOLE.address()
    assert app.run().session_state["told"] is None


def test_coming_back_from_another_page_leads_where_one_was() -> None:
    app = at(settle_at=WHOLE).run()
    app.session_state["settle_at"] = None
    app.session_state["page"] = "runs"
    app.query_params.clear()
    app.run()
    app.session_state["page"] = "replay"
    assert app.run().session_state["told"] == WHOLE


def offering() -> None:
    import streamlit as st

    from workbench import session

    st.session_state["missing"] = session.offer("key", st.session_state["options"], st.session_state["wanted"], "b")


@pytest.mark.parametrize(
    ("held", "options", "wanted", "chosen", "missing"),
    [
        (None, ["a", "b"], None, "b", None),
        (None, ["a", "b"], "a", "a", None),
        ("a", ["a", "b"], None, "a", None),
        ("a", ["a", "b"], "b", "b", None),
        ("a", ["a", "b"], "x", "b", "x"),
        ("x", ["a", "c"], None, "a", None),
        ("x", [], None, None, None),
        (None, [], "y", None, "y"),
    ],
)
def test_a_widget_holds_what_there_is(
    held: str | None, options: list[str], wanted: str | None, chosen: str | None, missing: str | None
) -> None:
    app = AppTest.from_function(offering)
    for key, value in {"key": held, "options": options, "wanted": wanted}.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception
    assert (app.session_state["key"], app.session_state["missing"]) == (chosen, missing)
