"""The demo without a browser: what is prepared, what its steps say and from where, the report, and the way back."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.errors import ConfigurationError
from engine.releases import Release, Stage
from evals.gates import Outcome
from evals.inference.verdict import Verdict
from evals.learning.off_policy import LeftOut, Refusal, RefusalReason, WhatIf
from evals.learning.simulated import TENANT as SIMULATED
from evals.runs.folder import RunFolder
from evals.tuning.decision import Decision, Finding
from workbench.comparing import Comparisons
from workbench.demo import LABEL, TENANT, DemoFacts, check_may_reset, gather, is_prepared, prepare, reset
from workbench.presenters.demo_report import story
from workbench.presenters.demo_runs import Production
from workbench.presenters.demo_steps import minutes, steps
from workbench.presenters.demo_values import Step
from workbench.services import Services
from workbench.settings import DatabaseUrl, Settings
from workbench.views import demo_reading, reading

NOW = datetime(2026, 11, 1, tzinfo=UTC)
KEYS = ["live", "replay", "better", "worse", "prompt", "evidence", "promote", "in use", "replies", "believed",
        "otherwise"]  # fmt: skip


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Services:
    return Services(Settings(home=tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def facts(services: Services) -> DemoFacts:
    """Prepared once for all tests here: three runs over the shipped conversations."""
    made = asyncio.run(prepare(services, lambda _: None, asyncio.Event()))
    return gather(services, made, Comparisons(services))


def step(facts: DemoFacts, key: str, production: Production | None = None) -> Step:
    return next(own for own in steps(facts, production or Production()) if own.key == key)


def blocked_for(reason: str) -> Decision:
    finding = Finding("verdict", "all", Outcome.FAILED, reason, blocks=True)
    return Decision("a", "b", neutral=False, verdict=Verdict.WORSE, findings=(finding,))


def released(facts: DemoFacts, number: int = 1, **fields: object) -> Release:
    assert facts.prepared.candidate is not None
    known = {"prompt_set": facts.prepared.candidate.prompts.hash, "released_by": "ines", "note": ""}
    return Release.model_validate({"number": number, "stage": Stage.PRODUCTION, "released_at": NOW, **known, **fields})


def test_preparing_makes_complete_runs_in_which_every_answer_was_recorded(facts: DemoFacts, services: Services) -> None:
    ids = (facts.prepared.rules, facts.prepared.recorded, facts.prepared.calmer)
    assert facts.prepared.missing == ""
    assert is_prepared(services)
    for run_id in filter(None, ids):
        folder = RunFolder.open(services.runs_folder / run_id)
        assert folder.totals is not None
        assert folder.totals.fallbacks == 0
    assert len(set(ids)) == 3


def test_preparing_twice_makes_nothing_new(facts: DemoFacts, services: Services) -> None:
    before = {path.name for path in services.runs_folder.iterdir()}
    again = asyncio.run(prepare(services, lambda _: None, asyncio.Event()))
    assert again == facts.prepared
    assert {path.name for path in services.runs_folder.iterdir()} == before
    assert [own.name for own in services.prompt_workspace().sets()] == ["shipped", LABEL]


def test_a_version_of_ones_own_in_the_candidates_place_is_kept_and_said(tmp_path: Path) -> None:
    mine = Services(Settings(home=tmp_path))
    workspace = mine.prompt_workspace()
    text = workspace.version("question").text.replace("The customer's time", "Their time")
    own = workspace.save("question", text, author="ines", version="v2")
    made = asyncio.run(prepare(mine, lambda _: None, _stopped()))
    assert "could not be taken in" in made.missing
    assert made.calmer is None
    assert mine.prompt_workspace().version("question@v2").hash == own.hash


def _stopped() -> asyncio.Event:
    stop = asyncio.Event()
    stop.set()
    return stop


def test_the_path_takes_ten_minutes_and_each_step_leads_somewhere(facts: DemoFacts) -> None:
    found = steps(facts, Production())
    assert [own.key for own in found] == KEYS
    assert minutes(found) == "10 minutes"
    assert all(own.address and own.sentence.endswith(".") for own in found)
    assert [own.key for own in found if own.simulated] == ["replies", "believed", "otherwise"]


def test_links_name_the_runs_and_turns_that_the_sentences_are_about(facts: DemoFacts) -> None:
    assert facts.telling is not None
    assert facts.worst is not None
    assert step(facts, "live").address["tenant"] == TENANT
    assert step(facts, "replay").address["turn"] == str(facts.telling.change.turn)
    worst = facts.worst
    assert step(facts, "worse").address["at"] == f"{worst.conversation.id}:{worst.change.turn}"
    assert worst.change.gain < 0 < facts.telling.change.gain
    assert facts.dataset.split[worst.conversation.id] == "dev"
    assert step(facts, "evidence").address == {"run": [facts.prepared.recorded, facts.prepared.calmer]}


def test_the_gates_sentence_is_its_decision(facts: DemoFacts) -> None:
    assert facts.decision is not None
    said = step(facts, "promote").sentence
    assert ("Passed" in said) is facts.decision.passed
    assert all(finding.reason in said for finding in facts.decision.blocking)
    worse = replace(facts, decision=blocked_for("Dimensions, F1 is worse"))
    assert "“Blocked: worse”: Dimensions, F1 is worse. “Override the gate”" in step(worse, "promote").sentence
    passed = Decision("a", "b", neutral=False, verdict=Verdict.BETTER, findings=())
    better = step(replace(facts, decision=passed), "promote").sentence
    assert better == "The gate says “Passed: better”. “Put into production” does it."


def test_what_live_answers_with_is_what_was_released(facts: DemoFacts) -> None:
    assert facts.prepared.candidate is not None
    assert "Nothing was released yet" in step(facts, "in use").sentence
    forced = Production(released(facts, 3, overridden_because="the fair"), take=2)
    said = step(facts, "in use", forced)
    ref = facts.prepared.candidate.version.ref
    assert f"release 3, although the gate did not let it pass, the engine answers with {ref}" in said.sentence
    assert str(said.address["contact"]).endswith("take 2)")
    other = step(facts, "in use", Production(released(facts, prompt_set="f" * 64)))
    assert "release 1, ffffffff" in other.sentence
    away = step(facts, "in use", Production(problem="There is no Postgres to talk to."))
    assert (away.sentence, away.ready) == ("There is no Postgres to talk to.", False)


def test_steps_without_what_they_need_say_what_is_missing(facts: DemoFacts) -> None:
    without = replace(facts.prepared, calmer=None, candidate=None, missing="The candidate was not taken in yet.")
    bare = replace(facts, prepared=without, wording=None, tried=None, decision=None, rates=(), policy=None,
                   what_if=None, telling=None, worst=None)  # fmt: skip
    found = {own.key: own for own in steps(bare, Production())}
    for key in ("prompt", "evidence", "promote"):
        assert (found[key].sentence, found[key].ready) == (without.missing, False)
    assert "`qbs demo prepare`" in found["replies"].sentence
    assert "being worked out" in found["believed"].sentence
    assert "On no turn is it worse." in found["worse"].sentence


def test_a_refusal_is_told_as_one(facts: DemoFacts) -> None:
    refusal = Refusal(RefusalReason.THIN, "too few outcomes count", "Wait.")
    nobody = WhatIf("always", LeftOut(), 0, 0, refusal=refusal, simulated=True)
    assert "nobody can tell: too few outcomes count." in step(replace(facts, what_if=nobody), "otherwise").sentence


def test_the_report_holds_every_figure_of_the_steps_and_asks_for_nothing(facts: DemoFacts) -> None:
    told = steps(facts, Production())
    page = story(facts, told, NOW)
    text = html.unescape(page)
    for own in told:
        assert own.sentence in text
        for figure in own.figures:
            assert figure.value in text
            assert figure.n in text
    assert page.count('class="badge"') == 3
    assert "No customer said any of this" in text
    assert not re.search(r"<script|https?://|<link|<img|url\(", page)


def test_the_report_leaves_what_people_wrote_text(facts: DemoFacts) -> None:
    first = facts.records[0].turn
    turns = tuple(
        turn.model_copy(update={"text": "<script>alert(1)</script>"}) if turn.index == first else turn
        for turn in facts.script.turns
    )
    hostile = replace(facts, script=facts.script.model_copy(update={"turns": turns}))
    page = story(hostile, [replace(step(facts, "live"), title="<b>bold</b>")], NOW)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>bold" not in page


def test_a_server_that_settings_name_is_not_reset() -> None:
    elsewhere = Services(Settings(database_url=DatabaseUrl("postgresql://app@db.example/qbs")))
    with pytest.raises(ConfigurationError, match="qbs db erase demo"):
        check_may_reset(elsewhere)
    with pytest.raises(ConfigurationError, match="nothing was erased"):
        reset(elsewhere)


def test_a_reset_keeps_runs_and_prompts_and_brings_the_simulated_world_back(
    facts: DemoFacts, services: Services
) -> None:
    runs = {path.name for path in services.runs_folder.iterdir()}
    own = services.settings.home / "calibrations" / str(demo_uuid())
    own.mkdir(parents=True)
    (own / "c.json").write_text("{}")
    before = services.outcome_store().cells(SIMULATED)
    done = reset(services)
    assert (done.rows, done.calibrations) == (0, 1)
    assert not own.exists()
    assert services.outcome_store().cells(SIMULATED) == before
    assert {path.name for path in services.runs_folder.iterdir()} == runs
    assert services.prompt_workspace().has_set(LABEL)


def demo_uuid() -> object:
    from engine.state.tenants import tenant_uuid

    return tenant_uuid(TENANT)


@pytest.fixture
def page(facts: DemoFacts, services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The Demo page over what was gathered, with no Postgres open."""
    monkeypatch.setattr(reading, "build_services", lambda: services)
    st.cache_resource.clear()
    demo_reading.shelf().put(facts, demo_reading._stamp(services))

    def drawn() -> None:
        from workbench.views import demo

        demo.page()

    yield AppTest.from_function(drawn, default_timeout=60)
    st.cache_resource.clear()


def test_the_page_lists_the_steps_and_which_were_seen(page: AppTest) -> None:
    page.session_state["demo.done"] = frozenset({"live", "worse"})
    page.run()
    assert not page.exception
    shown = "\n".join(item.value for item in page.markdown)
    assert "2 of 11 steps" in shown
    assert [key for key in KEYS if f"**{KEYS.index(key) + 1}. " in shown] == KEYS
    assert shown.count(":green-badge[seen]") == 2
    assert shown.count("simulated]") == 3


def test_a_reset_has_to_be_confirmed(page: AppTest) -> None:
    page.run()
    assert "Erase and begin again" not in [item.label for item in page.button]


def test_a_link_marks_its_step_and_leaves_the_rest_to_the_page() -> None:
    def drawn() -> None:
        import streamlit as st

        from workbench.views import demo_place

        demo_place.arrive()
        st.write(str(st.query_params.to_dict()))

    app = AppTest.from_function(drawn)
    app.query_params["demo"] = "worse"
    app.query_params["run"] = "a"
    app.run()
    assert app.session_state["demo.at"] == "worse"
    assert app.session_state["demo.done"] == {"worse"}
    assert app.markdown[0].value == "{'run': 'a'}"
