"""MessageLog: what was said in each conversation, message by message, and what was concluded from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from uuid import UUID

from pydantic import AwareDatetime, Field, ValidationError
from sqlalchemy import ColumnElement, Table, bindparam, func, insert, or_, select, update
from sqlalchemy import text as sql

from engine.errors import InputError, StateNotFoundError
from engine.model.analysis import Analysis
from engine.model.conversation import Channel, Speaker, Turn
from engine.model.value import Value
from engine.state.database import TenantSession
from engine.state.documents import SCHEMA_VERSION, Kind, Where, clean_text, read, write
from engine.state.driver import Row
from engine.state.state_rows import lock_one
from engine.state.statements import Parameter, Statement, compiled
from engine.state.tables import MessageModel

MESSAGES = cast("Table", MessageModel.__table__)


class Message(Value):
    """One message as its sender delivers it: `id` is the sender's, and the same message always has the same.

    `time` is when it was sent (None: now); `index` its place in the conversation (None: after all others).
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


class MessageLog:
    """The messages of the session's tenant, by the id of their conversation's state."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    async def accept(self, state_id: UUID, message: Message) -> Accepted:
        """Keep a message; a second delivery of the same id changes nothing. The state stays locked until the end.

        Raises StateNotFoundError, and InputError if another message has its index, or a text that is too long.
        """
        mine = {"tenant_id": self._session.tenant_id, "state_id": state_id}
        locked, same, placed = await self._session.send(
            lock_one()(**mine),
            _by_id()(**mine, message_id=message.id),
            _place()(**mine, turn=message.index),
        )
        if not locked:
            raise StateNotFoundError("no state is kept for this conversation; save one before its messages")
        if same:
            return Accepted(self._logged(same[0]), duplicate=True)
        if placed[0]["taken"]:
            raise InputError(
                "another message has this index already; give its own, or none, and it comes after all others",
                turn=message.index,
            )
        return await self._insert(mine, message, placed[0]["next"] if message.index is None else message.index)

    async def history(self, state_id: UUID, *, before: int | None = None) -> tuple[Turn, ...]:
        """The turns of everybody in the order of their index, up to but without the turn `before`."""
        call = _turns()(tenant_id=self._session.tenant_id, state_id=state_id, before=before)
        [rows] = await self._session.send(call)
        return tuple(_turn(row) for row in rows)

    async def messages(self, state_id: UUID) -> tuple[LoggedMessage, ...]:
        """Every message with its analysis, in the order of their index: what folding again needs."""
        [rows] = await self._session.send(_all()(tenant_id=self._session.tenant_id, state_id=state_id))
        return tuple(self._logged(row) for row in rows)

    async def analysed(self, state_id: UUID) -> tuple[LoggedMessage, ...]:
        """The messages that have an analysis, in the order of their index."""
        return tuple(message for message in await self.messages(state_id) if message.analysis is not None)

    async def set_analysis(self, state_id: UUID, message_id: str, analysis: Analysis) -> bool:
        """Keep the analysis of a message. False, and nothing is changed, if it has one already.

        Raises StateNotFoundError if there is no such message.
        """
        mine: dict[str, Parameter] = {"tenant_id": self._session.tenant_id, "state_id": state_id}
        mine["message_id"] = message_id
        document = write(Kind.ANALYSIS, analysis)
        changed, there = await self._session.send(
            _analyse()(**mine, analysis=document.json, analysis_version=SCHEMA_VERSION), _exists()(**mine)
        )
        if not there:
            raise StateNotFoundError("there is no such message in this conversation; accept it first")
        return bool(changed)

    async def _insert(self, mine: Mapping[str, UUID], message: Message, index: int) -> Accepted:
        turn, cleaned = _cleaned_turn(message, index)
        [rows] = await self._session.send(
            _insert()(
                **mine,
                message_id=message.id,
                turn=index,
                speaker=turn.speaker,
                name=turn.name,
                text=turn.text,
                time=turn.time,
                channel=turn.channel,
            )
        )
        return Accepted(self._logged(rows[0]), cleaned=cleaned)

    def _logged(self, row: Row) -> LoggedMessage:
        analysis = None
        if row["analysis"] is not None:
            where = Where(self._session.tenant_id, row["state_id"], row["turn"])
            analysis = read(Analysis, Kind.ANALYSIS, row["analysis"], row["analysis_version"], where)
        return LoggedMessage(row["message_id"], _turn(row), analysis)


def _cleaned_turn(message: Message, index: int) -> tuple[Turn, int]:
    """The message as a turn, without the characters that Postgres cannot hold, and how many there were."""
    text, cleaned = clean_text(message.text)
    name, cleaned_too = clean_text(message.name or "")
    said = {"index": index, "speaker": message.speaker, "time": message.time, "channel": message.channel}
    try:
        return Turn.model_validate({**said, "text": text, "name": name or None}), cleaned + cleaned_too
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise InputError(f"the message's {wrong['loc'][0]}: {wrong['msg']}", turn=index) from None


def _turn(row: Row) -> Turn:
    fields = {name: row[name] for name in ("speaker", "name", "text", "time", "channel")}
    return Turn.model_validate({"index": row["turn"], **fields})


@cache
def _by_id() -> Statement:
    return compiled(select(MESSAGES).where(*_conversation(), _is("message_id")))


@cache
def _exists() -> Statement:
    return compiled(select(MESSAGES.c.turn).where(*_conversation(), _is("message_id")))


@cache
def _place() -> Statement:
    """The index after all others, and whether the one wished for is taken."""
    following = func.coalesce(func.max(MESSAGES.c.turn) + sql("1"), sql("0"))
    taken = func.coalesce(func.bool_or(_is("turn")), sql("false"))
    return compiled(select(following.label("next"), taken.label("taken")).where(*_conversation()))


@cache
def _insert() -> Statement:
    given = ("tenant_id", "state_id", "message_id", "turn", "speaker", "name", "text", "channel")
    values: dict[str, Any] = {name: bindparam(name) for name in given}
    values["time"] = func.coalesce(bindparam("time", type_=MESSAGES.c.time.type), func.now())
    return compiled(insert(MESSAGES).values(values).returning(MESSAGES))


@cache
def _turns() -> Statement:
    columns = (MESSAGES.c[name] for name in ("turn", "speaker", "name", "text", "time", "channel"))
    before = bindparam("before", type_=MESSAGES.c.turn.type)
    earlier = or_(before.is_(None), MESSAGES.c.turn < before)
    return compiled(select(*columns).where(*_conversation(), earlier).order_by(MESSAGES.c.turn))


@cache
def _all() -> Statement:
    return compiled(select(MESSAGES).where(*_conversation()).order_by(MESSAGES.c.turn))


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
