from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from engine.model.state import ConversationState
from engine.outcomes import OutcomeType
from engine.state.database import Database
from engine.state.embedded import EmbeddedServer, start_embedded
from engine.state.repository import ConversationStateRepository, state_id_of
from engine.state.schema import upgrade
from tests.integration.outcome_values import NOW, ago, asked
from tests.integration.postgres_servers import short_folder

KEYS = {
    "outcome_id", "state_id", "account_id", "contact_id", "action_type", "outcome_type", "predicted_confidence",
    "recommended_at", "closes_at", "recorded_at", "details", "status", "happened_at", "sent",
}  # fmt: skip
DETAILS = {
    "target", "delivery", "engagement", "pain_depth", "stage", "persona", "interaction_count", "turn", "channel",
    "analyzer", "model", "prompt", "fallback_reason", "guardrails", "propensity", "calibration",
    "calibrated_confidence",
}  # fmt: skip
EVENT_KEYS = {
    "event_id", "outcome_id", "kind", "occurred_at", "recorded_at", "idempotency_key", "supersedes", "details",
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with short_folder() as folder:
        server = start_embedded(folder / "postgres")
        upgrade(server.urls.owner)
        yield server
        server.stop()


@pytest.fixture
def tenant(server, home, monkeypatch) -> str:
    """A tenant whom the commands take by default, on a server that settings name."""
    monkeypatch.setenv("QBS_DATABASE_URL", server.urls.app)
    monkeypatch.setenv("QBS_DATABASE_MAINTENANCE_URL", server.urls.maintenance)
    tenant = str(uuid4())
    monkeypatch.setenv("QBS_TENANT", tenant)
    return tenant


@pytest.fixture
def outcomes(server, tenant) -> list[str]:
    """The ids of two outcomes of the contact ann: one whose window is open, one whose has closed."""
    return ask(server, tenant, 1, 30)


def ask(server: EmbeddedServer, tenant: str, *hours_ago: float) -> list[str]:
    async def work() -> list[str]:
        database = Database(server.urls.app)
        async with database.tenant(tenant).begin() as session:
            state_id = state_id_of(session.tenant_id, "acme", "ann")
            state = ConversationState(
                state_id=str(state_id), tenant_id=str(session.tenant_id), account_id="acme", contact_id="ann"
            )
            await ConversationStateRepository(session).save(state, version=None)
            made = [await asked(session, state, ago(hours)) for hours in hours_ago]
        await database.aclose()
        return [str(outcome.outcome_id) for outcome in made]

    return asyncio.run(work())


def listed(qbs, *options: str) -> dict[str, str]:
    rows = json.loads(qbs("outcomes", "list", "--json", *options).stdout)
    return {row["outcome_id"]: row["status"] for row in rows}


def test_outcomes_are_listed_for_people_and_for_programs(qbs, outcomes):
    header, *rows = qbs("outcomes", "list").stdout.splitlines()
    assert header.split() == ["OUTCOME", "ASKED", "CONTACT", "ACTION", "WATCHED", "FOR", "SAID", "STATUS"]
    assert [row.split()[0] for row in rows] == outcomes
    assert rows[0].endswith("ann, acme  pain_funnel  email_engagement  0.60  pending")
    for row in json.loads(qbs("outcomes", "list", "--json").stdout):
        assert set(row) == KEYS
        assert set(row["details"]) == DETAILS


def test_the_list_can_be_narrowed(qbs, outcomes):
    qbs("outcomes", "resolve")
    assert listed(qbs, "--status", "negative") == {outcomes[1]: "negative"}
    assert listed(qbs, "--limit", "1") == {outcomes[0]: "pending"}
    assert list(listed(qbs, "--account", "acme", "--contact", "ann")) == outcomes
    assert listed(qbs, "--tenant", "somebody else") == {}
    assert "no such outcomes" in qbs("outcomes", "list", "--status", "late").stdout
    assert "no outcomes yet" in qbs("outcomes", "list", "--tenant", "somebody else").stdout


def test_outcomes_are_counted(qbs, outcomes):
    row = {"outcome_type": "email_engagement", "action_type": "qbs_pain_funnel", "status": "pending", "count": 2}
    assert json.loads(qbs("outcomes", "count", "--json").stdout) == [row]
    assert qbs("outcomes", "count").stdout.splitlines()[1].split() == [
        "email_engagement", "qbs_pain_funnel", "pending", "2",
    ]  # fmt: skip


def test_every_tenants_closed_windows_are_resolved_where_none_is_named(qbs, server, tenant, outcomes):
    other = str(uuid4())
    ask(server, other, 50)
    result = qbs("outcomes", "resolve", "--json")
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout)
    assert set(facts) == {"as_of", "resolved", "tenants"}
    by_tenant = {each["tenant"]: (each["resolved"], each["problem"]) for each in facts["tenants"]}
    assert by_tenant[tenant] == by_tenant[other] == (1, None)
    assert facts["resolved"] == sum(resolved for resolved, _ in by_tenant.values())
    assert qbs("outcomes", "resolve").stdout.startswith("There was nothing to resolve, of ")
    assert listed(qbs) == {outcomes[0]: "pending", outcomes[1]: "negative"}


def test_only_the_named_tenants_are_resolved_and_only_what_had_closed_by_then(qbs, server, outcomes, monkeypatch):
    other = f"tenant {uuid4()}"
    ask(server, other, 50)
    monkeypatch.delenv("QBS_DATABASE_MAINTENANCE_URL")  # not needed then
    before = json.loads(qbs("outcomes", "resolve", "--tenant", other, "--as-of", str(ago(27)), "--json").stdout)
    assert before["tenants"] == [{"tenant": other, "resolved": 0, "problem": None}]
    assert "1 window had closed" in qbs("outcomes", "resolve", "--tenant", other).stdout
    assert listed(qbs) == dict.fromkeys(outcomes, "pending")


def test_without_a_maintenance_address_it_says_what_to_do(qbs, outcomes, monkeypatch):
    monkeypatch.delenv("QBS_DATABASE_MAINTENANCE_URL")
    result = qbs("outcomes", "resolve")
    assert result.exit_code == 4
    assert "QBS_DATABASE_MAINTENANCE_URL" in result.stderr
    assert "--tenant" in result.stderr


def test_another_system_reports_what_happened_and_may_report_it_again(qbs, outcomes):
    open_one, closed_one = outcomes
    written = (NOW - timedelta(minutes=30)).isoformat()
    reports = [
        ("sent", open_one, "--at", ago(1).isoformat(), "--key", "s-1"),
        ("not-sent", closed_one, "--reason", "rewritten", "--key", "n-1"),
        ("reply", "--account", "acme", "--contact", "ann", "--key", "m-1", "--at", written),
    ]
    for report, said in zip(
        reports, [(open_one, "sent"), (closed_one, "not_sent"), (open_one, "positive")], strict=True
    ):
        first = qbs("outcomes", "report", *report, "--json")
        assert first.exit_code == 0, first.stderr
        (event,) = json.loads(first.stdout)
        assert set(event) == EVENT_KEYS
        assert (event["outcome_id"], event["kind"]) == said
        assert json.loads(qbs("outcomes", "report", *report, "--json").stdout) == []
        assert qbs("outcomes", "report", *report).stdout.startswith("Nothing changed: ")
    assert listed(qbs) == {open_one: "positive", closed_one: "not_sent"}
    other = qbs("outcomes", "report", "reply", "--account", "acme", "--contact", "ann", "--key", "m-2")
    assert "no question was waiting" in other.stdout


def test_of_reports_that_contradict_each_other_the_newest_counts(qbs, outcomes):
    open_one, closed_one = outcomes
    for report, status in [
        ("sent", "pending"),
        ("not-sent", "not_sent"),
        ("sent", "pending"),
        ("not-sent", "not_sent"),
    ]:
        assert f"{open_one}: {report.replace('-', '_')}, " in qbs("outcomes", "report", report, open_one).stdout
        assert listed(qbs) == {open_one: status, closed_one: "pending"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["list", "--status", "lost"], 2, "pending, positive"),
        (["list", "--contact", "ann"], 2, "go together"),
        (["list", "--account", "acme", "--contact", "bob"], 3, "bob"),
        (["resolve", "--tenant", ""], 2, "is empty"),
        (["list", "--tenant", " "], 2, "is empty"),
        (["report", "sent", str(UUID(int=7)), "--at", "2999-01-01T00:00:00Z"], 2, "future"),
        (["report", "not-sent", str(UUID(int=7)), "--at", "2999-01-01T00:00:00Z"], 2, "future"),
        (
            ["report", "reply", "--account", "acme", "--contact", "ann", "--key", "m", "--at", "2999-01-01T00:00:00Z"],
            2,
            "future",
        ),
        (["resolve", "--as-of", "2999-01-01T00:00:00Z"], 2, "future"),
        (["resolve", "--as-of", "yesterday"], 2, "is no time"),
        (["report", "sent", str(UUID(int=7))], 3, "there is no outcome"),
        (["report", "sent", "nonsense"], 3, "is no id"),
        (["report", "sent", str(UUID(int=7)), "--at", "2026-03-02T09:00:00"], 2, "lacks its zone"),
        (["report", "reply", "--account", "acme", "--contact", "bob", "--key", "m"], 3, "bob"),
        (["report", "reply", "--account", "acme", "--contact", "ann"], 2, "--key"),
    ],
)
def test_what_cannot_be_done_says_why(qbs, outcomes, arguments, code, said):
    result = qbs("outcomes", *arguments)
    assert result.exit_code == code
    assert said in result.stderr


def test_both_things_that_a_recommendation_is_watched_for_are_known_by_name():
    assert [(each.value, each.window) for each in OutcomeType] == [
        ("email_engagement", timedelta(hours=24)),
        ("deal_progression", timedelta(days=30)),
    ]


def test_the_copy_that_is_learned_from_follows_postgres(qbs, tenant, outcomes):
    qbs("outcomes", "resolve")
    (done,) = json.loads(qbs("outcomes", "sync", "--json").stdout)
    assert (done["tenant"], done["problem"], done["outcomes"], done["events"]) == (tenant, None, 2, 1)
    assert qbs("outcomes", "sync").stdout == f"{tenant}: nothing is new.\n"
    (row,) = json.loads(qbs("outcomes", "rates", "--json").stdout)
    assert (row["resolved"], row["positive"], row["pending"]) == (1, 0, 1)
    refused = qbs("outcomes", "sync", "--tenant", "simulated")
    assert refused.exit_code == 1
    assert "nothing real is added" in refused.stdout
