"""Structured model calls at a concurrency of 32 against the fake model server, ours beside what the libraries give.

Every way runs in a process of its own and says when it is ready, so that no import is measured. `raw aiohttp` sends
the same bytes and looks at nothing: what the protocol costs. `litellm` adds the library, as it comes; `instructor over
litellm` is the plain way to structured replies.

    python -m tests.benchmarks.model_calls        # this benchmark alone
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from engine.llm.completion import Call
from engine.llm.recordings import RecordingStore
from engine.llm.reply import Reply
from engine.llm.service import Message, ModelRequest, ModelService
from tests.benchmarks.figure import Figure

CALLS, CONCURRENCY = 1_000, 32
MODEL = "openai/fake-model"
KEY = "not-needed"
Ask = Callable[[], Awaitable[object]]


class Quote(Reply):
    quote: str = Field(description="The customer's words, letter by letter.")
    turn: int = Field(description="The number of the turn.")


class Finding(Reply):
    """What the customer said about one dimension."""

    value: str | None = Field(description="What holds now, in a few plain words; null if nothing was said.")
    confidence: float = Field(ge=0, le=1, description="0.9 said plainly, 0.6 hedged, 0.3 hinted.")
    evidence: list[Quote] = Field(description="The quotes that say so.")


class Report(Reply):
    """Everything the customer has said about the deal."""

    budget: Finding
    authority: Finding
    need: Finding
    timeline: Finding
    metrics: Finding
    economic_buyer: Finding
    decision_criteria: Finding
    decision_process: Finding
    pain: Finding
    champion: Finding
    key_insights: list[str]


MESSAGES: tuple[Message, ...] = (
    {"role": "system", "content": "You read sales conversations and report what the customer has said. " * 60},
    {"role": "user", "content": "[4] customer: We lose two days a month to this, and nobody owns it.\n" * 60},
)
REQUEST = ModelRequest("extraction", MODEL, MESSAGES, Report, "extraction@00000000", temperature=0.1, max_tokens=800)


@dataclass(frozen=True, slots=True)
class Taken:
    """Wall time of all calls, and CPU time of the processes that made them, in seconds."""

    wall_s: float
    cpu_s: float


def measure() -> list[Figure]:
    with fake_model(latency_ms=50) as quick, fake_model(latency_ms=500) as slow:
        raw, litellm = run("raw", quick), run("litellm", quick)
        plain, ours = run("instructor", quick), run("ours", quick)
        recorded, two = run("recorded", quick), run("ours", quick, processes=2)
        raw_slow, ours_slow = run("raw", slow), run("ours", slow)
    best, best_slow = ideal_s(0.05), ideal_s(0.5)
    return [
        Figure("1,000 structured calls, one process", ours.wall_s, "s", 4.0, note=_note(ours, raw, best)),
        Figure("1,000 structured calls, two processes", two.wall_s, "s", 2.5, note=_note(two, raw, best)),
        Figure("the same at 500 ms, against ideal", ours_slow.wall_s / best_slow, "times", 1.1),
        Figure("each answer recorded before it is used", recorded.wall_s, "s", note=_note(recorded, raw, best)),
        Figure("beside it: raw aiohttp", raw.wall_s, "s", note=_note(raw, raw, best)),
        Figure("beside it: litellm alone, as it comes", litellm.wall_s, "s", note=_note(litellm, raw, best)),
        Figure("beside it: instructor over litellm, as they come", plain.wall_s, "s", note=_note(plain, raw, best)),
        Figure("beside it: raw aiohttp at 500 ms, against ideal", raw_slow.wall_s / best_slow, "times"),
    ]


def ideal_s(latency_s: float) -> float:
    """The wall time if nothing but the model took any."""
    return -(-CALLS // CONCURRENCY) * latency_s


def _note(taken: Taken, raw: Taken, ideal: float) -> str:
    cpu_ms = 1000 * taken.cpu_s / CALLS
    return f"{taken.wall_s / ideal:.2f} x ideal, {taken.wall_s / raw.wall_s:.2f} x raw, {cpu_ms:.2f} ms CPU a call"


@contextmanager
def fake_model(latency_ms: int) -> Iterator[str]:
    """The base URL of a fake model server in a process of its own."""
    command = [sys.executable, "-m", "engine.llm.fake", "--port", "0", "--latency-ms", str(latency_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split()[-1]
        finally:
            server.terminate()


def run(way: str, base_url: str, processes: int = 1) -> Taken:
    """Make all calls in one way, split over so many processes that start together."""
    command = [sys.executable, "-m", "tests.benchmarks.model_calls", way, base_url, str(CALLS // processes)]
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker(command)) for _ in range(processes)]
        for worker in workers:
            worker.stdout.readline()  # ready
        started = time.perf_counter()
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        cpu_s = sum(float(worker.stdout.readline()) for worker in workers)
        return Taken(time.perf_counter() - started, cpu_s)


def _worker(command: list[str]) -> Any:
    quiet = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=quiet)


async def work(way: str, base_url: str, calls: int) -> None:
    """What a worker process does: get ready, wait for the word, make its calls, print the CPU seconds they took."""
    async with WAYS[way](base_url) as ask:
        await ask()
        print("ready", flush=True)
        sys.stdin.readline()
        cpu = time.process_time()
        places = asyncio.Semaphore(CONCURRENCY)

        async def one() -> None:
            async with places:
                await ask()

        await asyncio.gather(*(one() for _ in range(calls)))
        print(time.process_time() - cpu, flush=True)


class Ours:
    """`ModelService`, live; with `recorded`, each answer goes into a store first."""

    def __init__(self, base_url: str, *, recorded: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory()
        store = RecordingStore(Path(self._folder.name)) if recorded else None
        self._service = ModelService(api_base=base_url, api_key=KEY, store=store)

    async def __aenter__(self) -> Ask:
        await self._service.warm_up()
        return lambda: self._service.ask(REQUEST, deadline=60)

    async def __aexit__(self, *_: object) -> None:
        await self._service.aclose()
        self._folder.cleanup()


class Raw:
    """aiohttp alone, with the same request body."""

    def __init__(self, base_url: str) -> None:
        call = REQUEST.call
        body = {"model": MODEL, "messages": MESSAGES, "tools": [call.tool], "tool_choice": call.tool_choice}
        self._url, self._body = f"{base_url}/chat/completions", json.dumps(body).encode()

    async def __aenter__(self) -> Ask:
        import aiohttp

        self._session = aiohttp.ClientSession(headers={"Content-Type": "application/json"})
        return self._ask

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def _ask(self) -> object:
        async with self._session.post(self._url, data=self._body) as response:
            return await response.json()


class Plain:
    """litellm as it comes, alone or under instructor as it comes (without retries)."""

    def __init__(self, base_url: str, *, instructor: bool) -> None:
        self._instructor = instructor
        call: Call = REQUEST.call
        self._arguments: dict[str, Any] = {
            "model": MODEL,
            "messages": list(MESSAGES),
            "temperature": call.temperature,
            "max_tokens": call.max_tokens,
            "api_base": base_url,
            "api_key": KEY,
        }
        self._tool = {"tools": [call.tool], "tool_choice": call.tool_choice}

    async def __aenter__(self) -> Ask:
        import litellm

        if not self._instructor:
            return lambda: litellm.acompletion(**self._arguments, **self._tool)
        import instructor

        client = instructor.from_litellm(litellm.acompletion)
        return lambda: client.create(response_model=Report, max_retries=0, **self._arguments)

    async def __aexit__(self, *_: object) -> None:
        return None


WAYS: dict[str, Callable[[str], Any]] = {
    "raw": Raw,
    "litellm": lambda base_url: Plain(base_url, instructor=False),
    "instructor": lambda base_url: Plain(base_url, instructor=True),
    "ours": Ours,
    "recorded": lambda base_url: Ours(base_url, recorded=True),
}


def main(arguments: list[str]) -> int:
    if arguments:
        way, base_url, calls = arguments
        asyncio.run(work(way, base_url, int(calls)))
        return 0
    for figure in measure():
        goal = "" if figure.goal is None else f"  (goal {figure.goal:g})"
        print(f"{figure.name:50s} {figure.value:6.2f} {figure.unit:6s}{goal:13s} {figure.note}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
