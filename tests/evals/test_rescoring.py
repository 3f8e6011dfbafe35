"""Folding a finished run again: its raw answers under another merge or other guardrails, and nothing else changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.advance import advance
from engine.errors import InputError
from engine.guardrails import ANALYSIS_RULES, guard
from engine.model.analysis import Analysis, Expansion, Extraction, Question, Source
from engine.model.conversation import Conversation, Turn
from engine.model.qbs import ExpansionTrigger
from engine.model.qualification import Dimension, Evidence, Signal, qualification_from
from engine.model.state import ConversationState
from evals.compare import compare
from evals.inference.verdict import Verdict
from evals.labels import TurnLabel
from evals.library import Dataset, load_dataset
from evals.metrics import find_metrics
from evals.records import Failure, RunStatus, StateMode, TurnRecord, Variant
from evals.rescoring import Policy, chosen_rules, rescore
from evals.runner import run
from evals.runs.folder import RunFolder
from evals.runs.manifest import new_manifest, new_spec
from evals.scoring import score
from tests.evals.values import conversation, label, labels_of, recommendation, write_lines

TALKS = [conversation(name, 4, stage_changes=[(2, "discovery")]) for name in ("alpha", "beta", "gamma")]


class Correcting:
    """Says on every turn that the budget is another one, a little less sure each time; quotes and people are made up.

    It asks two questions at once, and fails at turn 5.
    """

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        if turn.index == 5:
            raise ZeroDivisionError
        source = Source(kind="llm", model="m", latency_ms=5.0, tokens_in=10, tokens_out=2, attempts=1, cost_usd=0.01)
        quotes = (Evidence(quote=turn.text, turn=turn.index),)
        invented = (Evidence(quote="never said", turn=turn.index),)
        signals = {
            Dimension.BUDGET: Signal(value=f"{turn.index}0k", confidence=0.9 - turn.index / 50, evidence=quotes),
            Dimension.TIMELINE: Signal(value="at once", confidence=0.9, evidence=invented),
        }
        trigger = ExpansionTrigger(mentioned_name_or_role="Ada Byron", urgency="immediate")
        raw = Analysis(
            extraction=Extraction(found=qualification_from(signals), source=source),
            question=Question(
                recommendation=recommendation("What does that cost you? Who else sees it?"), source=source
            ),
            expansion=Expansion(triggers=(trigger,), source=source),
        )
        return guard(state, turn, history, raw)


def labels(talk: Conversation) -> dict[int, TurnLabel]:
    """On each turn the newest budget holds."""
    budget = {"dimension": "budget", "quote": "t"}
    return {
        turn.index: label(turn.index, talk.id, dimensions=[{**budget, "value": f"{turn.index}0k", "quote": turn.text}])
        for turn in talk.customer_turns
    }


@pytest.fixture
def toys(tmp_path: Path) -> Dataset:
    write_lines(tmp_path / "toys" / "conversations.jsonl", *TALKS)
    write_lines(tmp_path / "toys" / "labels.jsonl", *(each for talk in TALKS for each in labels(talk).values()))
    return load_dataset(tmp_path / "toys")


@pytest.fixture
async def source(tmp_path: Path, toys: Dataset) -> RunFolder:
    return await made(tmp_path / "runs", toys)


async def made(runs: Path, toys: Dataset, variant: str = "fake", mode: StateMode = StateMode.CARRIED) -> RunFolder:
    spec = new_spec(toys, toys.hashes, Variant(name=variant), state_mode=mode, samples=2)
    folder = RunFolder.create(runs, new_manifest(spec, TALKS))
    gold = {talk.id: labels_of(talk) for talk in TALKS} if mode is StateMode.GOLD else None
    await run(folder, TALKS, lambda _talk, _sample: Correcting(), labels=gold)
    return folder


def records(folder: RunFolder) -> dict[tuple[str, int, int], TurnRecord]:
    return {record.key: record for record in folder.records()}


def budgets(folder: RunFolder) -> list[str | None]:
    """What is known of the budget after each turn of the first conversation."""
    own = sorted(key for key in records(folder) if key[0] == "alpha" and key[2] == 0)
    return [records(folder)[key].after.qualification.bant.budget.value for key in own]


async def test_under_the_same_policy_the_records_are_the_same(source: RunFolder, toys: Dataset, tmp_path: Path):
    again = rescore(source, toys, tmp_path / "runs", Policy())
    assert again.run_id != source.run_id
    assert again.status is RunStatus.COMPLETE
    before, after = records(source), records(again)
    assert before.keys() == after.keys()
    for key, record in after.items():
        assert record == before[key].model_copy(update={"run_id": again.run_id})


@pytest.mark.parametrize(
    ("merge", "expected"),
    [
        ("confidence", ["10k", "10k", "10k", "10k"]),
        ("latest", ["10k", "30k", "30k", "70k"]),  # turn 5 failed
        ("two-mentions", [None, "30k", "30k", "30k"]),  # of the first claim only its quote is kept
    ],
)
async def test_another_merge_changes_what_is_known(
    source: RunFolder, toys: Dataset, tmp_path: Path, merge: str, expected: list[str | None]
):
    assert budgets(rescore(source, toys, tmp_path / "runs", Policy(merge))) == expected


async def test_it_can_be_compared_like_any_run(source: RunFolder, toys: Dataset, tmp_path: Path):
    again = rescore(source, toys, tmp_path / "runs", Policy("latest"))
    metrics = find_metrics(("known.values", "extraction.f1"))
    sides = (score(folder.records(), toys.labels, TALKS, metrics, name=folder.run_id) for folder in (source, again))
    found = compare(*sides, resamples=200)
    gain = found.row("known.values").gain
    assert gain is not None
    assert gain > 0
    assert found.row("extraction.f1").verdict is Verdict.TIED  # what was found on each turn is the same


@pytest.mark.parametrize("left_out", ["ungrounded_evidence", "one_question", "known_contact"])
async def test_a_guardrail_that_is_left_out_changes_nothing_more(
    source: RunFolder, toys: Dataset, tmp_path: Path, left_out: str
):
    rules = tuple(rule for rule in ANALYSIS_RULES if rule != left_out)
    again = records(rescore(source, toys, tmp_path / "runs", Policy(guardrails=rules)))
    before = {change.rule for record in records(source).values() for change in _changes(record)}
    after = {change.rule for record in again.values() for change in _changes(record)}
    assert before - after == {left_out}


async def test_without_guardrails_the_raw_answers_are_used(source: RunFolder, toys: Dataset, tmp_path: Path):
    again = rescore(source, toys, tmp_path / "runs", Policy(guardrails=()))
    for record in records(again).values():
        if not isinstance(record.result, Failure):
            assert record.result.changes == ()
            assert record.result.raw.extraction == record.result.extraction
            assert record.result.extraction.found.bant.timeline.confidence == 0.9
            assert record.result.expansion.triggers[0].urgency == "immediate"


async def test_failures_stages_and_costs_stay(source: RunFolder, toys: Dataset, tmp_path: Path):
    again = rescore(source, toys, tmp_path / "runs", Policy("latest", guardrails=()))
    before, after = records(source), records(again)
    for key, record in after.items():
        assert record.before.deal_stage == before[key].before.deal_stage
        assert isinstance(record.result, Failure) == isinstance(before[key].result, Failure)
    totals, own = source.totals, again.totals
    assert totals is not None
    assert own is not None
    assert (own.turns, own.failures, own.cost_usd) == (totals.turns, totals.failures, totals.cost_usd)


async def test_in_gold_state_every_turn_starts_where_it_did(toys: Dataset, tmp_path: Path):
    source = await made(tmp_path / "runs", toys, mode=StateMode.GOLD)
    again = records(rescore(source, toys, tmp_path / "runs", Policy("latest")))
    assert {key: record.before for key, record in again.items()} == {
        key: record.before for key, record in records(source).items()
    }


async def test_the_run_names_where_it_came_from_and_is_made_once(source: RunFolder, toys: Dataset, tmp_path: Path):
    again = rescore(source, toys, tmp_path / "runs", Policy("latest"))
    spec = again.manifest.spec
    assert spec.rescored is not None
    assert (spec.rescored.run_id, spec.rescored.merge) == (source.run_id, "latest")
    assert spec.variant.name == "fake, merge latest"
    content = again.turns_file.read_bytes()
    assert rescore(source, toys, tmp_path / "runs", Policy("latest")).path == again.path
    assert again.turns_file.read_bytes() == content
    further = rescore(again, toys, tmp_path / "runs", Policy("first", guardrails=()))
    assert further.manifest.spec.variant.name == "fake, merge first, without guardrails"
    assert further.manifest.spec.rescored is not None
    assert further.manifest.spec.rescored.run_id == source.run_id


async def test_a_killed_one_is_taken_up_again(source: RunFolder, toys: Dataset, tmp_path: Path):
    again = rescore(source, toys, tmp_path / "runs", Policy("latest"))
    content = again.turns_file.read_bytes()
    (again.path / "finished.json").unlink()
    again.turns_file.write_bytes(content[: len(content) // 2])
    rescore(source, toys, tmp_path / "runs", Policy("latest"))
    assert again.turns_file.read_bytes() == content
    assert again.status is RunStatus.COMPLETE


async def test_conversations_that_changed_are_left_out(source: RunFolder, toys: Dataset, tmp_path: Path):
    write_lines(toys.folder / "conversations.jsonl", TALKS[0], conversation("beta", 5))
    (toys.folder / "labels.jsonl").unlink()
    again = rescore(source, load_dataset(toys.folder), tmp_path / "runs", Policy("latest"))
    assert again.manifest.spec.conversation_ids == ("alpha",)
    assert {key[0] for key in records(again)} == {"alpha"}


async def test_what_cannot_be_folded_again_is_refused(source: RunFolder, toys: Dataset, tmp_path: Path):
    (source.path / "finished.json").unlink()
    with pytest.raises(InputError, match="not complete"):
        rescore(source, toys, tmp_path / "runs", Policy())
    with pytest.raises(InputError, match="no guardrail looks at"):
        rescore(await made(tmp_path / "runs", toys, "labels"), toys, tmp_path / "runs", Policy())


def test_specs_of_ordinary_runs_are_as_they_were():
    from tests.evals.values import spec

    assert "rescored" not in spec(*TALKS).model_dump_json()


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Policy(), "folded again"),
        (Policy("first"), "merge first"),
        (Policy(guardrails=chosen_rules(("jargon",))), "without ungrounded_evidence and addresses_the_machine and"),
        (Policy("first", guardrails=()), "merge first, without guardrails"),
    ],
)
def test_a_policy_has_words(policy: Policy, words: str):
    assert policy.words.startswith(words)


def test_guardrails_are_chosen_by_name():
    assert chosen_rules(("jargon", "back_off")) == ("back_off", "jargon")
    with pytest.raises(InputError, match="did you mean jargon"):
        chosen_rules(("jargn",))


def test_the_fold_of_the_engine_is_the_policy_confidence():
    assert advance.__kwdefaults__ is not None
    from evals.merge_policies import find_policy

    assert advance.__kwdefaults__["merge"] is find_policy("confidence")


def _changes(record: TurnRecord):
    return () if isinstance(record.result, Failure) else record.result.changes
