"""Live conversations over a database of the tests, and a scripted customer who talks to the end."""

from __future__ import annotations

from dataclasses import dataclass

from engine.model.conversation import Conversation
from engine.state.database import Database
from evals.library import Dataset
from workbench.live import Answers, Kept, LiveContact, LiveConversations, Saying
from workbench.presenters.live_answers import AUTOMATIC, who_answers
from workbench.presenters.live_script import message_id, moves_after, opening, position
from workbench.services import Services


@dataclass(frozen=True, slots=True)
class ServicesOver(Services):
    """Services whose production state is in this database."""

    url: str = ""

    async def database(self) -> Database:
        return Database(self.url)


async def play(
    live: LiveConversations, dataset: Dataset, recorded: Conversation, tenant: str, *, most: int = 10_000
) -> Kept:
    """Let the scripted customer and the recorded seller say up to `most` messages; what is kept then."""
    state = opening(recorded)
    contact = LiveContact(tenant, state.account_id, state.contact_id)
    kept = await live.kept(contact)
    for _ in range(most):
        stage = (kept.state or state).deal_stage
        at = position(recorded, [item.turn for item in kept.turns], stage)
        if at.next is None:
            break
        by = who_answers(AUTOMATIC, recorded=at.follows, models=False)
        answers, moves = Answers(by, dataset.folder / "recordings"), moves_after(recorded, at.next.index)
        await live.deliver(contact, Saying(message_id(recorded, at.next), at.next, state, answers, moves))
        kept = await live.kept(contact)
    return kept
