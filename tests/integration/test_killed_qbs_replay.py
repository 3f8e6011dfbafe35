"""`qbs` killed or told to stop while it asks a model: the same command goes on, and nothing paid for is asked twice."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shlex
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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

KILLS = kills(20, 4)
CONVERSATIONS = (
    *("budget-withdrawn", "deep-unasked", "deflector", "founder", "hypotheticals", "metrics-insurance"),
    *("nurse-manager", "one-word", "security-review", "stalled-resumed", "topic-shifter", "won-energy"),
)[: kills(12, 6)]
# What a session takes long to import is imported once, before it begins.
PRELOADED = (
    *("engine.llm.libraries:litellm", "engine.llm.libraries:instructor", "duckdb", "pyarrow", "aiohttp"),
    *("engine.analyzers", "workbench.replays", "workbench.commands.replay", "workbench.commands.judge"),
)
SECONDS_TO_BEGIN = 30
PARTS = ("extraction", "question", "expansion")
JUDGED_AT_KILLS = (5, 12, 20, 28)  # judgements
JUDGE = ["judge", "latest", "--model", "openai/fake-model", "--concurrency", "2"]
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


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    with Children(*PRELOADED) as children:
        yield children


def test_killed_again_and_again_it_ends_as_if_undisturbed_and_pays_for_nothing_twice(
    tmp_path: Path, children: Children, model: FakeModel, witness: Witness
) -> None:
    choose, killed, whole = random.Random(7), tmp_path / "killed", tmp_path / "whole"
    for _ in range(KILLS):
        paid, before = _paid(killed), len(witness.asked)
        pid = children.start("qbs", arguments=_arguments(), environment=_environment(model, killed))
        _wait_until(lambda: len(witness.asked) > before)  # noqa: B023
        time.sleep(choose.uniform(0, 0.25))
        os.kill(pid, signal.SIGKILL)
        assert children.end()["signal"] == signal.SIGKILL, "it was still at work"
        assert paid.isdisjoint(witness.asked[before:]), "an answer that was on disk was asked for again"
    before, paid = len(witness.asked), _paid(killed)
    _finish(children, model, killed)
    assert paid.isdisjoint(witness.asked[before:])
    assert paid, "the killed sessions got somewhere"
    asked = len(witness.asked)
    _finish(children, model, whole)
    assert _comparable(killed) == _comparable(whole)
    under_way = 3 * len(PARTS)  # of each killed session, answers that never arrived
    assert asked <= len(witness.asked) - asked + KILLS * under_way
    assert _answers(killed) == _answers(whole)
    assert set(_answers(killed).values()) == {1}


def test_judging_that_was_killed_again_and_again_goes_on_and_pays_for_nothing_twice(
    tmp_path: Path, children: Children, model: FakeModel, witness: Witness
) -> None:
    by_rules = ["replay", "b2b_discovery", *_chosen(CONVERSATIONS[:3])]
    _done(children, by_rules, _environment(model, tmp_path))
    questions = len(_records(tmp_path))
    assert 3 * questions > max(JUDGED_AT_KILLS) + 8
    for wanted in JUDGED_AT_KILLS:
        pid = children.start("qbs", arguments=JUDGE, environment=_environment(model, tmp_path))
        _wait_until(lambda: _judged(tmp_path) >= wanted)  # noqa: B023
        os.kill(pid, signal.SIGKILL)
        assert children.end()["signal"] == signal.SIGKILL, "it was still at work"
        assert _judged(tmp_path) >= wanted
    _done(children, JUDGE, _environment(model, tmp_path))
    assert _judged(tmp_path) == 3 * questions
    assert set(_answers(tmp_path).values()) == {1}
    assert len(_answers(tmp_path)) == 3 * questions
    under_way = 2  # of each killed session, answers that never arrived
    assert len(witness.asked) <= 3 * questions + len(JUDGED_AT_KILLS) * under_way


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interruption_lets_turns_end_and_the_same_command_goes_on(
    tmp_path: Path, children: Children, model: FakeModel, number: signal.Signals
) -> None:
    out, err, home = tmp_path / "out", tmp_path / "err", tmp_path / "home"
    command = ["replay", "b2b_discovery", *_chosen(CONVERSATIONS[:2]), "--variant", "llm:openai/fake-model"]
    one_at_a_time = [*command, "--concurrency", "1"]
    pid = children.start(
        "qbs", arguments=one_at_a_time, environment=_environment(model, home), out=str(out), err=str(err)
    )
    _wait_until(lambda: model.stats.requests > 3)
    os.kill(pid, number)
    assert children.end()["code"] == 130
    assert "not complete" in out.read_text()
    assert shlex.join(["qbs", *one_at_a_time]) in err.read_text()
    (folder,) = run_folders(home / "runs")
    assert RunFolder.open(folder).status is RunStatus.INCOMPLETE
    assert len(_records(home)) == model.stats.answered // len(PARTS)
    _done(children, command, _environment(model, home))
    assert RunFolder.open(folder).status is RunStatus.COMPLETE
    assert model.stats.requests == len(PARTS) * len(_records(home))


def _judged(home: Path) -> int:
    """How many judgements there are; the end of a line that is still being written does not count."""
    return sum(file.read_text().count("\n") for file in home.glob("runs/*/judgements.jsonl"))


def _answers(home: Path) -> Counter[str]:
    """What was recorded, by key, and how often."""
    lines = (home / "recordings" / "recordings.jsonl").read_text().splitlines()
    return Counter(json.loads(line)["key"] for line in lines)


def _wait_until(reached: Callable[[], bool]) -> None:
    for _ in range(SECONDS_TO_BEGIN * 100):
        if reached():
            return
        time.sleep(0.01)
    raise AssertionError("the session did not get there")


def _finish(children: Children, model: FakeModel, home: Path) -> None:
    _done(children, _arguments(), _environment(model, home))
    (folder,) = [RunFolder.open(path) for path in run_folders(home / "runs")]
    assert folder.status is RunStatus.COMPLETE


def _done(children: Children, arguments: list[str], environment: dict[str, str]) -> None:
    children.start("qbs", arguments=arguments, environment=environment)
    assert children.end()["signal"] == 0


def _arguments() -> list[str]:
    return [*COMMAND, *_chosen(CONVERSATIONS)]


def _chosen(names: Sequence[str]) -> list[str]:
    return [word for name in names for word in ("--conversation", name)]


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
    """The records by key, without what a clock or a resumption may change: asked or recorded, and how long it took."""
    found = {}
    for record in _records(home):
        assert isinstance(record.result, Analysis)
        assert not any(source.is_fallback for source in record.result.sources.values())
        bare = record.model_dump(mode="json")
        for part in PARTS:
            for name in ("kind", "latency_ms"):
                del bare["result"][part]["source"][name]
        found[record.key] = bare
    assert len(found) == _turns()
    return found
