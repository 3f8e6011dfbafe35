"""The records of a run, one replay after the other: whoever goes through them holds one replay, not the run.

A replay is a conversation answered once. A runner writes the turns of several at a time; what is not complete yet
waits as bytes. Within a replay each state stands twice, after one turn and before the next, and is read once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from pydantic import ConfigDict, ValidationError

from engine.model.analysis import Analysis
from engine.model.conversation import Identifier
from engine.model.state import ConversationState
from engine.model.value import Value
from evals.records import Failure, TurnRecord
from evals.runs.folder import RunFolder
from evals.runs.lines import Place, record_of

_BEFORE, _RESULT, _AFTER = b',"before":', b',"result":', b',"after":'
_FAILED = b'{"error":'

Line = tuple[bytes, Place]  # a record's JSON and where it stands


class _Head(Value):
    """What a record is about: the fields before its states."""

    model_config = ConfigDict(defer_build=True)

    run_id: str
    conversation_id: Identifier
    turn: int
    sample: int = 0


def replayed_records(folder: RunFolder, turns: Mapping[str, int]) -> Iterator[TurnRecord]:
    """The records of these conversations, those of a replay together, in the order in which replays were completed.

    `turns` says how many records make a replay of each conversation; replays that never had so many come at the end.
    Raises what `RunFolder.stored` raises.
    """
    begun: defaultdict[tuple[str, int], list[Line]] = defaultdict(list)
    for body, place in folder.bodies():
        key = _replay_of(body, folder, place)
        if key[0] not in turns:
            continue
        begun[key].append((body, place))
        if len(begun[key]) == turns[key[0]]:
            yield from _read(begun.pop(key), folder)
    while begun:
        yield from _read(begun.pop(min(begun)), folder)


def _replay_of(body: bytes, folder: RunFolder, place: Place) -> tuple[str, int]:
    """Conversation and sample."""
    try:
        head = _Head.model_validate_json(body[: body.index(_BEFORE)] + b"}")
    except (ValueError, ValidationError):
        record = record_of(body, folder.turns_file, place)
        return record.conversation_id, record.sample
    return head.conversation_id, head.sample


def _read(lines: Iterable[Line], folder: RunFolder) -> Iterator[TurnRecord]:
    """The records of one replay."""
    last: tuple[bytes, ConversationState] | None = None
    for body, place in lines:
        try:
            record, after = _record(body, last)
        except (ValueError, ValidationError):  # written in another order, or not at all readable
            record, after = record_of(body, folder.turns_file, place), b""
        last = after, record.after
        yield record


def _record(body: bytes, last: tuple[bytes, ConversationState] | None) -> tuple[TurnRecord, bytes]:
    """The record, and the JSON of its last state. `last` is that of the turn before, as JSON and as read.

    Raises ValueError or ValidationError where it cannot be taken apart: a part that is cut at the wrong place, at
    a key of the same name further inside, is no JSON.
    """
    first, second, third = body.index(_BEFORE), body.index(_RESULT), body.rindex(_AFTER)
    before, result = body[first + len(_BEFORE) : second], body[second + len(_RESULT) : third]
    after = body[third + len(_AFTER) : -1]
    shared = last is not None and last[0] == before
    record = TurnRecord.model_construct(
        **dict(_Head.model_validate_json(body[:first] + b"}")),
        before=last[1] if shared and last is not None else ConversationState.model_validate_json(before),
        result=(Failure if result.startswith(_FAILED) else Analysis).model_validate_json(result),
        after=ConversationState.model_validate_json(after),
    )
    return record, after
