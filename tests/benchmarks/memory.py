"""What the engine remembers after 500 turns of the chattiest conversation."""

from __future__ import annotations

from pydantic_core import to_json

from tests.benchmarks.conversations import long_conversation
from tests.benchmarks.figure import Figure
from tests.benchmarks.fold import fold


def measure() -> list[Figure]:
    state = fold(long_conversation(1000))
    kilobytes = len(to_json(state.metadata["qbs"])) / 1024
    return [Figure('metadata["qbs"] after 500 customer turns', kilobytes, "KB", 5)]
