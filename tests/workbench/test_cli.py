from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from engine.errors import (
    ConfigurationError,
    InputError,
    InvalidStageTransitionError,
    ModelCallError,
    PromptError,
    QBSError,
    UnknownError,
)
from engine.model.analysis import FallbackReason, Source
from evals.errors import LockedError, RunError
from tests.workbench.command_line import every_command, run
from workbench.commands.exits import exit_code
from workbench.text import UnknownNameError

HEAVY = {"litellm", "instructor", "openai", "streamlit", "pandas", "pyarrow", "numpy", "scipy", "aiohttp", "jinja2"}


def commands(group=None, path=()) -> Iterator[tuple[str, ...]]:
    """The path of every command and group."""
    group = group or every_command()
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name)) if hasattr(command, "commands") else [(*path, name)]


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help_teaches_by_example_within_eighty_columns(path):
    result = run(*path, "--help", terminal_width=80)
    assert result.exit_code == 0
    assert "\n  Example" in result.stdout or "\n  Begin here:" in result.stdout
    assert [line for line in result.stdout.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_examples_name_commands_and_options_that_exist(path):
    cli = every_command()
    for line in run(*path, "--help").stdout.splitlines():
        words = line.split("#")[0].split()
        if words[:1] != ["qbs"] or "|" in words:
            continue
        command = cli
        for word in words[1:]:
            if word in getattr(command, "commands", {}):
                command = command.commands[word]
        assert command is not cli, line
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Begin here"),
        (["runs"], "qbs runs export"),
        (["conversations"], "qbs conversations check"),
        (["runs", "show"], "Missing argument 'RUN'"),
        (["runs", "export"], "Missing argument 'RUN'"),
        (["conversations", "show"], "Missing argument 'CONVERSATION'"),
        (["import"], "Missing argument 'FILE'"),
        (["replayy"], "Did you mean 'replay'"),
        (["runs", "lst"], "Did you mean 'list'"),
        (["replay", "--varient", "rules"], "--variant"),
        (["replay", "--samples", "0"], "--samples"),
        (["replay", "--limit-cost", "-1"], "--limit-cost"),
        (["app", "--port", "80"], "--port"),
        (["conversations", "list", "--split", "train"], "--split"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_would_be_right(arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnknownNameError("run", "x", ()), 2),
        (UnknownError("no release 9"), 2),
        (InputError("broken"), 3),
        (PromptError("broken"), 3),
        (InvalidStageTransitionError("closed_won", "discovery", ()), 3),
        (ConfigurationError("missing"), 4),
        (ModelCallError(Source(kind="rules", fallback_reason=FallbackReason.CONNECTION)), 4),
        (PermissionError(13, "Permission denied", "/x"), 4),
        (RunError("altered"), 1),
        (LockedError("the run", "17"), 1),
        (QBSError("other"), 1),
        (OSError(28, "No space left on device", "/x"), 1),
        (ValueError("defect"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_error_has_its_exit_code(error, code):
    assert exit_code(error) == code


def failing(monkeypatch, error: Exception):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("workbench.commands.conversations.build_services", fail)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (QBSError("it did not work; do this instead"), "Error: it did not work; do this instead"),
        (OSError(28, "No space left on device", "/x/y"), "Error: /x/y: No space left on device"),
        (ValueError("a canary of the customer's words"), "Error: a defect of the program: ValueError in test_cli.py"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_one_message_without_a_traceback_and_quotes_nobody(monkeypatch, error, said):
    failing(monkeypatch, error)
    result = run("conversations", "list")
    assert result.exit_code == 1
    assert result.stderr.startswith(said)
    assert len(result.stderr.splitlines()) == 1
    assert "canary" not in result.stderr


def test_debug_shows_where_it_came_from(monkeypatch):
    failing(monkeypatch, QBSError("it did not work"))
    result = run("--debug", "conversations", "list")
    assert isinstance(result.exception, QBSError)


def test_the_version_is_printed():
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("qbs 0.")


def in_a_process(home, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `qbs` with nothing but QBS_HOME set, and print what it imported as the last line of stderr."""
    program = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: print(json.dumps(sorted(n for n in sys.modules if '.' not in n)), file=sys.stderr))\n"
        "from workbench.cli import main\n"
        "main()\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QBS_")}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=home.parent,
        env=environment | {"QBS_HOME": str(home)},
    )


def imported(process: subprocess.CompletedProcess[str]) -> set[str]:
    return set(json.loads(process.stderr.splitlines()[-1]))


def test_help_imports_nothing_heavy(tmp_path):
    process = in_a_process(tmp_path / "home", "--help")
    assert process.returncode == 0
    assert imported(process) & (HEAVY | {"duckdb", "pydantic", "structlog", "rich"}) == set()


def test_listing_runs_imports_nothing_heavy_but_the_index(tmp_path):
    made = in_a_process(tmp_path / "home", "replay", "--conversation", "deep-unasked")
    assert made.returncode == 0
    process = in_a_process(tmp_path / "home", "runs", "list")
    assert process.returncode == 0
    assert "complete" in process.stdout
    assert "duckdb" in imported(process)
    assert imported(process) & (HEAVY | {"structlog", "rich"}) == set()


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = subprocess.run(
            [sys.executable, "-c", "from workbench.cli import main; main()", "conversations", "list"],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "QBS_HOME": str(tmp_path / "home")},
        )
    finally:
        os.close(writing)
    assert process.stderr == ""


def test_ctrl_c_while_the_interpreter_winds_down_prints_nothing():
    program = (
        "import atexit, os, signal\n"
        "atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))\n"
        "from workbench.cli import main\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, "--version"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, "")
