"""The conversation up to a turn, as messages with the quoted passages marked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from engine.model.conversation import Conversation, Speaker, StageChange, Turn
from engine.model.qualification import Dimension
from workbench.presenters.customer_text import Highlight, as_written, normalised_lines
from workbench.presenters.figures import moment
from workbench.presenters.quotes import Passage, passages
from workbench.presenters.sides import Side
from workbench.presenters.words import DIMENSIONS, STAGES

THIS_MESSAGE = "this message"
EVERYTHING = "everything so far"
MOST_EARLIER = 24  # messages before the current one: more is a long page, and nobody reads it here


@dataclass(frozen=True, slots=True)
class Reason:
    """What a passage is quoted for, and by whom if only one side quotes it."""

    dimension: Dimension
    side: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn as it is drawn. `body` is inert markdown, `quotes` the passages highlighted in it."""

    turn: int
    speaker: Speaker
    name: str
    when: str
    body: str
    quotes: tuple[Passage[Reason], ...]
    events: tuple[str, ...] = ()  # what the seller recorded after this message


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said up to a message and, of a long conversation, how many of the first messages are left out."""

    earlier: tuple[Message, ...]
    current: Message
    following: tuple[Message, ...]  # the seller's real answer, which the engine had not seen
    left_out: int


def highlight_choices(sides: Sequence[Side], turn: int) -> tuple[str, ...]:
    """What can be highlighted: this message's quotes, all of them, or those of one known dimension."""
    known = {reason.dimension for _, _, reason in _quoted(sides, turn, EVERYTHING)}
    return (THIS_MESSAGE, EVERYTHING, *(dimension.value for dimension in Dimension if dimension in known))


def transcript(conversation: Conversation, sides: Sequence[Side], turn: int, choice: str) -> Transcript:
    """The conversation up to `turn`, which is what the engine had seen, with the quotes of `choice` marked."""
    quotes: defaultdict[int, list[tuple[str, Reason]]] = defaultdict(list)
    for index, quote, reason in _quoted(sides, turn, choice):
        quotes[index].append((quote, reason))
    first = max(0, turn - MOST_EARLIER)
    *earlier, current = (
        _message(conversation, item, quotes[item.index]) for item in conversation.turns[first : turn + 1]
    )
    following = takewhile(lambda item: item.speaker is not Speaker.CUSTOMER, conversation.turns[turn + 1 :])
    return Transcript(
        tuple(earlier), current, tuple(_message(conversation, item, ()) for item in following), left_out=first
    )


def _message(conversation: Conversation, item: Turn, quoted: Sequence[tuple[str, Reason]]) -> Message:
    text = normalised_lines(item.text)
    found = passages(text, quoted) if item.speaker is Speaker.CUSTOMER else ()
    return Message(
        turn=item.index,
        speaker=item.speaker,
        name=_name(conversation, item),
        when=moment(item.time),
        body=as_written(text, [Highlight(passage.start, passage.end, note_of(passage.why)) for passage in found]),
        quotes=found,
        events=tuple(_event(change) for change in conversation.stage_changes if change.after_turn == item.index),
    )


def _name(conversation: Conversation, item: Turn) -> str:
    """As the turn says, else the contact's for a customer; nothing where nobody is named."""
    return item.name or (conversation.contact.name if item.speaker is Speaker.CUSTOMER else "")


def _event(change: StageChange) -> str:
    return f"The seller moved the deal to {STAGES[change.to].name.lower()}"


def note_of(reasons: Sequence[Reason]) -> str:
    """`need, pain`, and where only one side quotes it `metrics (Rules)`."""
    sides = {dimension: {reason.side for reason in reasons if reason.dimension is dimension} for dimension in Dimension}
    by_side: dict[str, list[str]] = {}
    for dimension, own in sides.items():
        if own:
            by_side.setdefault(own.pop() if len(own) == 1 else "", []).append(DIMENSIONS[dimension].name.lower())
    return "; ".join(", ".join(names) + (f" ({side})" if side else "") for side, names in by_side.items())


def _quoted(sides: Sequence[Side], turn: int, choice: str) -> Iterator[tuple[int, str, Reason]]:
    """Turn, quote and reason of each piece of evidence that `choice` is about."""
    quoted = [dict.fromkeys(_of_side(side, turn, choice)) for side in sides]
    for side, own in zip(sides, quoted, strict=True):
        for dimension, index, quote in own:
            shared = all((dimension, index, quote) in other for other in quoted)
            yield index, quote, Reason(dimension, "" if shared else side.name)


def _of_side(side: Side, turn: int, choice: str) -> Iterator[tuple[Dimension, int, str]]:
    if choice == THIS_MESSAGE:
        found = [(dimension, item) for dimension, item in side.found(turn) if item.turn == turn]
    else:
        after = side.after(turn)
        signals = after.qualification.signals if after else {}
        found = [(dimension, item) for dimension, signal in signals.items() for item in signal.evidence]
    for dimension, item in found:
        if choice in (THIS_MESSAGE, EVERYTHING, dimension.value):
            yield dimension, item.turn, item.quote
