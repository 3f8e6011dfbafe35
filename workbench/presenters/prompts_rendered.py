"""A prompt at one turn of a run: what each variable is there, and the messages that would be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import PromptError
from engine.llm.reply import described
from engine.model.analysis import Analysis
from engine.model.context import ConversationContext
from engine.model.conversation import Channel, Conversation
from engine.model.qbs import QBSQuestionRecommendation
from engine.model.state import ConversationState, opening_state
from engine.pain import PainDepthTracker
from engine.prompts import (
    Message,
    Prompt,
    PromptLibrary,
    build_chat_prompt,
    build_context_summary,
    build_email_prompt,
    build_expansion_detection_prompt,
    build_qbs_analysis_prompt,
    build_qbs_prompt_section,
    build_qualification_extraction_prompt,
    build_system_prompt,
    render_recent_turns,
    variables,
)
from engine.prompts.offered import OFFERED
from engine.replies import reply_of
from evals.records import TurnRecord
from evals.tuning.tokens import estimated, tokens
from workbench.presenters import figures
from workbench.text import count

NO_ANSWER = "The run has no answer at this turn, and this prompt is about one."
_DRAFTS = ("email", "chat")
_TEXT = "text"  # in the place of a role, where a prompt is woven into others


@dataclass(frozen=True, slots=True)
class TurnSeen:
    """A customer's turn with the state before it and, if a run answered it, what it recommended and the state after."""

    conversation: Conversation
    turn: int
    before: ConversationState
    after: ConversationState | None = None
    recommendation: QBSQuestionRecommendation | None = None

    @classmethod
    def of(cls, conversation: Conversation, turn: int, record: TurnRecord | None) -> TurnSeen:
        """Without a record the state is the one from before anything was said."""
        if record is None:
            return cls(conversation, turn, opening_state(conversation))
        answered = record.result if isinstance(record.result, Analysis) else None
        return cls(
            conversation,
            turn,
            record.before,
            record.after,
            answered.question.recommendation if answered else None,
        )

    @property
    def state(self) -> ConversationState:
        """The state that a draft is written from."""
        return self.after or self.before

    @property
    def channel(self) -> Channel:
        return self.conversation.turns[self.turn].channel or self.conversation.channel


@dataclass(frozen=True, slots=True)
class VariableRow:
    """A variable that the engine offers to a prompt. `value` is None where it has none at this turn."""

    name: str
    meaning: str
    value: str | None
    used: bool


@dataclass(frozen=True, slots=True)
class Size:
    """How large a request is, estimated; `model_role` says whose price counts."""

    tokens_in: int
    tokens_out_at_most: int | None

    @property
    def words(self) -> str:
        most = f", at most {self.tokens_out_at_most:,} written" if self.tokens_out_at_most else ""
        return f"about {count(self.tokens_in, 'token')} read{most} (an estimate)"


def messages(prompt: Prompt, library: PromptLibrary, at: TurnSeen) -> tuple[Message, ...]:
    """What would be sent at this turn with `prompt` in use. Raises PromptError where it cannot be filled in."""
    used, said = library.using(prompt), at.conversation.turns[: at.turn + 1]
    turn, history, context = said[-1], said[:-1], ConversationContext.of_state(at.before)
    match prompt.name:
        case "extraction":
            return build_qualification_extraction_prompt(context, turn, history, prompts=used).messages
        case "question":
            return build_qbs_analysis_prompt(at.before, turn, history, prompts=used).messages
        case "expansion":
            text = render_recent_turns(said)
            return build_expansion_detection_prompt(text, context.known_contacts, context, prompts=used).messages
        case "email":
            return build_email_prompt(at.state, said, at.recommendation, prompts=used).messages
        case "chat":
            return build_chat_prompt(at.state, said, at.recommendation, prompts=used).messages
        case _:
            return (Message(role=_TEXT, content=_woven(prompt.name, used, at)),)


def variable_rows(name: str, prompt: Prompt | None, library: PromptLibrary, at: TurnSeen) -> tuple[VariableRow, ...]:
    """Every variable offered to the prompt `name`, those in use first; `prompt` is None if the text is not sound."""
    declared = prompt.variables if prompt else {}
    values = _values(name, library, at)
    rows = [
        VariableRow(own, declared.get(own, meaning), _written(values.get(own)), own in declared)
        for own, meaning in OFFERED.get(name, {}).items()
    ]
    return tuple(sorted(rows, key=lambda row: not row.used))


def size(prompt: Prompt, sent: Sequence[Message]) -> Size:
    """The tokens of a request, with those of the reply schema."""
    schema = reply_of(prompt.name)
    if prompt.head.model_role is None:
        return Size(sum(tokens(message["content"]) for message in sent), None)
    told = described(schema, prompt.head.reply, where=prompt.name) if schema else None
    about = estimated(sent, told, max_tokens=prompt.head.max_tokens)
    return Size(about.tokens_in, about.tokens_out_at_most)


def price_words(about: Size, usd_in: float | None, usd_out: float | None, model: str) -> str:
    """What a request costs; `usd_in` and `usd_out` are for one token, None where nobody knows."""
    if usd_in is None or usd_out is None:
        return f"price of {model} not known"
    least = about.tokens_in * usd_in
    most = least + (about.tokens_out_at_most or 0) * usd_out
    return f"{figures.cost(least)} to {figures.cost(most)} by {model} (an estimate)"


def _woven(name: str, used: PromptLibrary, at: TurnSeen) -> str:
    if name == "context":
        return build_context_summary(at.state, prompts=used)
    guidance = build_qbs_prompt_section(at.recommendation, at.state, prompts=used) if at.recommendation else None
    if name == "system":
        return build_system_prompt(at.state.persona_type, at.channel, at.state.deal_stage, guidance, prompts=used)
    if guidance is None:
        raise PromptError(NO_ANSWER)
    return guidance


def _values(name: str, library: PromptLibrary, at: TurnSeen) -> Mapping[str, object]:
    """What the prompt `name` can be told at this turn; what cannot be worked out with these prompts is left out."""
    said = at.conversation.turns[: at.turn + 1]
    if name not in (*_DRAFTS, "system", "guidance", "context"):
        return variables.at_turn(at.before, said[-1], said[:-1])[name]
    header = variables.header(ConversationContext.of_state(at.state))
    if name == "context":
        return {**header, **variables.situation(at.state), **variables.carried(at.state)}
    if name == "guidance":
        backing_off = PainDepthTracker.should_back_off(PainDepthTracker.load(at.state))
        told = variables.recommended(at.recommendation) if at.recommendation else {}
        return {**told, "backing_off": backing_off}
    try:
        woven = {part: _woven(part, library, at) for part in ("system", "context")}
        guidance = _woven("guidance", library, at) if at.recommendation else ""
    except PromptError:
        return header
    if name == "system":
        return {"qbs_guidance": guidance}
    seller = variables.seller_name(said)
    told = {"seller": seller, "system_prompt": woven["system"], "context_summary": woven["context"]}
    return {**header, **variables.recent_conversation(said), **told}


def _written(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
