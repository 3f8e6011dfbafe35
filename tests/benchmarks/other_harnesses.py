"""What other evaluation libraries take for the same waiting, where they are installed: never needed, only compared.

pydantic-evals keeps nothing on disk, inspect-ai its own log. One case or sample stands for a conversation; its task
sleeps once for every turn, and nothing is scored.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OtherHarness:
    """`evaluate(conversations, turns, concurrency, sleep_s)` does what is timed; `note` says what it keeps."""

    name: str
    module: str
    note: str
    evaluate: Callable[[int, int, int, float], None]

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.module) is not None


def _pydantic_evals(conversations: int, turns: int, concurrency: int, sleep_s: float) -> None:
    from pydantic_evals import Case, Dataset

    async def task(_name: str) -> str:
        await _sleeps(turns, sleep_s)
        return "done"

    dataset = Dataset(name="harness", cases=[Case(inputs=f"c{number}") for number in range(conversations)])
    asyncio.run(dataset.evaluate(task, max_concurrency=concurrency, progress=False))


def _inspect_ai(conversations: int, turns: int, concurrency: int, sleep_s: float) -> None:
    """Raises RuntimeError if its own log does not say that all of it succeeded."""
    with _in_a_folder_of_its_own() as folder:
        from inspect_ai import Task, eval_async
        from inspect_ai.dataset import Sample
        from inspect_ai.solver import Generate, Solver, TaskState, solver

        @solver
        def sleeper() -> Solver:
            async def solve(state: TaskState, generate: Generate) -> TaskState:
                await _sleeps(turns, sleep_s)
                return state

            return solve

        task = Task(dataset=[Sample(input=f"c{number}") for number in range(conversations)], solver=sleeper())
        servers = {"ctl_server": False, "acp_server": False}
        ran = eval_async(task, model=None, max_samples=concurrency, log_dir=folder, score=False, **servers)
        (log,) = asyncio.run(ran)
        if log.status != "success":
            raise RuntimeError(f"inspect-ai ended with {log.status}")


OTHERS = (
    OtherHarness("pydantic-evals", "pydantic_evals", "nothing kept", _pydantic_evals),
    OtherHarness("inspect-ai", "inspect_ai", "its own log kept", _inspect_ai),
)


async def _sleeps(turns: int, sleep_s: float) -> None:
    for _ in range(turns):
        await asyncio.sleep(sleep_s)


@contextlib.contextmanager
def _in_a_folder_of_its_own() -> Iterator[str]:
    """A folder for its log and for what it keeps of its own accord, gone afterwards; nothing is printed meanwhile."""
    before = os.environ.get("XDG_DATA_HOME")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, contextlib.redirect_stdout(io.StringIO()):
        os.environ["XDG_DATA_HOME"] = folder
        try:
            yield folder
        finally:
            if before is None:
                del os.environ["XDG_DATA_HOME"]
            else:
                os.environ["XDG_DATA_HOME"] = before
