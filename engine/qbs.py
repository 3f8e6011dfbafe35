"""QBSQuestionEngine: senses where the conversation is and recommends the question to ask next, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from engine.errors import ModelCallError
from engine.llm.reply import Reply, described
from engine.llm.service import ModelRequest, ModelService
from engine.model.analysis import Question
from engine.model.conversation import MAX_TURN_CHARACTERS, Speaker, Turn
from engine.model.qbs import (
    EngagementSignal,
    PainDepthLevel,
    QBSQuestionRecommendation,
    QBSQuestionType,
    VossDelivery,
)
from engine.model.qualification import Dimension
from engine.model.state import ConversationState
from engine.prompts import PromptLibrary, build_qbs_analysis_prompt
from engine.rules import recommend_by_seed

MAX_RATIONALE_CHARACTERS = 600
MAX_SIGNALS = 5


class QBSQuestionEngine:
    """Asks the fast model what to say next; after any failure the seed table answers.

    `deadline_s` is the limit of one call in seconds, `sample` the number of the repeat. Raises PromptError at
    once when the prompt in use cannot be filled in.
    """

    def __init__(
        self, service: ModelService, prompts: PromptLibrary, model: str, *, deadline_s: float = 8.0, sample: int = 0
    ) -> None:
        self._service, self._prompts, self._model = service, prompts, model
        self._deadline_s, self._sample = deadline_s, sample
        nobody = ConversationState(state_id="", tenant_id="", account_id="", contact_id="")
        self._request(nobody, Turn(index=0, speaker=Speaker.CUSTOMER, text=""), ())

    async def analyze_and_recommend(
        self,
        conversation_state: ConversationState,
        latest_message: str | Turn,
        conversation_history: Sequence[Turn] | None = None,
    ) -> QBSQuestionRecommendation:
        """The recommendation after `latest_message` of the customer, unguarded; never raises for a model failure.

        `conversation_history` is the turns before the message; `conversation_state` the state before it.
        """
        history = conversation_history or ()
        turn = latest_message if isinstance(latest_message, Turn) else _customer_turn(latest_message, history)
        return (await self.recommend(conversation_state, turn, history)).recommendation

    async def recommend(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Question:
        """The same with its source: the model, or rules with the reason why the model did not answer."""
        try:
            reply = await self._service.ask(self._request(state, turn, history), deadline=self._deadline_s)
        except ModelCallError as error:
            return Question(recommendation=recommend_by_seed(state), source=error.source)
        return Question(recommendation=_recommendation(reply.value), source=reply.source)

    def _request(
        self, state: ConversationState, turn: Turn, history: Sequence[Turn]
    ) -> ModelRequest[_QuestionRecommendation]:
        prompt = build_qbs_analysis_prompt(state, turn, history, prompts=self._prompts)
        return ModelRequest(
            purpose="question",
            model=self._model,
            messages=prompt.messages,
            reply=described(_QuestionRecommendation, prompt.reply, where=prompt.ref),
            prompt=prompt.ref,
            temperature=prompt.temperature,
            max_tokens=prompt.max_tokens,
            sample=self._sample,
        )


def _customer_turn(text: str, history: Sequence[Turn]) -> Turn:
    index = history[-1].index + 1 if history else 0
    return Turn(index=index, speaker=Speaker.CUSTOMER, text=text[:MAX_TURN_CHARACTERS])


def _as_term(given: Any) -> Any:
    """Models write "Pain Funnel" or "pain-funnel" for pain_funnel."""
    return "_".join(given.casefold().replace("-", " ").split()) if isinstance(given, str) else given


def _as_list(given: Any) -> Any:
    if given is None:
        return []
    return [given] if isinstance(given, str) else given


_TERM = BeforeValidator(_as_term)


class _QuestionRecommendation(Reply):
    """What was sensed in the latest message, and the one thing to say next.

    The order of the fields is the order of thinking: sense first, then choose, then word it, then judge it.
    """

    model_config = ConfigDict(title="QuestionRecommendation")

    engagement_signal: Annotated[EngagementSignal, _TERM] = Field(
        description="Where the customer's energy is in the latest message."
    )
    pain_depth: Annotated[PainDepthLevel, _TERM] = Field(
        description="The deepest level the customer's own words have reached, never less than noted before."
    )
    topic: str | None = Field(
        default=None,
        description="The problem this is about, in two to five words, named as before if it came up before; or null.",
    )
    natural_stopping_signals: Annotated[list[str], BeforeValidator(_as_list)] = Field(
        default=[], description="Their words that ask for less, quoted briefly. Usually empty."
    )
    information_gaps: list[Dimension] = Field(
        default=[], description="Up to four dimensions still missing, the most useful first."
    )
    should_probe_deeper: bool = Field(description="True only if this message invites one step deeper.")
    question_type: Annotated[QBSQuestionType, _TERM] = Field(
        description="What the question is for. No pain_funnel and no impact after resistance or when told to back off."
    )
    meddic_bant_target: Annotated[Dimension, _TERM] = Field(
        description="The dimension that the answer would tell most about."
    )
    voss_delivery: Annotated[VossDelivery, _TERM] = Field(description="How it is delivered.")
    rationale: str = Field(default="", description="Why this, now: one or two sentences a colleague would understand.")
    suggested_question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1200)] = Field(
        description="Word for word what the seller says: one short sentence of value, then one natural question."
    )
    confidence: float = Field(
        ge=0, le=1, description="Probability that this customer answers this question with substance."
    )

    @field_validator("information_gaps", mode="before")
    @classmethod
    def _known_dimensions_only(cls, given: Any) -> Any:
        """A gap that is no dimension is left out: it is not worth asking again for."""
        listed = _as_list(given)
        terms = [_as_term(item) for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
        names = {dimension.value for dimension in Dimension} | {"identified_pain"}
        return [term for term in terms if term in names]


REPLY: type[Reply] = _QuestionRecommendation


def _recommendation(reply: _QuestionRecommendation) -> QBSQuestionRecommendation:
    return QBSQuestionRecommendation(
        question_type=reply.question_type,
        meddic_bant_target=reply.meddic_bant_target,
        voss_delivery=reply.voss_delivery,
        suggested_question=reply.suggested_question,
        rationale=reply.rationale.strip()[:MAX_RATIONALE_CHARACTERS],
        information_gaps=tuple(dict.fromkeys(reply.information_gaps)),
        engagement_signal=reply.engagement_signal,
        pain_depth=reply.pain_depth,
        should_probe_deeper=reply.should_probe_deeper,
        natural_stopping_signals=tuple(text.strip()[:120] for text in reply.natural_stopping_signals[:MAX_SIGNALS]),
        confidence=reply.confidence,
        topic=_topic(reply.topic),
    )


def _topic(given: str | None) -> str | None:
    flat = " ".join((given or "").split())[:120]
    return flat if flat.casefold() not in ("", "null", "none", "n/a") else None
