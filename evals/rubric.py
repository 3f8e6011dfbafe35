"""The rubric put to a model: one recommended question in its conversation, rated once, or the reason why it was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from engine.errors import ModelCallError
from engine.llm.limits import sum_of_costs
from engine.llm.reply import Reply
from engine.llm.service import ModelRequest, ModelService
from engine.model.analysis import FallbackReason, Source
from engine.model.context import ConversationContext
from engine.model.conversation import MAX_TURN_CHARACTERS, Conversation, Speaker, Turn
from engine.prompts import Prompt, PromptLibrary, variables
from evals.judgements import LEAST, MOST, Judge, Judgement, TurnQuestion

RUBRICS = Path(__file__).parent / "prompts"
NAME = "judgement"
SECONDS = 30.0  # nobody waits for a judgement
TRIES = 4
TRIES_APART = 1_000  # in sample indices, beyond any repeat

# The model did answer, and its answer is of no use. It stays recorded, so that only another sample gets a new one.
OF_NO_USE = frozenset(
    {
        FallbackReason.INVALID_REPLY,
        FallbackReason.REFUSED,
        FallbackReason.EMPTY_REPLY,
        FallbackReason.TRUNCATED,
    }
)
MAX_REASON_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A question that the model could not be brought to rate; `source` says why, and what was spent on it."""

    about: TurnQuestion
    source: Source


def rubric_in_use(prompts: PromptLibrary | None = None) -> Prompt:
    """The rubric of a library, of the one that comes with the project if none is given. Raises PromptError."""
    return (prompts or PromptLibrary(shipped=RUBRICS)).load(NAME)


class QuestionJudge:
    """Rates questions with one model by the rubric in use. `deadline_s` is the limit of one call in seconds.

    Raises PromptError if the rubric in `prompts` cannot be filled in.
    """

    def __init__(
        self, service: ModelService, model: str, prompts: PromptLibrary | None = None, *, deadline_s: float = SECONDS
    ) -> None:
        self._service, self._model, self._deadline_s = service, model, deadline_s
        self._rubric = rubric_in_use(prompts)
        self._rubric.chosen_from(dict.fromkeys(_AVAILABLE, ""))

    @property
    def judge(self) -> Judge:
        return Judge(model=self._model, rubric=self._rubric.ref)

    async def rate(self, conversation: Conversation, question: TurnQuestion, repeat: int = 0) -> Judgement | Unjudged:
        """The `repeat`-th judgement (from 0), which is really asked for anew; never raises for a model failure.

        After an answer of no use it is tried again, up to `TRIES` times in all; the source counts what all tries took.
        """
        spent: list[Source] = []
        for sample in range(repeat, repeat + TRIES * TRIES_APART, TRIES_APART):
            request = self._request(conversation, question, sample)
            try:
                reply = await self._service.ask(request, deadline=self._deadline_s)
            except ModelCallError as error:
                spent.append(error.source)
                if error.source.fallback_reason not in OF_NO_USE:
                    break
            else:
                return _judgement(question, repeat, reply.value, _in_all([*spent, reply.source]))
        return Unjudged(question, _in_all(spent))

    def _request(
        self, conversation: Conversation, question: TurnQuestion, sample: int
    ) -> ModelRequest[_QuestionJudgement]:
        head = self._rubric.head
        return ModelRequest(
            purpose="judgement",
            model=self._model,
            messages=self._rubric.render(**self._rubric.chosen_from(_shown(conversation, question))),
            reply=_QuestionJudgement,
            prompt=self._rubric.ref,
            temperature=head.temperature,
            max_tokens=head.max_tokens,
            sample=sample,
        )


def _judgement(question: TurnQuestion, repeat: int, reply: _QuestionJudgement, source: Source) -> Judgement:
    return Judgement(
        conversation_id=question.conversation_id,
        turn=question.turn,
        question=question.text,
        repeat=repeat,
        naturalness=reply.naturalness,
        value_first=reply.value_first,
        reason=" ".join(reply.reason.split())[:MAX_REASON_CHARACTERS],
        source=source,
    )


def _in_all(tries: Sequence[Source]) -> Source:
    """The last source, with what all of them took."""
    asked = [source for source in tries if source.attempts]
    return tries[-1].model_copy(
        update={
            "tokens_in": sum(source.tokens_in for source in asked),
            "tokens_out": sum(source.tokens_out for source in asked),
            "attempts": sum(source.attempts for source in asked),
            "cost_usd": sum_of_costs(*(source.cost_usd for source in asked)),
        }
    )


_AVAILABLE = (
    *("account", "industry", "offering", "contact", "known_contacts"),
    *("persona", "channel", "transcript", "proposed_turn"),
)


def _shown(conversation: Conversation, question: TurnQuestion) -> variables.Variables:
    """What a judge may know: the recording and the question. Neither what was concluded, nor by whom, nor any label.

    The question stands in the transcript as the seller's next turn, so that nothing in it can leave its place.
    """
    turn = conversation.turns[question.turn]
    said = conversation.turns[: question.turn + 1]
    seller = next((own.name for own in reversed(said) if own.speaker is Speaker.SELLER), None)
    text = question.text[:MAX_TURN_CHARACTERS]
    proposed = Turn(index=turn.index + 1, speaker=Speaker.SELLER, name=seller, text=text)
    return {
        **variables.header(ConversationContext.of_conversation(conversation)),
        "persona": conversation.persona.value,
        "channel": conversation.channel_of(turn).value,
        "transcript": variables.render_recent_turns((*said, proposed)),
        "proposed_turn": proposed.index,
    }


class _QuestionJudgement(Reply):
    """What you think of the proposed message. The reason comes first, so that the ratings follow from it."""

    model_config = ConfigDict(title="QuestionJudgement")

    reason: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        description="One or two short sentences that quote the few words of the proposed message that decided it."
    )
    naturalness: int = Field(
        ge=LEAST, le=MOST, description="1 embarrasses the sender, 2 is noticed, 3 can be sent, 4 is right as it stands."
    )
    value_first: int = Field(
        ge=LEAST, le=MOST, description="1 only asks or pitches, 2 a courtesy, 3 brief or general, 4 about them alone."
    )
