"""For which turns there are recorded answers of a prompt version: looked up, without asking anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from engine.model.analysis import Analysis
from engine.model.conversation import Conversation
from evals.records import TurnRecord
from evals.replay import answer_again
from evals.scoring import TurnKey

if TYPE_CHECKING:
    from engine.analyzers import Analyzer


async def recorded_turns(
    picked: Iterable[TurnRecord], conversations: Mapping[str, Conversation], analyzer: Analyzer
) -> tuple[TurnKey, ...]:
    """The turns of these records that `analyzer` can answer in full.

    The analyzer must ask a model service in recording mode `recorded`: then what it cannot answer has no recording.
    """
    found = []
    for earlier in picked:
        record = await answer_again(conversations[earlier.conversation_id], earlier, analyzer, run_id=earlier.run_id)
        result = record.result
        if isinstance(result, Analysis) and not any(source.is_fallback for source in result.sources.values()):
            found.append((record.conversation_id, record.turn))
    return tuple(found)
