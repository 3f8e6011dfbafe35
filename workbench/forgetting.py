"""What QBS_HOME keeps of a tenant outside Postgres, removed: the copy of outcomes, and fitted calibrations."""

from __future__ import annotations

from uuid import UUID

from engine.state.tenants import tenant_uuid
from evals.files import remove_folder
from workbench.calibrations import Calibrations
from workbench.services import Services


def kept_here(services: Services, tenant: UUID | str) -> tuple[str, ...]:
    """What there is of the tenant in QBS_HOME, in words."""
    store, who = services.outcome_store(), tenant_uuid(tenant)
    kept = {
        "the copy of their outcomes": store.path.exists() and who in store.tenants(),
        "outcomes that were imported": (store.imports_folder / str(who)).is_dir(),
        "calibrations that were fitted": Calibrations(services, who).folder.is_dir(),
    }
    return tuple(what for what, there in kept.items() if there)


def forget_tenant(services: Services, tenant: UUID | str) -> None:
    """Raises LockedError if another process has the copy open for long, OSError if the disk refuses.

    Recordings of what models answered are not told apart by tenant, and stay.
    """
    store = services.outcome_store()
    if store.path.exists() or store.imports_folder.exists():
        store.forget(tenant)
    remove_folder(Calibrations(services, str(tenant)).folder)
