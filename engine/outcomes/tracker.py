"""What became of recommendations: replies, silence, progress, corrections. Facts are added, none is ever changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

from engine.errors import DatabaseUnavailableError, InputError
from engine.model.conversation import DealStage
from engine.model.outcome import EventKind, OutcomeEvent
from engine.outcomes import facts
from engine.outcomes.sql import event_of
from engine.outcomes.verdict import Fact, Verdict, verdict
from engine.stages import ACTIVE_STAGES
from engine.state.database import TenantSession
from engine.state.driver import Row
from engine.state.inquiry import Inquiry
from engine.state.statements import Call

ATTEMPTS = 5  # at an outcome that others resolve at the same moment
CORRECTABLE = (EventKind.POSITIVE, EventKind.NEGATIVE, EventKind.LATE)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of something that is reported: the outcomes that it is about, and what was recorded of it."""

    about: Sequence[Row]
    recorded: Sequence[Row]


class OutcomeTracker:
    """The outcomes of one tenant, in the transaction of `session`.

    Every report has a `key` of its sender's: delivered again, it changes nothing. What is reported without a time is
    from now, by the clock of Postgres.
    """

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def answering(self, state_id: UUID, *, at: datetime | None, key: str) -> Inquiry[Known]:
        """What `record_reply` asks first, of a reply written `at` (None: now)."""
        find = facts.NEWEST_QUESTION(tenant_id=self._session.tenant_id, state_id=state_id, at=at)
        return self._known(find, _reply_key(state_id, key))

    async def record_reply(
        self,
        state_id: UUID | str,
        *,
        at: datetime,
        key: str,
        details: Mapping[str, Any] | None = None,
        known: Known | None = None,
    ) -> OutcomeEvent | None:
        """The contact wrote `at`: an answer to the newest question that was asked before, and to no other.

        Inside its window that is positive, after it late. Returns the event, also that of an earlier delivery; None if
        the reply says nothing new: there was no question, or it was answered already. `known` is the answer to
        `answering`, where this transaction has asked that already.
        """
        state_id = _uuid(state_id)
        inquiry = self.answering(state_id, at=at, key=key)
        recorded = await self._happened(inquiry, at, _reply_key(state_id, key), details or {}, known=known)
        return recorded[0] if recorded else None

    async def record_progress(
        self, state_id: UUID | str, to: DealStage, *, at: datetime, key: str
    ) -> tuple[OutcomeEvent, ...]:
        """The deal entered stage `to`: positive for each recommendation made at an earlier stage whose window is open.

        Unlike a reply it may be owed to all of them. What is stalled or lost has not moved forward. Returns what was
        added.
        """
        state_id, earlier = _uuid(state_id), stages_before(to)
        if not earlier:
            return ()
        stages = " ".join(earlier)
        find = facts.OPEN_DEALS(tenant_id=self._session.tenant_id, state_id=state_id, at=at, stages=stages)
        key = f"progress:{state_id}:{key}"
        return await self._happened(self._known(find, key), at, key, {"to": to}, key_each=True)

    async def record_sent(
        self, outcome_id: UUID | str, *, at: datetime | None = None, key: str | None = None
    ) -> tuple[OutcomeEvent, ...]:
        """The question really went out. Counts for whatever else the same recommendation is watched for.

        Raises InputError if there is no such outcome.
        """
        return await self._record_sending(EventKind.SENT, _uuid(outcome_id), at, key, {})

    async def record_not_sent(
        self, outcome_id: UUID | str, *, at: datetime | None = None, key: str | None = None, reason: str | None = None
    ) -> tuple[OutcomeEvent, ...]:
        """The question was never asked, so nothing can be an answer to it: a reply goes to the question before it.

        Raises InputError if there is no such outcome.
        """
        details = {"reason": reason} if reason else {}
        recorded = await self._record_sending(EventKind.NOT_SENT, _uuid(outcome_id), at, key, details)
        for event in recorded:
            find = facts.REPLY_TAKEN(tenant_id=self._session.tenant_id, outcome_id=event.outcome_id)
            for reply in (await self._session.send(find))[0]:
                again = f"{reply['idempotency_key']}:passed on"
                question = facts.NEWEST_QUESTION(
                    tenant_id=self._session.tenant_id, state_id=reply["state_id"], at=reply["occurred_at"]
                )
                inquiry, passed_on = self._known(question, again), json.loads(reply["details"])
                await self._happened(inquiry, reply["occurred_at"], again, passed_on)
        return recorded

    async def correct(
        self, event_id: UUID | str, kind: EventKind, reason: str, *, at: datetime | None = None, by: str | None = None
    ) -> OutcomeEvent:
        """Add an event that takes the place of one that was wrong; both stay on record, with the reason.

        Raises InputError for an event that is not there or was superseded already, and for kinds that this is not
        meant for: whether a question was sent is mended by reporting it, since the newest report counts.
        """
        wrong, closes_at = await self._event(_uuid(event_id))
        if kind not in CORRECTABLE or wrong.kind not in CORRECTABLE:
            raise InputError(f"{wrong.kind} cannot be corrected to {kind}; report it as sent or not sent instead")
        occurred_at = at or (closes_at if kind is EventKind.NEGATIVE else wrong.occurred_at)
        details = {"reason": reason} | ({"by": by} if by else {})
        key = f"correction:{wrong.event_id}"
        add = self._add(wrong.outcome_id, Verdict(kind, wrong.event_id), occurred_at, key, details)
        added, known = await self._session.send(add, self._by_key(key))
        if not known:
            raise InputError("something has superseded this event already: correct what stands in its place")
        event = event_of(known[0])
        if not added and (event.kind, event.details.get("reason")) != (kind, reason):
            raise InputError(f"this event was corrected to {event.kind} already: correct that correction")
        return event

    def _known(self, find: Call, key: str) -> Inquiry[Known]:
        return Inquiry((find, self._by_key(key)), lambda answers: Known(*answers))

    async def _happened(
        self,
        inquiry: Inquiry[Known],
        at: datetime,
        key: str,
        details: Mapping[str, Any],
        *,
        key_each: bool = False,
        known: Known | None = None,
    ) -> tuple[OutcomeEvent, ...]:
        """Record what happened `at` for each outcome that `inquiry` finds. Others may resolve the same ones meanwhile.

        The key is that of what happened; with `key_each`, each outcome has one of its own made from it. `known` is the
        answer to the inquiry, if there is one already.
        """
        for _ in range(ATTEMPTS):
            met = await self._session.ask(inquiry) if known is None else known
            if met.recorded:
                return (event_of(met.recorded[0]),)
            verdicts, known = _verdicts(met.about, at), None
            keys = {outcome: f"{key}:{outcome}" if key_each else key for outcome, _ in verdicts}
            adding = [self._add(outcome, said, at, keys[outcome], details) for outcome, said in verdicts]
            looking = [self._by_key(keys[outcome]) for outcome, _ in verdicts]
            recorded = (await self._session.send(*adding, *looking))[len(adding) :] if adding else []
            if all(recorded):
                return tuple(event_of(rows[0]) for rows in recorded)
        raise DatabaseUnavailableError("others kept resolving the same outcomes: report it again")

    async def _record_sending(
        self, kind: EventKind, outcome_id: UUID, at: datetime | None, key: str | None, details: Mapping[str, Any]
    ) -> tuple[OutcomeEvent, ...]:
        (twins,) = await self._session.send(
            facts.SAME_RECOMMENDATION(tenant_id=self._session.tenant_id, outcome_id=outcome_id)
        )
        if not twins:
            raise InputError(f"there is no outcome {outcome_id} of this tenant; `qbs outcomes list` shows them")
        keys = {row["outcome_id"]: f"{kind}:{key or ''}:{row['outcome_id']}" for row in twins}
        adding = [self._add(twin, Verdict(kind), at, twin_key, details) for twin, twin_key in keys.items()]
        answers = await self._session.send(*adding, *map(self._by_key, keys.values()))
        return tuple(event_of(rows[0]) for rows in answers[len(adding) :])

    async def _event(self, event_id: UUID) -> tuple[OutcomeEvent, datetime]:
        (rows,) = await self._session.send(facts.EVENT(tenant_id=self._session.tenant_id, event_id=event_id))
        if not rows:
            raise InputError(f"there is no event {event_id} of this tenant")
        return event_of(rows[0]), rows[0]["closes_at"]

    def _by_key(self, key: str) -> Call:
        return facts.BY_KEY(tenant_id=self._session.tenant_id, key=key)

    def _add(self, outcome_id: UUID, said: Verdict, at: datetime | None, key: str, details: Mapping[str, Any]) -> Call:
        return facts.ADD(
            tenant_id=self._session.tenant_id,
            event_id=uuid4(),
            outcome_id=outcome_id,
            kind=said.kind,
            at=at,
            key=key,
            supersedes=said.supersedes,
            details=json.dumps(details).encode(),
        )


def _reply_key(state_id: UUID, key: str) -> str:
    return f"reply:{state_id}:{key}"


def stages_before(stage: DealStage) -> tuple[DealStage, ...]:
    """The stages from which a deal has moved forward when it enters `stage`. A stalled deal that goes on has, too."""
    if stage is DealStage.CLOSED_WON:
        return (*ACTIVE_STAGES, DealStage.STALLED)
    if stage not in ACTIVE_STAGES:
        return ()
    return (*ACTIVE_STAGES[: ACTIVE_STAGES.index(stage)], DealStage.STALLED)


def _verdicts(rows: Sequence[Mapping[str, Any]], at: datetime) -> list[tuple[UUID, Verdict]]:
    """What to add to which outcome; `rows` come outcome by outcome, with a row for each fact or one without."""
    found: list[tuple[UUID, Verdict]] = []
    for (outcome_id, closes_at), group in groupby(rows, key=lambda row: (row["outcome_id"], row["closes_at"])):
        known = [
            Fact(row["event_id"], EventKind(row["kind"]), row["occurred_at"], row["supersedes"] is not None)
            for row in group
            if row["event_id"] is not None
        ]
        if said := verdict(at, closes_at, known):
            found.append((outcome_id, said))
    return found


def _uuid(text: UUID | str) -> UUID:
    try:
        return text if isinstance(text, UUID) else UUID(text)
    except ValueError:
        raise InputError(f"{text!r} is no id: `qbs outcomes list --json` has them") from None
