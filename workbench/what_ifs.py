"""What if we had asked otherwise: a question about a tenant's outcomes, from the policy's name to the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from engine.errors import InputError
from engine.llm.limits import Ledger, Limits
from workbench.asking import check_askable, models_to_ask
from workbench.asking_anew import CALLS_A_TURN, AskingAnew, AskingProgress
from workbench.services import Services

if TYPE_CHECKING:
    from evals.learning.alternative import LoggedConversation
    from evals.learning.facts import Facts
    from evals.learning.facts.filters import Filters
    from evals.learning.off_policy import Policy, WhatIf
    from evals.records import Variant

READ_SECONDS = 120.0
FORMS = "run:RUN, variant:rules or variant:llm"  # beside those of `evals.learning.off_policy.policies`


@dataclass(frozen=True, slots=True)
class Planned:
    """The turns at which a variant is to be asked, and the models that may have to answer there: none for rules."""

    turns: int
    models: tuple[str, ...]

    @property
    def calls(self) -> int:
        """At most, as long as nothing has to be repeated: what was answered before is not asked again."""
        return self.turns * CALLS_A_TURN if self.models else 0


@dataclass(frozen=True, slots=True)
class WhatIfs:
    """Questions about one tenant, by name or UUID."""

    services: Services
    tenant: UUID | str
    on_planned: Callable[[Planned], None] | None = None
    on_progress: Callable[[AskingProgress], None] | None = None

    async def ask(
        self,
        policy: str | Policy,
        *,
        by: Sequence[str] = (),
        filters: Filters | None = None,
        as_of: datetime | None = None,
        stop: asyncio.Event | None = None,
    ) -> WhatIf:
        """The reply rate that `policy` would have had at the turns of these outcomes, or why that cannot be told.

        `by` are the parts of an action that a run or a variant is compared by; the question type if there are none.
        A variant is asked within the limits of the settings: `on_planned` is told beforehand what that takes,
        `on_progress` after each turn, and `stop` ends it. Raises InputError for a policy that there is none of,
        ConfigurationError where asking can only be in vain, StoppedError where not all could be asked, and what reading
        runs raises.
        """
        from evals.learning.facts.filters import EVERYTHING
        from evals.learning.off_policy import what_if
        from evals.learning.off_policy.log import COLUMNS

        facts = self.services.outcomes_of(self.tenant).facts(
            self.tenant,
            filters=filters or EVERYTHING,
            as_of=as_of,
            columns=(*COLUMNS, "account", "contact"),
        )
        return what_if(facts, await self._policy(policy, by, facts, stop) if isinstance(policy, str) else policy)

    async def _policy(self, text: str, by: Sequence[str], facts: Facts, stop: asyncio.Event | None) -> Policy:
        from evals.learning.alternative import recommended_in
        from evals.learning.off_policy.log import PARTS
        from evals.learning.off_policy.policies import FORMS as NAMED
        from evals.learning.off_policy.policies import policy_named

        form, _, rest = text.partition(":")
        parts = tuple(part for part in PARTS if part in by) or PARTS[:1]
        if form in ("run", "variant") and rest:
            if form == "variant":
                return await self._variant(rest, parts, facts, stop)
            run = self.services.run(rest)
            return recommended_in(run.records(), f"the run {run.run_id}", parts)
        if by:
            raise InputError(f"{text!r} says itself what it speaks of; --by is for runs and variants")
        if form not in ("always", "prefer", "table"):
            raise InputError(f"{text!r} is no policy; write {NAMED}; or {FORMS}")
        return policy_named(text)

    async def _variant(self, text: str, parts: Sequence[str], facts: Facts, stop: asyncio.Event | None) -> Policy:
        """What a variant recommends at these turns, asked now."""
        from evals.learning.alternative import recommended_by

        variant, settings = self._askable(text), self.services.settings
        kept_here = facts.words("origin").equals("postgres")
        useful = facts.where(facts.resolved & (facts.array("propensity") > 0) & kept_here)
        turns = zip(useful.words("conversation").words(), useful.array("turn").tolist(), strict=True)
        wanted = {(name, int(turn)) for name, turn in turns if name is not None and turn == turn}
        conversations = await self._conversations(useful)
        there = _analysed(conversations) & wanted
        ledger = Ledger(Limits(settings.max_calls, settings.max_tokens, settings.max_cost_usd))
        async with self.services.model_service(ledger=ledger) as service:
            models = models_to_ask(variant, settings)
            if variant.reasoning_model is not None:
                await service.warm_up()
            check_askable(models, settings)
            if self.on_planned is not None:
                self.on_planned(Planned(len(there), models))
            analyzer = self.services.analyzer_for(variant, service)
            asking = AskingAnew(analyzer, len(there), ledger, settings, self.on_progress, stop)
            name, at_once = f"the variant {text}", settings.concurrency
            return await asking.through(recommended_by(asking, conversations, there, name, parts, concurrency=at_once))

    def _askable(self, text: str) -> Variant:
        """The variant of that name. Raises InputError for one that cannot be asked anew."""
        from engine.prompts import ANALYSIS_PROMPTS
        from workbench.variants import variant_named

        if text != "rules" and text.partition(":")[0] != "llm":
            raise InputError(f"{text!r} cannot be asked anew; variants that can are rules and llm")
        prompts = self.services.prompts().hashes(ANALYSIS_PROMPTS)
        return variant_named(text, self.services.settings, prompts, Path())

    async def _conversations(self, facts: Facts) -> list[LoggedConversation]:
        """The conversations of these outcomes as Postgres has them; what came from elsewhere has none there."""
        from engine.folding import KeptTurn
        from engine.state.messages import MessageLog
        from engine.state.repository import ConversationStateRepository
        from evals.learning.alternative import LoggedConversation

        columns = (facts.words(name).words() for name in ("conversation", "account", "contact"))
        known = {(name, account, contact) for name, account, contact in zip(*columns, strict=True)}
        found: list[LoggedConversation] = []
        if not known:
            return found
        database = await self.services.database()
        try:
            async with database.tenant(self.tenant).begin(timeout_s=READ_SECONDS) as session:
                for name, account, contact in sorted(each for each in known if None not in each):
                    saved = await ConversationStateRepository(session).get(str(account), str(contact))
                    if saved is None or saved.state.state_id != name:
                        continue
                    messages = await MessageLog(session).messages(UUID(name))
                    turns = tuple(KeptTurn(message.turn, message.analysis) for message in messages)
                    found.append(LoggedConversation(name, saved.state, turns))
        finally:
            await database.aclose()
        return found


def _analysed(conversations: Iterable[LoggedConversation]) -> set[tuple[str, int]]:
    """The turns of which something was concluded."""
    return {(own.name, kept.turn.index) for own in conversations for kept in own.turns if kept.analysis is not None}
