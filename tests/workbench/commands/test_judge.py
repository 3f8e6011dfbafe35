"""`qbs judge` with the fake model over HTTP: judged once, limited, resumed, and rated by people too."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from engine.llm.fake import FakeModel, FakeModelConfig, Fault
from tests.workbench.commands.conftest import conversation, write_lines

JUDGE = ("--model", "openai/fake-model")
TALKS = [conversation(number) for number in range(1, 9)]
QUESTIONS = 2 * len(TALKS)
BY_RULES = FakeModelConfig(answers="rules")
FAULTS = [fault for fault in Fault if fault not in (Fault.HANG, Fault.DRIP, Fault.UNAUTHORISED, Fault.NOT_FOUND)]


@pytest.fixture(autouse=True)
def _asks_the_fake_model(home, shipped, fake: FakeModel, monkeypatch, qbs):
    monkeypatch.setenv("QBS_API_BASE", fake.base_url)
    monkeypatch.setenv("QBS_API_KEY", "none")
    write_lines(shipped / "talks" / "conversations.jsonl", *TALKS)
    assert qbs("replay", "talks").exit_code == 0


def judged(qbs, *options: str) -> dict:
    return json.loads(qbs("judge", "latest", *JUDGE, "--json", *options).stdout)


def judgements(home: Path) -> list[dict]:
    """The judgements of the only run; the end of a line that is still being written is left out."""
    (file,) = home.glob("runs/*/judgements.jsonl")
    return [json.loads(line)["record"] for line in file.read_text().split("\n")[:-1]]


def keys_of_answers(home: Path) -> Counter[str]:
    files = home.glob("recordings/*.jsonl")
    return Counter(json.loads(line)["key"] for file in files for line in file.read_text().splitlines())


@pytest.mark.parametrize("fake", [BY_RULES], indirect=True)
def test_a_run_is_judged_once_and_what_it_is_worth_is_said_beside_it(qbs, home, fake):
    first = qbs("judge", "latest", *JUDGE)
    assert first.exit_code == 0
    assert f"{3 * QUESTIONS} of {3 * QUESTIONS} judgements; {QUESTIONS} questions, each asked 3 times" in first.stdout
    assert first.stdout.count("agreement unknown") == 2
    assert "Next: qbs compare" in first.stderr
    again = judged(qbs)
    assert (again["ended"], again["seconds"], fake.stats.requests) == ("complete", None, 3 * QUESTIONS)
    assert (again["questions"], again["judgements"], again["judgements_expected"]) == (QUESTIONS, 48, 48)
    assert again["metrics"]["judged.naturalness"]["n"] == QUESTIONS
    assert 1 <= again["metrics"]["judged.value_first"]["value"] <= 4
    assert again["agreement"]["naturalness"]["known"] is False
    assert {own["source"]["model"] for own in judgements(home)} == {"openai/fake-model"}


@pytest.mark.parametrize("fake", [BY_RULES], indirect=True)
@pytest.mark.parametrize("limit", [("--limit-calls", "7"), ("--limit-tokens", "9000")])
def test_a_limit_ends_it_and_the_same_command_goes_on(qbs, home, fake, limit):
    stopped = qbs("judge", "latest", *JUDGE, "--json", *limit)
    facts = json.loads(stopped.stdout)
    assert (stopped.exit_code, facts["ended"]) == (1, "limit")
    assert 0 < facts["judgements"] <= 7
    assert "the same command goes on" in stopped.stderr
    assert judged(qbs)["ended"] == "complete"
    assert set(keys_of_answers(home).values()) == {1}
    assert fake.stats.requests == 3 * QUESTIONS


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="rules", latency_ms=300)], indirect=True)
def test_a_limit_of_time_lets_what_is_under_way_end(qbs):
    facts = judged(qbs, "--concurrency", "1", "--limit-time", "0.1")
    assert (facts["ended"], facts["judgements"]) == ("limit", 1)


@pytest.mark.parametrize("fake", [BY_RULES], indirect=True)
@pytest.mark.parametrize(
    ("options", "code", "said", "requests"),
    [
        (("--model", "openai/fake-404"), 4, "nothing can be had from the judge (model_not_found)", 8),
        (("--model", "openai/fake-401"), 4, "nothing can be had from the judge (not_authorised)", 8),
        ((*JUDGE, "--limit-cost", "5"), 4, "the price of openai/fake-model is not known", 0),
        ((), 4, "no model is configured: name one with --model", 0),
        (("--repeats", "many"), 2, "Invalid value for '--repeats': it has to be a whole number", 0),
        ((*JUDGE, "--repeats", "0"), 2, "--repeats", 0),
    ],
)
def test_what_stands_in_the_way_is_said(qbs, fake, options, code, said, requests):
    result = qbs("judge", "latest", *options)
    assert result.exit_code == code
    assert said in result.stderr
    assert fake.stats.requests <= requests


@pytest.mark.parametrize("fake", [BY_RULES], indirect=True)
def test_an_unknown_run_is_answered_with_those_that_are_near(qbs):
    result = qbs("judge", "talks-ruls", *JUDGE)
    assert result.exit_code == 2
    assert "talks-rules-carried" in result.stderr


@pytest.mark.parametrize(
    "fake",
    [FakeModelConfig(answers="rules", faults=dict.fromkeys(FAULTS, 0.3 / len(FAULTS)), retry_after_s=0.01)],
    indirect=True,
)
def test_failures_are_asked_for_again_and_change_no_rating(qbs, home):
    for _ in range(20):
        facts = judged(qbs)
        if facts["ended"] == "complete":
            break
    assert facts["ended"] == "complete"
    found = {(own["conversation_id"], own["turn"], own["repeat"]): own for own in judgements(home)}
    assert len(found) == len(judgements(home)) == 3 * QUESTIONS
    by_question = {(id_, turn): (own["naturalness"], own["value_first"]) for (id_, turn, _), own in found.items()}
    assert all(
        (own["naturalness"], own["value_first"]) == by_question[id_, turn] for (id_, turn, _), own in found.items()
    )


@pytest.mark.parametrize("fake", [BY_RULES], indirect=True)
def test_questions_can_be_rated_by_people_and_agreement_is_known_then(qbs, shipped, fake):
    sheet = qbs("judge", "latest", "--sheet", "100")
    assert (sheet.exit_code, fake.stats.requests) == (0, 0)
    lines = [json.loads(line) for line in sheet.stdout.splitlines()]
    assert len(lines) == QUESTIONS
    file = shipped / "talks" / "ratings.jsonl"
    write_lines(file, *lines)
    unfilled = qbs("judge", "latest", *JUDGE)
    assert unfilled.exit_code == 3
    assert "ratings.jsonl, line 1, turn" in unfilled.stderr
    assert "rater is empty; say who rated" in unfilled.stderr
    filled = [line | {"rater": "ines", "naturalness": 4, "value_first": 1 + n % 4} for n, line in enumerate(lines)]
    write_lines(file, *filled)
    facts = judged(qbs)
    assert facts["agreement"]["value_first"]["known"] is True
    assert facts["agreement"]["value_first"]["people"]["n"] == QUESTIONS
    assert -1 <= facts["agreement"]["value_first"]["people"]["value"] <= 1


@pytest.mark.parametrize("fake", [BY_RULES], indirect=True)
def test_a_judge_of_its_own_answers_is_noted(qbs):
    qbs("replay", "talks", "--variant", "llm:openai/fake-model", "--conversation", "talk-1")
    assert "models tend to like their own words" in qbs("judge", "llm", *JUDGE).stdout
    assert "models tend to like their own words" not in qbs("judge", "rules", *JUDGE).stdout
