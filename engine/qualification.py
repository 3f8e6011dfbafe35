"""QualificationExtractor: all ten dimensions from the conversation so far, in one model call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from engine.errors import ModelCallError
from engine.llm.reply import Reply, described
from engine.llm.service import ModelRequest, ModelService
from engine.merge import merge_qualification_signals
from engine.model.analysis import Extraction, Source
from engine.model.context import ConversationContext
from engine.model.conversation import Speaker, Turn
from engine.model.qualification import (
    AnySignal,
    Dimension,
    Evidence,
    ListSignal,
    QualificationState,
    Signal,
    qualification_from,
)
from engine.prompts import PromptLibrary, build_qualification_extraction_prompt

MAX_VALUE_CHARACTERS = 300
MAX_QUOTE_CHARACTERS = 600
MAX_QUOTES = 6
MAX_ITEMS = 12

_DIMENSION_NAMES = frozenset({*(dimension.value for dimension in Dimension), "identified_pain"})
_NOTHING = frozenset({"", "null", "none", "n/a", "unknown", "not known", "not mentioned", "not identified"})


class QualificationExtractor:
    """Asks the reasoning model what the customer has said about the deal. It fails open: nothing found.

    `deadline_s` is the limit of one call in seconds, `sample` the number of the repeat. Raises PromptError at
    once when the prompt in use cannot be filled in.
    """

    def __init__(
        self, service: ModelService, prompts: PromptLibrary, model: str, *, deadline_s: float = 8.0, sample: int = 0
    ) -> None:
        self._service, self._prompts, self._model = service, prompts, model
        self._deadline_s, self._sample = deadline_s, sample
        self._request(ConversationContext(), Turn(index=0, speaker=Speaker.CUSTOMER, text=""), ())

    async def extract(self, context: ConversationContext, turn: Turn, history: Sequence[Turn]) -> Extraction:
        """What the conversation up to `turn` says. After a model error nothing, with the reason on the source."""
        try:
            reply = await self._service.ask(self._request(context, turn, history), deadline=self._deadline_s)
        except ModelCallError as error:
            return Extraction(source=error.source)
        return Extraction(found=_found(reply.value), source=reply.source)

    async def qualify(
        self, current: QualificationState, context: ConversationContext, turn: Turn, history: Sequence[Turn]
    ) -> tuple[QualificationState, Source]:
        """`current` merged with what was found; after a model error `current` itself, unchanged."""
        extraction = await self.extract(context, turn, history)
        if extraction.source.is_fallback:
            return current, extraction.source
        return merge_qualification_signals(current, extraction.found), extraction.source

    def _request(
        self, context: ConversationContext, turn: Turn, history: Sequence[Turn]
    ) -> ModelRequest[_QualificationReport]:
        prompt = build_qualification_extraction_prompt(context, turn, history, prompts=self._prompts)
        return ModelRequest(
            purpose="extraction",
            model=self._model,
            messages=prompt.messages,
            reply=described(_QualificationReport, prompt.reply, where=prompt.ref),
            prompt=prompt.ref,
            temperature=prompt.temperature,
            max_tokens=prompt.max_tokens,
            sample=self._sample,
        )


def _turn_number(given: Any) -> Any:
    """Models write 3, "3", "[3]" or "turn 3"."""
    match = re.search(r"\d{1,6}", given) if isinstance(given, str) else None
    return int(match.group()) if match else given


def _as_text(given: Any) -> Any:
    """Models write a list or a number where one text is asked for."""
    if isinstance(given, list):
        return "; ".join(str(item) for item in given)
    return str(given) if isinstance(given, int | float) else given


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, str | dict) else given


_Text = Annotated[str, BeforeValidator(_as_text)]


class _Quote(Reply):
    turn: Annotated[int, BeforeValidator(_turn_number)] = Field(
        description="The number in brackets at the beginning of the customer's turn."
    )
    quote: str = Field(description="The few words that carry the fact, copied letter by letter from that one turn.")


_Confidence = Annotated[
    float,
    Field(ge=0, le=1, description="0.9 said plainly, 0.6 hedged or one step away, 0.3 hinted; above 0.95 corrections."),
]
_Quotes = Annotated[
    list[_Quote], BeforeValidator(_as_list), Field(description="At least one quote that says so by itself.")
]


class _Finding(Reply):
    """What the customer said about one dimension."""

    value: _Text = Field(
        description="What holds now, in a few plain words; amounts, names and dates as they were said."
    )
    confidence: _Confidence
    evidence: _Quotes


class _Criteria(Reply):
    """What the customer will judge an offer by."""

    values: Annotated[list[_Text], BeforeValidator(_as_list)] = Field(
        description="One entry for each criterion, in the order in which they came up."
    )
    confidence: _Confidence
    evidence: _Quotes


class _QualificationReport(Reply):
    """What the customer has said about the deal so far. Null for a dimension on which nothing was said."""

    model_config = ConfigDict(title="QualificationReport")

    budget: _Finding | None = Field(description="Money for this purchase: amount, range, ceiling, approved or refused.")
    authority: _Finding | None = Field(description="The contact's own part in the decision.")
    need: _Finding | None = Field(description="What they are looking for, in terms of what it must do for them.")
    timeline: _Finding | None = Field(
        description="When it must be decided, running or finished, and what sets the pace."
    )
    metrics: _Finding | None = Field(description="Numbers that measure the problem or the success they want.")
    economic_buyer: _Finding | None = Field(description="Who releases the money or has the last word.")
    decision_criteria: _Criteria | None = Field(description="What an offer will be judged by.")
    decision_process: _Finding | None = Field(description="The way from interest to signature: steps, people, papers.")
    pain: _Finding | None = Field(description="What goes wrong today and what follows from it.")
    champion: _Finding | None = Field(
        description="Who at the customer works for this on the inside, and how that shows."
    )
    key_insights: Annotated[list[_Text], BeforeValidator(_as_list)] = Field(
        description="Up to three sentences that a colleague taking over should read first."
    )
    recommended_next_questions: Annotated[list[_Text], BeforeValidator(_as_list)] = Field(
        description="Up to three open questions about what is missing, fit to be said as they stand."
    )

    @model_validator(mode="before")
    @classmethod
    def _omitted_is_null(cls, given: Any) -> Any:
        """Models leave out what is null. A reply without any dimension at all is another thing, and wrong."""
        if not isinstance(given, dict) or not _DIMENSION_NAMES.intersection(given):
            return given
        pain = given.get("pain") or given.get("identified_pain")
        return {**dict.fromkeys(cls.model_fields), **given, "pain": pain}

    @field_validator(*(d.value for d in Dimension), mode="before")
    @classmethod
    def _nothing_is_null(cls, given: Any) -> Any:
        """Models also say that there is nothing by an empty value, by the word, or by no confidence at all."""
        if isinstance(given, dict):
            value = given.get("confidence") != 0 and (given.get("value") or given.get("values"))
        else:
            value = given
        nothing = not value or (isinstance(value, str) and value.strip().casefold() in _NOTHING)
        return None if nothing else given

    @field_validator("key_insights", "recommended_next_questions", mode="before")
    @classmethod
    def _null_is_empty(cls, given: Any) -> Any:
        return [] if given is None else given


REPLY: type[Reply] = _QualificationReport


def _found(reply: _QualificationReport) -> QualificationState:
    """The reply as engine values. Merging into nothing takes out doubles and sets the overall confidence."""
    found = qualification_from(
        {d: _signal(finding) for d in Dimension if (finding := getattr(reply, d.value)) is not None},
        key_insights=_texts(reply.key_insights),
        recommended_next_questions=_texts(reply.recommended_next_questions),
    )
    return merge_qualification_signals(QualificationState(), found)


def _signal(found: _Finding | _Criteria) -> AnySignal:
    if isinstance(found, _Criteria):
        if not (values := _texts(found.values)):
            return ListSignal()
        return ListSignal(values=values, confidence=found.confidence, evidence=_evidence(found.evidence))
    if not (value := _texts([found.value])):
        return Signal()
    return Signal(value=value[0], confidence=found.confidence, evidence=_evidence(found.evidence))


def _evidence(quotes: list[_Quote]) -> tuple[Evidence, ...]:
    """The beginning of a long quote is still verbatim."""
    said = [Evidence(quote=quote.quote.strip()[:MAX_QUOTE_CHARACTERS], turn=quote.turn) for quote in quotes]
    return tuple(item for item in said if item.quote)[:MAX_QUOTES]


def _texts(texts: list[str]) -> tuple[str, ...]:
    flat = (" ".join(text.split())[:MAX_VALUE_CHARACTERS] for text in texts)
    return tuple(text for text in flat if text)[:MAX_ITEMS]
