"""How an email opens and closes: as the seller did before, else with the contact's name and the seller's own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.letters import letter_of
from engine.model.context import ConversationContext
from engine.model.conversation import Speaker, Turn
from engine.model.state import ConversationState
from engine.people import HONORIFICS

MOST_CHARACTERS = 80  # of a line taken over from the seller
MAX_NAME = 60

_NAME = re.compile(r"[^\W\d_](?:[\w'’.-]|\s(?=[^\W\d_]))*")
_FORMAL = re.compile(r"(?:dear|sehr|(?:mr|mrs|ms|miss|dr|sir|madam)\b)", re.IGNORECASE)
_GREETING_WORD = re.compile(r"(hi|hello|dear|hey|good morning|good afternoon)\b", re.IGNORECASE)


def greeting(state: ConversationState, turns: Sequence[Turn]) -> str:
    """The line that an email begins with: the seller's own to this contact, if there was one."""
    name = contact_name(state, turns)
    own = next((letter_of(turn.text).greeting for turn in reversed(turns) if turn.speaker is Speaker.SELLER), "")
    if own and len(own) <= MOST_CHARACTERS and any(part in own for part in _parts(name)):
        return own
    called = _theirs(turns)
    if not name:
        return "Hello,"
    if is_formal(turns) or _title(name):
        return f"Dear {name},"
    word = _GREETING_WORD.match(called)
    return f"{word.group().capitalize() if word else 'Hi'} {_parts(name)[0]},"


def sign_off(turns: Sequence[Turn]) -> str:
    """The closing lines: the seller's own, if there were any, else a closing word and the name where it is known."""
    said = [turn for turn in turns if turn.speaker is Speaker.SELLER]
    own = next((closing for turn in reversed(said) if (closing := letter_of(turn.text).sign_off)), "")
    if own and len(own) <= MOST_CHARACTERS:
        return own
    name = next((turn.name for turn in reversed(said) if turn.name), "")
    if is_formal(turns):
        return "\n".join(("Kind regards,", name)) if name else "Kind regards"
    return "\n".join(("Best,", _parts(name)[0])) if _parts(name) else "Best regards"


def contact_name(state: ConversationState, turns: Sequence[Turn]) -> str:
    """The contact's name, as far as it looks like one; empty where it is not known."""
    spoken = next((turn.name for turn in reversed(turns) if turn.speaker is Speaker.CUSTOMER and turn.name), None)
    given = state.contact_name or ConversationContext.of_state(state).contact_name or spoken or ""
    found = _NAME.match(" ".join(given.split()))
    return found.group()[:MAX_NAME].strip() if found else ""


def is_formal(turns: Sequence[Turn]) -> bool:
    """Whether the contact writes "Dear Ms ..." or just "Mr ...,"."""
    return _FORMAL.match(_theirs(turns)) is not None


def _theirs(turns: Sequence[Turn]) -> str:
    """The line that the contact's latest email began with."""
    latest = next((turn.text for turn in reversed(turns) if turn.speaker is Speaker.CUSTOMER), "")
    return letter_of(latest).greeting


def _parts(name: str) -> list[str]:
    return [part for part in name.split() if part.strip(".").casefold() not in HONORIFICS]


def _title(name: str) -> bool:
    """Whether the name begins with a title, so that the first name alone would not do."""
    return len(_parts(name)) < len(name.split())
