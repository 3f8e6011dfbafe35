"""Back to the start: what was said to the demo's tenant goes; runs and saved prompts, which somebody made, stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from shutil import rmtree

from engine.errors import ConfigurationError
from workbench.databases import Role
from workbench.demo.cast import TENANT
from workbench.services import Services


@dataclass(frozen=True, slots=True)
class Reset:
    """How much went. `rows` are those in Postgres, `calibrations` files in QBS_HOME."""

    rows: int
    calibrations: int


def check_may_reset(services: Services) -> None:
    """Raises ConfigurationError where the rows are in a server that settings name: it may be anybody's."""
    if not services.database_server.embedded:
        raise ConfigurationError(
            f"the demo's rows are in the server that QBS_DATABASE_URL names, where {TENANT!r} may be in use; "
            f"nothing was erased. `qbs db erase {TENANT}` does it, if that is meant"
        )


def rows_to_go(services: Services) -> int:
    """How many rows of the tenant a reset would erase. Raises what `check_may_reset` does."""
    from engine.state.connecting import connected
    from engine.state.rowcounts import count_rows
    from engine.state.tenants import tenant_uuid

    check_may_reset(services)
    if not services.database_server.folder.exists():
        return 0
    services.database_server.bring_up_to_date()
    with connected(services.database_server.url(Role.MAINTENANCE), snapshot=True) as connection:
        who = str(tenant_uuid(TENANT))
        return sum(by_tenant.get(who, 0) for by_tenant in count_rows(connection).values())


def reset(services: Services, told: Callable[[], object] = lambda: None) -> Reset:
    """Erase the tenant's rows, forget what was copied and calibrated of them, and load the simulated outcomes anew.

    Raises what `check_may_reset` does, DatabaseUnavailableError, LockedError.
    """
    check_may_reset(services)
    rows = _erased(services)
    told()
    calibrations = _calibrations_removed(services)
    _outcomes_anew(services)
    return Reset(rows, calibrations)


def _erased(services: Services) -> int:
    from engine.state.erasing import erase_tenant

    if not services.database_server.folder.exists():
        return 0
    services.database_server.bring_up_to_date()
    return sum(erase_tenant(services.database_server.url(Role.MAINTENANCE), TENANT).values())


def _calibrations_removed(services: Services) -> int:
    from workbench.calibrations import Calibrations

    folder = Calibrations(services, TENANT).folder
    found = len(list(folder.glob("*.json")))
    rmtree(folder, ignore_errors=True)
    return found


def _outcomes_anew(services: Services) -> None:
    """What was copied from Postgres goes; what was imported from files is somebody's, and comes back at once."""
    from engine.state.tenants import tenant_uuid
    from evals.learning.simulated import TENANT as SIMULATED
    from evals.learning.simulated_data import load_simulated

    store = services.outcome_store()
    if tenant_uuid(TENANT) in store.tenants():
        store.copy_anew(TENANT)
    store.forget(SIMULATED)
    load_simulated(store, services.shipped / "simulated_outcomes")
