"""Log lines: for people on a terminal, JSON elsewhere, always on stderr, never with a transcript or a key in them.

Run, conversation and turn come from structlog's context variables. An exception is logged as its class and
place only, and so is what other libraries log: the text may hold what a customer said, what a model answered, or a key.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure_logs(level: str = "warning", style: str = "auto") -> None:
    """Send log lines of `level` and above to stderr. `style` is `text`, `json`, or `auto`: text on a terminal."""
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _for_people()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
            exceptions_as_class_and_place,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # Asked anew for each line: a progress bar puts its own stream in the place of stderr while it runs.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_OtherLibraries()], level=logging.WARNING, force=True)


class _OtherLibraries(logging.Handler):
    """Says that a library said something, and where: its words may be a request, an answer or a key."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        say = log.error if record.levelno >= logging.ERROR else log.warning
        say(
            "library_message",
            library=record.name,
            said_at=f"{record.filename}:{record.lineno}",
            exc_info=record.exc_info,
        )


def exceptions_as_class_and_place(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by `error` (class) and `at` (file and line of the innermost frame)."""
    error = _exception(event.pop("exc_info", None))
    event.pop("stack_info", None)
    if error is None:
        return event
    event["error"] = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        event["at"] = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
    return event


def _exception(exc_info: bool | BaseException | ExcInfo | None) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1]
    return sys.exc_info()[1] if exc_info else None


def _for_people() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
