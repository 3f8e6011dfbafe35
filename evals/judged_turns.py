"""Records beside their labels, one replay after the other: nothing of a replay is kept once its turns were judged.

A replay is a conversation answered once. A runner writes the turns of several at a time, so only those that are not
complete yet are held; that makes a run of any length fit into memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from operator import or_

from engine.model.conversation import Conversation
from engine.model.qualification import Dimension
from evals.errors import unknown
from evals.judgements import Judgement, TurnQuestion, by_question, question_of
from evals.labels import TurnLabels
from evals.metrics.judged import JudgedTurn, View
from evals.records import Failure, TurnRecord

Replay = list[TurnRecord]  # in order of turns


def judged_turns(
    records: Iterable[TurnRecord],
    labels: Mapping[str, TurnLabels],
    conversations: Iterable[Conversation],
    view: View = View.MODEL,
    judgements: Iterable[Judgement] = (),
    before: Iterable[TurnRecord] | None = None,
) -> Iterator[JudgedTurn]:
    """The records beside their labels and judgements, in order of turns within a replay.

    Replays come as they are complete, and those that never are in order of conversation and sample. Each turn has the
    turns before it: those among the records, or those among `before` if that is given. Raises InputError for a record
    of an unknown conversation.
    """
    by_judge = by_question(judgements)
    known = {conversation.id: conversation for conversation in conversations}
    lead = None if before is None else _first_samples(before)
    for replay in _replays(records, known):
        id_ = replay[0].conversation_id
        judged = partial(_judged, labels=labels.get(id_, {}), conversation=known[id_], view=view, judgements=by_judge)
        if lead is None:
            yield from judged(replay)
            continue
        for record in replay:
            *_, turn = judged([*(own for own in lead[id_] if own.turn < record.turn), record])
            yield turn


def _replays(records: Iterable[TurnRecord], known: Mapping[str, Conversation]) -> Iterator[Replay]:
    """The records replay by replay; each replay comes as soon as all its customer turns are there."""
    turns = {id_: len(conversation.customer_turns) for id_, conversation in known.items()}
    begun: defaultdict[tuple[str, int], Replay] = defaultdict(list)
    for record in records:
        key = record.conversation_id, record.sample
        if record.conversation_id not in turns:
            raise unknown("conversation", record.conversation_id, known)
        begun[key].append(record)
        if len(begun[key]) == turns[record.conversation_id]:
            yield _in_order(begun.pop(key))
    for _, replay in sorted(begun.items()):
        yield _in_order(replay)


def _in_order(replay: Replay) -> Replay:
    return sorted(replay, key=lambda record: record.turn)


def _first_samples(records: Iterable[TurnRecord]) -> Mapping[str, Sequence[TurnRecord]]:
    """By conversation the records of its first sample, in order."""
    found: defaultdict[str, Replay] = defaultdict(list)
    for record in records:
        if record.sample == 0:
            found[record.conversation_id].append(record)
    return defaultdict(list, {id_: _in_order(own) for id_, own in found.items()})


def _judged(
    replay: Sequence[TurnRecord],
    labels: TurnLabels,
    conversation: Conversation,
    view: View,
    judgements: Mapping[TurnQuestion, Sequence[Judgement]],
) -> Iterator[JudgedTurn]:
    """The turns of one conversation, answered once."""
    earlier: list[JudgedTurn] = []
    said = _said(labels)
    for record in replay:
        question = question_of(record) if judgements else None
        turn = JudgedTurn(
            record=record,
            conversation=conversation,
            label=labels.get(record.turn),
            said=said.get(record.turn, frozenset()),
            earlier=tuple(earlier),
            view=view,
            judgements=judgements.get(question, ()) if question else (),
        )
        yield turn
        if not isinstance(record.result, Failure):
            earlier.append(turn)


def _said(labels: TurnLabels) -> dict[int, frozenset[Dimension]]:
    """The dimensions that were talked about up to each labelled turn, that turn included."""
    turns = sorted(labels)
    new = (frozenset(item.dimension for item in labels[turn].dimensions) for turn in turns)
    return dict(zip(turns, accumulate(new, or_), strict=True))
