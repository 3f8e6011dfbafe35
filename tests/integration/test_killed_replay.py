"""A replay killed at random moments, and resumed until it is done, equals one that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from evals.errors import LockedError
from evals.records import RunStatus, TurnRecord
from evals.runner import run
from evals.runs.folder import RunFolder, run_folders
from tests.evals.values import FakeAnalyzer, manifest
from tests.integration.children import Children, kills, talks

KILLS = kills(20, 8)
TURNS_PER_SESSION = 12
SHAPE = {"count": 10, "customer_turns": 30}  # 300 turns: more than 20 sessions can ask about


async def test_a_replay_killed_again_and_again_equals_an_undisturbed_one(tmp_path: Path):
    runs, choose = tmp_path / "killed", random.Random(20)
    kept: list[TurnRecord] = []
    with Children() as children:
        for _ in range(KILLS):
            acknowledged = _killed_session(children, runs, len(kept), choose)
            found = _records(runs)
            assert found[: len(kept)] == kept, "what was on disk is still there, in its place"
            assert len(found) >= acknowledged, "what was acknowledged is on disk"
            kept = found
        assert len(kept) < 300, "the last session has something to do"
        children.start("replay", runs=str(runs), limit=10_000, **SHAPE)
        assert children.end()["signal"] == 0
    (folder,) = [RunFolder.open(path) for path in run_folders(runs)]
    assert folder.status is RunStatus.COMPLETE
    assert _by_key(_records(runs)) == _by_key(await _undisturbed(tmp_path / "whole"))


def test_a_second_process_cannot_write_the_same_run(tmp_path: Path):
    with Children() as first, Children() as second:
        first.start("replay", runs=str(tmp_path), limit=3, **SHAPE)
        assert next(message["done"] for message in first.messages() if message.get("done")) > 0
        second.start("replay", runs=str(tmp_path), limit=3, **SHAPE)
        with pytest.raises(AssertionError, match=LockedError.__name__):
            second.end()


def _killed_session(children: Children, runs: Path, before: int, choose: random.Random) -> int:
    """Go on with the run, kill it after a random number of turns; how many it had acknowledged in all."""
    pid = children.start("replay", runs=str(runs), limit=TURNS_PER_SESSION, **SHAPE)
    wanted, done = before + choose.randint(0, TURNS_PER_SESSION), before
    if wanted > before:
        done = next(message["done"] for message in children.messages() if message.get("done", 0) >= wanted)
    time.sleep(choose.uniform(0, 0.004))
    os.kill(pid, signal.SIGKILL)
    assert children.end()["signal"] == signal.SIGKILL
    return done


async def _undisturbed(runs: Path) -> list[TurnRecord]:
    conversations = talks(**SHAPE)
    folder = RunFolder.create(runs, manifest(*conversations))
    await run(folder, conversations, lambda _talk, _sample: FakeAnalyzer())
    return list(folder.records())


def _records(runs: Path) -> list[TurnRecord]:
    return [record for path in run_folders(runs) for record in RunFolder.open(path).records()]


def _by_key(records: list[TurnRecord]) -> dict[Any, TurnRecord]:
    by_key = {record.key: record for record in records}
    assert len(by_key) == len(records), "no turn is recorded twice"
    return by_key
