"""Everything the engine raises on purpose, as one tree.

QBSError
├── InvalidStageTransitionError   a deal stage was to be skipped, or a closed deal reopened
├── InputError                    a file or record a person gave cannot be used; says file, line and turn
│   └── UnknownError              a name or number that is not there; says which are, or what shows them
├── PromptError                   a prompt file or its variables are wrong
│   └── UnknownPromptError        there is no such prompt or version
├── ConfigurationError            a setting is missing or contradicts another
│   └── UnsafeDatabaseError       the database is set up so that tenants could meet; says how to mend it
├── StateError                    production state cannot be read or written
│   ├── DatabaseUnavailableError  Postgres is not there, or does not answer in time
│   ├── TenantRequiredError       state was asked for without saying whose
│   ├── StaleStateError           somebody else has saved the state since it was read
│   ├── StateNotFoundError        no state is kept for this contact
│   └── SchemaVersionError        the schema or a document is of another version than this program reads
└── ModelCallError                one model answer could not be had; carries its Source with the reason
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.model.analysis import Source


class QBSError(Exception):
    """The root: `except QBSError` catches everything this project raises on purpose."""


class InvalidStageTransitionError(QBSError, ValueError):
    """A move between deal stages that the rules do not allow.

    `current` and `requested` are the two stages, `allowed` the stages that could have been entered.
    """

    def __init__(self, current: str, requested: str, allowed: Sequence[str]) -> None:
        self.current = current
        self.requested = requested
        self.allowed = tuple(allowed)
        choices = ", ".join(self.allowed) if self.allowed else "none: this stage is final"
        super().__init__(f"a deal cannot move from {current} to {requested}; allowed from here: {choices}")


class InputError(QBSError, ValueError):
    """Something a person gave cannot be used. The text says what, where, and what to do."""

    def __init__(
        self, problem: str, *, file: Path | str | None = None, line: int | None = None, turn: int | None = None
    ) -> None:
        self.problem = problem
        self.file = file
        self.line = line
        self.turn = turn
        where = [str(file)] if file is not None else []
        where += [f"line {line}"] if line is not None else []
        where += [f"turn {turn}"] if turn is not None else []
        super().__init__(f"{', '.join(where)}: {problem}" if where else problem)


class UnknownError(InputError):
    """A name or number that is not there."""


class PromptError(QBSError, ValueError):
    """A prompt file cannot be loaded or rendered: unknown or missing variable, syntax, or size."""


class UnknownPromptError(PromptError):
    """There is no such prompt, or no such version of it."""


class ConfigurationError(QBSError):
    """A setting is missing, unknown, or contradicts another."""


class UnsafeDatabaseError(ConfigurationError):
    """The database is set up so that one tenant could see another's rows. `problems` says each with its remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("the database is not safe to use:\n" + "\n".join(f"- {problem}" for problem in problems))


class StateError(QBSError):
    """Production state cannot be read or written. The text never holds an address with its password."""


class DatabaseUnavailableError(StateError):
    """Postgres is not there, or does not answer in time. Trying again later may help."""


class TenantRequiredError(StateError):
    """State was asked for without saying whose: a session is always bound to one tenant."""


class StaleStateError(StateError):
    """Somebody else has saved the state since it was read: read it again, and decide again."""


class StateNotFoundError(StateError):
    """No state is kept for this contact of this tenant."""


class SchemaVersionError(StateError):
    """The schema, or a document in a row, is of another version than this program reads. Says what to do."""


class ModelCallError(QBSError):
    """One model answer could not be had.

    `source` says which model and prompt, how long it took, what was spent on it, and why it failed
    (`source.fallback_reason` is never None). The text never holds model output: it may contain keys.
    """

    def __init__(self, source: Source, detail: str = "") -> None:
        self.source = source
        self.detail = detail
        super().__init__(f"{source.fallback_reason}{f' ({detail})' if detail else ''}")
