"""The What if page without a browser: estimates beside the logged rate, refusals, and links to both."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.workbench.outcomes_world import TENANT, load_world
from tests.workbench.pages import WAIT, open_page, text
from tests.workbench.prepared import prepare
from workbench.background import background
from workbench.services import Services
from workbench.settings import Settings
from workbench.views import reading


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


def what_if_page(**query: str | list[str]) -> AppTest:
    return open_page("what_if", **query)


def tables(app: AppTest) -> str:
    return html.unescape("\n".join(item.proto.body for item in app.get("html")))


def policy(app: AppTest) -> str:
    value = dict(app.query_params)["policy"]
    return value if isinstance(value, str) else value[0]


def test_it_opens_with_an_answer_beside_the_logged_rate(outcomes: Path) -> None:
    app = what_if_page()
    assert re.search(r"[\d.]+ % would have answered, where [\d.]+ % did: [\d.]+ points", text(app))
    assert "simulated" in text(app)
    for term in ("it would have been", "self-normalised weights", "plain weights", "as it was asked", "say as much as"):
        assert term in tables(app)
    assert policy(app) == "always:impact"


def test_another_choice_is_another_question_and_another_address(outcomes: Path) -> None:
    app = what_if_page(policy="prefer:confirmation+label")
    assert "wherever it could have been asked" in text(app)
    app.selectbox(key="what if delivery").set_value("mirror")
    app.run()
    assert policy(app) == "prefer:confirmation+mirror"
    assert "confirmation + mirror" in text(app)


def test_by_segment_is_asked_line_by_line(outcomes: Path) -> None:
    lines = ["engagement:resistant,question_type:confirmation", "persona:c_suite,question_type:impact"]
    app = what_if_page(policy="table", line=lines)
    assert "would have answered" in text(app)
    assert dict(app.query_params)["line"] == lines


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"policy": "always:impact+budget"}, "The policy speaks of the target, which was not chosen at random"),
        ({"policy": "table", "line": ["question_type:impact", "delivery:label"]}, "name the same parts"),
        ({"policy": "table", "line": ["persona:nobody,question_type:impact"]}, "'nobody' is no persona"),
        ({"policy": "always:nonsense"}, "Choose a question type, a target or a delivery"),
        ({"policy": "nonsense"}, "would have answered"),
        ({"tenant": "globex"}, "No outcome of globex is in the copy"),
    ],
)
def test_what_cannot_be_told_or_read_is_said_in_a_sentence(outcomes: Path, query: dict[str, Any], said: str) -> None:
    assert said in text(what_if_page(**query))


def test_a_run_that_was_not_at_these_turns_is_refused_with_what_it_takes(outcomes: Path) -> None:
    rules, _ = prepare(outcomes)
    shown = text(what_if_page(policy=f"run:{rules}"))
    assert "The outcomes cannot tell" in shown
    assert "Replay the conversations that these outcomes come from" in shown


def test_a_variant_is_asked_beside_the_page_and_only_when_told_to(outcomes: Path) -> None:
    app = what_if_page(policy="variant:rules")
    assert "cannot tell" not in text(app)
    app = next(item for item in app.button if item.label == "Ask").click().run()
    give_up = time.monotonic() + WAIT
    while any(job.key.startswith("what if ") and not job.ended for job in background().jobs()):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    assert "The outcomes cannot tell" in text(app.run())
