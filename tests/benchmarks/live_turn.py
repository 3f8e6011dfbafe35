"""Where the time of a live turn goes, with a model at 200 ms: the model, the libraries, our code and Postgres.

The same conversation is taken twice. First over HTTP from the fake model server, in a process of its own. Then with the
completions of the first time, each after a sleep of 200 ms in the place of the HTTP libraries: what a turn then takes
beyond 200 ms is our code and Postgres, and what the first time took beyond the second is the libraries. Each is done
three times, and the best of each turn counts, since others use the machine too.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from engine.analyzers import Analyzer, LLMAnalyzer
from engine.live import Database, LiveEngine, Message
from engine.llm.client import ModelClient
from engine.llm.completion import Call, Completion
from engine.llm.service import ModelService
from engine.model.analysis import Analysis
from engine.model.conversation import Conversation, Turn
from engine.model.state import ConversationState, opening_state
from engine.prompts import PromptLibrary
from tests.benchmarks.conversations import long_conversation
from tests.benchmarks.figure import Figure
from tests.benchmarks.server import embedded

MODEL = "openai/fake"
LATENCY_MS = 200.0
TURNS, REPEATS = 40, 3
GOAL_SHARE = 5.0  # per cent


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds: of a whole turn, and of its analysis alone."""

    turn: float
    analysis: float


class Timed:
    """An analyzer, and how long its last analysis took."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self.last_ms = 0.0

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        started = time.perf_counter()
        analysis = await self._analyzer.analyze(state, turn, history)
        self.last_ms = (time.perf_counter() - started) * 1000
        return analysis


class Completions:
    """Keeps what a client answered, and answers the same again after a sleep."""

    def __init__(self) -> None:
        self._kept: dict[str, Completion] = {}

    def keeping(self, complete: Callable[[ModelClient, Call], Awaitable[Completion]]) -> Callable[..., Any]:
        async def keep(client: ModelClient, call: Call) -> Completion:
            completion = await complete(client, call)
            self._kept[_key(call)] = completion
            return completion

        return keep

    def again(self) -> Callable[..., Any]:
        async def sleep(client: ModelClient, call: Call) -> Completion:
            completion = self._kept[_key(call)]
            await asyncio.sleep(LATENCY_MS / 1000)
            return completion

        return sleep


def measure() -> list[Figure]:
    with embedded() as urls, fake_model() as api_base:
        whole, ours = asyncio.run(_measured(urls.app, api_base))
    turn = _median(times.turn for times in whole)
    beyond = _median(times.turn for times in ours) - LATENCY_MS
    in_analysis = _median(times.analysis for times in ours) - LATENCY_MS
    in_turn = _median(times.turn - times.analysis for times in ours)

    def share(milliseconds: float) -> float:
        return 100 * milliseconds / turn

    note = f"{in_analysis:.1f} ms in the analysis, {in_turn:.1f} ms in the two transactions and the fold"
    return [
        Figure("a live turn, model at 200 ms", turn, "ms", note="median, three calls side by side"),
        Figure("of it our code and Postgres", share(beyond), "%", GOAL_SHARE, note=note),
        Figure("of it the model", share(LATENCY_MS), "%"),
        Figure("of it the libraries and HTTP", share(turn - LATENCY_MS - beyond), "%"),
    ]


async def _measured(url: str, api_base: str) -> tuple[list[Times], list[Times]]:
    """The times of each turn: over HTTP, and with the completions kept."""
    conversation, completions = long_conversation(TURNS), Completions()
    with patch.object(ModelClient, "complete", completions.keeping(ModelClient.complete)):
        whole = [await _taken(url, api_base, conversation) for _ in range(REPEATS)]
    with patch.object(ModelClient, "complete", completions.again()):
        ours = [await _taken(url, api_base, conversation) for _ in range(REPEATS)]
    return _best(whole), _best(ours)


def _best(repeats: Sequence[Sequence[Times]]) -> list[Times]:
    return [min(times, key=lambda times: times.turn) for times in zip(*repeats, strict=True)]


async def _taken(url: str, api_base: str, conversation: Conversation) -> list[Times]:
    database, tenant, opening, times = Database(url), uuid4(), opening_state(conversation), []
    async with ModelService(api_base=api_base, api_key="not-needed") as service:
        await service.warm_up()
        analyzer = Timed(LLMAnalyzer(service, PromptLibrary(), MODEL, MODEL))
        engine = LiveEngine(database, analyzer)
        for turn in conversation.turns:
            words = Message(id=str(turn.index), text=turn.text, speaker=turn.speaker, name=turn.name)
            started = time.perf_counter()
            taken = await engine.take_turn(tenant, "account", "contact", words, opening=opening)
            assert taken.saved
            if taken.analysis is not None:
                assert not any(source.is_fallback for source in taken.analysis.sources.values())
                times.append(Times((time.perf_counter() - started) * 1000, analyzer.last_ms))
    await database.aclose()
    return times[2:]  # the first ones pay for connections and prepared statements


@contextmanager
def fake_model() -> Iterator[str]:
    """The address of a fake model server in a process of its own."""
    command = [sys.executable, "-m", "engine.llm.fake", "--answers", "rules", "--latency-ms", str(LATENCY_MS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.terminate()


def _key(call: Call) -> str:
    return json.dumps(call.messages)


def _median(values: Iterator[float]) -> float:
    return statistics.median(values)
