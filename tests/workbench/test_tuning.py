"""Trying prompts on a few turns: with a model, within limits, stopped, and with nothing but recordings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pytest

from engine.errors import ConfigurationError, InputError
from engine.llm.fake import FakeModel, FakeModelConfig
from engine.prompts import PromptSet
from evals.inference.verdict import Verdict
from evals.metrics import find_metrics
from evals.tuning.search_record import searches
from evals.tuning.sections import sections_of, with_sections
from evals.tuning.trials import Trial, TrialStatus
from tests.evals.tuning.searching import KNOWN_INSTRUCTION, MODEL, RewardsAnInstruction, talks_with_labels
from workbench.background import Background, Job, JobStatus
from workbench.jobs import JobLimits
from workbench.promoting import must_not_break
from workbench.replays import ReplayRequest, carry_out, plan_replay
from workbench.searches import SEARCHES, SearchRequest, searching
from workbench.services import Services
from workbench.settings import Secret, Settings
from workbench.tuning import PlannedTrial, TrialRequest, start_trial, trial, trial_job, turns_to_try

TALKS = 8
TURNS = tuple((f"talk-{number}", 3) for number in range(TALKS))


@pytest.fixture(scope="module")
def jobs() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


@pytest.fixture(scope="module")
def fake(jobs: Background) -> Iterator[FakeModel]:
    server = FakeModel(FakeModelConfig(answers=RewardsAnInstruction([KNOWN_INSTRUCTION])))
    jobs.call(server.start(), 30)
    yield server
    jobs.call(server.stop(), 30)


@pytest.fixture(scope="module")
def asked(jobs: Background, fake: FakeModel, tmp_path_factory: pytest.TempPathFactory) -> tuple[Services, str]:
    """Services with a model, and a run of it over all conversations by the shipped prompts."""
    home = tmp_path_factory.mktemp("home")
    talks_with_labels(home / "conversations" / "talks", TALKS)
    settings = Settings(
        home=home, reasoning_model=MODEL, api_base=fake.base_url, api_key=Secret("none"), deadline_seconds=60.0
    )
    services = Services(settings, shipped=home / "none")
    planned = plan_replay(services, ReplayRequest("talks", variant="llm"))
    return services, jobs.call(carry_out(services, planned), 120).run_id


def better(services: Services, more: str = "") -> PromptSet:
    """The shipped prompts with the instruction that the fake model rewards, and `more` that it does not care about."""
    shipped = services.prompt_workspace().set_named("shipped")
    first = shipped.prompt("extraction")
    text = f"{KNOWN_INSTRUCTION} {more}\n{sections_of(first)['system']}"
    return shipped.with_prompts(with_sections(first, {"system": text}))


def ended(jobs: Background, planned: PlannedTrial) -> Job:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        job = trial_job(jobs, planned)
        assert job is not None
        if job.ended:
            return job
        time.sleep(0.02)
    raise AssertionError("the trial does not end")


def read(services: Services, planned: PlannedTrial) -> Trial:
    assert planned.run_id is not None
    found = trial(services, planned.run_id)
    assert found is not None
    return found


def test_a_better_prompt_is_seen_to_be_better_on_a_few_turns(jobs: Background, asked: tuple[Services, str]):
    services, base = asked
    planned = start_trial(jobs, services, TrialRequest(base, better(services), TURNS), JobLimits())
    assert (planned.base_id, planned.wanted, planned.recorded, planned.notes) == (base, TALKS, None, ())
    assert ended(jobs, planned).outcome == f"Complete: 8 of 8 turns in {planned.run_id}."
    found = read(services, planned)
    assert (found.status, found.answered, found.of) == (TrialStatus.COMPLETE, 8, 8)
    assert found.verdict is not None
    assert "extraction.f1" in found.verdict.named(Verdict.BETTER)
    assert {row.score_change is not None and row.score_change > 0 for row in found.rows} == {True}


def test_the_unchanged_prompts_are_tied(jobs: Background, asked: tuple[Services, str]):
    services, base = asked
    shipped = services.prompt_workspace().set_named("shipped")
    planned = start_trial(jobs, services, TrialRequest(base, shipped, TURNS), JobLimits())
    ended(jobs, planned)
    verdict = read(services, planned).verdict
    assert verdict is not None
    assert verdict.named(Verdict.BETTER) == verdict.named(Verdict.WORSE) == ()


def test_a_trial_goes_on_from_a_turn_with_the_new_prompts(jobs: Background, asked: tuple[Services, str]):
    services, base = asked
    request = TrialRequest(base, better(services), (("talk-2", 1),), onwards=True)
    planned = start_trial(jobs, services, request, JobLimits())
    ended(jobs, planned)
    found = read(services, planned)
    assert [(row.conversation, row.turn) for row in found.rows] == [("talk-2", 1), ("talk-2", 3)]
    assert planned.wanted == found.of == 2


def test_a_trial_stops_at_its_limit_and_goes_on_without_one(
    jobs: Background, asked: tuple[Services, str], fake: FakeModel
):
    services, base = asked
    request = TrialRequest(base, better(services, "Be kind."), TURNS)
    one_by_one = replace(services, settings=replace(services.settings, concurrency=1))
    before = fake.stats.requests
    planned = start_trial(jobs, one_by_one, request, JobLimits(calls=3))  # one a turn: the rest is recorded
    assert ended(jobs, planned).outcome.startswith("Stopped at a limit: 3 of 8 turns")
    assert fake.stats.requests - before == 3
    found = read(services, planned)
    assert (found.status, found.answered, found.of) == (TrialStatus.PARTLY, 3, 8)
    again = start_trial(jobs, services, request, JobLimits())
    assert again.run_id == planned.run_id
    assert ended(jobs, again).outcome.startswith("Complete: 8 of 8 turns")


def test_a_trial_can_be_stopped(jobs: Background, asked: tuple[Services, str]):
    services, base = asked
    slow = replace(services, settings=replace(services.settings, concurrency=1))
    request = TrialRequest(base, better(services), (*TURNS, *((id_, 1) for id_, _ in TURNS)))
    planned = start_trial(jobs, slow, request, JobLimits())
    jobs.stop(planned.key)
    assert ended(jobs, planned).status is JobStatus.STOPPED


def without_a_model(services: Services) -> Services:
    return replace(services, settings=replace(services.settings, reasoning_model=None, fast_model=None))


def test_without_a_model_the_turns_with_recordings_are_answered_from_them(
    jobs: Background, asked: tuple[Services, str], fake: FakeModel
):
    services, base = asked
    request = TrialRequest(base, services.prompt_workspace().set_named("shipped"), TURNS)
    before = fake.stats.requests
    planned = start_trial(jobs, without_a_model(services), request, JobLimits())
    assert planned.recorded == 8
    assert planned.notes == (
        "No model is configured (QBS_REASONING_MODEL): 8 of 8 turns have recorded answers by these prompts.",
    )
    assert ended(jobs, planned).outcome.startswith("Complete: 8 of 8 turns")
    assert read(services, planned).notes == ()
    assert fake.stats.requests == before


def test_without_a_model_and_without_recordings_it_says_so_and_writes_nothing(
    jobs: Background, asked: tuple[Services, str]
):
    services, base = asked
    shipped = services.prompt_workspace().set_named("shipped")
    first = shipped.prompt("question")
    edited = shipped.with_prompts(with_sections(first, {"system": "Be brief.\n" + sections_of(first)["system"]}))
    planned = start_trial(jobs, without_a_model(services), TrialRequest(base, edited, TURNS), JobLimits())
    assert (planned.run_id, planned.recorded) == (None, 0)
    assert planned.notes[0].endswith("0 of 8 turns have recorded answers by these prompts.")
    assert trial_job(jobs, planned) is None


def test_what_cannot_be_tried_is_refused(jobs: Background, asked: tuple[Services, str]):
    services, base = asked
    shipped = services.prompt_workspace().set_named("shipped")
    with pytest.raises(InputError, match="pick one"):
        start_trial(jobs, services, TrialRequest(base, shipped, ()), JobLimits())
    with pytest.raises(InputError, match=f"{base} has no answer to talk-0:2"):
        start_trial(jobs, services, TrialRequest(base, shipped, (("talk-0", 2),)), JobLimits())
    by_rules = jobs.call(carry_out(services, plan_replay(services, ReplayRequest("talks"))), 60).run_id
    with pytest.raises(ConfigurationError, match="QBS_REASONING_MODEL"):
        start_trial(jobs, without_a_model(services), TrialRequest(by_rules, shipped, TURNS), JobLimits())


def test_the_worst_turns_of_a_run_are_found_and_a_draw_is_repeatable(asked: tuple[Services, str]):
    services, base = asked
    metrics = find_metrics(("extraction.f1",))
    worst = turns_to_try(services, base, metrics, 8, by="worst")
    assert len({conversation for conversation, _ in worst}) == len(worst) == 8
    drawn = turns_to_try(services, base, metrics, 5, seed=3)
    assert drawn == turns_to_try(services, base, metrics, 5, by="chance", seed=3)
    assert len(drawn) == 5
    assert turns_to_try(services, base, metrics, by="must not break") == ()
    must_not_break(services).add(services.dataset("talks"), "talk-3", 1, by="ana")
    assert turns_to_try(services, base, metrics, by="must not break") == (("talk-3", 1),)


@pytest.mark.parametrize("by", ["worst", "chance"])
def test_a_trial_remembers_how_its_turns_were_picked(
    jobs: Background, asked: tuple[Services, str], by: Literal["worst", "chance"]
):
    services, base = asked
    turns = turns_to_try(services, base, find_metrics(("extraction.f1",)), 8, by=by)
    request = TrialRequest(base, services.prompt_workspace().set_named("shipped"), turns)
    planned = start_trial(jobs, without_a_model(services), request, JobLimits())
    ended(jobs, planned)
    assert planned.run_id is not None
    picked = services.run(planned.run_id).manifest.spec.picked
    assert picked is not None
    assert picked.by == by
    found = read(services, planned)
    assert found.verdict is not None
    assert ("a new answer looks better by luck alone" in found.verdict.words) is (by == "worst")


def test_a_search_is_a_job_that_says_what_it_spent_and_what_came_of_it(jobs: Background, asked: tuple[Services, str]):
    services, _ = asked
    request = SearchRequest("extraction", "talks", ("extraction.f1",), calls=100, turns=8)
    jobs.submit("search", "Searching", searching(services, request))
    until = time.monotonic() + 120
    while not (job := jobs.job("search")) or not job.ended:
        assert time.monotonic() < until
        time.sleep(0.02)
    (record,) = searches(services.settings.home / SEARCHES)
    assert job.outcome == f"Nothing left to improve: 1 candidate kept, the winner is the set {str(record.winner)[:8]}."
    assert job.progress is not None
    assert (job.progress.done, job.progress.total) == (record.calls, 100)
    assert record.held_out is not None
    assert record.held_out.complete


def test_a_run_that_is_not_there_yet_is_no_trial_yet(asked: tuple[Services, str]):
    services, base = asked
    assert trial(services, "talks-llm-turns-00000000") is None
    with pytest.raises(InputError, match="nothing to put it beside"):
        trial(services, base)
