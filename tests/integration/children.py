"""Work that is done to be killed: a process that forks a child per task, so that imports are paid once.

`python -m tests.integration.children` reads one JSON task a line from its input and answers on its output:
`{"child": pid}` once the child runs, what the child reports, and `{"ended": pid, "signal": n, "code": n}`.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from engine.model.conversation import Conversation
from evals.progress import Progress
from evals.runner import run
from evals.runs.folder import RunFolder
from evals.runs.index import RunIndex
from tests.evals.values import FakeAnalyzer, conversation, manifest
from workbench.cli import main


def kills(full: int, part: int) -> int:
    """How often to kill: `full` in `make bench`, which says so, else `part` of it."""
    return full if os.environ.get("QBS_BENCH") else part


def talks(count: int, customer_turns: int) -> list[Conversation]:
    return [conversation(f"talk-{number}", customer_turns) for number in range(count)]


class Limited(FakeAnalyzer):
    """Answers `turns` turns over all conversations, then leaves every question without an answer."""

    def __init__(self, turns: int) -> None:
        super().__init__(seconds=0.001)
        self._left = turns

    async def analyze(self, state: Any, turn: Any, history: Any) -> Any:
        if self._left == 0:
            await asyncio.Event().wait()
        self._left -= 1
        return await super().analyze(state, turn, history)


def replay(runs: str, count: int, customer_turns: int, limit: int) -> None:
    """Run until done, or until `limit` turns were asked in this session; each progress is reported."""
    conversations = talks(count, customer_turns)
    analyzer = Limited(limit)

    def tell(progress: Progress) -> None:
        say({"done": progress.done, "total": progress.total})

    folder = RunFolder.create(Path(runs), manifest(*conversations))
    asyncio.run(run(folder, conversations, lambda _talk, _sample: analyzer, concurrency=3, on_progress=tell))


def refresh(index: str, runs: str, times: int) -> None:
    for _ in range(times):
        RunIndex(Path(index), Path(runs)).refresh()


def sync(url: str, path: str, tenant: str, batch: int) -> None:
    """Synchronise the copy of outcomes once."""
    from engine.state.database import Database
    from evals.learning.facts import OutcomeStore
    from evals.learning.sync import sync as synchronise

    async def once() -> None:
        database = Database(url)
        await synchronise(database, OutcomeStore(Path(path)), tenant, batch=batch)
        await database.aclose()

    asyncio.run(once())


def qbs(arguments: list[str], environment: dict[str, str], out: str = os.devnull, err: str = os.devnull) -> None:
    """The command line itself; what it prints goes into these files."""
    os.environ.update(environment)
    os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT, 0o600), 1)
    os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT, 0o600), 2)
    sys.argv = ["qbs", *arguments]
    main()


TASKS: dict[str, Callable[..., None]] = {"replay": replay, "refresh": refresh, "sync": sync, "qbs": qbs}


def serve(preloaded: Sequence[str]) -> None:
    """Fork a child for each task, and say how each ended.

    What a task takes long to import is imported once: `module`, or `module:function` to be called.
    """
    for name in preloaded:
        module, _, function = name.partition(":")
        imported = importlib.import_module(module)
        if function:
            getattr(imported, function)()
    for line in sys.stdin:
        task = json.loads(line)
        pid = os.fork()
        if pid == 0:
            say({"child": os.getpid()})
            do(task)
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        say({"ended": pid, "signal": max(0, -code), "code": max(0, code)})


def do(task: dict[str, Any]) -> None:
    """The child's whole life."""
    try:
        TASKS[task.pop("do")](**task)
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException as error:  # noqa: BLE001  # said, and then the process ends
        say({"error": repr(error)})
        os._exit(1)
    os._exit(0)


def say(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


class Children:
    """The forking process, as a test holds it."""

    def __init__(self, *preloaded: str) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.children", *(preloaded or ("duckdb", "pyarrow"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.killpg(self._server.pid, signal.SIGKILL)  # with the child that it may still have
        self._server.communicate()

    def start(self, do: str, **arguments: Any) -> int:
        """Begin a task; the child's process id."""
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._server.stdin.flush()
        pid: int = next(self.messages())["child"]
        return pid

    def messages(self) -> Iterator[dict[str, Any]]:
        assert self._server.stdout is not None
        for line in self._server.stdout:
            yield json.loads(line)

    def end(self) -> dict[str, Any]:
        """Wait until the child has ended; how."""
        for message in self.messages():
            assert "error" not in message, message
            if "ended" in message:
                return message
        raise AssertionError("the forking process is gone")


if __name__ == "__main__":
    serve(sys.argv[1:])
