from __future__ import annotations

import json
import logging

import pytest
import structlog

from workbench.logs import configure_logs


@pytest.fixture(autouse=True)
def _as_before():
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def lines_of(capsys) -> list[dict]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_away_from_a_terminal_each_line_is_json_on_stderr_with_its_context(capsys):
    configure_logs("info")
    with structlog.contextvars.bound_contextvars(run="r1", conversation="c1", turn=4):
        structlog.get_logger().warning("model_call_failed", code=429)
    (line,) = lines_of(capsys)
    assert {key: line[key] for key in ("event", "level", "run", "conversation", "turn", "code")} == {
        "event": "model_call_failed", "level": "warning", "run": "r1", "conversation": "c1", "turn": 4, "code": 429,
    }  # fmt: skip
    assert line["timestamp"].endswith("Z")


def test_text_is_for_people_and_also_on_stderr(capsys):
    configure_logs("info", "text")
    structlog.get_logger().info("run_finished", turns=12)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "run_finished" in captured.err
    assert "turns=12" in captured.err


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_lines_below_the_level_are_not_shown(level, shown, capsys):
    configure_logs(level)
    log = structlog.get_logger()
    for say in (log.debug, log.info, log.warning, log.error):
        say("something")
    assert len(lines_of(capsys)) == shown


@pytest.mark.parametrize("style", ["json", "text"])
def test_an_exception_is_logged_as_class_and_place_never_as_its_text_or_its_variables(style, capsys):
    configure_logs("info", style)
    transcript = "canary-in-a-variable"
    try:
        raise ValueError(f"canary-in-the-text {transcript}")
    except ValueError as error:
        structlog.get_logger().exception("turn_failed")
        structlog.get_logger().error("turn_failed", exc_info=error)
        structlog.get_logger().error("turn_failed", exc_info=(ValueError, error, error.__traceback__))
    shown = capsys.readouterr().err
    assert "canary" not in shown
    assert shown.count("ValueError") == 3
    assert shown.count("test_logs.py:") == 3


def test_a_line_goes_to_whatever_stands_in_the_place_of_stderr_when_it_is_written(capsys, monkeypatch):
    import io

    configure_logs("info")
    stand_in = io.StringIO()
    monkeypatch.setattr("sys.stderr", stand_in)
    structlog.get_logger().info("something")
    assert "something" in stand_in.getvalue()


@pytest.mark.parametrize("name", ["asyncio", "somebody.else"])
def test_what_other_libraries_log_is_named_by_place_and_class_never_quoted(name, capsys):
    configure_logs("debug")
    try:
        raise ValueError("canary in the exception")
    except ValueError:
        logging.getLogger(name).exception("canary in the message: %s", "canary in an argument")
    (line,) = lines_of(capsys)
    assert "canary" not in str(line)
    assert (line["event"], line["library"], line["error"]) == ("library_message", name, "ValueError")
    assert line["said_at"].startswith("test_logs.py:")
