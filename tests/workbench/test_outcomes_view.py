"""The Outcomes page without a browser: what it says and follows, whose outcomes, and what it offers where none are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from evals.learning.importing import Mapping, import_outcomes
from tests.workbench.pages import WAIT, open_page, text
from tests.workbench.test_compare_view import address, button
from workbench import learning
from workbench.background import Report, Work, background
from workbench.learning import sync_key
from workbench.services import SHIPPED_DATASETS, Services
from workbench.settings import Settings
from workbench.views import outcomes_reading, reading

OWN, OTHER = "acme", "bolt"
ROWS = "conversation,recommended_at,replied_at,question_type,persona,prompt,account,contact\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A QBS_HOME with the simulated world, made once: loading it takes longer than looking at it."""
    home = tmp_path_factory.mktemp("world")
    Services(Settings(home=home, tenant=OWN), SHIPPED_DATASETS).outcomes_of(learning.SIMULATED)
    return home


@pytest.fixture
def simulated(world: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    yield from _services(world, monkeypatch)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """An empty QBS_HOME."""
    yield from _services(tmp_path, monkeypatch)


def _services(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    services = Services(Settings(home=home, tenant=OWN), SHIPPED_DATASETS)
    monkeypatch.setattr(reading, "build_services", lambda: services)
    st.cache_resource.clear()
    yield services
    st.cache_resource.clear()


def add(services: Services, tenant: str, kind: str, count: int, *, contact: str = "ann", prompt: str = "q@1") -> None:
    """`count` imported outcomes, half of them answered."""
    days = [f"2026-03-{1 + n // 2 % 20:02}" for n in range(count)]
    lines = [
        f"{contact}-{kind}-{n},{day}T09:00:00Z,{f'{day}T12:00:00Z' if n % 2 else ''},{kind},manager,{prompt},firm,"
        f"{contact}\n"
        for n, day in enumerate(days)
    ]
    file = services.settings.home / f"{tenant}-{kind}.csv"
    file.write_text(ROWS + "".join(lines))
    import_outcomes(services.outcome_store(), tenant, file, Mapping(), now=datetime(2026, 6, 1, tzinfo=UTC))


def outcomes_page(**query: str | list[str]) -> AppTest:
    return open_page("outcomes", **query)


def test_without_outcomes_of_ones_own_the_simulated_world_is_shown_and_says_so(simulated: Services) -> None:
    app = outcomes_page()
    shown = text(app)
    assert "**SIMULATED**" in shown
    assert address(app)["tenant"] == ["simulated"]
    assert "n = 11,043 resolved of 2,982 conversations" in shown
    for status in ("Positive **5,371**", "Late **339**", "Pending **43**", "Superseded **211**", "Not sent **341**"):
        assert status in shown


@pytest.mark.parametrize("section", ["rates", "trend", "time", "funnel", "association"])
def test_every_section_opens_by_its_link_and_marks_its_figures_as_simulated(simulated: Services, section: str) -> None:
    app = outcomes_page(tenant="simulated", section=section)
    assert ":orange-badge[:material/science: simulated]" in "\n".join(part.value for part in app.markdown)
    assert address(app)["section"] == [section]
    charts = list(app.get("vega_lite_chart"))
    assert charts
    assert all("(simulated)" in chart.proto.spec for chart in charts)


def test_everything_chosen_is_in_the_address_and_comes_back_from_it(simulated: Services) -> None:
    asked = {
        "tenant": "simulated", "type": "email_engagement", "section": "rates", "by": "delivery", "across": "stage",
        "persona": ["ic", "manager"], "since": "2026-02-01", "until": "2026-03-31", "cell": ["mirror", "discovery"],
    }  # fmt: skip
    app = outcomes_page(**asked)
    assert address(app) == {name: value if isinstance(value, list) else [value] for name, value in asked.items()}
    shown = text(app)
    assert "only Persona: Individual contributor or Manager; recommended from 2026-02-01" in shown
    assert "outcomes, newest first" in shown


def test_what_a_link_says_that_there_is_none_of_counts_as_not_said(simulated: Services) -> None:
    unknown = {"persona": "nobody", "by": "colour", "section": "none", "type": "sales", "since": "soon"}
    app = outcomes_page(tenant="simulated", cell=["gone"], **unknown)
    assert "n = 11,043 resolved" in text(app)
    assert address(app) == {
        "tenant": ["simulated"], "type": ["email_engagement"], "section": ["rates"], "by": ["question_type"],
    }  # fmt: skip


def test_with_nothing_copied_it_says_how_to_get_some(home: Services) -> None:
    app = outcomes_page(tenant=OWN)
    shown = text(app)
    for said in ("No outcomes here yet", "qbs outcomes sync", "qbs outcomes import crm.csv --mapping crm"):
        assert said in shown
    assert {"Sync from Postgres", "See the simulated world"} <= {item.label for item in app.button}


def test_ones_own_outcomes_come_before_the_simulated_world(home: Services) -> None:
    add(home, OWN, "impact", 60)
    app = outcomes_page()
    shown = text(app)
    assert address(app)["tenant"] == [OWN]
    assert "SIMULATED" not in shown
    assert "n = 60 resolved" in shown
    assert "Reply rate 50.0 %" in shown


def test_two_tenants_with_the_same_conversations_share_nothing(home: Services) -> None:
    add(home, OWN, "impact", 60, prompt="q@mine")
    add(home, OTHER, "impact", 20, prompt="q@theirs")
    own, other = outcomes_page(tenant=OWN, by="prompt"), outcomes_page(tenant=OTHER, by="prompt")
    assert "n = 60 resolved" in text(own)
    assert "n = 20 resolved" in text(other)
    for app, there, elsewhere in ((own, "q@mine", "q@theirs"), (other, "q@theirs", "q@mine")):
        options = next(item.options for item in app.selectbox if item.label == "Conversations of")
        assert any(there in option for option in options)
        assert not any(elsewhere in option for option in options)


def test_what_was_chosen_on_another_page_about_outcomes_is_chosen_here(home: Services) -> None:
    add(home, OWN, "impact", 60)
    add(home, OTHER, "impact", 20)
    app = AppTest.from_string("from workbench.views import outcomes\noutcomes.page()", default_timeout=WAIT)
    app.session_state["learning.tenant"] = OTHER
    app.run()
    assert "n = 20 resolved" in text(app)
    assert app.session_state["learning.tenant"] == OTHER


def test_new_outcomes_are_there_at_the_next_look(home: Services) -> None:
    add(home, OWN, "impact", 60)
    app = outcomes_page()
    add(home, OWN, "solution", 10)
    assert "n = 70 resolved" in text(app.run())


def test_a_cell_leads_to_its_conversations_and_another_dimension_closes_it(home: Services) -> None:
    add(home, OWN, "impact", 60)
    add(home, OWN, "solution", 4, contact="<b>bob</b> [x](y)")
    app = outcomes_page(cell=["solution"])
    assert "4 outcomes, newest first." in text(app)
    assert set(app.dataframe[1].value["Contact"]) == {"<b>bob</b> [x](y)"}
    assert "Live page" not in text(app), "what was imported has no conversation here"
    app.selectbox(key="outcomes by").set_value("persona").run()
    assert "newest first" not in text(app)
    assert "cell" not in address(app)


def test_every_row_of_a_table_says_that_it_is_simulated_also_when_it_is_copied(simulated: Services) -> None:
    app = outcomes_page(tenant="simulated", cell=["impact"])
    cells, conversations = app.dataframe
    assert set(cells.value["Data"]) == {"simulated"}
    assert set(conversations.value["From"]) == {"simulated"}


def test_filters_that_nothing_fits_say_so_and_can_be_cleared(home: Services) -> None:
    add(home, OWN, "impact", 60)
    app = outcomes_page(persona="c_suite")
    assert "No outcome fits all of these filters" in text(app)
    button(app, "Clear the filters").click().run()  # type: ignore[attr-defined]
    assert "n = 60 resolved" in text(app)
    assert "persona" not in address(app)


def test_without_a_fitting_kind_of_outcome_it_says_so(simulated: Services) -> None:
    assert "watched for progress" in text(outcomes_page(tenant="simulated", type="deal_progression"))


def test_too_few_outcomes_are_no_association(home: Services) -> None:
    add(home, OWN, "impact", 20)
    assert "do not tell choices apart" in text(outcomes_page(section="association"))


def test_looking_does_not_start_postgres(home: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("started")

    monkeypatch.setattr("workbench.databases.DatabaseServer.start", refuse)
    add(home, OWN, "impact", 60)
    assert "Postgres, which does not run now" in text(outcomes_page(section="trend"))
    assert not (home.settings.home / "postgres").exists()


def test_a_synchronisation_is_a_job_and_what_came_of_it_is_said(
    home: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def synchronising(services: Services, tenant: str) -> Work:
        async def work(report: Report, stop: object) -> str:
            return f"Copied 3 new outcomes of {tenant}."

        return work

    monkeypatch.setattr(learning, "synchronising", synchronising)
    add(home, OWN, "impact", 60)
    app = outcomes_page()
    app.button(key="sync now").click().run()
    for _ in range(WAIT * 20):
        job = background().job(sync_key(OWN))
        if job is not None and job.ended:
            break
    assert "Copied 3 new outcomes of acme." in text(app.run())


def test_a_second_look_asks_the_copy_nothing(home: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    add(home, OWN, "impact", 60)
    app = outcomes_page(by="persona")

    def refuse() -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(outcomes_reading, "store", lambda: _Stat(home, refuse))
    assert "n = 60 resolved" in text(app.run())


class _Stat:
    """A store that only says where its file is."""

    def __init__(self, services: Services, refuse: object) -> None:
        self.path = services.settings.home / "outcomes.duckdb"
        self._refuse = refuse

    def __getattr__(self, name: str) -> object:
        return self._refuse


def test_very_many_outcomes_are_looked_at_once_for_how_alike_conversations_are(
    simulated: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = outcomes_page(tenant="simulated")
    st.cache_resource.clear()
    monkeypatch.setattr(outcomes_reading, "_MANY", 100)
    many = outcomes_page(tenant="simulated")
    interval = re.compile(r"95 % interval ([\d.]+) to ([\d.]+)")
    assert interval.findall(text(few)) == interval.findall(text(many))
