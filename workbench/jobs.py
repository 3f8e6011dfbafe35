"""The long-running work that pages begin."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from evals.errors import RunError
from workbench.background import Report, Work
from workbench.services import Services
from workbench.text import count

if TYPE_CHECKING:
    from evals.records import RunSpec
    from workbench.replays import PlannedReplay, ReplayRequest


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What one job may use before it stops cleanly; None leaves it to the settings."""

    calls: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    seconds: float | None = None

    def on(self, services: Services) -> Services:
        """The same services, within these limits."""
        settings = services.settings
        return replace(
            services,
            settings=replace(
                settings,
                max_calls=self.calls or settings.max_calls,
                max_tokens=self.tokens or settings.max_tokens,
                max_cost_usd=self.cost_usd or settings.max_cost_usd,
                max_seconds=self.seconds or settings.max_seconds,
            ),
        )


def replay_key(dataset: str, variant: str, samples: int = 1) -> str:
    """What tells one replay from another: asking for the same one twice is one job."""
    return f"replay {dataset} {variant}{f' {samples} times' if samples > 1 else ''}"


def replaying(services: Services, request: ReplayRequest) -> Work:
    """Do what is missing of the run that `request` means. The work raises what `plan_replay` and `carry_out` raise."""

    async def work(report: Report, stop: asyncio.Event) -> str:
        from workbench.replays import plan_replay

        return await carried_out(services, await asyncio.to_thread(plan_replay, services, request), report, stop)

    return work


def going_on(services: Services, run_id: str) -> Work:
    """Do what is missing of a run that was begun before: stopped at a limit, by a person, or by a restart.

    The work raises RunError if the run would not go on as it began, and what `plan_replay` and `carry_out` raise.
    """

    async def work(report: Report, stop: asyncio.Event) -> str:
        return await carried_out(services, await asyncio.to_thread(_continuation, services, run_id), report, stop)

    return work


def one_by_one(works: Sequence[Work]) -> Work:
    """Several pieces of work as one job, each after the one before it; once it is to stop, no other one is begun."""

    async def work(report: Report, stop: asyncio.Event) -> str:
        outcomes = []
        for each in works:
            if not stop.is_set():
                outcomes.append(await each(report, stop))
        return " ".join(outcomes)

    return work


def _continuation(services: Services, run_id: str) -> PlannedReplay:
    from workbench.replays import plan_replay

    planned = plan_replay(services, _request_of(services, services.run(run_id).manifest.spec))
    if planned.run_id != run_id:
        raise RunError(
            f"{run_id} cannot go on: the engine, the prompts or the conversations are not what they were when it "
            "began; what it has can still be compared, or a new run begun"
        )
    return planned


def _request_of(services: Services, spec: RunSpec) -> ReplayRequest:
    """What a person asked for when the run began."""
    from workbench.replays import ReplayRequest, prompts_of

    return ReplayRequest(
        spec.dataset,
        conversations=spec.conversation_ids,
        variant=spec.variant.name,
        state=spec.state_mode,
        fork=spec.fork,
        picked=spec.picked,
        prompts=prompts_of(services, spec.variant),
        samples=spec.samples,
        again=spec.attempt > 0,
    )


async def carried_out(services: Services, planned: PlannedReplay, report: Report, stop: asyncio.Event) -> str:
    """Do what is missing of a planned replay, and say in a sentence how it ended. Raises what `carry_out` raises."""
    from workbench.replays import carry_out

    outcome = await carry_out(services, planned, on_progress=report, stop=stop)
    turns = f"{outcome.progress.done:,} of {count(outcome.progress.total, 'turn')}"
    ended = {
        "complete": "Complete",
        "person": "Stopped",
        "limit": "Stopped at a limit",
        "unanswered": f"Stopped, because no model answered ({outcome.reason})",
    }[outcome.ended]
    return f"{ended}: {turns} in {outcome.run_id}."
