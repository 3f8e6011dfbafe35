"""`qbs replay` killed at random moments while a model is being asked: resumed, and nothing paid for is asked twice."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.llm.fake import FakeModel, FakeModelConfig
from engine.llm.fake.answers import Answer
from engine.llm.fake.by_rules import RulesAnswers
from engine.llm.fake.chat import ChatRequest
from engine.model.analysis import Analysis
from evals.records import RunStatus, TurnRecord
from evals.runs.folder import RunFolder, run_folders
from tests.integration.children import Children, kills

KILLS = kills(20, 6)
CONVERSATIONS = (
    *("budget-withdrawn", "deep-unasked", "deflector", "founder", "hypotheticals", "metrics-insurance"),
    *("nurse-manager", "one-word", "security-review", "stalled-resumed", "topic-shifter", "won-energy"),
)
# What a session takes long to import is imported once, before it begins.
PRELOADED = (
    *("engine.llm.libraries:litellm", "engine.llm.libraries:instructor", "duckdb", "pyarrow", "aiohttp"),
    *("engine.analyzers", "workbench.replays", "workbench.commands.replay"),
)
SECONDS_TO_BEGIN = 30
COMMAND = ["replay", "b2b_discovery", "--variant", "llm:openai/fake-model", "--concurrency", "3", "--deadline", "60"]


class Witness:
    """Answers by rules, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._rules = RulesAnswers()

    def answer(self, chat: ChatRequest) -> Answer | None:
        self.asked.append(_named(chat.messages))
        return self._rules.answer(chat)


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def model(witness: Witness) -> Iterator[FakeModel]:
    """A fake model in a thread of this process."""
    fake, loop = FakeModel(FakeModelConfig(answers=witness, latency_ms=30)), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(fake.start(), loop).result()
    yield fake
    asyncio.run_coroutine_threadsafe(fake.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_killed_again_and_again_it_ends_as_if_undisturbed_and_pays_for_nothing_twice(
    tmp_path: Path, model: FakeModel, witness: Witness
) -> None:
    choose, killed, whole = random.Random(7), tmp_path / "killed", tmp_path / "whole"
    with Children(*PRELOADED) as children:
        for _ in range(KILLS):
            paid, before = _paid(killed), len(witness.asked)
            pid = children.start("qbs", arguments=_arguments(), environment=_environment(model, killed))
            _wait_until_asked(witness, before)
            time.sleep(choose.uniform(0, 0.25))
            os.kill(pid, signal.SIGKILL)
            assert children.end()["signal"] == signal.SIGKILL, "it was still at work"
            assert paid.isdisjoint(witness.asked[before:]), "an answer that was on disk was asked for again"
        before, paid = len(witness.asked), _paid(killed)
        _finish(children, model, killed)
        assert paid.isdisjoint(witness.asked[before:])
        assert paid, "the killed sessions got somewhere"
        _finish(children, model, whole)
    assert _comparable(killed) == _comparable(whole)


def _wait_until_asked(witness: Witness, before: int) -> None:
    """Wait until this session asks the model for something."""
    for _ in range(SECONDS_TO_BEGIN * 100):
        if len(witness.asked) > before:
            return
        time.sleep(0.01)
    raise AssertionError("the session asked nothing")


def _finish(children: Children, model: FakeModel, home: Path) -> None:
    children.start("qbs", arguments=_arguments(), environment=_environment(model, home))
    assert children.end()["signal"] == 0
    (folder,) = [RunFolder.open(path) for path in run_folders(home / "runs")]
    assert folder.status is RunStatus.COMPLETE


def _arguments() -> list[str]:
    return [*COMMAND, *(word for name in CONVERSATIONS for word in ("--conversation", name))]


def _environment(model: FakeModel, home: Path) -> dict[str, str]:
    return {"QBS_HOME": str(home), "QBS_API_BASE": model.base_url, "QBS_API_KEY": "not-needed"}


def _paid(home: Path) -> set[str]:
    """What the recordings hold: every line that is whole."""
    file = home / "recordings" / "recordings.jsonl"
    lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
    return {_named(json.loads(line)["request"]["messages"]) for line in lines}


def _named(messages: Any) -> str:
    return json.dumps([[message["role"], message["content"]] for message in messages])


def _records(home: Path) -> list[TurnRecord]:
    return [record for path in run_folders(home / "runs") for record in RunFolder.open(path).records()]


def _turns() -> int:
    file = Path(__file__).parents[2] / "datasets" / "b2b_discovery" / "conversations.jsonl"
    talks = [json.loads(line) for line in file.read_text().split("\n") if line]
    chosen = [turn for talk in talks if talk["id"] in CONVERSATIONS for turn in talk["turns"]]
    return sum(turn["speaker"] == "customer" for turn in chosen)


def _comparable(home: Path) -> dict[Any, Any]:
    """The records by key, without what a clock or a resumption may change: where an answer came from and how long."""
    found = {}
    for record in _records(home):
        assert isinstance(record.result, Analysis)
        assert not any(source.is_fallback for source in record.result.sources.values())
        bare = record.model_dump(mode="json")
        for part in ("extraction", "question", "expansion"):
            del bare["result"][part]["source"]
        found[record.key] = bare
    assert len(found) == _turns()
    return found
