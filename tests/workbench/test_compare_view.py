"""The Compare page without a browser: what it says and follows, and what it offers where there is nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from evals.metrics import METRICS
from tests.workbench.pages import WAIT, open_page, text
from tests.workbench.prepared import DATASET, add_run, prepare
from workbench import comparing
from workbench.background import background
from workbench.services import Services
from workbench.settings import Settings
from workbench.views import reading


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty QBS_HOME, and none of the data sets that come with the project."""
    services = Services(Settings(home=tmp_path), shipped=tmp_path / "none")
    monkeypatch.setattr(reading, "build_services", lambda: services)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture
def runs(home: Path) -> tuple[str, ...]:
    """Finished runs by rules and of recorded answers; their ids."""
    return prepare(home)


def compare_page(**query: str | list[str]) -> AppTest:
    return open_page("compare", **query)


def table(app: AppTest) -> str:
    """The scoreboard."""
    return next(item.proto.body for item in app.get("html"))


def address(app: AppTest) -> dict[str, list[str]]:
    return {name: value if isinstance(value, list) else [value] for name, value in dict(app.query_params).items()}


def button(app: AppTest, label: str) -> object:
    return next(item for item in app.button if item.label == label)


def test_without_conversations_it_says_how_to_import_some(home: Path) -> None:
    assert "qbs import" in text(compare_page())


@pytest.mark.parametrize(
    ("variants", "said", "offered"),
    [
        ([], "Two runs are needed", "Replay small by rules"),
        (["rules"], "A second run is needed", "Replay small by labels"),
    ],
)
def test_with_too_few_runs_it_offers_the_one_that_is_missing(
    home: Path, variants: list[str], said: str, offered: str
) -> None:
    prepare(home, variants)
    app = compare_page()
    assert said in text(app)
    assert [item.label for item in app.button] == [offered]


def test_a_replay_begun_here_makes_the_comparison_possible(home: Path) -> None:
    prepare(home, ["rules"])
    app = compare_page()
    button(app, "Replay small by labels").click().run()  # type: ignore[attr-defined]
    for _ in range(WAIT * 20):
        job = background().job(f"replay {DATASET} labels")
        if job is not None and job.ended:
            break
        app.run()
    assert job is not None
    assert job.status == "failed"  # not every conversation of these is labelled
    add_run(home, "recorded")
    assert "Recorded answers against Rules" in text(app.run())


def test_recorded_answers_are_measured_against_rules_at_first(runs: tuple[str, ...]) -> None:
    app = compare_page()
    assert "Recorded answers against Rules" in text(app)
    assert address(app)["run"] == list(runs)
    assert "Dimensions, F1" in table(app)
    assert "Down to the turns" in text(app)


def test_what_the_figures_rest_on_is_on_the_screen(runs: tuple[str, ...]) -> None:
    shown = text(compare_page())
    for said in (
        "7 turns of 3 conversations",
        "10,000 resamples",
        "recorded answers, played back",
        "fixed rules, no model",
    ):
        assert said in shown
    assert "no recording" in shown.lower()


def test_runs_view_filters_measure_and_turn_are_in_the_address(runs: tuple[str, ...]) -> None:
    asked = {"view": "all", "persona": "manager", "metric": "known.f1", "order": "better", "at": "carrier:3"}
    app = compare_page(run=list(runs), **asked)
    assert {name: values[0] for name, values in address(app).items() if name != "run"} == asked
    assert address(app)["run"] == list(runs)
    assert "turn 3" in text(app)
    assert "Only: Manager" in text(app)


def test_runs_can_be_turned_round(runs: tuple[str, ...]) -> None:
    app = compare_page(run=list(reversed(runs)))
    assert "Rules against Recorded answers" in text(app)


def test_breakdowns_are_shown_when_asked_for_and_to_whom_a_link_leads_to_one(runs: tuple[str, ...]) -> None:
    app = compare_page()
    assert "Pain, F1" not in table(app)
    measures = len(app.selectbox("compare metric").options)
    app.toggle[0].set_value(True).run()
    assert "Pain, F1" in table(app)
    assert len(app.selectbox("compare metric").options) > measures
    linked = compare_page(metric="known.precision")
    assert linked.toggle[0].value
    assert address(linked)["metric"] == ["known.precision"]
    assert "Pain, F1" in table(linked)


def test_files_hold_the_breakdowns_whatever_the_page_shows(
    runs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[tuple[Callable[..., bytes], Callable[[], str]]] = []
    monkeypatch.setattr(
        "workbench.components.export_menu.export", lambda _, file, report, *__, **___: offered.append((file, report))
    )
    assert "Pain, F1" not in table(compare_page())
    file, report = offered[0]
    assert {metric.name for metric in METRICS} == {
        row["metric"] for row in json.loads(file("scoreboard", "JSON"))["rows"]
    }
    assert "Pain, F1" in report()


def test_a_link_to_what_is_not_there_says_so_and_shows_something(runs: tuple[str, ...]) -> None:
    shown = text(compare_page(run=["gone", runs[1]], metric="nothing.at_all", at="nobody:3"))
    for name in ("gone", "nothing.at_all", "nobody:3"):
        assert f"“{name}”" in shown
    assert "measures of quality" in shown or "measure of quality" in shown


def test_filters_that_nothing_fits_say_so(runs: tuple[str, ...]) -> None:
    shown = text(compare_page(run=list(runs), channel="call"))
    assert "no turn fits all of these filters" in shown


def test_opening_another_turn_compares_nothing_anew(runs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    app = compare_page(run=list(runs), metric="known.f1", order="worse")
    assert not app.exception

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("compared again")

    monkeypatch.setattr("evals.compare.compare_paired", refuse)
    monkeypatch.setattr("evals.compare.changes_of", refuse)
    before = address(app)["at"]
    button(app, "Next").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    assert address(app)["at"] != before


def test_several_runs_are_each_measured_against_the_first(home: Path) -> None:
    rules, recorded, unanswered = prepare(home, ["rules", "recorded", "unanswered"])
    app = compare_page(run=[rules, recorded, unanswered], shown=unanswered)
    shown = text(app)
    assert "Recorded answers against Rules" in shown
    assert "Nothing about the quality of unanswered and Rules could be measured" in shown
    assert "adjusted for 2 comparisons together" in shown
    assert address(app)["shown"] == [unanswered]


def test_markup_of_customers_and_models_stays_text(runs: tuple[str, ...]) -> None:
    app = compare_page(run=list(runs), metric="extraction.verbatim", at="hostile:1")
    shown = "\n".join(part.value for part in [*app.markdown, *app.caption])
    assert not app.exception
    assert "](https" not in shown
    assert "<markup>" not in shown


def test_a_large_comparison_is_made_in_the_background(runs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "AT_ONCE", 0)
    app = compare_page(run=list(runs))
    for _ in range(WAIT * 20):
        jobs = [job for job in background().jobs() if job.key.startswith(f"compare {runs[0]} {runs[1]} model")]
        if jobs and jobs[0].ended:
            break
        app.run()
    assert jobs[0].outcome == "Compared 7 turns."
    assert "Recorded answers against Rules" in text(app.run())
