"""One customer turn as it is judged: what was answered, what people say holds, and what came before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import Literal

from engine.guardrails.grounding import located
from engine.model.analysis import Analysis, Source
from engine.model.conversation import Conversation, Turn
from engine.model.qbs import QBSQuestionRecommendation
from engine.model.qualification import AnySignal, Dimension, QualificationState
from evals.judgements import Judgement
from evals.labels import TurnLabel
from evals.records import Failure, TurnRecord

Answer = Literal["extraction", "question", "expansion"]
ANSWERS: tuple[Answer, ...] = ("extraction", "question", "expansion")


class View(StrEnum):
    """Whose answers count."""

    MODEL = "model"  # what the variant itself answered, without the fallbacks
    ALL = "all"  # fallbacks too: what the seller saw


_SIGNALS = tuple((dimension, dimension.is_bant, attrgetter(dimension.field)) for dimension in Dimension)


def identified(found: QualificationState) -> dict[Dimension, AnySignal]:
    """The signals that say something, by dimension. Asked of every turn several times, so each is looked up once."""
    bant, meddic = found.bant, found.meddic
    signals = ((dimension, signal(bant if is_bant else meddic)) for dimension, is_bant, signal in _SIGNALS)
    return {dimension: signal for dimension, signal in signals if signal.identified}


@dataclass(frozen=True)
class JudgedTurn:
    """A turn record beside its label. `earlier` are the turns before it, of the same conversation and sample.

    `said` are the dimensions that the labels say were talked about up to this turn, this one included. `judgements` are
    what one judge said of the question that was used, each time it was asked.
    """

    record: TurnRecord
    conversation: Conversation
    label: TurnLabel | None = None
    said: frozenset[Dimension] = frozenset()
    earlier: Sequence[JudgedTurn] = field(default=(), repr=False)
    view: View = View.MODEL
    judgements: Sequence[Judgement] = ()

    @property
    def turn(self) -> Turn:
        return self.conversation.turns[self.record.turn]

    @cached_property
    def used(self) -> Analysis:
        """What the guardrails let through. Raises ValueError for a turn that failed."""
        if isinstance(self.record.result, Failure):
            raise ValueError(f"turn {self.record.turn} of {self.conversation.id} failed and has no analysis")
        return self.record.result

    @cached_property
    def proposed(self) -> Analysis:
        """What the analyzer said before the guardrails."""
        return self.used.raw

    @property
    def recommendation(self) -> QBSQuestionRecommendation:
        """The recommendation that was used."""
        return self.used.question.recommendation

    def source(self, answer: Answer) -> Source:
        return self.used.sources[answer]

    def counts(self, answer: Answer | None) -> bool:
        """Whether this answer counts in this view; None asks for the turn as a whole, which always does."""
        return answer is None or answer in self._counted

    @cached_property
    def _counted(self) -> frozenset[str]:
        if isinstance(self.record.result, Failure):
            return frozenset()
        sources = self.used.sources.items()
        return frozenset(name for name, source in sources if self.view is View.ALL or not source.is_fallback)

    @cached_property
    def claimed(self) -> Mapping[Dimension, AnySignal]:
        """The signals that are supported by a quote of this turn, as they were used."""
        turn = self.record.turn
        signals = identified(self.used.extraction.found)
        return {key: own for key, own in signals.items() if any(item.turn == turn for item in own.evidence)}

    @cached_property
    def verbatim(self) -> frozenset[tuple[str, int]]:
        """The quotes that were proposed and stand in a customer's turn so far, with the turn that they name.

        A quote that the turn before has found is not looked for again: conversations only grow.
        """
        found = self.earlier[-1].verbatim if self.earlier else frozenset()
        turns = self.conversation.turns[: self.record.turn + 1]
        quoted = (item for signal in identified(self.proposed.extraction.found).values() for item in signal.evidence)
        here = {(item.quote, item.turn): item for item in quoted}
        return frozenset(key for key, item in here.items() if key in found or located(item, turns) is not None)

    @cached_property
    def known(self) -> Mapping[Dimension, AnySignal]:
        """What is known of the deal after the turn."""
        return identified(self.record.after.qualification)

    @property
    def share_of_conversation(self) -> float:
        """1 / customer turns, so that the turns of a whole conversation sum to one."""
        return 1 / len(self.conversation.customer_turns)
