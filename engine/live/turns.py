"""LiveEngine takes the turns of conversations, whatever Postgres or a model does, each in a limited time.

The analyzer is asked outside any transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import structlog

from engine.advance import advance
from engine.analyzers import Analyzer
from engine.calibration.values import Calibration
from engine.errors import DatabaseUnavailableError, InputError, StaleStateError
from engine.exploration import Chosen, Exploration
from engine.live.answering import analysis_in_any_case
from engine.live.calibrated import CalibratedConfidence, CalibrationsInUse, not_calibrated
from engine.live.exploring import explored
from engine.live.keeping import Delivered, Settled, accept, calibrated_confidence, settle
from engine.live.patience import Patience
from engine.model.analysis import Analysis
from engine.model.conversation import DealStage, Speaker, Turn
from engine.model.state import ConversationState
from engine.outcomes import OutcomeTracker
from engine.state.database import Database, TenantSession
from engine.state.documents import clean_text
from engine.state.messages import LoggedMessage, Message, MessageLog, turn_of
from engine.state.repository import ConversationStateRepository, SavedState, state_id_of
from engine.state.tenants import tenant_uuid

ANALYSIS_SECONDS = 10.0  # an analyzer keeps its own limit, of 8 seconds by default; this one is for a broken one
DATABASE_SECONDS = 3.0
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.4

T = TypeVar("T")
Work = Callable[[TenantSession], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """What came of a message: its analysis (None for one that is not a customer's) and the state after it.

    `saved` says whether Postgres has both. If not, `not_saved` says why, for people, the state is what is known
    without Postgres, and the same message is to be delivered again later: it then counts once. `duplicate`: it
    counted before, and this delivery changed nothing. `outcome_id` is the outcome that waits for the customer's
    reply, if a question was recommended and saved; `version` counts how often the contact's state was saved.
    `chosen` says how the question was chosen, where that was at random. `calibrated` is the confidence that the
    calibration in use makes of the engine's own, which stays in the analysis; None where none says anything of it.
    """

    analysis: Analysis | None
    state: ConversationState
    turn: Turn
    saved: bool = True
    not_saved: str | None = None
    duplicate: bool = False
    outcome_id: UUID | None = None
    version: int | None = None
    chosen: Chosen | None = None
    calibrated: CalibratedConfidence | None = None


@dataclass(frozen=True, slots=True)
class LiveConversation:
    """A contact's state as it is kept, and everything that was said, with what was concluded from it."""

    saved: SavedState
    messages: tuple[LoggedMessage, ...]


class LiveEngine:
    """Takes the turns of every tenant's conversations. Any number of them, here and elsewhere, may work on the same.

    A turn takes at most `analysis_s` seconds for the analyzer and `database_s` for each of its two transactions.
    With an `exploration`, some questions are chosen at random, and with which probability is recorded; None never does.
    With `calibrations`, what the one in use makes of a confidence is reported and recorded beside it.
    """

    def __init__(
        self,
        database: Database,
        analyzer: Analyzer,
        *,
        analysis_s: float = ANALYSIS_SECONDS,
        database_s: float = DATABASE_SECONDS,
        exploration: Exploration | None = None,
        calibrations: CalibrationsInUse | None = None,
    ) -> None:
        self._database, self._analyzer, self._exploration = database, analyzer, exploration
        self._calibrations = calibrations
        self._analysis_s, self._database_s = analysis_s, database_s
        self._patience = Patience()

    async def take_turn(
        self,
        tenant: UUID | str,
        account: str,
        contact: str,
        message: Message,
        *,
        opening: ConversationState | None = None,
    ) -> TurnTaken:
        """Take one message of a conversation, whoever wrote it, and analyse it if that was the customer.

        `opening` is the state before the first message, where there is more to say of the contact than their id.
        The same message again changes nothing and gives the stored analysis. Messages may come out of order: with
        an `index`, each is folded in where it belongs.

        There is one clock, that of Postgres: the time of a message that comes without one, of the recommendation and
        of whatever is recorded is that of the transaction that keeps it, so that a quick reply is never before its
        question. Only without Postgres it is the process's.

        Raises TenantRequiredError; InputError for ids, texts and times that cannot be kept, and for an index that
        another message has; StateError for a state that cannot be read.
        """
        tenant_id = tenant_uuid(tenant)
        first = _opening(tenant_id, account, contact, opening)
        try:
            delivered = await self._kept(tenant_id, lambda session: accept(session, first, message))
        except DatabaseUnavailableError as error:
            return await self._without_database(first, message, str(error))
        if not delivered.needs_analysis:
            return _as_delivered(delivered)
        usual, calibration = await asyncio.gather(
            self._analysis(delivered.before, delivered.turn, delivered.history), self._calibration(tenant_id)
        )
        analysis, chosen = explored(self._exploration, delivered, usual)
        try:
            settled = await self._kept(
                tenant_id, lambda session: settle(session, delivered, analysis, chosen, calibration)
            )
        except DatabaseUnavailableError as error:
            state = advance(delivered.before, delivered.turn, analysis)
            return _not_saved(analysis, state, delivered.turn, str(error), calibration)
        return _as_settled(settled, delivered.turn)

    async def change_stage(
        self,
        tenant: UUID | str,
        account: str,
        contact: str,
        to: DealStage,
        *,
        by: str | None = None,
        reason: str | None = None,
    ) -> SavedState:
        """Move a contact's deal to another stage: recorded, and credited to the questions that led there.

        Raises StateNotFoundError, InvalidStageTransitionError, DatabaseUnavailableError.
        """

        async def move(session: TenantSession) -> SavedState:
            repository = ConversationStateRepository(session)
            before = await repository.locked(account, contact)
            saved = await repository.moved(before, to, by=by, reason=reason)
            if saved.version != before.version:
                key, at = f"stage:{saved.version}", saved.updated_at
                await OutcomeTracker(session).record_progress(saved.state.state_id, to, at=at, key=key)
            return saved

        return await self._kept(tenant_uuid(tenant), move)

    async def state(self, tenant: UUID | str, account: str, contact: str) -> SavedState | None:
        """The contact's state, None if nothing was ever delivered. Raises DatabaseUnavailableError."""
        return await self._kept(
            tenant_uuid(tenant), lambda session: ConversationStateRepository(session).get(account, contact)
        )

    async def conversation(self, tenant: UUID | str, account: str, contact: str) -> LiveConversation | None:
        """The contact's state and messages, None if nothing was ever delivered. Raises DatabaseUnavailableError."""

        async def read(session: TenantSession) -> LiveConversation | None:
            saved = await ConversationStateRepository(session).get(account, contact)
            if saved is None:
                return None
            return LiveConversation(saved, await MessageLog(session).messages(UUID(saved.state.state_id)))

        return await self._kept(tenant_uuid(tenant), read)

    async def _analysis(self, state: ConversationState, turn: Turn, history: tuple[Turn, ...]) -> Analysis:
        return await analysis_in_any_case(
            self._analyzer, state, turn, history, seconds=self._analysis_s, patience=self._patience
        )

    async def _calibration(self, tenant_id: UUID) -> Calibration | None:
        """The one in use, looked up beside the analysis; a defect in that costs the correction, never the message."""
        if self._calibrations is None:
            return None
        try:
            return await self._calibrations.of(tenant_id)
        except Exception as defect:  # noqa: BLE001  # the engine's own confidence is there, and the message has to count
            not_calibrated(defect)
            return None

    async def _without_database(self, opening: ConversationState, message: Message, reason: str) -> TurnTaken:
        """What can be said of a message when nothing else of its conversation is known.

        By itself it is the first, unless it says otherwise, and it was written now by the clock of this process.
        """
        turn, _ = turn_of(message, message.index or 0, datetime.now(UTC))
        if turn.speaker is not Speaker.CUSTOMER:
            return _not_saved(None, opening, turn, reason)
        analysis, calibration = await asyncio.gather(
            self._analysis(opening, turn, ()), self._calibration(tenant_uuid(opening.tenant_id))
        )
        return _not_saved(analysis, advance(opening, turn, analysis), turn, reason, calibration)

    async def _kept(self, tenant_id: UUID, work: Work[T]) -> T:
        """What `work` returns, done in one transaction; done again if it failed in a way that may pass.

        Raises DatabaseUnavailableError when it cannot be had within `database_s` seconds.
        """
        clock = asyncio.get_running_loop().time
        until, pause = clock() + self._database_s, FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._patience.within(until - clock(), self._once(tenant_id, work))
            except TimeoutError:
                raise DatabaseUnavailableError(f"Postgres did not answer within {self._database_s:g} s") from None
            except StaleStateError:
                problem = DatabaseUnavailableError("others kept changing this state")
            except DatabaseUnavailableError as error:
                problem = error
            if clock() + pause >= until:
                raise problem
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _once(self, tenant_id: UUID, work: Work[T]) -> T:
        async with self._database.tenant(tenant_id).begin() as session:
            return await work(session)


def _opening(tenant_id: UUID, account: str, contact: str, opening: ConversationState | None) -> ConversationState:
    """The state that a conversation begins with, under the ids of this tenant and contact."""
    for name, value in (("account", account), ("contact", contact)):
        if not value.strip() or clean_text(value)[1]:
            raise InputError(f"{name} is empty, or holds a character that cannot be kept; give the id it always has")
    ids = {
        "tenant_id": str(tenant_id),
        "state_id": str(state_id_of(tenant_id, account, contact)),
        "account_id": account,
        "contact_id": contact,
    }
    return ConversationState(**ids) if opening is None else opening.model_copy(update=ids)


def _as_delivered(delivered: Delivered) -> TurnTaken:
    return TurnTaken(
        analysis=delivered.message.analysis,
        state=delivered.saved.state,
        turn=delivered.turn,
        duplicate=delivered.duplicate,
        outcome_id=delivered.outcome_id,
        version=delivered.saved.version,
        calibrated=delivered.calibrated,
    )


def _as_settled(settled: Settled, turn: Turn) -> TurnTaken:
    return TurnTaken(
        analysis=settled.analysis,
        state=settled.saved.state,
        turn=turn,
        duplicate=settled.duplicate,
        outcome_id=settled.outcome_id,
        version=settled.saved.version,
        chosen=settled.chosen,
        calibrated=settled.calibrated,
    )


def _not_saved(
    analysis: Analysis | None,
    state: ConversationState,
    turn: Turn,
    reason: str,
    calibration: Calibration | None = None,
) -> TurnTaken:
    structlog.get_logger(__name__).warning(
        "turn not saved", tenant=state.tenant_id, state=state.state_id, reason=reason
    )
    problem = f"{reason.rstrip('.')}. Deliver the message again later: it counts once."
    calibrated = calibrated_confidence(state, turn, analysis, calibration) if analysis else None
    return TurnTaken(analysis=analysis, state=state, turn=turn, saved=False, not_saved=problem, calibrated=calibrated)
