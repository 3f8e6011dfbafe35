"""A turn taken in production: analysed, folded, saved with its outcome, and never counted twice."""

from __future__ import annotations

import ast
import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from engine import live
from engine.analyzers import RulesAnalyzer
from engine.errors import InputError, InvalidStageTransitionError, StateNotFoundError, TenantRequiredError
from engine.folding import OPENING
from engine.live import LiveEngine, Message, turns
from engine.model.analysis import Analysis, FallbackReason
from engine.model.conversation import Channel, DealStage, Persona, Speaker, Turn
from engine.model.qualification import Dimension, qualification_from
from engine.model.state import ConversationState
from engine.outcomes import OutcomeStatus, OutcomeTracker, OutcomeType, recording, tracker
from engine.state.database import Database
from engine.state.driver import Driver, Row
from engine.state.embedded import EmbeddedServer
from engine.state.repository import ConversationStateRepository
from engine.state.statements import Call
from tests.engine.values import signal
from tests.engine.values import state as state_with
from tests.integration.live_turns import ACCOUNT, CONTACT, WHERE, assert_all_counted_once, kept, outcomes_of, said, talk
from tests.integration.scripted_analyzer import ScriptedAnalyzer

README = Path(__file__).parents[2] / "README.md"
REPLY, PROGRESS = OutcomeType.EMAIL_ENGAGEMENT, OutcomeType.DEAL_PROGRESSION
PENDING, POSITIVE, SUPERSEDED = OutcomeStatus.PENDING, OutcomeStatus.POSITIVE, OutcomeStatus.SUPERSEDED


@pytest.fixture
def engine(database: Database) -> LiveEngine:
    return LiveEngine(database, ScriptedAnalyzer())


@pytest.fixture
async def another_database(postgres: EmbeddedServer) -> AsyncIterator[Database]:
    """As another process would have it."""
    database = Database(postgres.urls.app)
    yield database
    await database.aclose()


def _of_the_readme() -> str:
    (example,) = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return str(example)


def _of_the_package() -> str:
    return "\n".join(re.findall(r"^    (.*)$", live.__doc__ or "", re.MULTILINE))


@pytest.mark.parametrize("example_of", [_of_the_readme, _of_the_package])
async def test_the_example_in_the_documentation_runs_as_it_is_written(
    postgres: EmbeddedServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    example_of: Callable[[], str],
) -> None:
    monkeypatch.setenv("QBS_DATABASE_URL", postgres.urls.app)
    code = compile(example_of(), "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, object] = {}
    await eval(code, names)  # this project's own text
    database = names["database"]
    assert isinstance(database, Database)
    await database.aclose()
    assert capsys.readouterr().out.rstrip().endswith("?")


async def test_a_turn_takes_six_round_trips_to_postgres(
    engine: LiveEngine, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three to accept a reply to an earlier question, three to settle it; two for a seller's message."""
    for message in talk(4):
        await engine.take_turn(tenant, *WHERE, message)
    trips, send = Counter[int](), Driver.send

    async def counted(driver: Driver, *calls: Call) -> list[list[Row]]:
        trips[index] += 1
        return await send(driver, *calls)

    monkeypatch.setattr(Driver, "send", counted)
    for index in (4, 5):
        await engine.take_turn(tenant, *WHERE, said(index))
    assert trips == {4: 2, 5: 6}


CANNOT_BE_KEPT = {
    "a text that is too long": {"text": "canary " * 5000},
    "a name that is too long": {"name": "canary " * 100},
    "an index that is too great": {"index": 2**31},
    "a time after the last year": {"time": "9999-12-31T23:00:00-05:00"},
    "a time before the first year": {"time": "0001-01-01T01:00:00+05:00"},
}


@pytest.mark.parametrize("server", ["there", "away"])
@pytest.mark.parametrize("wrong", CANNOT_BE_KEPT.values(), ids=CANNOT_BE_KEPT)
async def test_a_message_that_cannot_be_kept_is_refused_without_its_text_whether_postgres_is_there_or_not(
    database: Database, tenant: UUID, wrong: dict[str, object], server: str
) -> None:
    away = Database("postgresql://qbs_app@/qbs?host=/nowhere")
    engine = LiveEngine(
        database if server == "there" else away, ScriptedAnalyzer(), database_s=60 * (server == "there")
    )
    with pytest.raises(InputError) as caught:
        await engine.take_turn(tenant, *WHERE, Message.model_validate({"id": "m", "text": "canary", **wrong}))
    assert "canary" not in str(caught.value)
    if server == "there":
        assert await engine.conversation(tenant, *WHERE) is None


async def test_without_postgres_a_name_is_cleaned_as_with_it(tenant: UUID) -> None:
    engine = LiveEngine(Database("postgresql://qbs_app@/qbs?host=/nowhere"), ScriptedAnalyzer(), database_s=0)
    taken = await engine.take_turn(tenant, *WHERE, Message(id="m", text="a\0b", name="A\0da"))
    assert (taken.saved, taken.turn.text, taken.turn.name) == (False, "ab", "Ada")


class AnHourAhead(datetime):
    """The clock of a process that is not the server's."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # one hour later it is a plain one
        return datetime.now(tz) + timedelta(hours=1)


@pytest.mark.parametrize("sent", [False, True], ids=["taken as sent", "reported as sent"])
async def test_a_quick_reply_and_a_quick_move_come_after_the_question_whatever_the_clock_of_the_process_says(
    engine: LiveEngine, database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch, sent: bool
) -> None:
    for module in (turns, recording, tracker):
        monkeypatch.setattr(module, "datetime", AnHourAhead)
    asked = await engine.take_turn(tenant, *WHERE, said(1))
    if sent:
        async with database.tenant(tenant).begin() as session:
            assert asked.outcome_id is not None
            await OutcomeTracker(session).record_sent(asked.outcome_id)
    monkeypatch.undo()
    await engine.change_stage(tenant, *WHERE, DealStage.DISCOVERY)
    await engine.take_turn(tenant, *WHERE, said(3))
    found = await outcomes_of(database, tenant)
    assert (found[REPLY, POSITIVE], found[PROGRESS, POSITIVE]) == (1, 1)


async def test_to_change_a_stage_the_state_is_read_once(
    engine: LiveEngine, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.take_turn(tenant, *WHERE, said(1))
    sent, send = [], Driver.send

    async def noted(driver: Driver, *calls: Call) -> list[list[Row]]:
        sent.append([call.statement.sql for call in calls])
        return await send(driver, *calls)

    monkeypatch.setattr(Driver, "send", noted)
    await engine.change_stage(tenant, *WHERE, DealStage.DISCOVERY)
    assert sum(b"FOR UPDATE" in sql for batch in sent for sql in batch) == 1


async def test_state_analysis_and_outcome_of_a_turn_are_there_together(
    engine: LiveEngine, database: Database, tenant: UUID
) -> None:
    taken = await engine.take_turn(tenant, *WHERE, said(1))
    conversation = await kept(engine, tenant)
    assert (taken.saved, taken.not_saved, taken.duplicate) == (True, None, False)
    assert (taken.state, taken.version) == (conversation.saved.state, conversation.saved.version)
    assert [(each.turn, each.analysis) for each in conversation.messages] == [(taken.turn, taken.analysis)]
    assert taken.outcome_id is not None
    assert await outcomes_of(database, tenant) == {(REPLY, PENDING): 1, (PROGRESS, PENDING): 1}
    assert_all_counted_once(conversation, ["m-1"])


async def test_a_message_of_the_seller_is_history_and_nothing_else(engine: LiveEngine, tenant: UUID) -> None:
    taken = await engine.take_turn(tenant, *WHERE, said(0))
    assert (taken.analysis, taken.outcome_id, taken.saved, taken.state.interaction_count) == (None, None, True, 0)
    again = await engine.take_turn(tenant, *WHERE, said(0))
    assert (again.duplicate, again.version) == (True, taken.version)
    assert_all_counted_once(await kept(engine, tenant), ["m-0"])


async def test_the_analyzer_reads_the_state_before_the_turn_and_everybody_who_spoke(
    database: Database, tenant: UUID
) -> None:
    read: list[tuple[int, list[str]]] = []

    class Reading(RulesAnalyzer):
        async def analyze(self, state: ConversationState, turn: Turn, history: object) -> Analysis:
            assert isinstance(history, tuple)
            read.append((state.interaction_count, [each.text for each in history]))
            return await super().analyze(state, turn, history)

    engine = LiveEngine(database, Reading())
    for index, speaker in enumerate((Speaker.CUSTOMER, Speaker.SELLER, Speaker.OTHER, Speaker.CUSTOMER)):
        await engine.take_turn(tenant, *WHERE, Message(id=f"m-{index}", text=f"Text {index}.", speaker=speaker))
    assert read == [(0, []), (1, ["Text 0.", "Text 1.", "Text 2."])]


# --- the same message again ---


async def test_an_earlier_message_again_changes_nothing_either(engine: LiveEngine, tenant: UUID) -> None:
    taken = [await engine.take_turn(tenant, *WHERE, message) for message in talk(4)]
    for message, first in zip(talk(4), taken, strict=True):
        again = await engine.take_turn(tenant, *WHERE, message)
        assert (again.duplicate, again.analysis, again.outcome_id) == (True, first.analysis, first.outcome_id)
        assert (again.state, again.version) == (taken[-1].state, taken[-1].version)


@pytest.mark.parametrize("text", ["It is message 1.", "Another text under the same id."])
async def test_the_same_message_again_changes_nothing_and_gives_what_was_stored(
    engine: LiveEngine, database: Database, tenant: UUID, text: str
) -> None:
    first = await engine.take_turn(tenant, *WHERE, said(1))
    outcomes = await outcomes_of(database, tenant)
    again = await engine.take_turn(tenant, *WHERE, Message(id="m-1", text=text))
    assert (first.duplicate, again.duplicate) == (False, True)
    for name in ("analysis", "state", "turn", "saved", "outcome_id", "version"):
        assert getattr(again, name) == getattr(first, name), name
    assert await outcomes_of(database, tenant) == outcomes


async def test_of_24_deliveries_at_once_one_counts_and_all_give_the_same(
    database: Database, another_database: Database, tenant: UUID
) -> None:
    engines = [LiveEngine(each, ScriptedAnalyzer(), database_s=60) for each in (database, another_database)]
    taken = await asyncio.gather(
        *(engines[number % 2].take_turn(tenant, *WHERE, said(1)) for number in range(24)),
    )
    assert [turn.duplicate for turn in taken].count(False) == 1
    assert all(turn.saved for turn in taken)
    assert len({turn.outcome_id for turn in taken}) == 1
    assert all(turn.analysis == taken[0].analysis for turn in taken)
    assert await outcomes_of(database, tenant) == {(REPLY, PENDING): 1, (PROGRESS, PENDING): 1}
    assert_all_counted_once(await kept(engines[0], tenant), ["m-1"])


async def test_a_delivery_that_another_worker_overtakes_gives_what_that_one_stored(
    database: Database, another_database: Database, tenant: UUID
) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def wait(turn: Turn) -> None:
        asked.set()
        await answer.wait()

    slow, quick = LiveEngine(database, ScriptedAnalyzer(wait)), LiveEngine(another_database, RulesAnalyzer())
    overtaken = asyncio.ensure_future(slow.take_turn(tenant, *WHERE, said(1)))
    await asked.wait()
    first = await quick.take_turn(tenant, *WHERE, said(1))
    answer.set()
    second = await overtaken
    assert (first.duplicate, second.duplicate, second.saved) == (False, True, True)
    assert (second.analysis, second.outcome_id, second.version) == (first.analysis, first.outcome_id, first.version)
    assert_all_counted_once(await kept(quick, tenant), ["m-1"])


async def test_a_message_whose_worker_died_is_analysed_when_it_is_delivered_again(
    engine: LiveEngine, database: Database, tenant: UUID
) -> None:
    asked = asyncio.Event()

    async def die(turn: Turn) -> None:
        asked.set()
        await asyncio.Event().wait()

    dying = asyncio.ensure_future(LiveEngine(database, ScriptedAnalyzer(die)).take_turn(tenant, *WHERE, said(1)))
    await asked.wait()
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    [left] = (await kept(engine, tenant)).messages
    assert (left.message_id, left.analysis) == ("m-1", None)
    await engine.take_turn(tenant, *WHERE, said(3))
    taken = await engine.take_turn(tenant, *WHERE, said(1))
    assert (taken.duplicate, taken.saved, taken.state.interaction_count) == (False, True, 2)
    assert_all_counted_once(await kept(engine, tenant), ["m-1", "m-3"])


@pytest.mark.parametrize("steps", range(0, 90, 6))
async def test_a_turn_cancelled_anywhere_is_there_as_a_whole_or_not_and_counts_once_when_delivered_again(
    engine: LiveEngine, tenant: UUID, steps: int
) -> None:
    await engine.take_turn(tenant, *WHERE, said(1))
    taking = asyncio.ensure_future(engine.take_turn(tenant, *WHERE, said(3)))
    for _ in range(steps):
        await asyncio.sleep(0)
    taking.cancel()
    await asyncio.wait({taking})
    [first, *_] = (conversation := await kept(engine, tenant)).messages
    analysed = [message for message in conversation.messages if message.analysis is not None]
    assert first.analysis is not None
    assert conversation.saved.state.interaction_count == len(analysed)
    again = await engine.take_turn(tenant, *WHERE, said(3))
    assert again.saved
    assert_all_counted_once(await kept(engine, tenant), ["m-1", "m-3"])


async def test_what_the_seller_asked_while_a_turn_was_analysed_is_not_recommended_again(
    database: Database, tenant: UUID
) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def wait(turn: Turn) -> None:
        asked.set()
        await answer.wait()

    engine = LiveEngine(database, ScriptedAnalyzer(wait))
    taking = asyncio.ensure_future(engine.take_turn(tenant, *WHERE, said(5)))
    await asked.wait()
    await engine.take_turn(tenant, *WHERE, said(4))  # belongs before it
    answer.set()
    taken = await taking
    assert taken.analysis is not None
    assert [change.rule for change in taken.analysis.changes] == ["repeated_question"]
    assert_all_counted_once(await kept(engine, tenant), ["m-4", "m-5"])


# --- what there is to say of a contact before ---


async def test_the_opening_state_counts_for_the_first_message_only(engine: LiveEngine, tenant: UUID) -> None:
    opening = state_with(
        deal_stage=DealStage.DISCOVERY,
        persona_type=Persona.C_SUITE,
        last_channel=Channel.EMAIL,
        interaction_count=4,
        qualification=qualification_from({Dimension.BUDGET: signal("40k", 0.9, ("40k", 0))}, overall_confidence=0.09),
    )
    first = await engine.take_turn(tenant, *WHERE, said(1), opening=opening)
    assert (first.state.deal_stage, first.state.persona_type) == (DealStage.DISCOVERY, Persona.C_SUITE)
    assert first.state.qualification.bant.budget.value == "40k"
    assert (first.state.account_id, first.state.contact_id, first.state.tenant_id) == (ACCOUNT, CONTACT, str(tenant))
    later = await engine.take_turn(tenant, *WHERE, said(3), opening=state_with(persona_type=Persona.IC))
    assert (later.state.persona_type, later.state.interaction_count) == (Persona.C_SUITE, 6)
    earlier = await engine.take_turn(tenant, *WHERE, said(0, Speaker.CUSTOMER))
    assert (earlier.state.interaction_count, earlier.state.qualification.bant.budget.value) == (7, "40k")


async def test_a_state_that_was_kept_before_its_first_message_is_what_the_conversation_opens_with(
    engine: LiveEngine, database: Database, tenant: UUID
) -> None:
    known = state_with(tenant_id=str(tenant), account_id=ACCOUNT, contact_id=CONTACT, interaction_count=2)
    async with database.tenant(tenant).begin() as session:
        await ConversationStateRepository(session).save(known, version=None)
    taken = [await engine.take_turn(tenant, *WHERE, said(index, Speaker.CUSTOMER)) for index in (2, 1, 0)]
    assert [turn.state.interaction_count for turn in taken] == [3, 4, 5]
    assert taken[-1].state.metadata[OPENING] == {"interaction_count": 2}


async def test_knowledge_from_elsewhere_and_a_stage_change_between_two_turns_stay(
    engine: LiveEngine, database: Database, tenant: UUID
) -> None:
    await engine.take_turn(tenant, *WHERE, said(3))
    found = qualification_from({Dimension.AUTHORITY: signal("from the CRM", 1.0, ("CRM", 0))})
    async with database.tenant(tenant).begin() as session:
        await ConversationStateRepository(session).update_qualification(*WHERE, found)
    await engine.change_stage(tenant, *WHERE, DealStage.DISCOVERY, by="Ada", reason="first call held")
    taken = await engine.take_turn(tenant, *WHERE, said(1))  # belongs before the other
    assert taken.state.deal_stage is DealStage.DISCOVERY
    assert taken.state.qualification.bant.authority.value == "from the CRM"
    assert taken.state.interaction_count == 2


# --- stages and outcomes ---


async def test_a_reply_answers_the_question_before_it_and_progress_all_of_them(
    engine: LiveEngine, database: Database, tenant: UUID
) -> None:
    await engine.take_turn(tenant, *WHERE, said(1))
    await engine.take_turn(tenant, *WHERE, said(3))
    await engine.take_turn(tenant, *WHERE, said(3))
    assert await outcomes_of(database, tenant) == {(REPLY, POSITIVE): 1, (REPLY, PENDING): 1, (PROGRESS, PENDING): 2}
    for _ in range(2):  # to stay changes nothing
        await engine.change_stage(tenant, *WHERE, DealStage.DISCOVERY)
    assert await outcomes_of(database, tenant) == {(REPLY, POSITIVE): 1, (REPLY, PENDING): 1, (PROGRESS, POSITIVE): 2}


async def test_without_a_question_there_is_nothing_whose_outcome_could_be_recorded(
    database: Database, tenant: UUID
) -> None:
    class Silent(ScriptedAnalyzer):
        async def analyze(self, state: ConversationState, turn: Turn, history: object) -> Analysis:
            analysis = await super().analyze(state, turn, ())
            said_instead = analysis.question.recommendation.model_copy(update={"suggested_question": "Take your time."})
            question = analysis.question.model_copy(update={"recommendation": said_instead})
            return analysis.model_copy(update={"question": question})

    taken = await LiveEngine(database, Silent()).take_turn(tenant, *WHERE, said(1))
    assert (taken.saved, taken.outcome_id) == (True, None)
    assert await outcomes_of(database, tenant) == {}


async def test_a_stage_that_cannot_follow_is_refused_and_changes_nothing(engine: LiveEngine, tenant: UUID) -> None:
    with pytest.raises(StateNotFoundError):
        await engine.change_stage(tenant, *WHERE, DealStage.DISCOVERY)
    taken = await engine.take_turn(tenant, *WHERE, said(1))
    with pytest.raises(InvalidStageTransitionError):
        await engine.change_stage(tenant, *WHERE, DealStage.NEGOTIATION)
    saved = await engine.state(tenant, *WHERE)
    assert saved is not None
    assert (saved.state, saved.version) == (taken.state, taken.version)


# --- what cannot be taken ---


async def test_an_index_that_another_message_has_is_refused_and_changes_nothing(
    engine: LiveEngine, tenant: UUID
) -> None:
    for message in talk(2):
        await engine.take_turn(tenant, *WHERE, message)
    with pytest.raises(InputError, match="another message has this index"):
        await engine.take_turn(tenant, *WHERE, Message(id="other", text="Mine!", index=1))
    assert_all_counted_once(await kept(engine, tenant), ["m-0", "m-1"])


@pytest.mark.parametrize("account", ["norr\0land", "norr\ud800land", "", " "])
async def test_an_id_that_cannot_be_kept_is_refused(engine: LiveEngine, tenant: UUID, account: str) -> None:
    with pytest.raises(InputError):
        await engine.take_turn(tenant, account, CONTACT, said(1))


@pytest.mark.parametrize("nobody", ["", "  ", UUID(int=0)])
async def test_a_turn_of_no_tenant_is_refused(engine: LiveEngine, nobody: UUID | str) -> None:
    with pytest.raises(TenantRequiredError):
        await engine.take_turn(nobody, *WHERE, said(1))


async def test_characters_that_postgres_cannot_hold_are_left_out_of_what_was_said(
    engine: LiveEngine, tenant: UUID
) -> None:
    taken = await engine.take_turn(tenant, *WHERE, Message(id="m", text="It is\0 40k. \ud83d"))
    assert (taken.saved, taken.turn.text) == (True, "It is 40k. \ufffd")
    assert_all_counted_once(await kept(engine, tenant), ["m"])


async def test_what_a_broken_analyzer_is_told_is_kept_with_a_labelled_fallback(
    database: Database, tenant: UUID
) -> None:
    async def break_down(turn: Turn) -> None:
        raise ZeroDivisionError

    engine = LiveEngine(database, ScriptedAnalyzer(break_down))
    taken = await engine.take_turn(tenant, *WHERE, said(1))
    assert taken.saved
    assert taken.analysis is not None
    assert taken.analysis.question.source.fallback_reason is FallbackReason.UNEXPECTED
    assert_all_counted_once(await kept(engine, tenant), ["m-1"])


async def test_another_tenant_with_the_same_account_and_contact_has_a_conversation_of_its_own(
    engine: LiveEngine, tenant: UUID
) -> None:
    await engine.take_turn(tenant, *WHERE, said(1))
    other = uuid4()
    assert await engine.state(other, *WHERE) is None
    assert await engine.conversation(other, *WHERE) is None
    taken = await engine.take_turn(other, *WHERE, said(1))
    assert (taken.duplicate, taken.state.interaction_count) == (False, 1)


async def test_a_later_turn_is_analysed_while_an_earlier_one_still_is(database: Database, tenant: UUID) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def wait(turn: Turn) -> None:
        if turn.index == 1:
            asked.set()
            await answer.wait()

    engine = LiveEngine(database, ScriptedAnalyzer(wait))
    first = asyncio.ensure_future(engine.take_turn(tenant, *WHERE, said(1)))
    await asked.wait()
    assert (await engine.take_turn(tenant, *WHERE, said(3))).saved
    answer.set()
    assert (await first).saved
    assert_all_counted_once(await kept(engine, tenant), ["m-1", "m-3"])
