"""The messages of a conversation, and what was concluded from them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from engine.errors import InputError, SchemaVersionError, StateError, StateNotFoundError
from engine.guardrails import guard
from engine.model.analysis import Analysis
from engine.model.conversation import Channel, Speaker, Turn
from engine.model.state import ConversationState
from engine.rules import analyze_by_rules
from engine.state.database import Database, TenantSession
from engine.state.embedded import EmbeddedServer
from engine.state.messages import GREATEST_INDEX, Accepted, LoggedMessage, Message, MessageLog
from engine.state.repository import ConversationStateRepository, state_id_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SAID = "We lose about 40k EUR a month because orders are typed in twice, says our CFO."


@pytest.fixture
async def conversation(database: Database, tenant: UUID) -> UUID:
    """A conversation without messages: the id of its state."""
    async with database.tenant(tenant).begin() as session:
        state = ConversationState(state_id="", tenant_id=str(tenant), account_id="a", contact_id="c")
        await ConversationStateRepository(session).save(state, version=None)
    return state_id_of(tenant, "a", "c")


class Log:
    """A MessageLog that does each thing in a transaction of its own."""

    def __init__(self, database: Database, tenant: UUID) -> None:
        self._sessions = database.tenant(tenant)

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any, **named: Any) -> Any:
            async with self._sessions.begin() as session:
                return await getattr(MessageLog(session), name)(*arguments, **named)

        return call


@pytest.fixture
def log(database: Database, tenant: UUID) -> Log:
    return Log(database, tenant)


def analysis_of(turn: Turn) -> Analysis:
    state = ConversationState(state_id="s", tenant_id="t", account_id="a", contact_id="c")
    return guard(state, turn, (), analyze_by_rules(state, turn, ()))


async def test_a_message_comes_back_as_it_was_delivered(log: Log, conversation: UUID) -> None:
    everything = {"name": "Ada", "time": NOON, "channel": Channel.EMAIL, "speaker": Speaker.OTHER, "index": 3}
    accepted: Accepted = await log.accept(conversation, Message(id="m", text=SAID, **everything))
    turn = Turn(index=3, text=SAID, name="Ada", time=NOON, channel=Channel.EMAIL, speaker=Speaker.OTHER)
    assert accepted == Accepted(LoggedMessage("m", turn))
    assert await log.history(conversation) == (turn,)
    assert await log.messages(conversation) == (LoggedMessage("m", turn),)


async def test_a_message_without_index_comes_after_all_others(log: Log, conversation: UUID) -> None:
    indexes = []
    for number, index in enumerate([None, None, 7, None, 3, None]):
        accepted = await log.accept(conversation, Message(id=f"m{number}", text="x", index=index))
        indexes.append(accepted.message.turn.index)
    assert indexes == [0, 1, 7, 8, 3, 9]
    assert [turn.index for turn in await log.history(conversation)] == [0, 1, 3, 7, 8, 9]
    assert [turn.index for turn in await log.history(conversation, before=7)] == [0, 1, 3]
    assert await log.history(conversation, before=0) == ()


async def test_after_the_greatest_index_that_can_be_given_there_is_room_for_others(
    log: Log, conversation: UUID
) -> None:
    await log.accept(conversation, Message(id="m0", text="x", index=GREATEST_INDEX))
    accepted = [(await log.accept(conversation, Message(id=id_, text="x"))).message for id_ in ("m1", "m2")]
    assert [message.turn.index for message in accepted] == [GREATEST_INDEX + 1, GREATEST_INDEX + 2]


async def test_a_message_without_time_is_from_now(log: Log, conversation: UUID) -> None:
    accepted = await log.accept(conversation, Message(id="m", text="x"))
    assert accepted.message.turn.time.tzinfo is not None
    assert await log.history(conversation) == (accepted.message.turn,)


@pytest.mark.parametrize("again", [{}, {"text": "something else"}, {"index": 9}, {"speaker": "seller"}])
async def test_a_second_delivery_changes_nothing(log: Log, conversation: UUID, again: dict[str, Any]) -> None:
    first = await log.accept(conversation, Message(id="m", text=SAID))
    analysis = analysis_of(first.message.turn)
    await log.set_analysis(conversation, "m", analysis)
    second = await log.accept(conversation, Message.model_validate({"id": "m", "text": SAID, **again}))
    assert second == Accepted(LoggedMessage("m", first.message.turn, analysis), duplicate=True)
    assert len(await log.history(conversation)) == 1


async def test_another_message_at_the_same_index_is_refused(log: Log, conversation: UUID) -> None:
    await log.accept(conversation, Message(id="m", text=SAID, index=4))
    with pytest.raises(InputError, match="turn 4: another message has this index already") as caught:
        await log.accept(conversation, Message(id="n", text="something else", index=4))
    assert "something else" not in str(caught.value)
    assert [turn.text for turn in await log.history(conversation)] == [SAID]


async def test_the_same_id_in_another_conversation_is_another_message(
    database: Database, tenant: UUID, log: Log, conversation: UUID
) -> None:
    async with database.tenant(tenant).begin() as session:
        other = ConversationState(state_id="", tenant_id=str(tenant), account_id="a", contact_id="d")
        await ConversationStateRepository(session).save(other, version=None)
    await log.accept(conversation, Message(id="m", text="x"))
    assert not (await log.accept(state_id_of(tenant, "a", "d"), Message(id="m", text="y"))).duplicate


async def test_a_message_needs_its_conversation(log: Log, tenant: UUID) -> None:
    with pytest.raises(StateNotFoundError, match="save one before its messages"):
        await log.accept(uuid4(), Message(id="m", text=SAID))


async def test_another_tenant_has_no_such_conversation(database: Database, log: Log, conversation: UUID) -> None:
    await log.accept(conversation, Message(id="m", text=SAID))
    other = Log(database, uuid4())
    assert await other.history(conversation) == ()
    with pytest.raises(StateNotFoundError):
        await other.accept(conversation, Message(id="m", text=SAID))


@pytest.mark.parametrize(
    ("text", "kept", "count"),
    [
        ("a\0b\0", "ab", 2),
        ("so \ud83d sorry", "so \ufffd sorry", 1),
        ("\\u0000 \U0001f600 ok", "\\u0000 \U0001f600 ok", 0),
    ],
)
async def test_what_postgres_cannot_hold_is_cleaned_away_and_counted(
    log: Log, conversation: UUID, text: str, kept: str, count: int
) -> None:
    accepted = await log.accept(conversation, Message(id="m", text=text, name="A\0da"))
    assert (accepted.message.turn.text, accepted.message.turn.name, accepted.cleaned) == (kept, "Ada", count + 1)
    assert await log.history(conversation) == (accepted.message.turn,)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("text", {"id": "m", "text": "long " * 5000}),
        ("name", {"id": "m", "text": "x", "name": "long " * 100}),
        ("message_id", {"id": "m\0", "text": "x"}),
        ("index is above 1,000,000", {"id": "m", "text": "x", "index": 1_000_001}),
        ("index is above 1,000,000", {"id": "m", "text": "x", "index": 2**31}),
        ("time", {"id": "m", "text": "x", "time": "9999-12-31T23:00:00-05:00"}),
        ("time", {"id": "m", "text": "x", "time": "0001-01-01T01:00:00+05:00"}),
    ],
)
async def test_a_message_that_cannot_be_kept_is_refused_without_its_text(
    log: Log, conversation: UUID, field: str, message: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=field) as caught:
        await log.accept(conversation, Message.model_validate(message))
    assert "long long" not in str(caught.value)
    assert await log.history(conversation) == ()


async def test_an_analysis_is_kept_once(log: Log, conversation: UUID) -> None:
    turn = (await log.accept(conversation, Message(id="m", text=SAID))).message.turn
    later = (await log.accept(conversation, Message(id="n", text="We have no budget yet."))).message.turn
    first, second = analysis_of(turn), analysis_of(later)
    assert first.extraction.found != second.extraction.found
    assert await log.set_analysis(conversation, "m", first) is True
    assert await log.set_analysis(conversation, "m", second) is False
    assert await log.messages(conversation) == (LoggedMessage("m", turn, first), LoggedMessage("n", later))


async def test_an_analysis_of_no_message_is_refused(log: Log, conversation: UUID) -> None:
    turn = (await log.accept(conversation, Message(id="m", text=SAID))).message.turn
    with pytest.raises(StateNotFoundError, match="no such message"):
        await log.set_analysis(conversation, "n", analysis_of(turn))


@pytest.mark.parametrize(
    ("what", "error", "says"),
    [
        ("analysis_version = 99", SchemaVersionError, "turn 0: analysis was written as version 99"),
        ('analysis = \'{"extraction": "secret"}\'', StateError, r"turn 0: analysis\.extraction cannot be read"),
    ],
)
async def test_an_analysis_that_cannot_be_read_says_where_it_is(
    log: Log, conversation: UUID, postgres: EmbeddedServer, tenant: UUID, what: str, error: type[Exception], says: str
) -> None:
    turn = (await log.accept(conversation, Message(id="m", text=SAID))).message.turn
    await log.set_analysis(conversation, "m", analysis_of(turn))
    with psycopg.connect(postgres.urls.maintenance) as administrator:
        administrator.execute(f"update qbs.messages set {what} where tenant_id = %s", [tenant])
    with pytest.raises(error, match=f"^tenant {tenant}, state {conversation}, {says}") as caught:
        await log.messages(conversation)
    assert "secret" not in str(caught.value)


async def test_messages_that_arrive_at_the_same_time_all_count_once(log: Log, conversation: UUID) -> None:
    deliveries = [log.accept(conversation, Message(id=f"m{number % 6}", text=f"{number % 6}")) for number in range(24)]
    accepted = await asyncio.gather(*deliveries)
    assert sum(not one.duplicate for one in accepted) == 6
    history = await log.history(conversation)
    assert [turn.index for turn in history] == list(range(6))
    assert sorted(turn.text for turn in history) == sorted(f"{number}" for number in range(6))


async def test_nothing_of_a_transaction_that_failed_is_kept(
    database: Database, tenant: UUID, conversation: UUID
) -> None:
    async def fail(session: TenantSession) -> None:
        await MessageLog(session).accept(conversation, Message(id="m", text=SAID))
        raise LookupError

    async def in_transaction() -> None:
        async with database.tenant(tenant).begin() as session:
            await fail(session)

    with pytest.raises(LookupError):
        await in_transaction()
    assert await Log(database, tenant).history(conversation) == ()
