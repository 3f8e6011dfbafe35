"""Databases of their own on the TCP server, with roles and no tables, and rows of two tenants to put into them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg

from engine.state.roles import APP, OWNER, set_up
from engine.state.urls import DatabaseUrls
from tests.integration.postgres_servers import MAINTENANCE, SUPERUSER, TcpServer

TENANTS = (UUID(int=1), UUID(int=2))

# One row for each table and call, by the revision that brings the table.
ROWS = {
    "0001": (
        """insert into qbs.conversation_states (tenant_id, state_id, account_id, contact_id, contact_name, deal_stage,
             persona_type, qualification_data, metadata, schema_version, interaction_count, confidence_score, escalated,
             next_actions, version)
           values (%(tenant)s, %(id)s, 'acme', %(id)s, 'Ann', 'discovery',
             'ic', '{"need": "a\\nb"}', '{"qbs": {}}', 1, 2, 0.5, false, '["call"]', 1)""",
        """insert into qbs.stage_changes (tenant_id, change_id, state_id, from_stage, to_stage)
           values (%(tenant)s, %(id)s, %(id)s, 'prospecting', 'discovery')""",
        """insert into qbs.messages (tenant_id, state_id, message_id, turn, speaker, text)
           values (%(tenant)s, %(id)s, 'first', 0, 'customer', E'two\\nlines\\tand more')""",
    ),
    "0002": (
        """insert into qbs.outcomes (tenant_id, outcome_id, state_id, idempotency_key, action_type, outcome_type,
             predicted_confidence, recommended_at, closes_at, details, schema_version)
           values (%(tenant)s, %(id)s, %(id)s, %(id)s, 'qbs_impact', 'email_engagement',
             0.7, now(), now() + interval '1 day', '{}', 1)""",
        """insert into qbs.outcome_events (tenant_id, event_id, outcome_id, kind, occurred_at, idempotency_key, details)
           values (%(tenant)s, %(id)s, %(id)s, 'sent', now(), %(id)s, '{}')""",
    ),
    "0003": (
        """insert into qbs.prompt_releases (tenant_id, number, prompt_set, stage, prompts, released_by, note, evidence,
             schema_version)
           values (%(tenant)s, %(number)s, %(id)s, 'production', '{"question": "a\\nb"}', 'ann', '', '{}', 1)""",
    ),
    "0004": (
        """insert into qbs.calibrations (tenant_id, number, calibration, outcome_type, as_of, fitted, report,
             published_by, note, schema_version)
           values (%(tenant)s, %(number)s, %(id)s, 'email_engagement', now(), '{}', '{}', 'ann', '', 1)""",
    ),
}

REVISIONS = tuple(ROWS)


@contextmanager
def fresh_database(server: TcpServer) -> Iterator[DatabaseUrls]:
    """A database with roles and an empty schema; gone afterwards."""
    name = f"fresh_{uuid4().hex}"
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} owner {MAINTENANCE}".encode())
        urls = DatabaseUrls(server.url(APP, name), server.url(OWNER, name), server.url(MAINTENANCE, name))
        set_up(urls)
        yield urls
        connection.execute(f"drop database {name} with (force)".encode())


def fill(urls: DatabaseUrls, *revisions: str, contacts: int = 1, tenants: tuple[UUID, UUID] = TENANTS) -> None:
    """As the application, give the first tenant a row for each contact in each table, and the second twice as many."""
    for tenant, number in zip(tenants, (contacts, 2 * contacts), strict=True):
        with psycopg.connect(urls.app, cursor_factory=psycopg.ClientCursor) as connection:
            connection.execute("select set_config('app.tenant_id', %s, true)", [str(tenant)])
            for row in range(number):
                for revision in revisions:
                    for statement in ROWS[revision]:
                        connection.execute(statement.encode(), _values(tenant, row + 1))


def _values(tenant: UUID, number: int) -> dict[str, object]:
    return {"tenant": tenant, "number": number, "id": str(UUID(int=number))}


def everything(urls: DatabaseUrls) -> dict[str, list[str]]:
    """Every row of every table with a tenant, as text."""
    from engine.state.rowcounts import TABLES

    with psycopg.connect(urls.maintenance) as connection:
        tables = [name for (name,) in connection.execute(TABLES.encode(), ["qbs"]).fetchall()]
        return {
            name: [row for (row,) in connection.execute(f"select t::text from qbs.{name} t order by 1".encode())]
            for name in tables
        }
