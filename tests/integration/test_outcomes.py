from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from engine.errors import ConfigurationError, InputError
from engine.model.conversation import DealStage
from engine.outcomes import (
    EventKind,
    OutcomeStatus,
    OutcomeTracker,
    OutcomeType,
    count_outcomes,
    list_outcomes,
    outcome_events,
    resolve_closed,
)
from engine.outcomes.tenants import tenants_with_outcomes
from tests.integration.outcome_values import ago, asked, contact, reply, status_of, statuses

BOTH = tuple(OutcomeType)
PROGRESS = (OutcomeType.DEAL_PROGRESSION,)


async def test_a_recommendation_is_recorded_with_what_it_is_learned_from(database, tenant):
    async with database.tenant(tenant).begin() as session:
        outcome = await asked(session, await contact(session), ago(1), confidence=0.7)
    async with database.tenant(tenant).begin() as session:
        (standing,) = (await list_outcomes(session)).outcomes
    assert standing.outcome == outcome
    assert (outcome.action_type, outcome.predicted_confidence) == ("qbs_pain_funnel", 0.7)
    assert outcome.closes_at - outcome.recommended_at == timedelta(hours=24)
    assert (standing.status, standing.sent, standing.happened_at) == ("pending", None, None)


async def test_24_parallel_deliveries_of_one_recommendation_make_one_row(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)

    async def deliver() -> object:
        async with database.tenant(tenant).begin() as session:
            return await asked(session, state, ago(1))

    recorded = await asyncio.gather(*(deliver() for _ in range(24)))
    assert len({outcome.outcome_id for outcome in recorded}) == 1
    assert list(await statuses(database, tenant)) == [recorded[0].outcome_id]


async def test_24_parallel_deliveries_of_one_reply_make_one_event(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        outcome = await asked(session, state, ago(3))
    events = await asyncio.gather(*(reply(database, tenant, state, ago(1)) for _ in range(24)))
    assert {event.event_id for event in events} == {events[0].event_id}
    async with database.tenant(tenant).begin() as session:
        assert len(await outcome_events(session, outcome.outcome_id)) == 1


@pytest.mark.parametrize(
    ("replied", "status"),
    [
        (ago(48), "positive"),
        (ago(26), "positive"),  # the last moment of the window is inside
        (ago(26, seconds=-1), "late"),
        (ago(1), "late"),
        (ago(50), "pending"),  # at the moment of the recommendation: not an answer to it
        (ago(51), "pending"),
    ],
)
async def test_a_reply_counts_by_when_it_was_written(database, tenant, replied, status):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        outcome = await asked(session, state, ago(50))
    await reply(database, tenant, state, replied)
    assert await status_of(database, tenant, outcome) == status


@pytest.mark.parametrize("order", list(permutations(["resolve", "early", "late"])))
@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"resolve"}, "negative"),
        ({"late"}, "late"),
        ({"resolve", "late"}, "late"),
        ({"resolve", "early"}, "positive"),
        ({"resolve", "early", "late"}, "positive"),
    ],
)
async def test_the_order_in_which_things_are_reported_does_not_matter(database, tenant, order, told, status):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        outcome = await asked(session, state, ago(50))
    for each in order:
        if each == "resolve" and each in told:
            async with database.tenant(tenant).begin() as session:
                await resolve_closed(session)
        elif each in told:
            await reply(database, tenant, state, ago(30) if each == "early" else ago(2), key=each)
    assert await status_of(database, tenant, outcome) == status


async def test_the_first_reply_is_the_one_that_counts_whichever_is_reported_first(database, tenant):
    for name, order in (("ann", (5, 9)), ("ben", (9, 5))):
        async with database.tenant(tenant).begin() as session:
            state = await contact(session, name)
            await asked(session, state, ago(10))
        for hours in order:
            await reply(database, tenant, state, ago(hours), key=f"{hours} hours ago")
    async with database.tenant(tenant).begin() as session:
        assert {each.happened_at for each in (await list_outcomes(session)).outcomes} == {ago(9)}


async def test_a_replayed_reply_changes_nothing(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        first = await asked(session, state, ago(10))
    answered = await reply(database, tenant, state, ago(8))
    async with database.tenant(tenant).begin() as session:
        newer = await asked(session, state, ago(9))
    assert await reply(database, tenant, state, ago(8)) == answered
    assert await statuses(database, tenant) == {first.outcome_id: "positive", newer.outcome_id: "pending"}


async def test_a_reply_answers_the_newest_question_and_the_ones_before_it_lost_their_place(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        old, middle, newest = [await asked(session, state, ago(hours)) for hours in (60, 30, 28)]
        other = await asked(session, await contact(session, "ben"), ago(30))
    await reply(database, tenant, state, ago(27))
    async with database.tenant(tenant).begin() as session:
        assert await resolve_closed(session) == 2
    assert await statuses(database, tenant) == {
        old.outcome_id: "negative",  # its window had closed before the next question
        middle.outcome_id: "superseded",
        newest.outcome_id: "positive",
        other.outcome_id: "negative",
    }


async def test_a_question_that_was_not_sent_is_answered_by_nobody_and_takes_nobodys_place(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        sent, draft = await asked(session, state, ago(20)), await asked(session, state, ago(18))
        await OutcomeTracker(session).record_not_sent(draft.outcome_id, at=ago(17))
    assert await statuses(database, tenant) == {sent.outcome_id: "pending", draft.outcome_id: "not_sent"}
    await reply(database, tenant, state, ago(16))
    assert await statuses(database, tenant) == {sent.outcome_id: "positive", draft.outcome_id: "not_sent"}


async def test_a_reply_goes_to_the_question_before_when_its_own_turns_out_not_to_have_been_sent(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        sent, draft = await asked(session, state, ago(20)), await asked(session, state, ago(18))
    await reply(database, tenant, state, ago(16))
    for _ in range(2):  # told twice
        async with database.tenant(tenant).begin() as session:
            await OutcomeTracker(session).record_not_sent(draft.outcome_id, at=ago(1))
    assert await statuses(database, tenant) == {sent.outcome_id: "positive", draft.outcome_id: "not_sent"}
    async with database.tenant(tenant).begin() as session:
        assert [event.occurred_at for event in await outcome_events(session, sent.outcome_id)] == [ago(16)]


async def test_a_reply_before_a_question_was_sent_answers_the_one_before(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        first, edited = await asked(session, state, ago(20)), await asked(session, state, ago(18))
        await OutcomeTracker(session).record_sent(edited.outcome_id, at=ago(10))
    await reply(database, tenant, state, ago(12))
    assert (await statuses(database, tenant))[first.outcome_id] == "positive"
    await reply(database, tenant, state, ago(9), key="the next one")
    assert (await statuses(database, tenant))[edited.outcome_id] == "positive"


async def test_the_newest_report_of_sending_counts_for_all_that_a_recommendation_is_watched_for(database, tenant):
    async with database.tenant(tenant).begin() as session:
        outcome = await asked(session, await contact(session), ago(40), types=BOTH)
        tracker = OutcomeTracker(session)
        assert len(await tracker.record_not_sent(outcome.outcome_id, at=ago(39), reason="rewritten")) == 2
        assert await resolve_closed(session) == 0
        assert {each.status for each in (await list_outcomes(session)).outcomes} == {"not_sent"}
        await tracker.record_sent(outcome.outcome_id, at=ago(38))
        assert {(each.status, each.sent) for each in (await list_outcomes(session)).outcomes} == {("pending", True)}
        assert await resolve_closed(session) == 1


@pytest.mark.parametrize(
    ("to", "hours", "status"),
    [
        (DealStage.QUALIFICATION, 24 * 29, "positive"),
        (DealStage.CLOSED_WON, 1, "positive"),
        (DealStage.DISCOVERY, 1, "pending"),  # where it was already
        (DealStage.PROSPECTING, 1, "pending"),
        (DealStage.STALLED, 1, "pending"),
        (DealStage.CLOSED_LOST, 1, "pending"),
        (DealStage.QUALIFICATION, 24 * 30, "positive"),
        (DealStage.QUALIFICATION, 24 * 30 + 1, "pending"),  # after the window
        (DealStage.QUALIFICATION, -1, "pending"),  # before the recommendation
    ],
)
async def test_progress_is_a_further_stage_inside_the_window(database, tenant, to, hours, status):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session, deal_stage=DealStage.DISCOVERY)
        outcome = await asked(session, state, ago(24 * 60), types=PROGRESS)
        await OutcomeTracker(session).record_progress(state.state_id, to, at=ago(24 * 60 - hours), key="a move")
    assert await status_of(database, tenant, outcome) == status


async def test_progress_may_be_owed_to_every_open_recommendation_and_counts_once(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session, deal_stage=DealStage.DISCOVERY)
        for hours in (24 * 40, 24 * 20, 24 * 10):
            await asked(session, state, ago(hours), types=PROGRESS)
        tracker = OutcomeTracker(session)
        moved = [
            await tracker.record_progress(state.state_id, DealStage.QUALIFICATION, at=ago(5), key=key)
            for key in ("one move", "one move", "told by another system")
        ]
        assert [len(events) for events in moved] == [2, 0, 0]
        assert await resolve_closed(session) == 1
        assert [each.status for each in (await list_outcomes(session)).outcomes] == ["positive", "positive", "negative"]


async def test_a_correction_takes_the_place_of_what_was_wrong_and_both_stay(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        outcome = await asked(session, state, ago(5))
    answered = await reply(database, tenant, state, ago(4))
    async with database.tenant(tenant).begin() as session:
        tracker = OutcomeTracker(session)
        corrected = await tracker.correct(answered.event_id, EventKind.NEGATIVE, "an automatic answer", by="ann")
        again = await tracker.correct(answered.event_id, EventKind.NEGATIVE, "an automatic answer", by="ann")
        assert again == corrected
        assert corrected.supersedes == answered.event_id
        assert corrected.details == {"reason": "an automatic answer", "by": "ann"}
    # Until the window has closed it is pending, and a real answer may still come.
    assert await status_of(database, tenant, outcome) == "pending"
    assert await reply(database, tenant, state, ago(4)) == answered
    assert await status_of(database, tenant, outcome) == "pending"
    await reply(database, tenant, state, ago(1), key="a real answer")
    assert await status_of(database, tenant, outcome) == "positive"
    async with database.tenant(tenant).begin() as session:
        kinds = [event.kind for event in await outcome_events(session, outcome.outcome_id)]
    assert kinds == ["positive", "negative", "positive"]


@pytest.mark.parametrize(
    ("kind", "status"), [(EventKind.NEGATIVE, "negative"), (EventKind.LATE, "late"), (EventKind.POSITIVE, "positive")]
)
@pytest.mark.parametrize("hours", [30, 2])
async def test_any_reply_can_be_corrected_to_anything_also_before_windows_are_closed(
    database, tenant, kind, status, hours
):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        outcome = await asked(session, state, ago(50))
    answered = await reply(database, tenant, state, ago(hours))
    async with database.tenant(tenant).begin() as session:
        tracker = OutcomeTracker(session)
        await tracker.correct(answered.event_id, kind, "read again")
        await resolve_closed(session)
    assert await status_of(database, tenant, outcome) == status


async def test_an_event_is_superseded_once(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        await asked(session, state, ago(5))
        tracker = OutcomeTracker(session)
        answered = await tracker.record_reply(state.state_id, at=ago(2), key="second")
        now = await tracker.record_reply(state.state_id, at=ago(4), key="first")
        with pytest.raises(InputError, match="superseded this event already"):
            await tracker.correct(answered.event_id, EventKind.NEGATIVE, "an automatic answer")
        corrected = await tracker.correct(now.event_id, EventKind.NEGATIVE, "an automatic answer")
        with pytest.raises(InputError, match="corrected to negative already"):
            await tracker.correct(now.event_id, EventKind.LATE, "it was late")
        await tracker.correct(corrected.event_id, EventKind.LATE, "it was late")


async def test_reports_about_nothing_are_refused_or_say_nothing_new(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        outcome = await asked(session, state, ago(5))
        tracker = OutcomeTracker(session)
        (sent,) = await tracker.record_sent(outcome.outcome_id)
        for attempt in (
            tracker.record_sent(uuid4()),
            tracker.record_not_sent("nonsense"),
            tracker.correct(uuid4(), EventKind.LATE, "no reason"),
            tracker.correct(sent.event_id, EventKind.NOT_SENT, "kept back"),
            tracker.record_reply(state.state_id, at=ago(1).replace(tzinfo=None), key="no zone"),
            tracker.record_progress(
                state.state_id, DealStage.EVALUATION, at=ago(1).replace(tzinfo=None), key="no zone"
            ),
            tracker.record_sent(outcome.outcome_id, at=ago(1).replace(tzinfo=None)),
            asked(session, state, ago(1).replace(tzinfo=None)),
            resolve_closed(session, ago(1).replace(tzinfo=None)),
        ):
            with pytest.raises(InputError):
                await attempt
        assert await tracker.record_reply(uuid4(), at=ago(1), key="somebody unknown") is None


async def test_a_window_is_found_empty_only_after_it_has_closed(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        outcome = await asked(session, state, ago(25))
        assert await resolve_closed(session, ago(2)) == 0
        assert await resolve_closed(session, ago(1)) == 0  # its last moment is inside
        newer = await asked(session, await contact(session, "ben"), ago(23))
        assert await resolve_closed(session, ago(-1000)) == 1  # nothing closes in the future
        assert await resolve_closed(session) == 0
    assert await statuses(database, tenant) == {outcome.outcome_id: "negative", newer.outcome_id: "pending"}


async def test_resolving_and_replying_at_the_same_time_resolves_each_outcome_once(database, tenant):
    contacts = 60
    async with database.tenant(tenant).begin() as session:
        states = [await contact(session, f"contact-{number}") for number in range(contacts)]
        outcomes = [await asked(session, state, ago(40), types=BOTH) for state in states]

    async def resolve() -> int:
        async with database.tenant(tenant).begin() as session:
            return await resolve_closed(session)

    replies = (reply(database, tenant, state, ago(30)) for state in states[: contacts // 2])
    work = [resolve(), resolve(), *replies, resolve()]
    done = await asyncio.gather(*work)
    await resolve()
    found = await statuses(database, tenant)
    assert [found[outcome.outcome_id] for outcome in outcomes] == ["positive"] * 30 + ["negative"] * 30
    assert sum(count for count in done if isinstance(count, int)) <= contacts
    async with database.tenant(tenant).begin() as session:
        for outcome in outcomes:
            events = await outcome_events(session, outcome.outcome_id)
            assert len([event for event in events if event.supersedes is None]) == 1


async def test_counts_and_pages_say_the_same(database, tenant):
    async with database.tenant(tenant).begin() as session:
        tracker = OutcomeTracker(session)
        for number in range(12):
            state = await contact(session, f"contact-{number}")
            outcome = await asked(session, state, ago(30 + number % 3), types=BOTH)
            if number % 4 == 0:
                await tracker.record_reply(state.state_id, at=ago(29 if number else 1), key="reply")
            elif number % 4 == 1:
                await tracker.record_not_sent(outcome.outcome_id)
            elif number % 4 == 2:
                await asked(session, state, ago(20))
        await resolve_closed(session)
        counts = {(each.outcome_type, each.status): each.count for each in await count_outcomes(session)}
        assert {key: number for key, number in counts.items() if key[0] == "email_engagement"} == {
            ("email_engagement", "late"): 1,
            ("email_engagement", "positive"): 2,
            ("email_engagement", "not_sent"): 3,
            ("email_engagement", "superseded"): 3,
            ("email_engagement", "pending"): 3,
            ("email_engagement", "negative"): 3,
        }
        for status in OutcomeStatus:
            for outcome_type in OutcomeType:
                listed = await list_outcomes(session, status=status, outcome_type=outcome_type)
                assert len(listed.outcomes) == counts.get((outcome_type, status), 0)


async def test_pages_follow_each_other_without_gap_or_repetition(database, tenant):
    async with database.tenant(tenant).begin() as session:
        states = [await contact(session, name) for name in ("ann", "ben")]
        for number in range(23):
            # several at the same moment
            await asked(session, states[number % 2], ago(number // 4, seconds=number % 4 // 2))
        whole = (await list_outcomes(session, limit=1000)).outcomes
        seen, after = [], None
        while after or not seen:
            page = await list_outcomes(session, limit=5, after=after)
            seen += page.outcomes
            after = page.next
            if after is None:
                break
        assert tuple(seen) == whole
        of_ann = (await list_outcomes(session, state_id=UUID(states[0].state_id), limit=1000)).outcomes
        assert of_ann == tuple(each for each in whole if str(each.outcome.state_id) == states[0].state_id)
        moments = [each.outcome.recommended_at for each in whole]
        assert moments == sorted(moments, reverse=True)


async def test_another_tenant_sees_and_touches_nothing(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        outcome = await asked(session, state, ago(50))
    async with database.tenant(uuid4()).begin() as session:
        tracker = OutcomeTracker(session)
        assert await tracker.record_reply(state.state_id, at=ago(49), key="reply") is None
        assert await resolve_closed(session) == 0
        assert (await list_outcomes(session)).outcomes == ()
        assert await count_outcomes(session) == ()
        with pytest.raises(InputError, match="no outcome"):
            await tracker.record_sent(outcome.outcome_id)
    assert await status_of(database, tenant, outcome) == "pending"


async def test_whose_outcomes_there_are_is_asked_over_the_maintenance_path_alone(database, tenant, postgres):
    others = [uuid4(), uuid4()]
    for each in (tenant, *others):
        async with database.tenant(each).begin() as session:
            for hours in (3, 2):
                await asked(session, await contact(session), ago(hours))
    found = tenants_with_outcomes(postgres.urls.maintenance)
    assert {tenant, *others} <= set(found)
    assert len(found) == len(set(found))
    with pytest.raises(ConfigurationError, match="may not do this"):
        tenants_with_outcomes(postgres.urls.app)
