"""The replay of one conversation: turn by turn through an analyzer and the engine's own fold.

Four ways to know the state that a turn is analysed in: carried from the run's own answers, gold (teacher-forced:
folded from the labels of the turns before), forked from a turn of an earlier run and carried on from there, or the
state that an earlier run had at each of a few picked turns.
"""

from __future__ import annotations

import traceback
from collections.abc import AsyncGenerator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from structlog.contextvars import bound_contextvars

from engine.advance import advance
from engine.errors import InvalidStageTransitionError, QBSError
from engine.model.analysis import Analysis
from engine.model.conversation import Conversation, StageChange, Turn
from engine.model.state import ConversationState, opening_state
from engine.stages import validate_transition
from evals.gold import LabelAnalyzer
from evals.labels import TurnLabels
from evals.records import Failure, TurnRecord

if TYPE_CHECKING:
    from engine.analyzers import Analyzer


async def replay(
    conversation: Conversation,
    analyzer: Analyzer,
    *,
    run_id: str,
    sample: int = 0,
    labels: TurnLabels | None = None,
    done: Iterable[TurnRecord] = (),
    start: TurnRecord | None = None,
) -> AsyncGenerator[TurnRecord, None]:
    """The records of the customer turns of `conversation` that are not among `done`, in order.

    With `labels` every turn starts from the gold state. With `start`, a record of an earlier run, the replay
    begins at that record's turn with its `before`. What the seller recorded as stage changes is applied before
    the next customer turn. An error while one turn is analysed becomes that turn's `Failure`, and the replay
    goes on with the state unchanged. Raises InputError if gold is asked for and a label is missing.
    """
    gold = None if labels is None else LabelAnalyzer(conversation, labels)
    answered = {record.turn: record for record in done}
    state = opening_state(conversation) if start is None else start.before
    since = -1 if start is None else start.turn
    for turn in conversation.customer_turns:
        if turn.index < since:
            continue
        state, refused = _with_stage_changes(state, _due(conversation, since, turn))
        since = turn.index
        record = answered.get(turn.index)
        if record is None:
            with bound_contextvars(run=run_id, conversation=conversation.id, turn=turn.index, sample=sample):
                result, after = await _answered(state, turn, conversation.before(turn.index), analyzer, refused)
            record = TurnRecord(
                run_id=run_id,
                conversation_id=conversation.id,
                turn=turn.index,
                sample=sample,
                before=state,
                result=result,
                after=after,
            )
            yield record
        state = record.after if gold is None else gold.fold(state, turn)


async def answer_again(
    conversation: Conversation,
    earlier: TurnRecord,
    analyzer: Analyzer,
    *,
    run_id: str,
    sample: int = 0,
) -> TurnRecord:
    """The turn of a record of an earlier run, analysed in the state that it was analysed in there."""
    turn = conversation.turns[earlier.turn]
    with bound_contextvars(run=run_id, conversation=conversation.id, turn=turn.index, sample=sample):
        result, after = await _answered(earlier.before, turn, conversation.before(turn.index), analyzer, None)
    return TurnRecord(
        run_id=run_id,
        conversation_id=conversation.id,
        turn=turn.index,
        sample=sample,
        before=earlier.before,
        result=result,
        after=after,
    )


async def _answered(
    state: ConversationState,
    turn: Turn,
    history: Sequence[Turn],
    analyzer: Analyzer,
    refused: InvalidStageTransitionError | None,
) -> tuple[Analysis | Failure, ConversationState]:
    """What the turn led to and the state after it: the same state if it failed."""
    if refused is not None:
        return _failure(refused), state
    try:
        analysis = await analyzer.analyze(state, turn, history)
        return analysis, advance(state, turn, analysis)
    except Exception as error:  # noqa: BLE001  # whatever goes wrong in one turn is that turn's result
        return _failure(error), state


def _due(conversation: Conversation, since: int, turn: Turn) -> tuple[StageChange, ...]:
    """The stage changes recorded after turn `since` (or later) and before `turn`."""
    return tuple(change for change in conversation.stage_changes if since <= change.after_turn < turn.index)


def _with_stage_changes(
    state: ConversationState, changes: Iterable[StageChange]
) -> tuple[ConversationState, InvalidStageTransitionError | None]:
    """The state after the recorded changes; the first one that the rules forbid is returned and not applied."""
    for change in changes:
        try:
            validate_transition(state.deal_stage, change.to)
        except InvalidStageTransitionError as error:
            return state, error
        state = state.model_copy(update={"deal_stage": change.to})
    return state, None


def _failure(error: Exception) -> Failure:
    return Failure(error=type(error).__name__, message=str(error) if isinstance(error, QBSError) else _where(error))


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"in {frame.name}, {Path(frame.filename).name} line {frame.lineno}"
