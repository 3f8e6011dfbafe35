"""Values and fakes for the tests of `evals`, as short as they can be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.guardrails import guard
from engine.model.analysis import Analysis, Expansion, Extraction, FallbackReason, Question, Source
from engine.model.conversation import Conversation, StageChange, Turn
from engine.model.qbs import ExpansionTrigger, QBSQuestionRecommendation
from engine.model.qualification import Dimension, Evidence, Signal, qualification_from
from engine.model.state import ConversationState
from evals.labels import TurnLabel
from evals.records import RunManifest, RunSpec, StateMode, Variant
from evals.runs.spec import run_id_of, turns_expected

TEXTS = (
    "We lose two hours a day to this.",
    "The budget is 40k.",
    "I would have to ask Ines Faro, our CFO.",
    "Not sure yet.",
    "It wears the team out.",
)


def conversation(
    id_: str = "alpha", customer_turns: int = 3, stage_changes: Sequence[tuple[int, str]] = (), **fields: Any
) -> Conversation:
    """Seller and customer in turns; the customer speaks on turns 1, 3, 5, ..."""
    turns = []
    for position in range(customer_turns):
        turns.append({"index": 2 * position, "speaker": "seller", "text": f"How is it going, part {position}?"})
        turns.append({"index": 2 * position + 1, "speaker": "customer", "text": TEXTS[position % len(TEXTS)]})
    return Conversation.model_validate(
        {
            "id": id_,
            "title": f"About {id_}",
            "account": "Acme",
            "contact": {"name": "Ada Byron"},
            "persona": "manager",
            "channel": "chat",
            "turns": turns,
            "stage_changes": [StageChange(after_turn=after, to=to) for after, to in stage_changes],
            **fields,
        }
    )


def label(turn: int = 1, conversation_id: str = "alpha", **fields: Any) -> TurnLabel:
    return TurnLabel.model_validate(
        {
            "conversation_id": conversation_id,
            "turn": turn,
            "engagement": "factual",
            "pain_depth": "surface",
            "back_off": False,
            "question_types": ["impact"],
            **fields,
        }
    )


def labels_of(of: Conversation) -> dict[int, TurnLabel]:
    """A label for every customer turn: a pain that is the turn's own text."""
    return {
        turn.index: label(
            turn.index, of.id, dimensions=[{"dimension": "pain", "value": f"pain {turn.index}", "quote": turn.text}]
        )
        for turn in of.customer_turns
    }


def write_lines(file: Path, *objects: Any) -> Path:
    """`objects` as JSON lines; bytes and text are written as they are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(_line(item) for item in objects))
    return file


def _line(item: Any) -> bytes:
    if isinstance(item, bytes):
        return item
    if isinstance(item, str):
        return item.encode()
    if isinstance(item, Conversation | TurnLabel):
        return item.model_dump_json().encode() + b"\n"
    return json.dumps(item).encode() + b"\n"


def spec(*conversations: Conversation, **fields: Any) -> RunSpec:
    return RunSpec(
        **{
            "dataset": "toys",
            "dataset_hash": "0" * 64,
            "conversation_ids": tuple(item.id for item in conversations),
            "variant": Variant(name="fake"),
            "state_mode": StateMode.CARRIED,
            "engine_hash": "1" * 64,
            **fields,
        }
    )


def manifest(*conversations: Conversation, **fields: Any) -> RunManifest:
    wanted = spec(*conversations, **fields)
    return RunManifest(
        run_id=run_id_of(wanted),
        spec=wanted,
        turns_expected=turns_expected(wanted, conversations),
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        python="3.11",
    )


class FakeAnalyzer:
    """Answers by the words of the turn, after `seconds`; counts the turns that it was asked about.

    On the turns in `raises` it raises that error; on those in `falls_back` it says that a model failed.
    """

    def __init__(
        self,
        seconds: float = 0.0,
        raises: dict[int, BaseException] | None = None,
        falls_back: Sequence[int] = (),
        cost_usd: float | None = 0.01,
    ) -> None:
        self.asked: list[int] = []
        self._seconds = seconds
        self._raises = raises or {}
        self._falls_back = falls_back
        self._cost = cost_usd

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        self.asked.append(turn.index)
        if self._seconds:
            await asyncio.sleep(self._seconds)
        if turn.index in self._raises:
            raise self._raises[turn.index]
        return guard(state, turn, history, self._raw(turn, len(history)))

    def _raw(self, turn: Turn, position: int) -> Analysis:
        source = self._source(turn)
        evidence = (Evidence(quote=turn.text, turn=turn.index),)
        dimension = list(Dimension)[position % 5]
        found = qualification_from({dimension: Signal(value=turn.text, confidence=0.8, evidence=evidence)})
        triggers = (ExpansionTrigger(mentioned_name_or_role="Ines Faro"),) if "Ines" in turn.text else ()
        return Analysis(
            extraction=Extraction(found=found, source=source),
            question=Question(recommendation=recommendation(f"And what about part {position}?"), source=source),
            expansion=Expansion(triggers=triggers, source=source),
        )

    def _source(self, turn: Turn) -> Source:
        if turn.index in self._falls_back:
            return Source(kind="rules", model="m", fallback_reason=FallbackReason.TIMEOUT, attempts=1, cost_usd=0.0)
        return Source(
            kind="llm", model="m", latency_ms=5.0, tokens_in=10, tokens_out=2, attempts=1, cost_usd=self._cost
        )


def recommendation(question: str = "What does that cost you?", **fields: Any) -> QBSQuestionRecommendation:
    return QBSQuestionRecommendation.model_validate(
        {
            "question_type": "impact",
            "meddic_bant_target": "metrics",
            "voss_delivery": "calibrated_question",
            "suggested_question": question,
            **fields,
        }
    )
