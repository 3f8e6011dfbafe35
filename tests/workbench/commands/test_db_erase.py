"""A tenant that is erased leaves nothing in QBS_HOME either, and the other tenants keep what is theirs."""

from __future__ import annotations

from engine.state.tenants import tenant_uuid
from workbench.calibrations import Calibrations
from workbench.forgetting import forget_tenant, kept_here
from workbench.services import build_services

ROWS = "conversation,recommended_at,replied_at,question_type\nc1,2026-03-02T09:30:00Z,,impact\n"


def test_the_copy_of_outcomes_and_fitted_calibrations_go_with_their_tenant(qbs, home, tmp_path):
    file = tmp_path / "crm.csv"
    file.write_text(ROWS)
    services = build_services()
    for tenant in ("acme", "other"):
        assert qbs("outcomes", "import", str(file), "--tenant", tenant).exit_code == 0
        folder = Calibrations(services, tenant).folder
        folder.mkdir(parents=True)
        (folder / "fitted.json").write_text("{}")
    assert kept_here(services, "acme") == (
        "the copy of their outcomes",
        "outcomes that were imported",
        "calibrations that were fitted",
    )
    forget_tenant(services, "acme")
    assert kept_here(services, "acme") == ()
    store = services.outcome_store()
    assert store.tenants() == (tenant_uuid("other"),)
    assert [path.name for path in store.imports_folder.iterdir()] == [str(tenant_uuid("other"))]
    assert [path.name for path in (home / "calibrations").iterdir()] == [str(tenant_uuid("other"))]
    forget_tenant(services, "acme")


def test_where_nothing_was_copied_there_is_nothing_to_forget(qbs, home):
    forget_tenant(build_services(), "acme")
    assert not home.exists() or not list(home.iterdir())
