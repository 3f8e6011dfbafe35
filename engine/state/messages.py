"""MessageLog: what was said in each conversation, message by message, and what was concluded from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Label, Table, bindparam, insert, or_, select, update

from engine.errors import InputError, StateNotFoundError
from engine.model.analysis import Analysis
from engine.model.conversation import Channel, Speaker, Turn
from engine.model.value import Value
from engine.state.database import TenantSession
from engine.state.documents import SCHEMA_VERSION, Kind, Where, clean_text, read, write
from engine.state.driver import Row
from engine.state.inquiry import Answers, Inquiry
from engine.state.state_rows import stored
from engine.state.statements import Parameter, Statement, compiled
from engine.state.tables import MessageModel

MESSAGES = cast("Table", MessageModel.__table__)
# What a sender may give; who gives none comes after all others, and never gets to where the column ends.
GREATEST_INDEX = 1_000_000
_TURN = {name: MESSAGES.c["turn" if name == "index" else name] for name in Turn.model_fields}  # by field


class Message(Value):
    """One message as its sender delivers it: `id` is the sender's, and the same message always has the same.

    `time` is when it was sent (None: now); `index` its place in the conversation, up to GREATEST_INDEX (None: after
    all others).
    """

    id: str = Field(min_length=1, max_length=300)
    text: str  # any text at all: what cannot be kept of it is cleaned away when it is accepted
    speaker: Speaker = Speaker.CUSTOMER
    name: str | None = None
    time: AwareDatetime | None = None
    channel: Channel | None = None
    index: int | None = Field(default=None, ge=0)


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """A message as it is kept: its turn, and its analysis once there is one."""

    message_id: str
    turn: Turn
    analysis: Analysis | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a delivery. `duplicate`: it was there before, and is unchanged, whatever was delivered now.

    `cleaned` counts the characters that Postgres cannot hold (NUL, lone surrogates); the turn is without them.
    """

    message: LoggedMessage
    duplicate: bool = False
    cleaned: int = 0


@dataclass(frozen=True, slots=True)
class Met:
    """What a message meets where it is delivered: itself, if it was there before, and everything that was said."""

    same: LoggedMessage | None
    turns: tuple[Turn, ...]

    def place(self, wished: int | None) -> int:
        """The index of a new message. Raises InputError if another has the one that it wishes for."""
        if wished is None:
            return self.turns[-1].index + 1 if self.turns else 0
        if any(turn.index == wished for turn in self.turns):
            raise InputError(
                "another message has this index already; give its own, or none, and it comes after all others",
                turn=wished,
            )
        return wished


class MessageLog:
    """The messages of the session's tenant, by the id of their conversation's state."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    async def accept(self, state_id: UUID, message: Message) -> Accepted:
        """Keep a message; a second delivery of the same id changes nothing. The state stays locked until the end.

        Raises StateNotFoundError, and InputError if another message has its index, or a text that is too long.
        """
        locking = stored(self._session, state_id)
        _, met = await self._session.ask(locking.along(self.meeting(state_id, message.id)))
        return await self.add(state_id, message, met)

    def meeting(self, state_id: UUID, message_id: str) -> Inquiry[Met]:
        """What a message meets; to be asked once its state is locked, so that it stays so."""
        mine = {"tenant_id": self._session.tenant_id, "state_id": state_id}

        def read(answers: Answers) -> Met:
            same, turns = answers
            return Met(self._logged(same[0]) if same else None, _turns_of(turns))

        return Inquiry((_by_id()(**mine, message_id=message_id), _turns()(**mine, before=None)), read)

    async def add(self, state_id: UUID, message: Message, met: Met) -> Accepted:
        """As `accept`, of a message for which this transaction has locked the state, and then asked what it meets."""
        state = self._session.seen.get(state_id)
        if state is None:
            raise StateNotFoundError("no state is kept for this conversation; save one before its messages")
        if met.same:
            return Accepted(met.same, duplicate=True)
        turn, cleaned = turn_of(message, met.place(message.index), state.now)
        said: dict[str, Parameter] = {name: getattr(turn, name) for name in Turn.model_fields}
        said |= {"tenant_id": self._session.tenant_id, "state_id": state_id, "message_id": message.id}
        await self._session.send_later(_insert()(**said))
        return Accepted(LoggedMessage(message.id, turn), cleaned=cleaned)

    async def history(self, state_id: UUID, *, before: int | None = None) -> tuple[Turn, ...]:
        """The turns of everybody in the order of their index, up to but without the turn `before`."""
        call = _turns()(tenant_id=self._session.tenant_id, state_id=state_id, before=before)
        [rows] = await self._session.send(call)
        return _turns_of(rows)

    async def messages(self, state_id: UUID) -> tuple[LoggedMessage, ...]:
        """Every message with its analysis, in the order of their index: what folding again needs."""
        [rows] = await self._session.send(_all()(tenant_id=self._session.tenant_id, state_id=state_id))
        return tuple(self._logged(row) for row in rows)

    async def set_analysis(self, state_id: UUID, message_id: str, analysis: Analysis) -> bool:
        """Keep the analysis of a message. False, and nothing is changed, if it has one already.

        Raises StateNotFoundError if there is no such message.
        """
        return await self._session.ask(self.analysing(state_id, message_id, analysis))

    def analysing(self, state_id: UUID, message_id: str, analysis: Analysis) -> Inquiry[bool]:
        """What `set_analysis` does, to be sent along with something else."""
        mine: dict[str, Parameter] = {"tenant_id": self._session.tenant_id, "state_id": state_id}
        mine["message_id"] = message_id
        document = write(Kind.ANALYSIS, analysis)

        def read(answers: Answers) -> bool:
            changed, there = answers
            if not there:
                raise StateNotFoundError("there is no such message in this conversation; accept it first")
            return bool(changed)

        analyse = _analyse()(**mine, analysis=document.json, analysis_version=SCHEMA_VERSION)
        return Inquiry((analyse, _exists()(**mine)), read)

    def _logged(self, row: Row) -> LoggedMessage:
        analysis = None
        if row["analysis"] is not None:
            where = Where(self._session.tenant_id, row["state_id"], row["index"])
            analysis = read(Analysis, Kind.ANALYSIS, row["analysis"], row["analysis_version"], where)
        [turn] = _turns_of([{name: row[name] for name in Turn.model_fields}])
        return LoggedMessage(row["message_id"], turn, analysis)


def turn_of(message: Message, index: int, now: datetime) -> tuple[Turn, int]:
    """The message as a turn, without the characters that Postgres cannot hold, and how many there were.

    Its time has the zone of `now`, as times have that are read. Raises InputError, which repeats nothing of the
    message, for a text or a name that is too long, for an index above GREATEST_INDEX that the message itself names,
    and for a time that no calendar of that zone has.
    """
    if message.index is not None and message.index > GREATEST_INDEX:
        raise InputError(f"the message's index is above {GREATEST_INDEX:,}; count the messages from 0", turn=index)
    text, cleaned = clean_text(message.text)
    name, cleaned_too = clean_text(message.name or "")
    said = {"index": index, "speaker": message.speaker, "channel": message.channel}
    try:
        said["time"] = (message.time or now).astimezone(now.tzinfo)
        return Turn.model_validate({**said, "text": text, "name": name or None}), cleaned + cleaned_too
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise InputError(f"the message's {wrong['loc'][0]}: {wrong['msg']}", turn=index) from None
    except OverflowError:
        raise InputError(
            "the message's time is outside the years 1 to 9999; say when it was sent", turn=index
        ) from None


def _turns_of(rows: Sequence[Row]) -> tuple[Turn, ...]:
    """The turns in rows that hold what a turn does, under the same names."""
    return _reading().validate_python(rows)


@cache
def _reading() -> TypeAdapter[tuple[Turn, ...]]:
    return TypeAdapter(tuple[Turn, ...])


def _as_turn() -> tuple[Label[Any], ...]:
    return tuple(column.label(name) for name, column in _TURN.items())


def _as_message() -> tuple[ColumnElement[Any], ...]:
    others = ("message_id", "state_id", "analysis", "analysis_version")
    return (*_as_turn(), *(MESSAGES.c[name] for name in others))


@cache
def _by_id() -> Statement:
    return compiled(select(*_as_message()).where(*_conversation(), _is("message_id")))


@cache
def _exists() -> Statement:
    return compiled(select(MESSAGES.c.turn).where(*_conversation(), _is("message_id")))


@cache
def _insert() -> Statement:
    values: dict[str, Any] = {name: bindparam(name) for name in ("tenant_id", "state_id", "message_id")}
    values |= {column.name: bindparam(name) for name, column in _TURN.items()}
    return compiled(insert(MESSAGES).values(values).returning(MESSAGES.c.turn))


@cache
def _turns() -> Statement:
    before = bindparam("before", type_=MESSAGES.c.turn.type)
    earlier = or_(before.is_(None), MESSAGES.c.turn < before)
    return compiled(select(*_as_turn()).where(*_conversation(), earlier).order_by(MESSAGES.c.turn))


@cache
def _all() -> Statement:
    return compiled(select(*_as_message()).where(*_conversation()).order_by(MESSAGES.c.turn))


@cache
def _analyse() -> Statement:
    values: dict[str, Any] = {name: bindparam(name) for name in ("analysis", "analysis_version")}
    unset = MESSAGES.c.analysis_version.is_(None)
    analysed = update(MESSAGES).where(*_conversation(), _is("message_id"), unset).values(values)
    return compiled(analysed.returning(MESSAGES.c.turn))


def _conversation() -> tuple[ColumnElement[bool], ...]:
    return _is("tenant_id"), _is("state_id")


def _is(column: str) -> ColumnElement[bool]:
    return MESSAGES.c[column] == bindparam(column)
