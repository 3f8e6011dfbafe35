"""A live conversation in the shapes that the Replay page draws: what was said, and a side that analysed it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.advance import advance
from engine.folding import KeptTurn, opening_of
from engine.guardrails import guard
from engine.model.context import ConversationContext
from engine.model.conversation import Channel, Contact, Conversation, Speaker, Turn
from engine.model.state import ConversationState
from evals.records import TurnRecord
from workbench.presenters import transcript as transcripts
from workbench.presenters.sides import Side
from workbench.presenters.transcript import EVERYTHING, THIS_MESSAGE, Message
from workbench.text import clip

NAME = "The engine"
NOT_HERE = "(This message has not arrived.)"

_LIVE = "live"
_LONGEST = 300  # characters of a name or an account on a page
_MOST_MISSING = 50  # messages in a row: a page of gaps tells nobody anything


@dataclass(frozen=True, slots=True)
class Talk:
    """What was said so far and what the engine made of it.

    `answered` is the newest message that was analysed, `unread` the customer's newest if it is not: None where there
    is no such message.
    """

    conversation: Conversation
    side: Side
    answered: int | None
    unread: int | None

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.side,)


def talk_of(state: ConversationState, kept: Sequence[KeptTurn]) -> Talk:
    """The talk that `state` is the state of, folded anew from what is kept of its turns, in their order."""
    conversation = _conversation(state, [item.turn for item in kept])
    side = Side.of(NAME, _LIVE, _records(opening_of(state), kept))
    answered = max(side.records, default=None)
    said = max((turn.index for turn in conversation.customer_turns), default=None)
    return Talk(conversation, side, answered, said if said != answered else None)


def messages_so_far(talk: Talk) -> tuple[tuple[Message, ...], int]:
    """Everything said, the quotes of the newest answer marked, and how many of the first messages are left out.

    Empty if nothing was said.
    """
    last = len(talk.conversation.turns) - 1
    if last < 0:
        return (), 0
    since = transcripts.transcript(talk.conversation, (), last, EVERYTHING)
    everything = (*since.earlier, since.current)
    if talk.answered is None:
        return everything, since.left_out
    shown = transcripts.transcript(talk.conversation, talk.sides, talk.answered, THIS_MESSAGE)
    newer = [message for message in everything if message.turn > talk.answered]
    return (*shown.earlier, shown.current, *newer), shown.left_out


def _conversation(state: ConversationState, turns: Sequence[Turn]) -> Conversation:
    """What was said, as recorded conversations are. Where a message has not arrived, one says so in its place."""
    context = ConversationContext.of_state(state)
    account = clip(context.account or state.account_id, _LONGEST)
    name = clip(context.contact_name or state.contact_name or state.contact_id, _LONGEST)
    return Conversation.model_construct(  # not validated: nothing may have been said yet
        id=_LIVE,
        title=f"{name}, {account}",
        account=account,
        industry=context.industry,
        offering=context.offering,
        contact=Contact(name=name, title=context.contact_title),
        persona=state.persona_type,
        channel=state.last_channel or Channel.CHAT,
        opening_stage=state.deal_stage,
        turns=_without_gaps(turns),
    )


def _without_gaps(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The turns by index, from 0 on."""
    found: list[Turn] = []
    for turn in turns:
        missing = turn.index - len(found)
        if missing > _MOST_MISSING:
            break
        found += [Turn(index=len(found) + n, speaker=Speaker.OTHER, text=NOT_HERE) for n in range(missing)]
        found.append(turn)
    return tuple(found)


def _records(state: ConversationState, kept: Sequence[KeptTurn]) -> Iterable[TurnRecord]:
    history: list[Turn] = []
    for item in kept:
        if item.analysis is not None:
            analysis = guard(state, item.turn, history, item.analysis)
            after = advance(state, item.turn, analysis)
            yield TurnRecord(
                run_id=_LIVE, conversation_id=_LIVE, turn=item.turn.index, before=state, result=analysis, after=after
            )
            state = after
        history.append(item.turn)
