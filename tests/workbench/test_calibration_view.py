"""The Calibration page without a browser: how a confidence reads, fitting, publishing, going back, and extraction."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.calibration import Calibration, FittedCalibration, PublishedCalibration
from engine.calibration.maps import Intercept
from engine.errors import DatabaseUnavailableError, StaleStateError
from engine.model.outcome import OutcomeType
from engine.state.tenants import tenant_uuid
from tests.workbench.outcomes_world import TENANT, load_world
from tests.workbench.pages import WAIT, open_page, text
from tests.workbench.prepared import prepare
from workbench.background import background
from workbench.calibrations import Calibrations, Standing
from workbench.services import Services
from workbench.settings import Settings
from workbench.views import calibration_reading, reading

EARLY = FittedCalibration(
    calibration=Calibration(outcome_type=OutcomeType.EMAIL_ENGAGEMENT, cells={"model": Intercept(shift=-0.3)}),
    as_of=datetime(2026, 1, 20, tzinfo=UTC),
    data_from=datetime(2026, 1, 5, tzinfo=UTC),
    data_until=datetime(2026, 1, 19, tzinfo=UTC),
    report={},
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("world")
    load_world(home)
    return home / "outcomes.duckdb"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty QBS_HOME of the tenant `acme`."""
    services = Services(Settings(home=tmp_path, tenant=TENANT), shipped=tmp_path / "none")
    monkeypatch.setattr(reading, "build_services", lambda: services)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture
def outcomes(home: Path, world: Path) -> Path:
    """With the outcomes of a small simulated world."""
    (home / "outcomes.duckdb").write_bytes(world.read_bytes())
    return home


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    """What was published, in a list."""
    made = Database()
    monkeypatch.setattr(calibration_reading, "calibrations", lambda tenant: made)
    monkeypatch.setattr(calibration_reading, "has_database", lambda: True)
    return made


class Database:
    """Keeps what is published as Postgres does: the newest first."""

    def __init__(self) -> None:
        self.published: list[PublishedCalibration] = []

    async def standing(self) -> Standing:
        return Standing(next(iter(self.published), None), tuple(self.published), len(self.published))

    async def publish(
        self, fitted: FittedCalibration, *, by: str, note: str, since: int | None = None
    ) -> PublishedCalibration:
        if since not in (None, len(self.published)):
            raise StaleStateError(f"Meanwhile {self.published[0].published_by} published.")
        made = PublishedCalibration(
            tenant_id=tenant_uuid(TENANT),
            number=len(self.published) + 1,
            fitted=fitted,
            published_at=datetime(2026, 3, 2, tzinfo=UTC),
            published_by=by,
            note=note,
        )
        self.published.insert(0, made)
        return made

    async def roll_back(self, to: int | None, *, by: str, note: str, since: int | None = None) -> PublishedCalibration:
        nothing = self.published[-1].fitted.calibration.model_copy(update={"cells": {}})
        return await self.publish(
            FittedCalibration(calibration=nothing, as_of=datetime(2026, 3, 2, tzinfo=UTC), data_from=None,
                              data_until=None, report={}),
            by=by, note=note, since=since,
        )  # fmt: skip


def calibration_page(**query: str) -> AppTest:
    return open_page("calibration", **query)


def tables(app: AppTest) -> str:
    return html.unescape("\n".join(item.proto.body for item in app.get("html")))


def button(app: AppTest, key: str) -> Any:
    return next(item for item in app.button if item.key == key)


def fitted(app: AppTest) -> AppTest:
    """The page once what the Fit button begins has ended."""
    app = button(app, "fit").click().run()
    give_up = time.monotonic() + WAIT
    while any(job.key.startswith("calibrate ") and not job.ended for job in background().jobs()):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    return app.run()


def test_without_outcomes_it_says_how_to_bring_some(home: Path) -> None:
    shown = text(calibration_page(tenant=TENANT))
    assert "Nothing to read yet" in shown
    assert "qbs outcomes sync --tenant acme" in shown


def test_it_reads_the_confidence_and_says_that_simulated_outcomes_are(outcomes: Path) -> None:
    app = calibration_page()
    shown = text(app)
    assert re.search(r"It says \d+ % on average, and \d+ % answered: too sure by [\d.]+ points", shown)
    assert "a perfectly calibrated engine would show" in shown
    assert "simulated" in shown
    assert "No calibration was fitted to these outcomes yet" in shown
    assert "a perfect engine's, by chance" in tables(app)
    assert "Model · Impact" in tables(app)
    assert dict(app.query_params)["tenant"] in (TENANT, [TENANT])


def test_what_is_fitted_is_shown_beside_the_engines_own_and_can_be_published_and_taken_back(
    outcomes: Path, database: Database
) -> None:
    app = fitted(calibration_page())
    assert "A correction is offered" in text(app)
    assert "Calibrated" in tables(app)
    assert "What a live engine would report" in text(app)

    app = button(app, "publish").click().run()
    assert "Say why, in a few words" in text(app)
    app.text_input(key="calibration note").set_value("for replies")
    app = button(app, "publish").click().run()
    (published,) = database.published
    assert published.note == "for replies"
    assert f"{published.name} is in use from now on: number 1" in text(app)
    assert "Too old" in text(app)  # the simulated weeks are long past
    assert f"{published.name} is in use already" in text(app)

    app = button(app, "roll back").click().run()
    assert "None, on purpose" in text(app)


def test_what_somebody_published_since_the_page_was_drawn_is_not_overruled_unseen(
    outcomes: Path, database: Database
) -> None:
    app = fitted(calibration_page())
    asyncio.run(database.publish(EARLY, by="bob", note="mine"))
    app.text_input(key="calibration note").set_value("for replies")
    app = button(app, "publish").click().run()
    assert "Meanwhile bob published" in text(app)
    assert [own.note for own in database.published] == ["mine"]

    asyncio.run(database.publish(EARLY, by="eve", note="better"))  # the page has shown bob's by now
    app = button(app, "roll back").click().run()
    assert "Meanwhile eve published" in text(app)
    app = button(app, "publish").click().run()
    assert [own.note for own in database.published] == ["for replies", "better", "mine"]


def test_what_is_in_use_is_held_against_outcomes_that_it_was_not_learned_from(
    outcomes: Path, database: Database
) -> None:
    published = asyncio.run(database.publish(EARLY, by="ann", note="early"))
    found = calibration_reading.since(TENANT, published)
    assert found is not None
    engine, calibrated = found
    assert engine["n"] == calibrated["n"] > 50
    assert calibrated["gap"]["value"] < engine["gap"]["value"]
    shown = text(calibration_page())
    assert "resolved outcomes that it was not learned from. Model: says" in shown
    assert "this tenant's number 1" in shown


def test_a_database_that_is_away_leaves_the_figures_alone(outcomes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(tenant: str) -> Calibrations:
        raise DatabaseUnavailableError("the database does not answer")

    monkeypatch.setattr(calibration_reading, "calibrations", away)
    monkeypatch.setattr(calibration_reading, "has_database", lambda: True)
    shown = text(calibration_page())
    assert "the database does not answer" in shown
    assert "It says" in shown


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"as_of": "yesterday"}, "is no time"),
        ({"as_of": "9999-01-01"}, "lies in the future"),
        ({"type": "deal_progression"}, "No resolved outcome of acme"),
        ({"as_of": "2026-02-16"}, "as known 16 Feb 2026"),
    ],
)
def test_a_link_says_as_what_was_known_when_and_what_was_watched_for(
    outcomes: Path, query: dict[str, str], said: str
) -> None:
    assert said in text(calibration_page(tenant=TENANT, **query))


def test_one_tenant_sees_nothing_of_another(outcomes: Path) -> None:
    assert "It says" in text(calibration_page(tenant=TENANT))
    assert "No resolved outcome of globex" in text(calibration_page(tenant="globex"))


def test_extraction_is_read_source_by_source(home: Path) -> None:
    _, recorded = prepare(home)
    app = calibration_page(part="extraction", run=recorded)
    assert re.search(r"Recorded answers: \d+ % sure on average, and right \d+ % of the time, in", text(app))
    assert "Pain" in tables(app)


def test_extraction_without_a_run_says_how_to_make_one(home: Path) -> None:
    assert "qbs replay b2b_discovery" in text(calibration_page(part="extraction"))


def test_looking_sets_up_no_database(outcomes: Path) -> None:
    calibration_page()
    assert not (outcomes / "postgres").exists()
