"""`qbs outcomes what-if --policy variant:llm`: a model is really asked, within limits, and never twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from engine.llm.fake import FakeModel, FakeModelConfig, Fault
from engine.state.database import Database
from engine.state.embedded import EmbeddedServer, start_embedded
from engine.state.schema import upgrade
from evals.learning.facts.store import OutcomeStore
from evals.learning.sync import sync
from tests.integration.postgres_servers import short_folder
from tests.integration.test_what_if import explored_long_ago

ASK = ("outcomes", "what-if", "--policy", "variant:llm:openai/fake-model", "--concurrency", "1")
TURNS = 12


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with short_folder() as folder:
        server = start_embedded(folder / "postgres")
        upgrade(server.urls.owner)
        yield server
        server.stop()


@pytest.fixture(autouse=True)
def _asks_the_fake_model(home, server: EmbeddedServer, fake: FakeModel, monkeypatch) -> None:
    """Explored outcomes of a tenant of this test, copied to QBS_HOME, and a model to ask about them."""
    home.mkdir()
    tenant = uuid4()
    monkeypatch.setenv("QBS_TENANT", str(tenant))
    monkeypatch.setenv("QBS_DATABASE_URL", server.urls.app)
    monkeypatch.setenv("QBS_API_BASE", fake.base_url)
    monkeypatch.setenv("QBS_API_KEY", "none")

    async def explored() -> int:
        database = Database(server.urls.app)
        try:
            recorded = await explored_long_ago(database, tenant)
            await sync(database, OutcomeStore(home / "outcomes.duckdb"), tenant)
            return recorded
        finally:
            await database.aclose()

    assert asyncio.run(explored()) == TURNS


def recorded(home: Path) -> list[str]:
    """The keys of the answers that are kept."""
    lines = [line for file in home.glob("recordings/*.jsonl") for line in file.read_text().splitlines()]
    return [json.loads(line)["key"] for line in lines]


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema")], indirect=True)
def test_a_limit_stops_it_and_the_same_command_goes_on_from_what_was_recorded(qbs, home, fake: FakeModel):
    stopped = qbs(*ASK, "--limit-calls", "3")
    assert (stopped.exit_code, stopped.stdout, fake.stats.requests) == (1, "", 3)
    told = words(stopped.stderr)
    assert f"openai/fake-model: {3 * TURNS} calls at {TURNS} turns, fewer where answers are recorded" in told
    assert f"Stopped at a limit, after 1/{TURNS} turns, 3 calls" in told
    assert "What was answered is kept; the same command goes on" in told

    done = qbs(*ASK)
    assert "What if: the variant llm:openai/fake-model." in done.stdout  # so few cannot tell, but all were asked
    assert "are too few" in words(done.stdout)
    assert "fallback" not in done.stdout
    asked = fake.stats.requests
    assert 9 <= asked <= 3 * TURNS  # what contacts say alike is asked once
    qbs(*ASK)
    assert fake.stats.requests == asked == len(recorded(home)) == len(set(recorded(home)))


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema", latency_ms=400)], indirect=True)
def test_a_limit_of_time_keeps_what_was_under_way(qbs, fake: FakeModel, home):
    stopped = qbs(*ASK, "--limit-time", "0.1")
    assert stopped.exit_code == 1
    assert "Stopped at a limit" in stopped.stderr
    assert len(recorded(home)) == fake.stats.requests == 3


def test_a_limit_of_money_for_a_model_without_a_price_is_refused_before_anything_is_asked(qbs, fake: FakeModel):
    refused = qbs(*ASK, "--limit-cost", "5")
    assert (refused.exit_code, fake.stats.requests) == (4, 0)
    assert "--limit-calls or --limit-tokens" in refused.stderr


@pytest.mark.parametrize("fake", [FakeModelConfig(faults={Fault.UNAUTHORISED: 1.0})], indirect=True)
def test_a_model_that_cannot_be_reached_gives_no_answer_of_fallbacks(qbs, fake: FakeModel):
    result = qbs(*ASK)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "no model answered (not_authorised)" in words(result.stderr)
    assert "the same command goes on" in result.stderr
