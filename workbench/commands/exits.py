"""Exit codes that a script can rely on, and how an error becomes one readable message."""

from __future__ import annotations

import re
import shlex
import sys
import traceback
from pathlib import Path

import typer

from engine.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    InputError,
    InvalidStageTransitionError,
    ModelCallError,
    PromptError,
    QBSError,
    SchemaVersionError,
    UnknownError,
    UnknownPromptError,
)
from workbench.text import UnknownNameError

OK = 0  # done, or nothing to do
FAILED = 1  # it was tried and failed, or a check found problems
USAGE = 2  # wrong options or arguments, or a name that does not exist
INVALID = 3  # a file or record that was given cannot be used
NOT_WORKING = 4  # something configured is missing or does not work
INTERRUPTED = 130  # stopped with Ctrl-C; what was done is kept

_CODES: tuple[tuple[type[QBSError], int], ...] = (
    (UnknownNameError, USAGE),
    (UnknownError, USAGE),
    (UnknownPromptError, USAGE),
    (InputError, INVALID),
    (InvalidStageTransitionError, INVALID),
    (PromptError, INVALID),
    (ConfigurationError, NOT_WORKING),
    (ModelCallError, NOT_WORKING),
    (DatabaseUnavailableError, NOT_WORKING),
    (SchemaVersionError, NOT_WORKING),
)

_LIBRARY_WORDS = (
    (r"^Value error, ", ""),
    (r"Input should be greater than or equal to (\S+)", r"it has to be \1 or more"),
    (r"Input should be less than or equal to (\S+)", r"it has to be \1 or less"),
    (r"Input should be a valid integer.*", "it has to be a whole number"),
    (r"Input should be a valid number.*", "it has to be a number"),
    (r"Input should be a finite number.*", "it has to be a number"),
)


def exit_code(error: Exception) -> int:
    """The code that stands for `error`; FAILED for everything that has none of its own."""
    if isinstance(error, PermissionError):
        return NOT_WORKING
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def sentence(error: Exception) -> str:
    """What `error` says to a person.

    Only the project's own errors and the operating system's may speak for themselves; the text of any other may hold
    a transcript or a key, so that it is named by class and place.
    """
    if isinstance(error, QBSError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return (
        f"a defect of the program: {type(error).__name__}{place}; `{this_command(debug=True)}` shows where it came from"
    )


def complain(error: Exception) -> None:
    """Write the error's sentence to stderr."""
    say(f"Error: {sentence(error)}")


def this_command(*more: str, debug: bool = False) -> str:
    """The command as it was given, to copy, with what it lacks of `more`."""
    given = sys.argv[1:]
    first = ["--debug"] if debug else []
    return shlex.join(["qbs", *first, *given, *(word for word in more if word not in given)])


def in_words(message: str) -> str:
    """What is wrong with an option's value, where the library that reads options says it in words of its own."""
    for pattern, words in _LIBRARY_WORDS:
        message = re.sub(pattern, words, message)
    return message


def say(text: str) -> None:
    """A line for the person at the terminal, on stderr: stdout is for results."""
    typer.echo(text, err=True)
