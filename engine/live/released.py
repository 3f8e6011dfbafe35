"""The prompts in production, tenant by tenant, as a running engine uses them: a promotion arrives without a restart.

    released = ReleasedPrompts(database)
    analyzer = PromptedAnalyzer(released, lambda prompts: LLMAnalyzer(service, prompts, reasoning, fast))
    engine = LiveEngine(database, analyzer)

A tenant's own newest release counts before everybody's, and that before the shipped prompts.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from engine.analyzers import Analyzer, LLMAnalyzer
from engine.drafting import ReplyDrafter
from engine.errors import PromptError, StateError
from engine.live.in_use import MOST_TENANTS, REFRESH_S, WAIT_S, Clock, InUse
from engine.llm.service import ModelService
from engine.model.analysis import Analysis
from engine.model.conversation import Turn
from engine.model.state import ConversationState
from engine.prompts import PromptLibrary, PromptSet
from engine.releases import Release, ReleaseRepository, Stage, prompts_of
from engine.state.database import Database, TenantSession

MOST_ANALYZERS = 32  # prompt sets that are kept ready
MOST_SETS = 32  # prompt sets that are kept read, whoever has released them
MOST_UNREADABLE = 5  # releases in a row that are passed over in search of one that can be read


@dataclass(frozen=True, slots=True)
class Released:
    """What a tenant's conversations are read with. `release` is None for the shipped prompts, of which none tells."""

    prompts: PromptSet
    release: Release | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """The number of a tenant's newest production release, and what is in use: one before it, if that is no good."""

    number: int | None
    released: Released | None


class ReleasedPrompts:
    """The prompts in production. Belongs to one event loop.

    What is known counts for `refresh_s` seconds; then it is asked for again, beside the turn that found it old, which
    waits at most `wait_s` for it, and not at all before it is twice as old. While Postgres is away, the last known
    prompts stay in use. A release whose prompts cannot be read, or not be filled in, is passed over: the last good one
    stays, and the log says so once.
    """

    def __init__(
        self,
        database: Database,
        *,
        shipped: PromptLibrary | None = None,
        refresh_s: float = REFRESH_S,
        wait_s: float = WAIT_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self._shipped = Released(PromptSet.of(shipped or PromptLibrary()))
        self._seen: OrderedDict[UUID, _Seen] = OrderedDict()
        self._sets: OrderedDict[str, PromptSet] = OrderedDict()
        self._in_use = InUse(database, self._look, "released prompts", refresh_s=refresh_s, wait_s=wait_s, clock=clock)

    async def of(self, tenant: UUID | str) -> Released:
        """What is in production for a tenant. Never raises on account of Postgres or of a release."""
        return await self._in_use.of(tenant) or self._shipped

    async def refresh(self) -> None:
        """Ask Postgres now for everything that is known, and wait for it."""
        await self._in_use.refresh()

    async def aclose(self) -> None:
        """Give up what is being asked for. The database is not closed: it belongs to whoever made it."""
        await self._in_use.aclose()

    async def _look(self, session: TenantSession) -> Released | None:
        """What the session's tenant has in production of its own. Texts are only read when there is a new release."""
        releases, tenant = ReleaseRepository(session), session.tenant_id
        newest = await releases.newest(Stage.PRODUCTION)
        number = newest.number if newest else None
        seen = self._seen.get(tenant)
        if seen is None or seen.number != number:
            known = seen.released if seen else None
            seen = _Seen(number, await self._newest_readable(releases, tenant, newest, known))
        self._seen[tenant] = seen
        self._seen.move_to_end(tenant)
        while len(self._seen) > MOST_TENANTS:
            self._seen.popitem(last=False)
        return seen.released

    async def _newest_readable(
        self, releases: ReleaseRepository, tenant: UUID, newest: Release | None, known: Released | None
    ) -> Released | None:
        """The newest release, or else the one in use, or else the newest of those before it that can be read."""
        found = newest
        for _ in range(MOST_UNREADABLE):
            if found is None or not found.is_own:
                return None
            try:
                return Released(await self._prompts(releases, found), found)
            except (PromptError, StateError) as error:
                _log().error(
                    "a release cannot be read", tenant=str(tenant), release=found.number, error=type(error).__name__
                )
            if known is not None:
                return known
            found = await releases.newest(Stage.PRODUCTION, before=found.number)
        return None

    async def _prompts(self, releases: ReleaseRepository, release: Release) -> PromptSet:
        """The prompts of a release: read once, however many tenants have released the same. Raises as `usable`."""
        prompts = self._sets.get(release.prompt_set)
        if prompts is None:
            prompts = usable(release, await releases.contents(release.number))
        self._sets[release.prompt_set] = prompts
        self._sets.move_to_end(release.prompt_set)
        while len(self._sets) > MOST_SETS:
            self._sets.popitem(last=False)
        return prompts


def usable(release: Release, contents: dict[str, str]) -> PromptSet:
    """The prompt set of a release. Raises PromptError if it is not what was released, or cannot be filled in."""
    prompts = prompts_of(release, contents)
    check_fills(prompts)
    return prompts


def check_fills(prompts: PromptSet) -> None:
    """Raises PromptError unless every prompt that analyses and drafts take can be filled in. Asks nobody."""
    nobody, library = ModelService(), prompts.library()
    LLMAnalyzer(nobody, library, "nobody", "nobody")
    ReplyDrafter(nobody, library, "nobody")


class PromptedAnalyzer:
    """Reads each turn with the prompts in production for its tenant, from its first call to its last.

    `make` gives the analyzer for a prompt set; those used last are kept. A turn that is under way when others are
    promoted ends with the prompts that it began with.
    """

    def __init__(self, released: ReleasedPrompts, make: Callable[[PromptLibrary], Analyzer]) -> None:
        self._released = released
        self._make = make
        self._analyzers: OrderedDict[str, Analyzer] = OrderedDict()

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        prompts = (await self._released.of(state.tenant_id)).prompts
        return await self._analyzer(prompts).analyze(state, turn, history)

    def _analyzer(self, prompts: PromptSet) -> Analyzer:
        if prompts.hash not in self._analyzers:
            self._analyzers[prompts.hash] = self._make(prompts.library())
        self._analyzers.move_to_end(prompts.hash)
        while len(self._analyzers) > MOST_ANALYZERS:
            self._analyzers.popitem(last=False)
        return self._analyzers[prompts.hash]


def _log() -> structlog.stdlib.BoundLogger:
    return structlog.get_logger(__name__)  # type: ignore[no-any-return]
