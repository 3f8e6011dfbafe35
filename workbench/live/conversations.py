"""The contacts that are talked to: what the Live page asks of the engine and of the database.

A turn belongs to the process. A page that is drawn again, or closed, while the engine works leaves it alone; whoever
looks next finds it still under way, or done.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from engine.errors import DatabaseUnavailableError
from engine.model.conversation import DealStage, Speaker
from workbench.background import Background
from workbench.live.drafts import DraftOf, Drafts
from workbench.live.readers import Reader, Readers
from workbench.live.seeing import kept_of, moves_made, newest_contacts, sight_of
from workbench.live.steps import Steps, WatchedAnalyzer
from workbench.live.values import Answers, Kept, LiveContact, Saying, UnderWay
from workbench.presenters.live_contacts import ListedContact
from workbench.presenters.live_conversation import Talk, talk_of
from workbench.presenters.live_tenants import Sight
from workbench.presenters.live_thinking import Step
from workbench.services import Services

if TYPE_CHECKING:
    from engine.drafting import Draft
    from engine.live.calibrated import CalibrationsInUse
    from engine.live.released import ReleasedPrompts
    from engine.prompts import PromptLibrary
    from engine.releases import Release
    from engine.state.database import Database, TenantSessions

SECONDS = 30.0  # that a page waits for the database
OTHER_TENANTS = ("other-company", "demo")  # the first that is not one's own is compared with
MOST_KEPT = 500  # contacts whose steps are kept to be shown again
BEING_ERASED = "the tenant is being erased at this moment; try again when that is done"

ResultT = TypeVar("ResultT")


class LiveConversations:
    """The contacts that are talked to. Coroutines belong on the loop of `background`, the rest to any thread."""

    def __init__(self, services: Services, background: Background) -> None:
        self._services = services
        self._background = background
        self._lock = threading.Lock()
        self._begun: OrderedDict[LiveContact, UnderWay] = OrderedDict()
        self._drafts = Drafts()
        self._readers = Readers(services)
        self._numbers = count(1)
        self._erasing: set[UUID] = set()
        self._erasures = 0
        self._opening = asyncio.Lock()
        self._database: Database | None = None
        self._released: ReleasedPrompts | None = None
        self._calibrations: CalibrationsInUse | None = None

    @property
    def is_open(self) -> bool:
        return self._database is not None

    @property
    def database(self) -> Database:
        """The one that was opened, for others on the same loop. Raises DatabaseUnavailableError before that."""
        return self._opened

    @property
    def erasures(self) -> int:
        """How often a tenant was erased under this process: what a page remembers of before counts no more."""
        return self._erasures

    def say(self, contact: LiveContact, saying: Saying) -> UnderWay:
        """Deliver a message on the loop. While something else is under way for the contact, that is answered."""
        return self._begin(contact, lambda steps: self.deliver(contact, saying, steps))

    def move(self, contact: LiveContact, to: DealStage) -> UnderWay:
        """Move the deal to another stage, as the presenter wants it."""
        return self._begin(contact, lambda steps: self._move(contact, to, steps))

    def last(self, contact: LiveContact) -> UnderWay | None:
        """The newest thing that this process did, or still does, for the contact."""
        with self._lock:
            return self._begun.get(contact)

    def _begin(self, contact: LiveContact, work: Callable[[Steps], Coroutine[Any, Any, str]]) -> UnderWay:
        from engine.state.tenants import tenant_uuid

        with self._lock:
            present = self._begun.get(contact)
            if present is not None and not present.taking.done():
                return present
            steps = Steps()
            if tenant_uuid(contact.tenant) in self._erasing:
                return UnderWay(_said(BEING_ERASED), steps, next(self._numbers))
            begun = UnderWay(self._background.start(work(steps)), steps, next(self._numbers))
            self._begun[contact] = begun
            self._begun.move_to_end(contact)
            while len(self._begun) > MOST_KEPT:
                self._begun.popitem(last=False)
            return begun

    def tenants(self, asked: str | None = None) -> tuple[str, ...]:
        """The tenants to choose from: one's own, one to compare with, and the one that was asked for if it is a third.

        Raises TenantRequiredError for a name that no tenant can have.
        """
        from engine.state.tenants import tenant_uuid

        names: dict[UUID, str] = {}
        for name in (self._services.settings.tenant, *OTHER_TENANTS):
            names.setdefault(tenant_uuid(name), name)
        offered = dict(list(names.items())[:2])
        if asked:
            offered.setdefault(tenant_uuid(asked), asked)
        return tuple(offered.values())

    async def open(self) -> None:
        """Start the database if need be, and make sure that it is safe. Raises ConfigurationError or StateError."""
        async with self._opening:
            if self._database is None:
                self._database = await self._services.database()
                self._released = self._services.released_prompts(self._database)
                self._calibrations = self._services.calibrations_in_use(self._database)

    async def aclose(self) -> None:
        """Close what was opened. The process otherwise takes it along."""
        self._drafts.cancel()
        await self._readers.aclose()
        if self._released is not None:
            await self._released.aclose()
        if self._calibrations is not None:
            await self._calibrations.aclose()
        if self._database is not None:
            await self._database.aclose()

    async def erase(self, tenant: str, erasing: Callable[[], ResultT]) -> ResultT:
        """Let what is under way for a tenant end and begin nothing new, do `erasing` on a thread, and know nothing of
        before. Raises what `erasing` raises.
        """
        from engine.state.tenants import tenant_uuid

        who = tenant_uuid(tenant)
        with self._lock:
            self._erasing.add(who)
            known = [contact for contact in self._begun if tenant_uuid(contact.tenant) == who]
            under_way = [self._begun[contact].taking for contact in known]
        try:
            if waiting := [asyncio.wrap_future(taking) for taking in under_way if not taking.done()]:
                await asyncio.wait(waiting, timeout=SECONDS)
            return await asyncio.to_thread(erasing)
        finally:
            with self._lock:
                for contact in known:
                    self._begun.pop(contact, None)
                self._erasing.discard(who)
                self._erasures += 1
            self._drafts.forget(lambda contact: tenant_uuid(contact.tenant) == who)
            if self._released is not None:
                await self._released.refresh()

    async def production(self, tenant: str) -> Release | None:
        """What is in production for a tenant, its own or everybody's; None for the shipped prompts."""
        from engine.releases import in_production

        found = await in_production(self._opened, tenant)
        return None if found is None else found[0]

    async def contacts(self, tenant: str) -> tuple[ListedContact, ...]:
        """The contacts of a tenant that were talked to last, newest first."""
        if self._released is not None:
            await self._released.of(tenant)  # asked for before anything is said, a first message need not wait for it
        async with self._tenant(tenant).begin() as session:
            return await newest_contacts(session)

    async def kept(self, contact: LiveContact) -> Kept:
        """Everything that is kept of a contact, as its tenant sees it."""
        async with self._tenant(contact.tenant).begin() as session:
            return await kept_of(session, contact)

    async def sight(self, contact: LiveContact, tenant: str) -> Sight:
        """How many rows of a contact somebody sees in a session of `tenant`."""
        async with self._tenant(tenant).begin() as session:
            return await sight_of(session, contact, tenant)

    async def draft(
        self, contact: LiveContact, talk: Talk, answers: Answers, prompts: PromptLibrary | None = None
    ) -> Draft | None:
        """The reply to the newest message that was analysed; None if there is none.

        It is drafted once, also where several pages ask for it meanwhile. `prompts` are those that the message was
        analysed with, if that is known; else those in production.
        """
        turn = talk.answered
        if turn is None:
            return None
        state, analysis = talk.side.after(turn), talk.side.analysis(turn)
        if state is None or analysis is None:
            return None
        said, reader = talk.conversation.turns[: turn + 1], self._readers.of(answers)
        channel = said[-1].channel or state.last_channel or talk.conversation.channel
        recommendation = analysis.question.recommendation

        async def drafting() -> Draft:
            used = prompts or await self._prompts(contact, reader)
            drafter = self._services.drafter(reader.variant, reader.service, channel, used)
            return await drafter.draft(state, said, recommendation, channel=channel)

        key = DraftOf(contact, turn, reader.variant.name, analysis.model_dump_json())
        return await self._drafts.get(key, drafting)

    async def deliver(self, contact: LiveContact, saying: Saying, steps: Steps | None = None) -> str:
        """Take the turn, do what goes with it, and draft the reply; why it was not saved, in words, or nothing."""
        steps = steps or Steps()
        try:
            prompts = await self._prompts(contact, self._readers.of(saying.answers))
            if saying.turn.speaker is Speaker.CUSTOMER:
                await self._readers.warm_up(saying.answers, steps)
            steps.begin(Step.ACCEPTING)
            problem = await self._take(contact, saying, prompts, steps)
            if not problem:
                await self._move_as_recorded(contact, saying)
            if not problem and saying.turn.speaker is Speaker.CUSTOMER:
                steps.begin(Step.DRAFTING)
                kept = await self.kept(contact)
                talk = talk_of(kept.state or saying.opening, kept.turns)
                await self.draft(contact, talk, saying.answers, prompts)
            return problem
        finally:
            steps.end()

    async def _prompts(self, contact: LiveContact, reader: Reader) -> PromptLibrary | None:
        """What models are asked with for a contact: from the first call of a message to its draft the same."""
        if self._released is None or reader.variant.reasoning_model is None:
            return None
        if reader.asks_models:
            return (await self._released.of(contact.tenant)).prompts.library()
        return await self._recorded_prompts(contact, reader, self._released)

    async def _recorded_prompts(
        self, contact: LiveContact, reader: Reader, released: ReleasedPrompts
    ) -> PromptLibrary | None:
        """What a recorded answer is looked up with. A conversation that begins looks what is in production by now."""
        from workbench.live.recorded_prompts import recorded_prompts

        if len(reader.covered) < 2:  # answers to one set of prompts leave no choice
            return None
        turns = (await self.kept(contact)).turns
        found = await released.of(contact.tenant)
        if not any(kept.analysis for kept in turns):
            await released.refresh()
            found = await released.of(contact.tenant)
        return recorded_prompts(reader.covered, turns, found.prompts, self._services.prompt_workspace())

    async def _take(self, contact: LiveContact, saying: Saying, prompts: PromptLibrary | None, steps: Steps) -> str:
        """Take one turn; why it was not saved, in words, empty if it was."""
        from engine.live import Message

        reader = self._readers.of(saying.answers)
        analyzer = self._services.analyzer_for(reader.variant, reader.service, prompts=prompts)
        engine = self._services.live_engine(self._opened, WatchedAnalyzer(analyzer, steps), self._calibrations)
        said = {name: getattr(saying.turn, name) for name in ("text", "speaker", "name", "time", "channel")}
        taken = await engine.take_turn(
            contact.tenant, contact.account, contact.contact, Message(id=saying.id, **said), opening=saying.opening
        )
        if taken.saved and saying.turn.speaker is Speaker.SELLER:
            await self._report_sending(contact, saying)
        return taken.not_saved or ""

    async def _report_sending(self, contact: LiveContact, saying: Saying) -> None:
        """Whether the newest recommendation really went out: with the draft it did, a recorded seller said else."""
        from engine.outcomes import OutcomeTracker

        kept = await self.kept(contact)
        if kept.outcome is None or kept.outcome.sent is not None:
            return
        async with self._tenant(contact.tenant).begin() as session:
            tracker, outcome_id = OutcomeTracker(session), kept.outcome.outcome.outcome_id
            if saying.carries:
                await tracker.record_sent(outcome_id, key=saying.id)
            else:
                await tracker.record_not_sent(outcome_id, key=saying.id, reason="the seller said something else")

    async def _move(self, contact: LiveContact, to: DealStage, steps: Steps) -> str:
        steps.begin(Step.KEEPING)
        try:
            await self._change_stage(contact, to, by="by the presenter")
        finally:
            steps.end()
        return ""

    async def _move_as_recorded(self, contact: LiveContact, saying: Saying) -> None:
        """Make the moves that were recorded after a message, but for those that an earlier delivery of it has made."""
        reason = f"recorded after message {saying.id}"
        made = await self._moves_made(contact, reason) if saying.moves else 0
        for stage in saying.moves[made:]:
            await self._change_stage(contact, stage, by="as recorded", reason=reason)

    async def _moves_made(self, contact: LiveContact, reason: str) -> int:
        async with self._tenant(contact.tenant).begin() as session:
            return await moves_made(session, contact, reason)

    async def _change_stage(self, contact: LiveContact, to: DealStage, *, by: str, reason: str | None = None) -> None:
        from engine.analyzers import RulesAnalyzer

        engine = self._services.live_engine(self._opened, RulesAnalyzer(), self._calibrations)
        await engine.change_stage(contact.tenant, contact.account, contact.contact, to, by=by, reason=reason)

    def _tenant(self, tenant: str) -> TenantSessions:
        return self._opened.tenant(tenant)

    @property
    def _opened(self) -> Database:
        if self._database is None:
            raise DatabaseUnavailableError("the database has not been opened yet; load the page again")
        return self._database


def _said(words: str) -> Future[str]:
    """What is under way no more, and came to this."""
    done: Future[str] = Future()
    done.set_result(words)
    return done
