"""An embedded Postgres with its tables, for as long as something is measured on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.state.embedded import start_embedded
from engine.state.schema import upgrade
from engine.state.urls import DatabaseUrls
from tests.integration.postgres_servers import short_folder


@contextmanager
def embedded() -> Iterator[DatabaseUrls]:
    with short_folder() as folder:
        server = start_embedded(folder / "postgres")
        try:
            upgrade(server.urls.owner)
            yield server.urls
        finally:
            server.stop()
