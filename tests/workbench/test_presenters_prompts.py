"""What the Prompts page says of versions, turns, trials, the gate, releases and searches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import PromptError
from engine.model.analysis import Analysis
from engine.prompts import PromptLibrary, PromptSet, read_prompt
from engine.releases import Release, Stage
from engine.releases.values import AS_EVERYBODY
from evals.gates import Outcome
from evals.inference.verdict import Verdict
from evals.metrics import find_metric
from evals.records import Failure
from evals.tuning.candidates import SearchEnd
from evals.tuning.decision import BrokenTurn, ComparedRuns, Decision, Finding, TellingTurn
from evals.tuning.must_not_break import ProtectedTurn
from evals.tuning.promotion_runs import MissingRun
from evals.tuning.search_record import SearchedCandidate, SearchRecord, SearchSpec
from evals.tuning.trials import Trial, TrialRow, TrialStatus
from evals.tuning.turn_scores import TurnScore
from evals.tuning.version_values import PromptVersion, SetVersion, VersionLine
from tests.workbench.prepared import conversation, side
from workbench.presenters import prompts_releases as releases
from workbench.presenters import prompts_rendered as rendering
from workbench.presenters import prompts_searches as searches
from workbench.presenters import prompts_trials as trials
from workbench.presenters import prompts_versions as listing
from workbench.presenters.prompts_rendered import Size, TurnSeen

NOON = datetime(2026, 1, 19, 12, 0, tzinfo=UTC)
LIBRARY = PromptLibrary()
SHIPPED = PromptSet.of(LIBRARY)


def version(name: str = "v2", instruction: str = "Be brief.", parent: PromptVersion | None = None) -> PromptVersion:
    content = LIBRARY.load("question").content.decode().replace("version: v1", f"version: {name}")
    prompt = read_prompt(content.replace("## system\n", f"## system\n{instruction}\n").encode(), where="question")
    line = VersionLine(
        name="question",
        version=name,
        hash=prompt.hash,
        parent=parent and f"question@{parent.hash}",
        author="ines",
        date=NOON,
        note="says less",
    )
    return PromptVersion(prompt, shipped=False, about=line)


FIRST = PromptVersion(LIBRARY.load("question"), shipped=True)
SECOND = version("v2", "Be brief.", FIRST)
THIRD = version("v3", "Be kind.", FIRST)


def test_a_version_is_listed_with_what_is_remembered_of_it():
    assert listing.listed(SECOND) == "v2 · says less (ines, 19 Jan 2026, 12:00)"
    assert listing.listed(FIRST) == "v1 · shipped"
    assert listing.facts(SECOND, FIRST, 3) == {
        "tag": SECOND.ref,
        "person": "ines",
        "event": "19 Jan 2026, 12:00",
        "sticky_note_2": "says less",
        "account_tree": "from v1",
        "play_circle": "used in 3 runs",
    }


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("v2", SECOND.hash[:8]),
        (SECOND.hash, SECOND.hash),
        (SECOND.hash[:8], SECOND.hash[:8]),
        ("v9", "v9"),
        (None, None),
    ],
)
def test_a_link_names_a_version_by_its_content_or_its_name(wanted: str | None, found: str | None):
    key = listing.wanted_key((SECOND, FIRST), wanted)
    assert key == (found[:8] if found and found.startswith(SECOND.hash[:8]) else found)


def test_a_difference_begins_with_the_parent_else_with_any_other_version():
    versions = (THIRD, SECOND, FIRST)
    assert listing.compared_with(THIRD, versions) == FIRST
    assert listing.compared_with(FIRST, versions) == THIRD
    assert listing.compared_with(FIRST, (FIRST,)) is None


def test_the_prompts_of_a_run_are_named_as_far_as_they_are_not_shipped():
    shipped = SHIPPED.hashes()
    assert listing.prompts_of_run(shipped, shipped) == "shipped"
    assert listing.prompts_of_run({**shipped, "question": SECOND.hash}, shipped) == f"question@{SECOND.hash}"
    assert listing.prompts_of_run({}, shipped) == "shipped"


def test_a_run_and_a_set_are_named_by_what_is_not_shipped():
    names = {("question", SECOND.hash): "question v2"}
    assert listing.run_name("gpt", "question", {"question": SECOND.hash}, names) == "v2 · gpt"
    assert listing.run_name("Rules", "question", {}, names) == "Rules"
    shipped = SetVersion(SHIPPED.hash, ("shipped",), SHIPPED.hashes())
    brief = SetVersion("0" * 64, ("brief",), {**SHIPPED.hashes(), "question": SECOND.hash})
    assert listing.set_label(brief, shipped, names) == "brief · question v2"
    assert listing.set_label(shipped, shipped, names) == "shipped"


def seen(turn: int = 3) -> TurnSeen:
    """The prepared turn, as the recorded run answered it."""
    return TurnSeen.of(conversation("carrier"), turn, side("recorded").records[turn])


@pytest.mark.parametrize("name", ["extraction", "question", "expansion", "email", "chat"])
def test_every_prompt_for_a_model_is_rendered_by_role_with_the_words_of_the_turn(name: str):
    found = rendering.messages(LIBRARY.load(name), LIBRARY, seen())
    assert [message["role"] for message in found] == ["system", "user"]
    assert "I barely sleep." in found[1]["content"]


@pytest.mark.parametrize("name", ["system", "guidance", "context"])
def test_a_prompt_that_is_woven_into_others_is_rendered_as_one_text(name: str):
    (found,) = rendering.messages(LIBRARY.load(name), LIBRARY, seen())
    assert found["role"] == "text"
    assert found["content"]


def test_guidance_needs_an_answer_to_be_about():
    with pytest.raises(PromptError, match="no answer at this turn"):
        rendering.messages(LIBRARY.load("guidance"), LIBRARY, TurnSeen.of(conversation("carrier"), 3, None))


@pytest.mark.parametrize("name", listing.PROMPTS)
def test_every_variable_in_use_has_a_meaning_and_a_value(name: str):
    prompt = LIBRARY.load(name)
    rows = rendering.variable_rows(name, prompt, LIBRARY, seen())
    used = [row for row in rows if row.used]
    assert {row.name for row in used} == set(prompt.variables)
    assert all(row.meaning and row.value is not None for row in used)
    assert rows[: len(used)] == tuple(used)


def test_the_state_is_that_of_the_run_and_without_one_the_opening():
    with_run = {row.name: row.value for row in rendering.variable_rows("question", None, LIBRARY, seen())}
    opening = TurnSeen.of(conversation("carrier"), 3, None)
    without = {row.name: row.value for row in rendering.variable_rows("question", None, LIBRARY, opening)}
    assert (with_run["interaction"], without["interaction"]) == ("2", "1")
    assert "re-keying" in str(with_run["known"])
    assert without["known"] == ""


def test_a_longer_reply_description_takes_more_tokens():
    prompt = LIBRARY.load("question")
    sent = rendering.messages(prompt, LIBRARY, seen())
    longer = prompt.content.decode().replace("variables:", f"reply:\n  confidence: {'very sure ' * 50}\nvariables:", 1)
    told = read_prompt(longer.encode(), where="question")
    assert rendering.size(told, sent).tokens_in > rendering.size(prompt, sent).tokens_in + 50


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        ((0.00001, 0.0001), "$0.0100 to $0.11 by m (an estimate)"),
        ((None, None), "price of m not known"),
    ],
)
def test_a_price_is_an_estimate_or_not_known(prices: tuple[float | None, float | None], words: str):
    assert rendering.price_words(Size(1_000, 1_000), *prices, "m") == words


def row(turn: int, before: float | None, after: float | None, *, answered: bool = True) -> TrialRow:
    old, new = (side(name).records[turn].result for name in ("rules", "recorded"))
    return TrialRow(
        "carrier",
        turn,
        old=old,
        new=new if answered else None,
        label=None,
        old_score=TurnScore({"m": before}),
        new_score=TurnScore({"m": after}) if answered else None,
    )


def test_a_trial_shows_what_got_worse_first_and_what_nobody_could_judge_last():
    rows = (row(1, 0.5, 0.5), row(3, 0.2, 0.9), row(5, 1.0, 0.0), row(1, None, 0.4), row(3, 0.5, None, answered=False))
    found = Trial("t", "b", TrialStatus.PARTLY, 4, 5, None, rows)
    lines = trials.lines(found, "question", {"carrier": conversation("carrier")})
    assert [line.moved for line in lines] == ["worse", "better", "same", "not judged", "not judged"]
    assert [line.scores for line in lines] == ["1.00 → 0.00", "0.20 → 0.90", "0.50 → 0.50", "— → 0.40", "0.50 → —"]
    assert lines[-1].after is None
    assert trials.tally(lines) == "5 turns: 1 better, 1 worse, 1 the same, 2 not judged"


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("question", "Pain funnel: Two days a week?"),
        ("extraction", "Need: stop typing orders twice; Pain: two days a week lost to re-keying"),
        ("expansion", "nobody"),
    ],
)
def test_an_answer_is_told_by_what_its_prompt_asks_for(prompt: str, said: str):
    result = side("rules").records[1].result
    assert isinstance(result, Analysis)
    assert trials.concluded(prompt, result) == said


def test_a_turn_that_failed_or_is_not_answered_says_so():
    assert trials.concluded("question", Failure(error="ZeroDivisionError", message="")) == "failed: ZeroDivisionError"
    assert trials.concluded("question", None) is None


def decision(**changes: Any) -> Decision:
    metric = find_metric("extraction.f1")
    findings = (
        Finding("data", "talks", Outcome.PASSED, "48 labelled turns were compared"),
        Finding("metric", "extraction.f1", Outcome.FAILED, "F1 is worse", blocks=True),
        Finding("metric", "question.type", Outcome.NOT_ENOUGH_DATA, "not enough data"),
    )
    made = Decision(
        candidate="c" * 64,
        production="p" * 64,
        neutral=False,
        verdict=Verdict.WORSE,
        findings=findings,
        runs=(ComparedRuns("talks", "run-a", "run-b", 48, 8),),
        turns=(TellingTurn("talks", "talk-3", 1, metric, -0.02, 1.0, 0.5),),
    )
    return replace(made, **changes)


def test_a_decision_tells_what_blocks_first_and_the_turns_that_say_why():
    found = decision()
    assert releases.headline(found) == "Blocked: worse"
    assert [(line.word, line.blocks) for line in releases.finding_lines(found)] == [
        ("no", True),
        ("not enough data", False),
        ("ok", False),
    ]
    (line,) = releases.turn_lines(found.turns)
    assert (line.conversation, line.turn, line.moved) == ("talk-3", 1, "100.0 % → 50.0 %")
    assert releases.runs_of(found, "talks") == ("run-a", "run-b")
    assert releases.runs_of(found, "others") is None
    assert releases.rests_on(found) == "talks: 48 labelled turns of 8 conversations that both answered"


def test_a_neutral_change_that_is_tied_is_as_it_should_be():
    found = decision(neutral=True, verdict=Verdict.TIED, findings=())
    assert releases.headline(found) == "Passed: tied, as it is meant to be"


def test_missing_runs_are_told_once_by_their_commands():
    missing = (MissingRun("talks", "shipped", "qbs replay talks"),)
    findings = (Finding("runs", "talks", Outcome.NOT_ENOUGH_DATA, "there is no run", blocks=True),)
    assert releases.finding_lines(decision(missing=missing, findings=findings)) == ()
    assert len(releases.finding_lines(decision(missing=(), findings=findings))) == 1


def test_a_turn_that_must_not_break_and_did_says_what_was_right():
    protected = ProtectedTurn(dataset="talks", conversation_id="talk-3", turn=1, by="ines", at=NOON)
    (line,) = releases.broken_lines(decision(broken=(BrokenTurn(protected, ("pain", "type"), "run-a", "run-b"),)))
    assert line.moved == "was right, and is not any more: pain, type"


def release(number: int, stage: Stage = Stage.PRODUCTION, prompt_set: str = "b" * 64, **changes: Any) -> Release:
    fields = {"released_at": NOON, "released_by": "ines", "note": "", "evidence": {"passed": True}, **changes}
    return Release(number=number, prompt_set=prompt_set, stage=stage, **fields)


NAMES = {"b" * 64: "brief"}


def test_without_a_release_everybodys_prompts_are_used():
    card = releases.standing("demo", (), NAMES, "shipped")
    assert (card.production, card.about, card.passed, card.candidate) == (
        "shipped",
        "no release of its own",
        None,
        None,
    )
    given_up = (release(2, prompt_set=AS_EVERYBODY, evidence={}), release(1))
    assert releases.standing("demo", given_up, NAMES, "shipped").production == "shipped"
    assert not releases.can_roll_back(given_up)


def test_what_is_in_production_is_shown_with_how_it_came_there():
    card = releases.standing(
        "demo", (release(3, overridden_because="it hurts", evidence={"passed": False}),), NAMES, "x"
    )
    assert (card.production, card.passed, card.overridden) == ("brief", False, "it hurts")
    assert card.about == "release 3, 19 Jan 2026, 12:00, by ines"
    assert releases.can_roll_back((release(3),))


@pytest.mark.parametrize(
    ("history", "stage"),
    [
        ((), Stage.DRAFT),
        ((release(1, Stage.CANDIDATE),), Stage.CANDIDATE),
        ((release(2, Stage.DRAFT), release(1, Stage.CANDIDATE)), Stage.DRAFT),
        ((release(1),), Stage.PRODUCTION),
        ((release(2, prompt_set="c" * 64), release(1)), Stage.DRAFT),
    ],
)
def test_how_far_a_set_has_come_is_told_by_its_newest_release(history: tuple[Release, ...], stage: Stage):
    assert releases.stage_of("b" * 64, history) is stage
    candidate = releases.standing("demo", history, NAMES, "shipped").candidate
    assert candidate == ("brief" if stage is Stage.CANDIDATE else None)


def test_the_history_marks_what_is_in_use_and_what_can_come_back():
    history = (release(3, returns_to=1, note="calmer"), release(2, Stage.CANDIDATE), release(1))
    lines = releases.release_lines(history, NAMES)
    assert [(line.current, line.can_return) for line in lines] == [(True, False), (False, False), (False, True)]
    assert lines[0].note == "Back to release 1. calmer"


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (release(4), "Release 4: brief is in production for demo."),
        (release(5, Stage.CANDIDATE), "Release 5: brief is a candidate now for demo."),
        (release(6, prompt_set=AS_EVERYBODY), "Release 6: demo has no prompts of its own any more."),
    ],
)
def test_a_step_is_told_in_a_sentence(done: Release, words: str):
    assert releases.done_words(done, "demo", NAMES) == words


def record(*metrics: str) -> SearchRecord:
    def candidate(number: int, value: float | None, *, on_front: bool = False) -> SearchedCandidate:
        scores = None if value is None else {name: value - 0.1 * place for place, name in enumerate(metrics)}
        parent = None if number == 0 else 0
        version = f"question@0000000{number}"
        return SearchedCandidate(
            number=number, version=version, parent=parent, scores=scores, note="", on_front=on_front
        )

    spec = SearchSpec(
        prompt="question",
        prompts="p" * 64,
        dataset="talks",
        dataset_hash="d" * 64,
        metrics=metrics,
        sections=("system",),
        reasoning_model="a-model",
        fast_model="a-model",
        holdout=0.3,
        seed=7,
        turns=8,
        patience=3,
    )
    return SearchRecord(
        search_id="question-1",
        spec=spec,
        date=NOON,
        ended=SearchEnd.PLATEAU,
        candidates=(candidate(0, 0.4), candidate(1, 0.8, on_front=True), candidate(2, None)),
        held_out_conversations=("talk-1", "talk-2"),
        calls=120,
        tokens=4_000,
        cost_usd=None,
    )


def test_two_measures_are_drawn_against_each_other_and_the_front_is_joined():
    chart = searches.front_chart(record("question.type", "question.engagement"), {"question@00000001": "question v4"})
    assert chart is not None
    points = chart["data"]["values"]
    assert [(point["x"], point["Kind"]) for point in points] == [(0.4, "Where it began"), (0.8, "On the front")]
    assert points[1]["Version"] == "question v4"
    assert len(chart["layer"]) == 3


def test_one_measure_is_drawn_in_the_order_in_which_the_candidates_came():
    chart = searches.front_chart(record("question.type"), {})
    assert chart is not None
    encoding = chart["layer"][0]["encoding"]
    assert (encoding["x"]["field"], encoding["y"]["field"], len(chart["layer"])) == ("number", "x", 2)


def test_without_a_score_there_is_nothing_to_draw():
    found = record("question.type")
    assert searches.front_chart(found.model_copy(update={"candidates": found.candidates[2:]}), {}) is None


def test_candidates_are_listed_best_first_and_one_given_up_has_no_score():
    rows = searches.candidate_rows(record("question.type"), {})
    title = find_metric("question.type").title
    assert [row[title] for row in rows] == [80.0, 40.0, None]
    assert [row["From"] for row in rows] == ["candidate 0", "", "candidate 0"]


def test_a_search_says_how_it_ended_and_what_it_took():
    facts = searches.outcome(record("question.type"))
    assert facts["flag"] == "No more progress"
    assert facts["call"] == "120 calls, 4,000 tokens, cost not known"
    assert facts["lock"] == "2 conversations of talks held out, seed 7"


def test_a_search_aims_at_shares_that_its_prompt_can_move():
    found = searches.metrics_to_choose("extraction")
    assert "extraction.f1" in found
    assert not any(name.startswith(("question.", "operations.")) for name in found)
