"""What judging raises on purpose, beside the engine's own errors.

QBSError (engine.errors)
├── LockedError         another process is writing there
└── RunError            a run folder cannot be used as asked; says which run and what to do
    ├── RunDamagedError     a line that was acknowledged does not match its checksum
    └── RunFinishedError    a finished run never changes
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from engine.errors import QBSError, UnknownError


class LockedError(QBSError):
    """Somebody else holds the lock. `what` is locked, `process` the id of who has it, None if it is not known."""

    def __init__(self, what: str, process: int | None) -> None:
        self.what = what
        self.process = process
        who = "another program" if process is None else f"process {process}"
        super().__init__(f"{what} is in use by {who}; wait until it is done, or end it")


class RunError(QBSError):
    """A run folder cannot be used as asked."""


class RunDamagedError(RunError):
    """A line of a run's `turns.jsonl` does not match its checksum, and it is not just the torn end of a write."""

    def __init__(self, file: Path, line: int) -> None:
        self.file = file
        self.line = line
        super().__init__(
            f"{file}, line {line}: does not match its checksum, so the disk or another program changed it; "
            "restore the file from a backup, or cut it before this line and run again"
        )


class RunFinishedError(RunError):
    """A finished run was to be written to."""


def unknown(kind: str, name: str, known: Iterable[str]) -> UnknownError:
    """The error for a name that is not there, with the names that it may have been meant to be, or else those known."""
    names = list(known)
    close = get_close_matches(name, names, n=3)
    if close:
        return UnknownError(f"there is no {kind} {name!r}; did you mean {' or '.join(close)}?")
    shown = f"{', '.join(names[:30])}{' and more' if len(names) > 30 else ''}"
    return UnknownError(f"there is no {kind} {name!r}" + (f"; there are: {shown}" if names else ""))
