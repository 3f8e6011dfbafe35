"""A command line in a scratch QBS_HOME, with a small data set of its own in the place of the shipped ones."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from engine.llm.fake import FakeModel
from tests.workbench import command_line

Qbs = Callable[..., Result]


def conversation(number: int = 1, **changes: object) -> dict:
    """A conversation of two customer turns as it stands on a line of a file."""
    fields: dict[str, object] = {
        "id": f"talk-{number}",
        "title": f"Talk number {number}",
        "account": "Acme",
        "contact": {"name": "Ann Lee", "title": "Head of Operations"},
        "persona": "manager",
        "channel": "chat",
        "turns": [
            {"index": 0, "speaker": "seller", "name": "Tom", "text": f"What made you write to us on day {number}?"},
            {
                "index": 1,
                "speaker": "customer",
                "name": "Ann Lee",
                "text": "We lose two days a week to manual reports.",
            },
            {"index": 2, "speaker": "seller", "name": "Tom", "text": "What does that cost you?"},
            {"index": 3, "speaker": "customer", "name": "Ann Lee", "text": "About 40,000 euros a year. Ask our CFO."},
        ],
    }
    return fields | changes


def write_lines(file: Path, *lines: object) -> Path:
    """Write one JSON object a line; text is written as it stands."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return file


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """QBS_HOME of the test; nothing of the developer's own settings is seen."""
    settle(tmp_path, monkeypatch)
    return tmp_path / "home"


@pytest.fixture
def shipped(tmp_path, monkeypatch, home) -> Path:
    """The folder that stands for the project's own datasets/: one data set `talks` of two conversations."""
    folder = tmp_path / "shipped"
    write_lines(folder / "talks" / "conversations.jsonl", conversation(1), conversation(2))
    monkeypatch.setattr("workbench.services.SHIPPED_DATASETS", folder)
    return folder


def settle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in `folder`, with home/ in it as QBS_HOME."""
    for name in [name for name in os.environ if name.startswith("QBS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("QBS_HOME", str(folder / "home"))


@pytest.fixture
def qbs(shipped) -> Qbs:
    """Run a command: `qbs("runs", "list").stdout`."""
    return command_line.run


@pytest.fixture
def columns(monkeypatch):
    """A terminal of 100 columns, whatever the tests run in."""
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_: os.terminal_size((100, 40)))


@pytest.fixture
def fake(request) -> Iterator[FakeModel]:
    """A fake model that really listens, in a thread; its FakeModelConfig is the fixture's parameter."""
    model = FakeModel(getattr(request, "param", None))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(model.start(), loop).result()
    yield model
    asyncio.run_coroutine_threadsafe(model.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
