"""A finished run folded again: its raw answers under other guardrails or another merge, asking nobody.

Extraction and people do not depend on the state, so those answers are what would have been said. A model that chose
a question had seen the state as it then was: of questions this shows what the guardrails would let through, not what
the model would have asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.advance import Merge, advance
from engine.errors import InputError
from engine.guardrails import ANALYSIS_RULES, guard
from engine.model.analysis import GuardrailRule
from engine.model.conversation import Conversation
from evals.errors import unknown
from evals.gold import LABELS_VARIANT
from evals.library import Dataset
from evals.matching import Matched, matched
from evals.merge_policies import CONFIDENCE, find_policy
from evals.progress import added
from evals.records import Failure, PickedTurns, Rescoring, RunSpec, RunStatus, RunTotals, StateMode, TurnRecord
from evals.runs.folder import RunFolder
from evals.runs.manifest import engine_hash, new_manifest


@dataclass(frozen=True, slots=True)
class Policy:
    """What a run is folded again under: the name of a merge policy, and the guardrail rules in force."""

    merge: str = CONFIDENCE
    guardrails: tuple[GuardrailRule, ...] = ANALYSIS_RULES

    @property
    def words(self) -> str:
        """`merge latest, without back_off`; `folded again` where it is the engine's own."""
        left_out = [rule for rule in ANALYSIS_RULES if rule not in self.guardrails]
        without = f"without {' and '.join(left_out)}" if self.guardrails else "without guardrails"
        parts = [f"merge {self.merge}"] * (self.merge != CONFIDENCE) + [without] * bool(left_out)
        return ", ".join(parts) or "folded again"


def chosen_rules(names: Collection[str]) -> tuple[GuardrailRule, ...]:
    """The guardrail rules of these names, in the engine's order. Raises InputError for one that there is none of."""
    for name in names:
        if name not in ANALYSIS_RULES:
            raise unknown("guardrail", name, ANALYSIS_RULES)
    return tuple(rule for rule in ANALYSIS_RULES if rule in names)


def rescore(source: RunFolder, dataset: Dataset, runs: Path, policy: Policy) -> RunFolder:
    """The run below `runs` that `source` becomes under `policy`, made if it is not there; `source` stays as it is.

    Tokens, cost and latency are those of the answers, which were paid for once. Raises InputError if the run is not
    complete, is not an engine's, or no conversation is as it was; what `RunFolder.writing` raises.
    """
    if source.status is not RunStatus.COMPLETE:
        raise InputError(f"the run {source.run_id} is not complete; finish it first")
    if source.manifest.spec.variant.name == LABELS_VARIANT:
        raise InputError(f"the run {source.run_id} is of labels, which no guardrail looks at and no merge changes")
    found = matched(source.manifest, dataset)
    spec = rescored_spec(source, dataset, found, policy)
    folder = RunFolder.create(runs, new_manifest(spec, found.conversations))
    if folder.status is not RunStatus.COMPLETE:
        _write(folder, rescored_records(source.records(), found.conversations, folder.run_id, spec, policy))
    return folder


def rescored_spec(source: RunFolder, dataset: Dataset, found: Matched, policy: Policy) -> RunSpec:
    """What the new run is asked to do. A run that was folded again itself counts as the one it came from."""
    spec = source.manifest.spec
    origin = spec.rescored or Rescoring(run_id=source.run_id, variant=spec.variant.name, merge="", guardrails=())
    return spec.model_copy(
        update={
            "dataset_hash": dataset.hash_of(found.ids),
            "conversation_ids": tuple(sorted(found.ids)),
            "picked": _still_there(spec.picked, found.ids),
            "variant": spec.variant.model_copy(update={"name": f"{origin.variant}, {policy.words}"}),
            "engine_hash": engine_hash(),
            "rescored": origin.model_copy(update={"merge": policy.merge, "guardrails": policy.guardrails}),
        }
    )


def _still_there(picked: PickedTurns | None, ids: Collection[str]) -> PickedTurns | None:
    if picked is None:
        return None
    return picked.model_copy(update={"turns": tuple(turn for turn in picked.turns if turn[0] in ids)})


def rescored_records(
    records: Iterator[TurnRecord], conversations: Sequence[Conversation], run_id: str, spec: RunSpec, policy: Policy
) -> Iterator[TurnRecord]:
    """The records as they are under `policy`, in order of conversation, sample and turn."""
    known = {conversation.id: conversation for conversation in conversations}
    replays: defaultdict[tuple[str, int], list[TurnRecord]] = defaultdict(list)
    for record in records:
        if record.conversation_id in known:
            replays[record.conversation_id, record.sample].append(record.model_copy(update={"run_id": run_id}))
    merge = find_policy(policy.merge)
    for (id_, _), replay in sorted(replays.items()):
        turns = sorted(replay, key=lambda record: record.turn)
        carried = spec.state_mode not in (StateMode.GOLD, StateMode.TURNS)
        yield from _folded(turns, known[id_], policy.guardrails, merge, carried=carried)


def _folded(
    replay: Sequence[TurnRecord],
    conversation: Conversation,
    guardrails: Collection[GuardrailRule],
    merge: Merge,
    *,
    carried: bool,
) -> Iterator[TurnRecord]:
    """One conversation, answered once. Beside the answers only the recorded deal stage moves a carried state."""
    state = replay[0].before
    for record in replay:
        before = record.before
        if carried:
            before = state.model_copy(update={"deal_stage": record.before.deal_stage})
        state = before
        result = record.result
        if not isinstance(result, Failure):
            turn = conversation.turns[record.turn]
            result = guard(before, turn, conversation.before(record.turn), result, guardrails)
            state = advance(before, turn, result, merge=merge)
        yield record.model_copy(update={"before": before, "result": result, "after": state})


def _write(folder: RunFolder, records: Iterator[TurnRecord]) -> None:
    """Write what the folder lacks, and finish it."""
    totals = RunTotals()
    with folder.writing() as writer:
        present = {record.key for record in folder.records()}
        for record in records:
            totals = added(totals, record)
            if record.key not in present:
                writer.submit(record)
        writer.finish(totals.model_copy(update={"finished_at": datetime.now(UTC)}))
