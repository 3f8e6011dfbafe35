"""Where the conversations of a data set come from: customers, an author, or code; or nobody says.

MANIFEST.json says it of a data set that is sealed, the file ORIGIN (one word) of one that still grows.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from engine.errors import InputError
from evals.files import write_atomically

ORIGIN = "ORIGIN"


class Origin(StrEnum):
    RECORDED = "recorded"  # held with customers
    WRITTEN = "written"  # made up, by hand or by a model
    SIMULATED = "simulated"  # made by code


_SAID = {
    Origin.RECORDED: "recorded from customers",
    Origin.WRITTEN: "written, not recorded from customers",
    Origin.SIMULATED: "simulated by code, not recorded from customers",
    None: "of unknown origin",
}


def origin_words(origin: Origin | None) -> str:
    """`written, not recorded from customers`: what is said of conversations."""
    return _SAID[origin]


def origin_line(origin: Origin | None) -> str:
    """`conversations: written, not recorded from customers`."""
    return f"conversations: {origin_words(origin)}"


def read_origin(folder: Path) -> Origin | None:
    """What the data set's own file says; None if there is none. Raises InputError for a word that is no origin."""
    file = folder / ORIGIN
    if not file.exists():
        return None
    word = file.read_text(encoding="utf-8", errors="replace").strip()
    try:
        return Origin(word)
    except ValueError:
        raise InputError(f"an origin is one of {', '.join(Origin)}", file=file, line=1) from None


def save_origin(folder: Path, origin: Origin) -> None:
    write_atomically(folder / ORIGIN, f"{origin}\n".encode())
