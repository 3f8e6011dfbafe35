"""Whom the Live page talks to, and how it plays: ids and switches in the session, and in the address."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast

import streamlit as st

from engine.model.conversation import Channel
from workbench import session

# Keys of widgets.
TENANT, CUSTOMER, ANSWERS = "live tenant", "live customer", "live answers"
LEVEL, SPEED, CHANNEL, WORDS, REPLY = "live level", "live speed", "live channel", "live words", "live reply"

SPEEDS = {"Slow": 6.0, "Normal": 3.5, "Fast": 1.5}  # from one message of a scripted customer to the next

SEEN = "live.seen"  # what was read of the database
_AT, _PLAYING, _DUE, _WISHES = "live.at", "live.playing", "live.due", "live.wishes"
_TAKE, _CHANNEL_OF, _PAUSED_FOR = "live.take", "live.channel of", "live.paused for"
_USUAL_CHANNEL, _ERASURES = "live.usual channel", "live.erasures"
_EARLY = 0.3  # seconds by which a tick may come before its time

NEXT_TAKE = 0  # a take that is to begin, and gets its number when the page is drawn


@dataclass(frozen=True, slots=True)
class LivePlace:
    """A contact of an account, as one tenant knows them. What is None is not chosen."""

    tenant: str | None = None
    account: str | None = None
    contact: str | None = None

    @classmethod
    def of_address(cls, query: Mapping[str, str]) -> LivePlace:
        return cls(*(query.get(name) or None for name in ("tenant", "account", "contact")))

    def address(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def arrive() -> LivePlace | None:
    """The place to go to: the one that a new address names, or on coming back to the page the one it was left at."""
    comes = session.comes_to("live")
    asked = LivePlace.of_address(st.query_params.to_dict())
    if asked not in (LivePlace(), left_at()):
        return asked
    return left_at() if comes else None


def left_at() -> LivePlace:
    return cast("LivePlace", st.session_state.get(_AT, LivePlace()))


def settle(place: LivePlace) -> None:
    """Remember the place, and name it in the address. Somebody else is not gone on playing with."""
    if place != left_at():
        pause()
        st.session_state.pop(_WISHES, None)
    st.session_state[_AT] = place
    if st.query_params.to_dict() != place.address():
        st.query_params.from_dict(place.address())


def is_outdated(erasures: int) -> bool:
    """Whether a tenant was erased since this session looked last; `erasures` counts how often one was."""
    return bool(st.session_state.setdefault(_ERASURES, erasures) != erasures)


def begin_anew(erasures: int) -> None:
    """Remember nothing of what was there before a tenant was erased; who is talked to stays chosen."""
    pause()
    for key in [key for key in st.session_state if str(key).startswith((_TAKE, _WISHES, _PAUSED_FOR, SEEN))]:
        del st.session_state[key]
    st.session_state[_ERASURES] = erasures


def take(tenant: str, script: str) -> int | None:
    """The take of a script that was begun or shown here; None if none was."""
    return cast("int | None", st.session_state.get(f"{_TAKE} {tenant} {script}"))


def begin_take(tenant: str, script: str, number: int) -> None:
    """From now on this take is shown, and waits to be played. NEXT_TAKE: one that was never played."""
    pause()
    st.session_state[f"{_TAKE} {tenant} {script}"] = number


def playing() -> bool:
    return bool(st.session_state.get(_PLAYING))


def pace() -> float | None:
    """Seconds from one message of the scripted customer to the next; None while it waits."""
    chosen = SPEEDS[st.session_state.setdefault(SPEED, "Normal")]
    return chosen if playing() else None


def play() -> None:
    """From now on the scripted customer goes on by itself."""
    st.session_state[_PLAYING] = True
    st.session_state[_DUE] = time.monotonic()


def pause() -> None:
    st.session_state[_PLAYING] = False


def pause_once(number: int) -> None:
    """Pause on account of what has this number, but not again when it has been played on since."""
    if st.session_state.get(_PAUSED_FOR) != number:
        st.session_state[_PAUSED_FOR] = number
        pause()


def is_due() -> bool:
    """Whether it is time for the next message; then the time for the one after it is set."""
    now = time.monotonic()
    if not playing() or now < st.session_state.get(_DUE, now) - _EARLY:
        return False
    st.session_state[_DUE] = now + (pace() or 0)
    return True


def offer_channel(usual: Channel) -> None:
    """Begin with the contact's channel; after that the widget says."""
    if (at := left_at()) != st.session_state.get(_CHANNEL_OF):
        st.session_state[_CHANNEL_OF] = at
        st.session_state[CHANNEL] = usual
    elif st.session_state.get(CHANNEL) is None:
        st.session_state[CHANNEL] = usual
    st.session_state[_USUAL_CHANNEL] = usual


def channel() -> Channel:
    """How the customer's words came; the contact's own channel where the choice is not drawn at the moment."""
    return Channel(st.session_state.get(CHANNEL) or st.session_state[_USUAL_CHANNEL])


def wish(what: str, *about: str) -> None:
    """What a click asks for, to be done when the page is drawn: after what was asked for earlier, and is under way."""
    st.session_state[_WISHES] = (*st.session_state.get(_WISHES, ()), (what, *about))


def granted() -> tuple[str, ...]:
    """The oldest wish, which is then no more; empty if there is none."""
    first, *rest = st.session_state.get(_WISHES) or ((),)
    st.session_state[_WISHES] = tuple(rest)
    return cast("tuple[str, ...]", first)
