"""The passwords of the embedded server's roles, in a file that only we may read."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from engine.errors import ConfigurationError
from engine.state.roles import APP, OWNER

MAINTENANCE = "postgres"
ROLES = (MAINTENANCE, OWNER, APP)


def make_passwords(file: Path) -> Mapping[str, str]:
    """New passwords, in the file from one moment to the next. What is in it already stays."""
    if not file.exists():
        new = file.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(json.dumps({role: secrets.token_urlsafe(24) for role in ROLES}, indent=2) + "\n")
        new.rename(file)
    return read_passwords(file)


def read_passwords(file: Path) -> Mapping[str, str]:
    """The password of each role. Raises ConfigurationError where the file does not have them all."""
    try:
        found = json.loads(file.read_text(encoding="ascii"))
        return {role: str(found[role]) for role in ROLES}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{file} is missing or damaged, and without it nobody gets into the database beside it: "
            "put it back from the copy it came with, or move the folder away to begin anew"
        ) from None
