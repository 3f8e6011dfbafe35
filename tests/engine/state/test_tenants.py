"""Who a tenant is."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TenantRequiredError
from engine.state.tenants import tenant_uuid

ACME = UUID("5b0a7c0e-41ae-4a8e-9f0c-6f3f0e0b9c11")


@pytest.mark.parametrize("tenant", [ACME, str(ACME), f" {str(ACME).upper()} ", f"{{{ACME}}}", ACME.hex])
def test_a_uuid_and_its_text_are_the_same_tenant(tenant: UUID | str) -> None:
    assert tenant_uuid(tenant) == ACME


@pytest.mark.parametrize("name", ["Acme GmbH", "acme gmbh", "  ACME \t GmbH ", "Ａｃｍｅ GmbH"])
def test_a_name_is_the_same_tenant_however_it_is_spelled(name: str) -> None:
    assert tenant_uuid(name) == tenant_uuid("acme gmbh")


def test_a_name_is_the_same_tenant_for_ever() -> None:
    assert tenant_uuid("acme") == UUID("8dff627b-0a7e-59a6-a09c-8dbe5efa77f4")


@pytest.mark.parametrize("nobody", [None, "", "  \n", UUID(int=0), str(UUID(int=0)), 7, b"acme", "\ud800"])
def test_nobody_is_no_tenant(nobody: object) -> None:
    with pytest.raises(TenantRequiredError):
        tenant_uuid(nobody)  # type: ignore[arg-type]


@given(st.text(min_size=1), st.text(min_size=1))
def test_names_that_differ_in_more_than_case_spacing_and_form_are_different_tenants(one: str, other: str) -> None:
    spelled = [" ".join(name.split()) for name in (one, other)]
    if all(name.isascii() and name for name in spelled) and spelled[0].lower() != spelled[1].lower():
        assert tenant_uuid(one) != tenant_uuid(other)
