"""What throws the copy of outcomes away, to be made anew: a file that is damaged, and no query that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from evals.learning.facts import OutcomeStore

KEPT = "SELECT count(*) FROM {}.stale"


@pytest.fixture
def store(tmp_path: Path) -> OutcomeStore:
    made = OutcomeStore(tmp_path / "outcomes.duckdb")
    made.work("acme", lambda connection, schema: connection.execute(f"INSERT INTO {schema}.stale VALUES (1)"))
    return made


def kept(store: OutcomeStore) -> int:
    return int(store.work("acme", lambda connection, schema: connection.execute(KEPT.format(schema)).fetchall()[0][0]))


def failing_once(error: Exception) -> Any:
    failed = False

    def work(connection: Any, schema: str) -> str:
        nonlocal failed
        if not failed:
            failed = True
            raise error
        return "made anew"

    return work


@pytest.mark.parametrize(
    "error",
    [
        duckdb.InternalException("INTERNAL Error: Attempted to access index 3 within vector of size 3"),
        duckdb.FatalException("FATAL Error: database has been invalidated because of a previous fatal error"),
        duckdb.IOException("IO Error: Could not read from file"),
    ],
    ids=["a defect", "after a defect", "a disk"],
)
def test_a_query_that_fails_by_itself_leaves_the_copy_as_it_is(store: OutcomeStore, error: Exception) -> None:
    with pytest.raises(type(error)):
        store.work("acme", failing_once(error))
    assert kept(store) == 1


@pytest.mark.parametrize(
    "error",
    [
        duckdb.IOException("IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2"),
        duckdb.SerializationException("Serialization Error: Failed to deserialize"),
        duckdb.FatalException("FATAL Error: Corrupt database file: block 7"),
    ],
    ids=["a checksum", "unreadable", "found while writing"],
)
def test_what_says_that_the_file_is_damaged_has_it_made_anew(store: OutcomeStore, error: Exception) -> None:
    assert store.work("acme", failing_once(error)) == "made anew"
    assert kept(store) == 0


@pytest.mark.parametrize("spoilt", [lambda whole: b"\0" * len(whole), lambda whole: whole[: len(whole) // 2]])
def test_a_file_that_cannot_be_opened_is_made_anew(store: OutcomeStore, spoilt: Any) -> None:
    store.path.write_bytes(spoilt(store.path.read_bytes()))
    assert kept(store) == 0
