"""Work that pages begin: within limits, and going on with what a stop or a restart left undone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from evals.errors import RunError
from evals.records import RunStatus
from evals.runs.folder import RunFolder
from tests.workbench.prepared import DATASET, add_run, prepare
from workbench.jobs import JobLimits, going_on, replay_key, replaying
from workbench.replays import ReplayRequest
from workbench.services import Services
from workbench.settings import Settings


@pytest.fixture
def services(tmp_path: Path) -> Services:
    prepare(tmp_path, [])
    return Services(Settings(home=tmp_path, max_calls=50), shipped=tmp_path / "none")


async def killed(services: Services) -> str:
    """A run that lost its process after three turns; its id."""
    await replaying(services, ReplayRequest(DATASET))(lambda _: None, asyncio.Event())
    (folder,) = services.runs_folder.iterdir()
    (folder / "finished.json").unlink()
    lines = (folder / "turns.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "turns.jsonl").write_bytes(b"".join(lines[:3]))
    return folder.name


async def test_a_run_that_lost_its_process_goes_on_where_it_was(services: Services) -> None:
    run_id = await killed(services)
    folder = RunFolder.open(services.runs_folder / run_id)
    kept = list(folder.records())
    assert folder.status is RunStatus.INCOMPLETE
    outcome = await going_on(services, run_id)(lambda _: None, asyncio.Event())
    assert outcome == f"Complete: 7 of 7 turns in {run_id}."
    assert list(RunFolder.open(services.runs_folder / run_id).records())[:3] == kept


async def test_a_stopped_replay_says_how_far_it_came(services: Services) -> None:
    stop = asyncio.Event()
    stop.set()
    outcome = await replaying(services, ReplayRequest(DATASET, samples=20))(lambda _: None, stop)
    assert outcome.startswith("Stopped: 0 of 140 turns in small-rules-")


async def test_a_run_that_would_not_go_on_as_it_began_says_so(services: Services) -> None:
    run_id = await asyncio.to_thread(add_run, services.settings.home, "rules")  # made by another version of the engine
    with pytest.raises(RunError, match=f"{run_id} cannot go on: the engine, the prompts or the conversations"):
        await going_on(services, run_id)(lambda _: None, asyncio.Event())


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (JobLimits(), (50, None, None, None)),
        (JobLimits(calls=3, seconds=60.0), (3, None, None, 60.0)),
        (JobLimits(tokens=900, cost_usd=1.5), (50, 900, 1.5, None)),
    ],
)
def test_limits_of_a_job_stand_above_the_settings(services: Services, limits: JobLimits, expected: object) -> None:
    told = limits.on(services).settings
    assert (told.max_calls, told.max_tokens, told.max_cost_usd, told.max_seconds) == expected
    assert services.settings.max_calls == 50


def test_asking_for_the_same_replay_twice_is_one_job() -> None:
    assert replay_key("a", "rules") == replay_key("a", "rules", 1) != replay_key("a", "rules", 3)
