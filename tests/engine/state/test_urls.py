"""The addresses of a database: what they mean, and which cannot be read."""

from __future__ import annotations

import pytest

from engine.errors import ConfigurationError
from engine.state.urls import parts_of, without_password


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://ann:secret@db.example.com:5433/state", "ann@db.example.com:5433/state"),
        ("postgresql+psycopg://ann:secret@db/state", "ann@db:5432/state"),
        ("postgresql://ann:secret@one:1,two:2/state", "ann@one,two:1,2/state"),
        ("postgresql://ann:a%2Fb%40c%25d@db/state", "ann@db:5432/state"),
        ("postgresql://ann@/state?host=/run/postgres&port=7", "ann@/run/postgres:7/state"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, place: str) -> None:
    assert without_password(url) == place


def test_what_is_escaped_in_a_password_is_read_as_it_is_meant() -> None:
    assert parts_of("postgresql://ann:a%2Fb%40c%25d@db/state")["password"] == "a/b@c%d"


@pytest.mark.parametrize(
    "url",
    [
        "db.example.com canary",
        "postgresql://ann:can%ary@db/state",
        "postgresql://ann:12canary/34@db/state",
        "postgresql://ann:1/canary@db/state",
        "postgresql://ann:canary@[db/state",
        "postgresql://ann:canary@db:port/state",
        "postgresql://ann@db/state?password=canary&sll=1",
    ],
)
def test_an_address_that_cannot_be_read_or_would_be_read_wrongly_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read.*%25, %2F and %40") as caught:
        parts_of(url)
    assert "canary" not in str(caught.value)
    assert "can%ary" not in str(caught.value)
