"""Inquiries are answered together, each from its own statements."""

from __future__ import annotations

from engine.state.inquiry import Inquiry
from engine.state.statements import Call, Statement

ONE, TWO, THREE = (Statement(f"select {number}".encode())() for number in (1, 2, 3))


def names(*calls: Call) -> Inquiry[list[str]]:
    """What came back, in the order of the statements."""
    return Inquiry(calls, lambda answers: [row["name"] for rows in answers for row in rows])


def test_inquiries_asked_along_each_read_their_own_answers() -> None:
    asked = names(ONE).along(names(TWO, THREE)).along(names(ONE))
    assert asked.calls == (ONE, TWO, THREE, ONE)
    answers = [[{"name": "a"}], [{"name": "b"}], [], [{"name": "d"}]]
    assert asked.read(answers) == ((["a"], ["b"]), ["d"])


def test_something_else_can_be_made_of_an_answer() -> None:
    assert names(ONE).then(len).along(names()).read([[{"name": "a"}]]) == (1, [])
