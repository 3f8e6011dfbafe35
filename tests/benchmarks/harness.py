"""The runner alone: an analyzer that only sleeps 50 ms, every answer folded and on disk before it counts.

Beside it, in the same run, what other evaluation libraries take for the same waiting, where they are installed. CPU is
that of the whole process, per turn. No other harness folds anything, and the fold of the engine is no harness: CPU is
measured with every state ready-made (another object each time, written like any other), and what the fold adds is given
apart. Of several repeats the least wall time and the least CPU count, of every harness alike.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from engine.advance import advance
from engine.guardrails import guard
from engine.model.analysis import Analysis
from engine.model.conversation import Conversation, Turn
from engine.model.state import ConversationState, opening_state
from engine.rules import analyze_by_rules
from evals.records import RunManifest, RunSpec, Variant
from evals.runner import run
from evals.runs.folder import RunFolder
from tests.benchmarks.conversations import SHIPPED
from tests.benchmarks.figure import Figure
from tests.benchmarks.other_harnesses import OTHERS, OtherHarness

SLEEP_S = 0.05
REPEATS, REPEATS_OF_OTHERS = 5, 3  # the first of the others imports them


@dataclass(frozen=True, slots=True)
class Load:
    """So many conversations of so many customer turns each, so many at the same time."""

    conversations: int
    turns: int
    concurrency: int
    goal: float

    @property
    def ideal_s(self) -> float:
        """The wall time if nothing but the sleep took any: rounds of conversations, each a turn after the other."""
        return -(-self.conversations // self.concurrency) * self.turns * SLEEP_S

    @property
    def all_turns(self) -> int:
        return self.conversations * self.turns

    @property
    def name(self) -> str:
        return f"{self.conversations:,} x {self.turns} turns, {self.concurrency} at a time"


LOADS = (Load(1_000, 1, 32, 1.08), Load(1_000, 1, 128, 1.35), Load(300, 8, 32, 1.05))


class Sleeper:
    """Answers every turn with the same analysis after 50 ms."""

    def __init__(self, answer: Analysis) -> None:
        self._answer = answer

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        await asyncio.sleep(SLEEP_S)
        return self._answer


@dataclass(frozen=True, slots=True)
class Taken:
    wall_s: float
    cpu_s: float


def measure() -> list[Figure]:
    figures = []
    for load in LOADS:
        ours = _best([_ours(load) for _ in range(REPEATS)])
        with patch("evals.replay.advance", _ready_made(load)):
            alone = _best([_ours(load) for _ in range(REPEATS)])
        fold_s = ours.cpu_s - alone.cpu_s
        figures += [
            Figure(f"harness, {load.name}, against ideal", ours.wall_s / load.ideal_s, "times", load.goal),
            Figure("CPU of the harness", _ms_a_turn(alone.cpu_s, load), "ms a turn", 0.20, note="on disk and counted"),
            Figure("CPU that the engine's fold adds", _ms_a_turn(fold_s, load), "ms a turn"),
        ]
        figures += [_beside(other, load) for other in OTHERS if other.installed]
    for other in OTHERS:
        if not other.installed:
            print(f"{other.name} is not installed, so nothing is beside it")
    return figures


def _beside(other: OtherHarness, load: Load) -> Figure:
    theirs = _best(
        [
            _taken(lambda: other.evaluate(load.conversations, load.turns, load.concurrency, SLEEP_S))
            for _ in range(REPEATS_OF_OTHERS)
        ]
    )
    note = f"{_ms_a_turn(theirs.cpu_s, load):.2f} ms CPU a turn, {other.note}"
    return Figure(f"beside it: {other.name}", theirs.wall_s / load.ideal_s, "times", note=note)


def _taken(work: Callable[[], object]) -> Taken:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Taken(time.perf_counter() - wall, time.process_time() - cpu)


def _best(times: Sequence[Taken]) -> Taken:
    return Taken(min(taken.wall_s for taken in times), min(taken.cpu_s for taken in times))


def _ours(load: Load) -> Taken:
    conversations = _conversations(load)
    sleeper = Sleeper(_answer(conversations[0]))
    with tempfile.TemporaryDirectory() as home:
        folder = RunFolder.create(Path(home), _manifest(load, conversations))
        return _taken(lambda: asyncio.run(run(folder, conversations, lambda *_: sleeper, concurrency=load.concurrency)))


def _ready_made(load: Load) -> Callable[[ConversationState, Turn, Analysis], ConversationState]:
    """What the engine's fold would give, without folding."""
    conversation = _conversations(load)[0]
    state, answer, states = opening_state(conversation), _answer(conversation), []
    for turn in conversation.turns:
        state = advance(state, turn, answer)
        states.append(state)
    return lambda _state, turn, _analysis: states[turn.index].model_copy()


def _ms_a_turn(seconds: float, load: Load) -> float:
    return 1000 * seconds / load.all_turns


def _conversations(load: Load) -> list[Conversation]:
    """Conversations of nothing but customer turns, after the words of a shipped one."""
    from evals.library import load_dataset

    model = load_dataset(SHIPPED).conversations[0]
    texts = [turn.text for turn in model.customer_turns]
    turns = tuple(Turn(index=index, speaker="customer", text=texts[index % len(texts)]) for index in range(load.turns))
    return [
        model.model_copy(update={"id": f"c{number}", "turns": turns, "stage_changes": ()})
        for number in range(load.conversations)
    ]


def _answer(conversation: Conversation) -> Analysis:
    state, turn = opening_state(conversation), conversation.turns[0]
    return guard(state, turn, (), analyze_by_rules(state, turn, ()))


def _manifest(load: Load, conversations: Sequence[Conversation]) -> RunManifest:
    spec = RunSpec(
        dataset="harness",
        dataset_hash="0" * 64,
        conversation_ids=tuple(conversation.id for conversation in conversations),
        variant=Variant(name="sleep"),
        engine_hash="0" * 64,
    )
    return RunManifest(
        run_id="harness",
        spec=spec,
        turns_expected=load.all_turns,
        created_at=datetime.now(UTC),
        python="3.11",
    )


if __name__ == "__main__":
    for figure in measure():
        print(f"{figure.name:60s} {figure.value:8.3f} {figure.unit:10s} {figure.goal} {figure.note}")
