"""A turn's latency against its slowest model call: three calls side by side, a fake model that takes 200 ms."""

from __future__ import annotations

import asyncio
import statistics
import time

from engine.analyzers import LLMAnalyzer
from engine.llm.fake import FakeModel, FakeModelConfig
from engine.llm.service import ModelService
from engine.model.state import opening_state
from engine.prompts import PromptLibrary
from tests.benchmarks.conversations import long_conversation
from tests.benchmarks.figure import Figure

MODEL = "openai/fake"
TURNS = 30


LATENCY_MS = 200.0


def measure() -> list[Figure]:
    times = asyncio.run(_times())
    of_slowest = statistics.median(turn / slowest for turn, slowest in times)
    of_model = statistics.median(turn / LATENCY_MS for turn, _ in times)
    return [
        Figure("a turn against its slowest model call", of_slowest, "times", 1.10, note="model at 200 ms"),
        Figure("a turn against the 200 ms alone", of_model, "times", note="with HTTP and both libraries"),
    ]


async def _times() -> list[tuple[float, float]]:
    """Per turn: milliseconds of analyze, and of its slowest call."""
    conversation = long_conversation(2 * TURNS + 4)
    state, times = opening_state(conversation), []
    async with (
        FakeModel(FakeModelConfig(latency_ms=LATENCY_MS)) as fake,
        ModelService(api_base=fake.base_url, api_key="not-needed") as service,
    ):
        analyzer = LLMAnalyzer(service, PromptLibrary(), MODEL, MODEL)
        for turn in conversation.customer_turns:
            started = time.perf_counter()
            analysis = await analyzer.analyze(state, turn, conversation.before(turn.index))
            elapsed = (time.perf_counter() - started) * 1000
            slowest = max(source.latency_ms or 0.0 for source in analysis.sources.values())
            times.append((elapsed, slowest))
    return times[1:]  # the first pays for the imports
