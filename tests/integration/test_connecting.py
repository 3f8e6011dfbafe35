"""What goes wrong over a connection for work by hand, as a person is told of it."""

from __future__ import annotations

import pytest

from engine.errors import ConfigurationError, DatabaseUnavailableError, StateError
from engine.state.connecting import connected
from tests.integration.postgres_servers import TcpServer


@pytest.mark.parametrize(
    ("statement", "kind", "said"),
    [
        ("select 'canary'::int", StateError, r"refused a statement \(InvalidTextRepresentation, 22P02\)"),
        ("select canary", StateError, r"refused a statement \(UndefinedColumn, 42703\)"),
        (
            "set local statement_timeout = 1; select 'canary', pg_sleep(60)",
            DatabaseUnavailableError,
            "a statement took too long",
        ),
        (
            "select 'canary', pg_terminate_backend(pg_backend_pid())",
            DatabaseUnavailableError,
            "the connection to Postgres was lost",
        ),
        ("create table qbs.canary ()", ConfigurationError, "the role may not do this"),
    ],
)
def test_what_the_server_refuses_is_said_as_what_it_is(
    tcp_postgres: TcpServer, statement: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said) as caught, connected(tcp_postgres.urls.app) as connection:
        connection.execute(statement.encode())
    assert type(caught.value) is kind
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_text_is_sent_as_what_it_is_whatever_the_environment_says(
    tcp_postgres: TcpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with connected(tcp_postgres.urls.app) as connection:
        assert connection.info.encoding == "utf-8"


def test_an_address_where_nobody_answers_is_said_to_be_one() -> None:
    with (
        pytest.raises(DatabaseUnavailableError, match="nobody answers there"),
        connected("postgresql://qbs_app:canary@127.0.0.1:1/qbs"),
    ):
        pytest.fail("nobody is there")
