"""The two short transactions of a turn: a message is accepted, and later its analysis is taken in.

Both lock the state first, so that whatever happens to one contact happens in a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from engine.advance import advance
from engine.calibration.values import Calibration
from engine.errors import StaleStateError, StateNotFoundError
from engine.exploration import Chosen
from engine.folding import OPENING, KeptTurn, make_room, state_before, take_in, with_opening
from engine.live.calibrated import CalibratedConfidence, told, with_calibration
from engine.model.analysis import Analysis
from engine.model.conversation import Speaker, Turn
from engine.model.state import ConversationState
from engine.outcomes import (
    OfferedChoice,
    Outcome,
    OutcomeDetails,
    OutcomeTracker,
    OutcomeType,
    action_type_of,
    outcome_details,
    recording_outcomes,
)
from engine.state.database import TenantSession
from engine.state.inquiry import Inquiry
from engine.state.messages import LoggedMessage, Message, MessageLog
from engine.state.repository import ConversationStateRepository, SavedState, state_id_of
from engine.wording import questions


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that has been accepted.

    `before` is the state that its turn is to be analysed in, `history` the turns before it; `saved` is the state as it
    is kept. `late`: turns after it were there already. `duplicate`: it had been accepted before.
    """

    message: LoggedMessage
    saved: SavedState
    before: ConversationState
    history: tuple[Turn, ...]
    late: bool
    duplicate: bool
    outcome: Outcome | None = None

    @property
    def turn(self) -> Turn:
        return self.message.turn

    @property
    def outcome_id(self) -> UUID | None:
        return None if self.outcome is None else self.outcome.outcome_id

    @property
    def calibrated(self) -> CalibratedConfidence | None:
        return told(self.outcome.details) if self.outcome else None

    @property
    def needs_analysis(self) -> bool:
        return self.turn.speaker is Speaker.CUSTOMER and self.message.analysis is None


@dataclass(frozen=True, slots=True)
class Settled:
    """A turn whose analysis is kept. `duplicate`: it was there already, and the one given was not used.

    `chosen` says how the question was chosen, where that was at random and is recorded.
    """

    analysis: Analysis
    saved: SavedState
    outcome: Outcome | None
    duplicate: bool = False
    chosen: Chosen | None = None

    @property
    def outcome_id(self) -> UUID | None:
        return None if self.outcome is None else self.outcome.outcome_id

    @property
    def calibrated(self) -> CalibratedConfidence | None:
        return told(self.outcome.details) if self.outcome else None


async def accept(session: TenantSession, opening: ConversationState, message: Message) -> Delivered:
    """Keep a message of the contact whose conversation begins with `opening`, if it has no state yet.

    A customer's message is a reply to what was asked before. One that belongs before others changes their history,
    so that they are folded again. Raises InputError if another message has its index, StaleStateError if somebody
    else made the state at the same moment.
    """
    repository, log, tracker = ConversationStateRepository(session), MessageLog(session), OutcomeTracker(session)
    state_id = state_id_of(session.tenant_id, opening.account_id, opening.contact_id)
    (saved, met), known = await session.ask(
        repository.getting(opening.account_id, opening.contact_id, lock=True)
        .along(log.meeting(state_id, message.id))
        .along(tracker.answering(state_id, at=message.time, key=message.id))
    )
    if saved is None:
        saved = await repository.save(with_opening(opening), version=None)
    accepted = await log.add(state_id, message, met)
    if accepted.message.analysis is not None:
        return await _again(session, saved, accepted.message)
    turn = accepted.message.turn
    late = any(other.index > turn.index for other in met.turns)
    others = _others(await log.messages(state_id), turn) if late else ()
    if not accepted.duplicate:
        saved = await _made_room(repository, saved, others, turn, alone=not met.turns)
        if turn.speaker is Speaker.CUSTOMER and turn.time:  # whatever was accepted has its time
            await tracker.record_reply(state_id, at=turn.time, key=message.id, known=known)
    return Delivered(
        message=accepted.message,
        saved=saved,
        before=state_before(turn.index, saved.state, others),
        history=tuple(earlier for earlier in met.turns if earlier.index < turn.index),
        late=late,
        duplicate=accepted.duplicate,
    )


async def _again(session: TenantSession, saved: SavedState, message: LoggedMessage) -> Delivered:
    """A message that was settled before: there is nothing left to do."""
    outcome = await _outcome_again(session, saved.state, message)
    return Delivered(message, saved, saved.state, (), late=False, duplicate=True, outcome=outcome)


async def settle(
    session: TenantSession,
    delivered: Delivered,
    analysis: Analysis,
    chosen: Chosen | None = None,
    calibration: Calibration | None = None,
) -> Settled:
    """Fold the analysis of a message into the state as it is now, and keep state, analysis and outcome together.

    The recommendation is made when this transaction begins. If somebody else has settled the message since, nothing
    changes. `chosen` says how the question was chosen, if at random; that is recorded only where the state is still the
    one that it was chosen in, since in another one other questions would have been acceptable. `calibration` is the one
    in use: what it makes of the confidence is recorded beside it.
    """
    if not delivered.late:
        after = advance(delivered.saved.state, delivered.turn, analysis)
        ConversationStateRepository(session).remember(delivered.saved)
        with suppress(StaleStateError):  # then nothing was changed
            return await _keep(session, delivered, after, delivered.saved.version, analysis, chosen, calibration)
    return await _settle_anew(session, delivered, analysis, calibration)


async def _settle_anew(
    session: TenantSession, delivered: Delivered, analysis: Analysis, calibration: Calibration | None
) -> Settled:
    """Settle a turn whose state is not the one that it was analysed in, or that belongs before others."""
    state, turn = delivered.saved.state, delivered.turn
    saved = await ConversationStateRepository(session).get(state.account_id, state.contact_id, lock=True)
    if saved is None:
        raise StateNotFoundError("the state of this conversation was removed while its message was analysed")
    messages = await MessageLog(session).messages(UUID(state.state_id))
    [mine] = [message for message in messages if message.turn.index == turn.index]
    if mine.analysis is not None:
        return Settled(mine.analysis, saved, await _outcome_again(session, saved.state, mine), duplicate=True)
    after, guarded = take_in(saved.state, _others(messages, turn), turn, analysis)
    return await _keep(session, delivered, after, saved.version, guarded, None, calibration)


async def _keep(
    session: TenantSession,
    delivered: Delivered,
    after: ConversationState,
    version: int,
    analysis: Analysis,
    chosen: Chosen | None,
    calibration: Calibration | None,
) -> Settled:
    """Save the state after a turn, with its analysis and the outcome that it waits for."""
    saved = await ConversationStateRepository(session).save(after, version=version)
    analysed = MessageLog(session).analysing(UUID(after.state_id), delivered.message.message_id, analysis)
    recorded = _recording(session, saved.state, delivered.turn, analysis, chosen, calibration)
    _, outcome = await session.ask(analysed.along(recorded))
    return Settled(analysis, saved, outcome, chosen=chosen)


async def _made_room(
    repository: ConversationStateRepository, saved: SavedState, others: Sequence[KeptTurn], turn: Turn, *, alone: bool
) -> SavedState:
    """The state once `turn` is there: saved if `others` come after it, or if it is `alone` and the first ever.

    Whoever analyses a later turn finds the version moved, and reads again what came before it.
    """
    if others:
        return await repository.save(make_room(saved.state, others, turn), version=saved.version)
    if alone and OPENING not in saved.state.metadata:  # a state that was kept before its first message
        return await repository.save(with_opening(saved.state), version=saved.version)
    return saved


def _recording(
    session: TenantSession,
    state: ConversationState,
    turn: Turn,
    analysis: Analysis,
    chosen: Chosen | None = None,
    calibration: Calibration | None = None,
) -> Inquiry[Outcome | None]:
    """Record the recommendation, if it asks anything: without a question there is nothing to be answered.

    Gives the outcome that waits for the customer's reply. What was recorded before stays, and is given again.
    """
    if not questions(analysis.question.recommendation.suggested_question):
        return Inquiry((), lambda answers: None)
    details = _details(state, turn, analysis, chosen, calibration)
    recorded = recording_outcomes(session.tenant_id, state, turn, analysis, details)
    return recorded.then(
        lambda outcomes: next(one for one in outcomes if one.outcome_type is OutcomeType.EMAIL_ENGAGEMENT)
    )


def _details(
    state: ConversationState,
    turn: Turn,
    analysis: Analysis,
    chosen: Chosen | None,
    calibration: Calibration | None,
) -> OutcomeDetails:
    """What is known of a recommendation when it is made: also how it was chosen, and what is made of its confidence."""
    details = outcome_details(
        state,
        turn,
        analysis,
        propensity=chosen.propensity if chosen else None,
        choices=_choices(chosen) if chosen else (),
    )
    confidence = analysis.question.recommendation.confidence
    return with_calibration(details, calibration, action_type_of(analysis), confidence)


def calibrated_confidence(
    state: ConversationState, turn: Turn, analysis: Analysis, calibration: Calibration | None
) -> CalibratedConfidence | None:
    """What a calibration makes of a recommendation that could not be recorded; None of one that asks nothing."""
    if not questions(analysis.question.recommendation.suggested_question):
        return None
    return told(_details(state, turn, analysis, None, calibration))


def _choices(chosen: Chosen) -> tuple[OfferedChoice, ...]:
    return tuple(
        OfferedChoice(
            question_type=offered.question_type,
            target=offered.meddic_bant_target,
            delivery=offered.voss_delivery,
            probability=probability,
        )
        for offered, probability in chosen.offers
    )


async def _outcome_again(session: TenantSession, state: ConversationState, message: LoggedMessage) -> Outcome | None:
    """The outcome that was recorded with an analysis that is there already."""
    if message.analysis is None:
        return None
    return await session.ask(_recording(session, state, message.turn, message.analysis))


def _others(messages: Sequence[LoggedMessage], turn: Turn) -> tuple[KeptTurn, ...]:
    """All turns but this one."""
    others = (message for message in messages if message.turn.index != turn.index)
    return tuple(KeptTurn(message.turn, message.analysis) for message in others)
