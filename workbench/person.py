"""Who acts here, where nobody says so."""

from __future__ import annotations


def user_name() -> str | None:
    """The name that the operating system knows the user by; None if it knows none."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
