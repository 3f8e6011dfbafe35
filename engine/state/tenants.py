"""Who a tenant is: one UUID, from a UUID, its text, or a name."""

from __future__ import annotations

import unicodedata
from uuid import UUID, uuid5

from engine.errors import TenantRequiredError

# Fixed for ever: another value would make other tenants of the same names.
TENANT_NAMES = UUID("8f1f4a52-6c1e-5d0b-9a55-2f6d1d0c7be3")

_NOBODY = UUID(int=0)

# Under this tenant is kept what holds for all of them, such as the prompts of those that have none of their own. No
# name gives this UUID.
EVERYBODY = UUID("b7d0c0de-41a6-4e58-9c1f-0e5a4f6f2e9d")


def tenant_uuid(tenant: UUID | str | None) -> UUID:
    """The tenant's UUID. A name gives the same UUID everywhere; case, spacing and Unicode form do not matter.

    Raises TenantRequiredError for None, an empty name, the nil UUID, and what is neither UUID nor text.
    """
    if isinstance(tenant, UUID):
        return _somebody(tenant)
    if not isinstance(tenant, str):
        raise TenantRequiredError(f"a tenant is a UUID or a name, not {type(tenant).__name__}")
    try:
        return _somebody(UUID(tenant.strip()))
    except ValueError:
        return _named(tenant)


def _named(name: str) -> UUID:
    folded = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    if not folded:
        raise TenantRequiredError("state is kept tenant by tenant: say whose it is")
    try:
        return uuid5(TENANT_NAMES, folded)
    except UnicodeEncodeError:
        raise TenantRequiredError("the tenant's name holds characters that no text has (lone surrogates)") from None


def _somebody(tenant: UUID) -> UUID:
    if tenant == _NOBODY:
        raise TenantRequiredError("the nil UUID is nobody: say whose state it is")
    return tenant
