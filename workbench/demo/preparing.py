"""Making what the demo shows: the candidate in the workspace, the runs, and the simulated outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.demo.cast import DATASET, LABEL, Candidate, candidate, take_candidate
from workbench.services import Services

if TYPE_CHECKING:
    from engine.calibration import FittedCalibration
    from evals.progress import Progress
    from workbench.replays import PlannedReplay

Report = Callable[["Progress"], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The runs of the demo by id. `missing` says in a sentence why there is none of the candidate; else it is empty."""

    rules: str
    recorded: str
    calmer: str | None
    candidate: Candidate | None
    missing: str = ""


def prepared(services: Services, problem: str = "") -> Prepared:
    """What belongs to the demo, whether it was made yet or not. `problem` says why there is no candidate."""
    found = candidate(services)
    rules, recorded, *calmer = planned(services, found)
    return Prepared(
        rules.run_id,
        recorded.run_id,
        calmer[0].run_id if calmer else None,
        found,
        "" if calmer else problem or _missing(found),
    )


def planned(services: Services, found: Candidate | None) -> tuple[PlannedReplay, ...]:
    """The runs: by rules, by recorded answers, and by those to the candidate's prompts where there are any."""
    from workbench.replays import ReplayRequest, plan_replay

    requests = [ReplayRequest(DATASET, variant="rules"), ReplayRequest(DATASET, variant="recorded")]
    if found is not None and found.answered:
        requests.append(ReplayRequest(DATASET, variant="recorded", prompts=services.prompts(LABEL)))
    return tuple(plan_replay(services, request) for request in requests)


def is_prepared(services: Services) -> bool:
    """Whether every run that can be made is complete."""
    from workbench.replays import is_complete

    return all(is_complete(services, own) for own in planned(services, candidate(services)))


async def prepare(services: Services, report: Report, stop: asyncio.Event) -> Prepared:
    """Make what is missing, but for what `fit` makes. What is there stays; stopped, it goes on the next time.

    Raises what replaying raises.
    """
    from workbench.replays import carry_out

    problem = await asyncio.to_thread(take_candidate, services)
    plans = await asyncio.to_thread(lambda: planned(services, candidate(services)))
    total, before = sum(_turns(own) for own in plans), 0
    for own in plans:
        if stop.is_set():
            break
        await carry_out(services, own, on_progress=_further(report, before, total), stop=stop)
        before += _turns(own)
    await asyncio.to_thread(_rest, services)
    return await asyncio.to_thread(prepared, services, problem)


def fit(services: Services) -> FittedCalibration:
    """The calibration of the simulated outcomes, fitted once and then kept: it takes seconds, and is the same again."""
    from evals.learning.simulated import TENANT
    from workbench.calibrations import Calibrations

    calibrations = Calibrations(services, TENANT)
    return next(iter(calibrations.kept()), None) or calibrations.fit().document


def _rest(services: Services) -> None:
    from evals.learning.simulated_data import load_simulated

    services.run_index().refresh()
    load_simulated(services.outcome_store(), services.shipped / "simulated_outcomes")


def _turns(own: PlannedReplay) -> int:
    return sum(len(conversation.customer_turns) for conversation in own.conversations)


def _further(report: Report, before: int, total: int) -> Report:
    """Tells of the turns of one run as of some of all."""
    return lambda progress: report(replace(progress, done=before + progress.done, total=total, seconds_left=None))


def _missing(found: Candidate | None) -> str:
    if found is None:
        return "The candidate was not taken in yet: prepare the demo first."
    return (
        f"{DATASET} holds no recorded answers to {found.version.name} {found.version.version} yet; with a model's key, "
        f"`qbs replay {DATASET} --variant llm --prompts {LABEL}` makes some."
    )
