"""Statements compiled once, and their parameters as the server reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy import bindparam, select

from engine.errors import InputError
from engine.model.conversation import DealStage
from engine.state.statements import SET_LIMITS, SET_TENANT, Statement, as_text, compiled
from engine.state.tables import StageChangeModel

MOVES = StageChangeModel.__table__


def test_a_statement_has_numbered_parameters_in_the_order_of_their_names() -> None:
    one, other = (MOVES.c[name] == bindparam(name) for name in ("tenant_id", "to_stage"))
    statement = compiled(select(MOVES.c.change_id, MOVES.c.reason).where(one, other, other))
    assert b"tenant_id = $1::UUID" in statement.sql
    assert statement.sql.count(b"$2::VARCHAR") == 2
    assert (statement.parameters, statement.columns) == (("tenant_id", "to_stage"), ("change_id", "reason"))


def test_a_value_in_a_statement_is_refused_because_it_would_be_sent_for_everybody() -> None:
    with pytest.raises(ValueError, match="values are fixed"):
        compiled(select(MOVES).where(MOVES.c.reason == "because"))


def test_equal_texts_have_one_name_and_different_ones_have_two() -> None:
    assert Statement(b"select 1").name == Statement(b"select 1").name != Statement(b"select 2").name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("Lövelace", "Lövelace".encode()),
        ("", b""),
        (DealStage.CLOSED_WON, b"closed_won"),
        (True, b"t"),
        (False, b"f"),
        (-7, b"-7"),
        (0.1 + 0.2, b"0.30000000000000004"),
        (b'{"a": 1}', b'{"a": 1}'),
        (UUID(int=1), b"00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC), b"2026-03-02T12:00:00.000005+00:00"),
        (datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=5))), b"2026-03-02T07:00:00+00:00"),
    ],
)
def test_every_parameter_has_a_text(value: object, text: bytes | None) -> None:
    assert as_text("field", value) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["a\0b", "\0", "a\ud800"])
def test_text_that_postgres_cannot_hold_is_refused_by_the_name_of_its_field(text: str) -> None:
    statement = Statement(b"select $1", ("contact_name",))
    with pytest.raises(InputError, match=r"^contact_name holds .*remove it$"):
        statement(contact_name=text)


@pytest.mark.parametrize(
    ("moment", "complaint"),
    [
        (datetime(2026, 3, 2, 12), "changed_at is a time without its zone; give it, for example"),  # noqa: DTZ001
        (datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))), "changed_at is a time outside the years"),
        (datetime(1, 1, 1, 1, tzinfo=timezone(timedelta(hours=5))), "changed_at is a time outside the years"),
    ],
)
def test_a_time_that_would_come_back_as_another_is_refused_by_the_name_of_its_field(
    moment: datetime, complaint: str
) -> None:
    with pytest.raises(InputError, match=f"^{complaint}"):
        Statement(b"select $1", ("changed_at",))(changed_at=moment)


@pytest.mark.parametrize(
    ("sql", "leaves_nothing"),
    [
        (b"select 1", True),
        (b"\n  WITH one AS (select 1) select * from one", True),
        (b"insert into t values ($1) on conflict do nothing", True),
        (b"commit", True),
        (SET_TENANT.sql, True),
        (SET_LIMITS.sql, True),
        (b"select set_config('app.tenant_id', $1, false)", False),
        (b"select set_config('a', $1, true), set_config('b', $1, false)", False),
        (b"select pg_try_advisory_lock(1)", False),
        (b"select 1; set timezone = 'UTC'", False),
        (b"select * into temp t from s", False),
        (b"set app.tenant_id = 'x'", False),
        (b"declare c cursor with hold for select 1", False),
        (b"prepare p as select 1", False),
        (b"listen news", False),
        (b"discard all", False),
    ],
)
def test_a_statement_knows_whether_it_leaves_something_in_the_session(sql: bytes, leaves_nothing: bool) -> None:
    assert Statement(sql).leaves_nothing is leaves_nothing
