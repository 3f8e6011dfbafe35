"""Removing a tenant takes all of its rows, and nobody else's."""

from __future__ import annotations

import pytest

from engine.errors import ConfigurationError, TenantRequiredError
from engine.state import schema
from engine.state.erasing import erase_tenant
from engine.state.tables import TABLES
from tests.integration.databases import REVISIONS, TENANTS, everything, fill, fresh_database


@pytest.fixture
def urls(tcp_postgres):
    with fresh_database(tcp_postgres) as made:
        schema.upgrade(made.owner)
        fill(made, *REVISIONS, contacts=2)
        yield made


def test_every_row_of_the_tenant_goes_and_no_other(urls):
    before = everything(urls)
    assert erase_tenant(urls.maintenance, TENANTS[0]) == {table.name: 2 for table in TABLES}
    after = everything(urls)
    assert {
        name: [row for row in rows if not row.startswith(f"({TENANTS[0]}")] for name, rows in before.items()
    } == after
    assert all(len(rows) == 4 for rows in after.values())
    assert erase_tenant(urls.maintenance, TENANTS[0]) == {table.name: 0 for table in TABLES}


@pytest.mark.parametrize("role", ["app", "owner"])
def test_nobody_but_maintenance_may_do_it(urls, role):
    before = everything(urls)
    with pytest.raises(ConfigurationError):
        erase_tenant(getattr(urls, role), TENANTS[0])
    assert everything(urls) == before


def test_it_takes_a_tenant(urls):
    before = everything(urls)
    with pytest.raises(TenantRequiredError):
        erase_tenant(urls.maintenance, "")
    assert everything(urls) == before
