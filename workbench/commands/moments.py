"""A moment as an option gives it: with its zone, and not one that is yet to come."""

from __future__ import annotations

from datetime import UTC, datetime

import typer


def past(text: str | None, option: str, because: str = "report it when it has happened") -> datetime | None:
    """The moment, None where none is given. Raises BadParameter for what is no time, lacks its zone, or is to come."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; one is 2026-03-02T09:00:00+01:00", param_hint=option) from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} lacks its zone: end it with Z or +01:00", param_hint=option)
    if moment > datetime.now(UTC):
        raise typer.BadParameter(f"{text!r} lies in the future: {because}", param_hint=option)
    return moment
