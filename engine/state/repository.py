"""ConversationStateRepository: the states of one tenant's contacts, read and saved in one transaction.

Nothing is lost when several work on one contact: `get(..., lock=True)` makes the others wait until the transaction
ends, and a save names the version that it changes. Every save keeps the rules of `engine.stages`.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from engine.errors import InputError, StaleStateError, StateNotFoundError
from engine.merge import merge_qualification_signals
from engine.model.conversation import DealStage, Persona
from engine.model.qualification import QualificationState
from engine.model.state import ConversationState
from engine.stages import validate_transition
from engine.state.database import TenantSession
from engine.state.inquiry import Answers, Inquiry
from engine.state.listing import Cursor, Page, list_states
from engine.state.stage_history import StageMove, read_moves, recording_move
from engine.state.state_rows import (
    SavedState,
    from_row,
    insert_one,
    read_one,
    saved,
    state_id_of,
    stored,
    to_columns,
    update_one,
)
from engine.state.statements import Parameter
from engine.state.stored import Stored
from engine.state.tenants import tenant_uuid

__all__ = ["ConversationStateRepository", "Cursor", "Page", "SavedState", "StageMove", "state_id_of"]


class ConversationStateRepository:
    """The conversation states of the session's tenant."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    async def get(self, account: str, contact: str, *, lock: bool = False) -> SavedState | None:
        """The contact's state, or None. With `lock`, nobody else changes it until this transaction ends."""
        return await self._session.ask(self.getting(account, contact, lock=lock))

    def getting(self, account: str, contact: str, *, lock: bool = False) -> Inquiry[SavedState | None]:
        """What `get` asks. Locking, it comes before all that is to be as nobody else changes it."""
        session = self._session

        def read(answers: Answers) -> SavedState | None:
            for row in answers[0]:
                session.seen[row["state_id"]] = Stored.of(row, locked=lock)
                return from_row(row, session.tenant_id)
            return None

        call = read_one(lock)(tenant_id=session.tenant_id, account_id=account, contact_id=contact)
        return Inquiry((call,), read)

    def remember(self, saved: SavedState) -> None:
        """Take it that the state is as an earlier transaction knew it: to save it then need not read it first.

        If it is not, the save raises StaleStateError.
        """
        state = saved.state
        at = saved.updated_at
        known = Stored(saved.version, state.deal_stage, state.created_at or at, now=at, locked=False)
        self._session.seen[UUID(state.state_id)] = known

    async def save(self, state: ConversationState, *, version: int | None) -> SavedState:
        """Save a state that is new (`version` None) or was read with `version`; its ids are those of this tenant.

        Raises StaleStateError if somebody saved it since, or has made it; InvalidStageTransitionError, and saves
        nothing, if its stage may not follow the stored one; InputError for text that cannot be kept and for a
        state of another tenant.
        """
        return await self._save(state, version)

    async def update_qualification(self, account: str, contact: str, found: QualificationState) -> SavedState:
        """Merge what was found into what is known, so that nothing found at the same time is lost.

        Raises StateNotFoundError.
        """
        current = await self.locked(account, contact)
        merged = merge_qualification_signals(current.state.qualification, found)
        if merged == current.state.qualification:
            return current
        changes = {"qualification": merged, "confidence_score": merged.overall_confidence}
        return await self._save(current.state.model_copy(update=changes), current.version)

    async def change_stage(
        self,
        account: str,
        contact: str,
        to: DealStage,
        *,
        by: str | None = None,
        reason: str | None = None,
        at: datetime | None = None,
    ) -> SavedState:
        """Move a deal to another stage, recording who did it, why and when (now). To stay changes nothing.

        Raises StateNotFoundError, InvalidStageTransitionError.
        """
        return await self.moved(await self.locked(account, contact), to, by=by, reason=reason, at=at)

    async def locked(self, account: str, contact: str) -> SavedState:
        """The contact's state, which nobody else changes until this transaction ends. Raises StateNotFoundError."""
        found = await self.get(account, contact, lock=True)
        if found is None:
            raise StateNotFoundError(_NONE)
        return found

    async def moved(
        self,
        current: SavedState,
        to: DealStage,
        *,
        by: str | None = None,
        reason: str | None = None,
        at: datetime | None = None,
    ) -> SavedState:
        """As `change_stage`, of a state that has been read. Where the deal stays, its version does too."""
        if to == current.state.deal_stage:
            return current
        moved = current.state.model_copy(update={"deal_stage": DealStage(to)})
        return await self._save(moved, current.version, by=by, reason=reason, at=at)

    async def stage_history(self, account: str, contact: str) -> tuple[StageMove, ...]:
        """The recorded moves of a contact's deal, the earliest first; empty also where there is no state."""
        return await read_moves(self._session, state_id_of(self._session.tenant_id, account, contact))

    async def list(
        self,
        *,
        account: str | None = None,
        stage: DealStage | None = None,
        persona: Persona | None = None,
        contact: str | None = None,
        updated_since: datetime | None = None,
        limit: int = 50,
        after: Cursor | None = None,
    ) -> Page:
        """The states that match every filter given, the last updated first, `limit` (1 to 500) of them.

        `contact` is a part of the contact's id, name or address. `after` is the `next` of the page before: what is
        saved in between neither repeats nor hides another state.
        """
        filters = {"account": account, "stage": stage, "persona": persona, "contact": contact}
        return await list_states(self._session, {**filters, "updated_since": updated_since}, limit=limit, after=after)

    async def _save(
        self,
        state: ConversationState,
        version: int | None,
        *,
        by: str | None = None,
        reason: str | None = None,
        at: datetime | None = None,
    ) -> SavedState:
        self._check_owner(state)
        state_id = state_id_of(self._session.tenant_id, state.account_id, state.contact_id)
        columns, cleaned = to_columns(state)
        columns |= {"tenant_id": self._session.tenant_id, "state_id": state_id}
        if version is None:
            after = await self._insert(columns)
        else:
            before, to = await self._seen(state_id, version), state.deal_stage
            validate_transition(before.stage, to)
            ids = self._session.tenant_id, state_id
            # Made before anything is sent: what it refuses then changes nothing.
            moves = () if before.stage == to else (recording_move(*ids, before.stage, to, at=at, by=by, reason=reason),)
            after = await self._update(columns, before)
            for move in moves:
                await self._session.send(move)
        self._session.seen[state_id] = after
        return saved(state, {**columns, "created_at": after.created_at}, cleaned, after.version, after.now)

    async def _insert(self, columns: dict[str, Parameter]) -> Stored:
        [rows] = await self._session.send(insert_one()(**columns))
        if not rows:
            raise StaleStateError(_EXISTS)
        return Stored.of(rows[0], locked=True)

    async def _update(self, columns: dict[str, Parameter], before: Stored) -> Stored:
        """A row that is locked cannot change under us: its update need not be waited for."""
        call = update_one()(**columns, seen_version=before.version, seen_stage=before.stage)
        if before.locked:
            await self._session.send_later(call)
        else:
            [rows] = await self._session.send(call)
            if not rows:
                raise StaleStateError(_STALE)
            return Stored.of(rows[0], locked=True)
        return Stored(before.version + 1, cast("DealStage", columns["deal_stage"]), before.created_at, before.now, True)

    async def _seen(self, state_id: UUID, version: int) -> Stored:
        """What is stored with this version; the row is locked if this transaction has not read it."""
        known = self._session.seen.get(state_id) or await self._session.ask(stored(self._session, state_id))
        if known is None:
            raise StateNotFoundError(_NONE)
        if known.version != version:
            raise StaleStateError(_STALE)
        return known

    def _check_owner(self, state: ConversationState) -> None:
        if tenant_uuid(state.tenant_id) != self._session.tenant_id:
            raise InputError("this state belongs to another tenant than the session; begin a session of its tenant")


_NONE = "no state is kept for this contact of this tenant; save one first"
_STALE = "somebody else saved this state since it was read; read it again and decide again"
_EXISTS = "this contact has a state already; read it, and save it with its version"
