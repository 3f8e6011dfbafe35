from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from engine.state.database import Database
from engine.state.embedded import EmbeddedServer, start_embedded
from engine.state.schema import upgrade
from engine.state.tenants import tenant_uuid
from evals.learning.facts.simulated import load
from evals.learning.facts.store import OutcomeStore
from evals.learning.simulated import START, WorldSettings, simulate
from evals.learning.simulated_data import table_of
from tests.integration.live_turns import said
from tests.integration.postgres_servers import short_folder
from tests.integration.scripted_analyzer import ScriptedAnalyzer
from tests.workbench.commands.judged_talks import DATASET, write_labelled
from workbench.services import build_services

CUSTOMERS = 180
SETTINGS = WorldSettings(weeks=12, promoted_in_week=6)
DOCUMENT = {"name", "calibration", "as_of", "data_from", "data_until", "report"}
PUBLISHED = {
    "tenant_id", "number", "published_at", "published_by", "note", "returns_to", "for_everybody", "as_of", "data_from",
    "data_until", "name", "outcome_type", "cells",
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with short_folder() as folder:
        server = start_embedded(folder / "postgres")
        upgrade(server.urls.owner)
        yield server
        server.stop()


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of outcomes with a simulated world as the tenant `acme`."""
    file = tmp_path_factory.mktemp("copy") / "outcomes.duckdb"
    world = simulate(3, CUSTOMERS, SETTINGS)
    load(OutcomeStore(file), "acme", table_of(world), START, world.facts.as_of, "world 3")
    return file


@pytest.fixture
def acme(home, copy, monkeypatch) -> Path:
    """QBS_HOME with those outcomes, whose tenant the commands take by default."""
    home.mkdir()
    (home / "outcomes.duckdb").write_bytes(copy.read_bytes())
    monkeypatch.setenv("QBS_TENANT", "acme")
    return home


@pytest.fixture
def published_in(acme, server, monkeypatch) -> None:
    monkeypatch.setenv("QBS_DATABASE_URL", server.urls.app)


def fitted(qbs, *options: str) -> dict:
    return json.loads(qbs("calibrate", "fit", "--json", *options).stdout)


def fitted_for_somebody_new(qbs, home: Path) -> tuple[str, str]:
    """A tenant that has published nothing yet and has a calibration to publish, and the calibration's name."""
    tenant = f"acme {uuid4()}"
    name = fitted(qbs)["name"]
    (kept,) = (home / "calibrations").glob("*")
    kept.rename(kept.parent / str(tenant_uuid(tenant)))
    return tenant, name


def test_a_calibration_is_fitted_kept_and_shown_for_people_and_for_programs(qbs, acme):
    found = fitted(qbs)
    assert set(found) == DOCUMENT
    assert found["report"]["offered"]
    shown = qbs("calibrate", "fit").stdout
    assert "SIMULATED" in shown
    for word in (found["name"], "log loss", "debiased", "a perfect engine's", "ANSWERED", "sigmoid"):
        assert word in shown
    assert f"Next: qbs calibrate publish {found['name']} --note" in shown
    assert json.loads(qbs("calibrate", "show", found["name"][:5], "--json").stdout) == found
    assert found["name"] in qbs("calibrate", "show").stdout
    (file,) = acme.glob("calibrations/*/*.json")  # the same fit twice is one
    assert file.name.startswith(f"{found['name']}-")


def test_fitting_again_with_the_same_as_of_gives_the_same_bits(qbs, acme):
    as_of = (START + timedelta(weeks=8)).isoformat()
    first, second = fitted(qbs, "--as-of", as_of), fitted(qbs, "--as-of", as_of)
    assert first == second
    assert first["report"]["outcomes"] < fitted(qbs)["report"]["outcomes"]


def test_fits_that_correct_alike_are_all_kept_and_each_can_be_shown(qbs, acme):
    times = [(START + timedelta(weeks=1, days=days)).isoformat() for days in (1, 3, 2)]
    found = [fitted(qbs, "--as-of", as_of) for as_of in times]
    assert len({own["name"] for own in found}) == 1  # they correct nothing
    assert len({own["report"]["outcomes"] for own in found}) == 3
    assert json.loads(qbs("calibrate", "show", "--json").stdout) == found[1]  # the latest moment, not the last fit
    shown = qbs("calibrate", "show", found[0]["name"]).stdout
    others = [line.split()[3] for line in shown.splitlines() if line.startswith("  qbs calibrate show")]
    assert [json.loads(qbs("calibrate", "show", own, "--json").stdout) for own in others] == [found[2], found[0]]


def test_a_fit_of_an_earlier_version_is_the_same_fit(qbs, acme):
    found = fitted(qbs)
    (file,) = acme.glob("calibrations/*/*.json")
    file.rename(file.with_name(f"{found['name']}.json"))
    assert json.loads(qbs("calibrate", "show", found["name"], "--json").stdout) == found
    fitted(qbs)
    assert "same corrections" not in qbs("calibrate", "show").stdout


def test_what_is_simulated_holds_for_nobody_but_who_fitted_it(qbs, acme):
    fitted(qbs)
    refused = qbs("calibrate", "publish", "--everybody", "--note", "n", "--by", "ann")
    assert refused.exit_code == 3
    assert "learned from a simulated world" in refused.stderr


def test_what_corrects_nothing_is_not_published(qbs, acme):
    found = fitted(qbs, "--since", (START + timedelta(weeks=11, days=5)).isoformat())
    assert not found["report"]["offered"]
    refused = qbs("calibrate", "publish", found["name"], "--note", "n", "--by", "ann")
    assert refused.exit_code == 3
    assert "corrects nothing" in refused.stderr


def test_only_later_recommendations_are_learned_from_where_that_is_asked(qbs, acme):
    since = START + timedelta(weeks=6)
    found = fitted(qbs, "--since", since.isoformat())
    assert datetime.fromisoformat(found["data_from"]) >= since


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("fit", "--outcome-type", "sales"), 2, "sales is none of"),
        (("fit", "--as-of", "2999-01-01T00:00:00Z"), 2, "lies in the future"),
        (("fit", "--since", "2026-01-01T00:00:00"), 2, "lacks its zone"),
        (("fit", "--tenant", "nobody here"), 3, "qbs outcomes sync"),
        (("fit", "--tenant", " "), 2, "is empty"),
        (("show",), 3, "begin with `qbs calibrate fit`"),
        (("publish", "--note", "x"), 3, "begin with `qbs calibrate fit`"),
        (("publish",), 2, "--note"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(qbs, acme, arguments, code, says):
    result = qbs("calibrate", *arguments)
    assert result.exit_code == code
    assert says in " ".join(result.stderr.split())


def test_a_name_that_nothing_has_is_told_with_those_there_are(qbs, acme):
    name = fitted(qbs)["name"]
    result = qbs("calibrate", "show", "nonsense")
    assert result.exit_code == 2
    assert name in result.stderr


def test_a_calibration_of_deals_can_be_looked_at_and_not_put_to_use(qbs, acme):
    (folder,) = (acme / "calibrations").glob("*") if fitted(qbs) else ()
    (file,) = folder.glob("*.json")
    file.write_text(file.read_text().replace('"email_engagement"', '"deal_progression"', 1))
    result = qbs("calibrate", "publish", "--note", "x")
    assert result.exit_code == 3
    assert "probability of a reply" in " ".join(result.stderr.split())


def test_it_is_published_taken_back_and_listed(qbs, acme, published_in):
    tenant, name = fitted_for_somebody_new(qbs, acme)
    own = ("--tenant", tenant)
    assert "ever published" in qbs("calibrate", "history", *own).stdout
    made = json.loads(qbs("calibrate", "publish", "--note", "first", "--by", "ann", "--json", *own).stdout)
    assert set(made) == PUBLISHED
    assert (made["number"], made["name"], made["published_by"], made["note"]) == (1, name, "ann", "first")
    assert f"{name} is in use" in qbs("calibrate", "publish", name[:6], "--note", "again", "--by", "ann", *own).stdout
    back = qbs("calibrate", "rollback", "--note", "off", "--to", "0", "--by", "ann", *own)
    assert "nothing is corrected" in back.stdout
    listed = qbs("calibrate", "history", *own).stdout
    assert [line.split()[:2] for line in listed.splitlines()[1:]] == [["3", "none"], ["2", name], ["1", name]]
    assert "No calibration is in use" in qbs("calibrate", "check", *own).stdout


def test_going_back_to_a_number_that_there_is_not_is_wrong_use_and_to_nothing_is_not(qbs, acme, published_in):
    back = ("calibrate", "rollback", "--note", "n", "--by", "ann", "--tenant")
    nobody = f"acme {uuid4()}"
    assert [qbs(*back, nobody, *to).exit_code for to in (("--to", "9"), ("--to", "0"), ())] == [2, 3, 3]
    tenant, _ = fitted_for_somebody_new(qbs, acme)
    assert qbs("calibrate", "publish", "--note", "first", "--by", "ann", "--tenant", tenant).exit_code == 0
    unknown = qbs(*back, tenant, "--to", "9")
    assert unknown.exit_code == 2
    assert "no calibration 9 of email_engagement here; there are: 1" in " ".join(unknown.stderr.split())


def test_what_somebody_else_published_meanwhile_is_not_overruled_unseen(qbs, acme, published_in):
    tenant, name = fitted_for_somebody_new(qbs, acme)
    own = ("--tenant", tenant)
    first = qbs("calibrate", "publish", "--note", "first", "--by", "ann", "--since", "0", *own)
    assert first.exit_code == 0, first.stderr
    for command in ("publish", "rollback"):
        refused = qbs("calibrate", command, "--note", "mine", "--by", "bob", "--since", "0", *own)
        said = " ".join(refused.stderr.split())
        assert refused.exit_code == 1
        assert f"Meanwhile ann published {name} as number 1" in said
        assert '("first"). Look again' in said
    assert qbs("calibrate", "publish", "--note", "x", "--by", "bob", "--since", "7", *own).exit_code == 2
    seen = qbs("calibrate", "rollback", "--note", "mine", "--by", "bob", "--since", "1", *own)
    assert seen.exit_code == 0
    assert [own["note"] for own in json.loads(qbs("calibrate", "history", "--json", *own).stdout)] == ["mine", "first"]


def test_checking_ends_with_1_where_the_calibration_in_use_is_stale(qbs, acme, published_in):
    as_of = START + timedelta(weeks=9)
    found = fitted(qbs, "--as-of", as_of.isoformat())
    qbs("calibrate", "publish", found["name"], "--note", "first", "--by", "ann")
    result = qbs("calibrate", "check", "--json")
    checked = json.loads(result.stdout)
    assert checked["calibration"] == found["name"]
    assert checked["since"] > 100
    assert checked["tested"]
    age = datetime.now(UTC) - as_of
    too_old = age > timedelta(days=90)
    assert ("too_old" in [alert["kind"] for alert in checked["alerts"]]) == too_old
    assert result.exit_code == (1 if checked["alerts"] else 0)
    told = qbs("calibrate", "check").stdout
    assert ("STALE" in told) == bool(checked["alerts"])
    assert "P OF SLOPE" in told


def test_the_live_engine_that_services_make_reports_what_was_published(qbs, acme, published_in, server):
    name = fitted(qbs)["name"]
    qbs("calibrate", "publish", "--note", "first", "--by", "ann")

    async def taken():
        database = Database(server.urls.app)
        engine = build_services().live_engine(database, ScriptedAnalyzer())
        try:
            for attempt in range(20):  # on a busy machine the first look at Postgres takes longer than a turn waits
                own = await engine.take_turn("acme", "acme", f"ann {attempt} {uuid4()}", said(1))
                if own.calibrated:
                    return own.calibrated
                await asyncio.sleep(0.5)
            return None
        finally:
            await database.aclose()

    found = asyncio.run(taken())
    assert found is not None
    assert found.calibration == name


def test_how_sure_a_run_was_of_what_it_extracted_is_read_by_source_and_dimension(qbs, shipped):
    write_labelled(shipped)
    qbs("replay", DATASET)
    found = json.loads(qbs("calibrate", "extraction", "latest", "--json").stdout)
    whole, *dimensions = found["readings"]
    assert (whole["source"], whole["dimension"]) == ("rules", None)
    assert whole["n"] == sum(own["n"] for own in dimensions) > 0
    shown = qbs("calibrate", "extraction", "latest").stdout
    assert "RIGHT" in shown
    assert dimensions[0]["dimension"] in shown
