"""What each prompt asks a model to fill in: the fields whose descriptions are part of the prompt."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from engine import drafting, expansion, qbs, qualification
from engine.llm.reply import Reply, SchemaField, schema_fields
from engine.model.conversation import Channel


@cache
def reply_fields(prompt: str) -> tuple[SchemaField, ...]:
    """The fields of the reply to the prompt of this name, in the order in which a model reads them.

    A front matter `reply:` may describe these and no others. Empty for a prompt that is woven into another one.
    """
    first, *others = [schema_fields(reply) for reply in _REPLIES.get(prompt, ())] or [()]
    return tuple(field for field in first if all(field.path in {own.path for own in fields} for fields in others))


def reply_of(prompt: str) -> type[Reply] | None:
    """The schema that a model fills in for the prompt of this name; None for one that is woven into another."""
    return next(iter(_REPLIES.get(prompt, ())), None)


# A prompt that serves several channels asks for a reply of its own in each.
_REPLIES: Mapping[str, tuple[type[Reply], ...]] = {
    "extraction": (qualification.REPLY,),
    "question": (qbs.REPLY,),
    "expansion": (expansion.REPLY,),
    "email": (drafting.REPLIES[Channel.EMAIL],),
    "chat": (drafting.REPLIES[Channel.CHAT], drafting.REPLIES[Channel.CALL]),
}
