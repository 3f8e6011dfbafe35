"""The long-running work that pages begin."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from workbench.background import Report, Work
from workbench.services import Services
from workbench.text import count

if TYPE_CHECKING:
    from workbench.replays import ReplayRequest


def replay_key(dataset: str, variant: str) -> str:
    """What tells one replay from another: asking for the same one twice is one job."""
    return f"replay {dataset} {variant}"


def replaying(services: Services, request: ReplayRequest) -> Work:
    """Do what is missing of the run that `request` means. The work raises what `plan_replay` and `carry_out` raise."""

    async def work(report: Report, stop: asyncio.Event) -> str:
        from workbench.replays import carry_out, plan_replay

        planned = await asyncio.to_thread(plan_replay, services, request)
        outcome = await carry_out(services, planned, on_progress=report, stop=stop)
        turns = f"{outcome.progress.done:,} of {count(outcome.progress.total, 'turn')}"
        ended = {
            "complete": "Complete",
            "person": "Stopped",
            "limit": "Stopped at a limit",
            "unanswered": f"Stopped, because no model answered ({outcome.reason})",
        }[outcome.ended]
        return f"{ended}: {turns} in {outcome.run_id}."

    return work
