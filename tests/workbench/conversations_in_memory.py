"""What the Live page is tested over without a database: the same conversations, kept in a dictionary by tenant."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from engine.advance import advance
from engine.analyzers import RulesAnalyzer
from engine.folding import KeptTurn, with_opening
from engine.model.conversation import DealStage, Speaker
from engine.model.state import ConversationState
from engine.prompts import PromptLibrary
from engine.stages import validate_transition
from engine.state.repository import SavedState
from workbench.background import Background
from workbench.live import Answers, Kept, LiveContact, LiveConversations, Saying, Steps, WatchedAnalyzer
from workbench.presenters.live_contacts import ListedContact
from workbench.presenters.live_stages import Moved
from workbench.presenters.live_tenants import Sight
from workbench.services import Services
from workbench.settings import Settings

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass
class _Row:
    state: ConversationState
    version: int = 1
    turns: dict[str, KeptTurn] = field(default_factory=dict)
    moves: tuple[Moved, ...] = ()
    reasons: list[str | None] = field(default_factory=list)


class ConversationsInMemory(LiveConversations):
    """Read by rules, whoever was chosen. Delivering a message again changes nothing, as in the database."""

    def __init__(self, background: Background, home: Path = Path(".qbs")) -> None:
        super().__init__(Services(Settings(home=home)), background)
        self.rows: dict[LiveContact, _Row] = {}
        self.delivered: list[tuple[str, str]] = []

    @property
    def is_open(self) -> bool:
        return True

    async def contacts(self, tenant: str) -> tuple[ListedContact, ...]:
        return tuple(ListedContact(key.account, key.contact) for key in self.rows if key.tenant == tenant)

    async def kept(self, contact: LiveContact) -> Kept:
        row, sight = self.rows.get(contact), await self.sight(contact, contact.tenant)
        if row is None:
            return Kept(sight)
        saved = SavedState(row.state, row.version, NOON)
        return Kept(sight, saved, tuple(row.turns.values()), tuple(row.turns), row.moves)

    async def sight(self, contact: LiveContact, tenant: str) -> Sight:
        row = self.rows.get(contact) if tenant == contact.tenant else None
        counts = {"conversation_states": int(row is not None), "messages": len(row.turns) if row else 0}
        return Sight(tenant, f"uuid-of-{tenant}", counts)

    async def _prepare(self, answers: Answers, steps: Steps) -> None:
        """Nobody is asked."""

    async def _take(self, contact: LiveContact, saying: Saying, prompts: PromptLibrary | None, steps: Steps) -> str:
        await asyncio.sleep(0)
        self.delivered.append((saying.id, saying.answers.by))
        opened = saying.opening.model_copy(update={"tenant_id": f"uuid-of-{contact.tenant}", "state_id": "a-state"})
        row = self.rows.setdefault(contact, _Row(with_opening(opened)))
        if saying.id in row.turns:
            return ""
        turn = saying.turn.model_copy(update={"index": len(row.turns)})
        history = [item.turn for item in row.turns.values()]
        analysis = None
        if turn.speaker is Speaker.CUSTOMER:
            analysis = await WatchedAnalyzer(RulesAnalyzer(), steps).analyze(row.state, turn, history)
            row.state = advance(row.state, turn, analysis)
        row.turns[saying.id] = KeptTurn(turn, analysis)
        row.version += 1
        return ""

    async def _moves_made(self, contact: LiveContact, reason: str) -> int:
        return self.rows[contact].reasons.count(reason)

    async def _change_stage(self, contact: LiveContact, to: DealStage, *, by: str, reason: str | None = None) -> None:
        row = self.rows[contact]
        validate_transition(row.state.deal_stage, to)
        row.reasons.append(reason)
        row.moves = (Moved(row.state.deal_stage, to, NOON, by), *row.moves)
        row.state = row.state.model_copy(update={"deal_stage": to})
