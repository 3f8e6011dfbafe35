"""Two servers, each started once per test process and only where a test asks for it, and a tenant for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from tests.integration.postgres_servers import TcpServer, short_folder

if TYPE_CHECKING:
    from engine.state.database import Database
    from engine.state.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedServer]:
    """The embedded server, with its tables. Tests that kill or change it start one of their own."""
    from engine.state.embedded import start_embedded
    from engine.state.schema import upgrade

    with short_folder() as folder:
        server = start_embedded(folder / "postgres")
        upgrade(server.urls.owner)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def tcp_postgres() -> Iterator[TcpServer]:
    """A server as others run it: reached over TCP, with passwords, and set up by a role that is no superuser."""
    from engine.state.schema import upgrade

    with short_folder() as folder:
        server = TcpServer(folder)
        server.make()
        upgrade(server.urls.owner)
        yield server
        server.stop()


@pytest.fixture
async def database(postgres: EmbeddedServer) -> AsyncIterator[Database]:
    """The embedded server as the application sees it."""
    from engine.state.database import Database

    database = Database(postgres.urls.app)
    yield database
    await database.aclose()


@pytest.fixture
def tenant() -> UUID:
    """A tenant that nobody else has: what a test leaves behind disturbs no other."""
    return uuid4()
