"""Words for people: counts, money, time, near matches, tables, and text that is safe to print on a terminal."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime

from engine.errors import QBSError

LIKE_ENOUGH = 0.6


class UnknownNameError(QBSError):
    """A person named something that is not there. The text names what is near, or what there is.

    `where` says where it was looked for ("in talks"), `hint` what shows everything.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "", hint: str = "") -> None:
        self.kind = kind
        self.name = name
        known = sorted(known)
        self.near = near(name, known)
        sentence = f"there is no {kind} {printable(name)!r}{f' {where}' if where else ''}"
        if self.near:
            sentence += f"; did you mean {one_of(self.near)}?"
        elif known:
            sentence += f"; there is {_some_of(known)}"
        super().__init__(f"{sentence}{f' ({hint})' if hint else ''}")


def the_one(kind: str, name: str, known: Iterable[str], *, where: str = "", hint: str = "") -> str:
    """The known name that `name` is, or the only one that it is a part of. Raises UnknownNameError."""
    names = list(known)
    parts = [candidate for candidate in names if name and name.lower() in candidate.lower()]
    if name in names:
        return name
    if len(parts) == 1:
        return parts[0]
    raise UnknownNameError(kind, name, names, where=where, hint=hint)


def _some_of(names: Sequence[str]) -> str:
    """All names if they fit on about a line, else the first ones."""
    shown = names[:1]
    while len(shown) < len(names) and len(", ".join(names[: len(shown) + 1])) <= 80:
        shown = names[: len(shown) + 1]
    return one_of(shown, word="and") if len(shown) == len(names) else f"{', '.join(shown)} and more"


def near(name: str, known: Sequence[str]) -> list[str]:
    """Up to three known names that `name` was probably meant to be or is a part of, best first."""
    scores = {candidate: _likeness(name.lower(), candidate.lower()) for candidate in known}
    found = [candidate for candidate, score in scores.items() if score >= LIKE_ENOUGH]
    return sorted(found, key=lambda candidate: (-scores[candidate], candidate))[:3]


def _likeness(name: str, candidate: str) -> float:
    """0 to 1; a name of three letters or more that is part of the candidate is at least LIKE_ENOUGH."""
    ratio = difflib.SequenceMatcher(None, name, candidate).ratio()
    return max(ratio, LIKE_ENOUGH) if len(name) > 2 and name in candidate else ratio


def one_of(names: Sequence[str], word: str = "or") -> str:
    """`a`, `a or b`, `a, b or c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 turn`, `1,204 turns`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def money(usd: float | None) -> str:
    """US dollars with as many digits as it takes to see something; `unknown` where no price is known."""
    if usd is None:
        return "unknown"
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def cost(usd: float | None) -> str:
    """`cost $0.0132`, `cost unknown`."""
    return f"cost {money(usd)}"


def duration(seconds: float | None) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`; a dash where it is not known."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def printable(text: str) -> str:
    """The text without what could command a terminal or turn it round: control and bidirectional marks become `�`."""
    return "".join("\ufffd" if _commands(character) else character for character in text)


def _commands(character: str) -> bool:
    if character in "\n\t":
        return False
    return unicodedata.category(character) in {"Cc", "Cs"} or unicodedata.bidirectional(character) in {
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    }  # fmt: skip


def table(rows: Sequence[Sequence[str]], header: Sequence[str], *, right: Iterable[int] = ()) -> str:
    """Columns under a header, as wide as their widest cell; the columns numbered in `right` are right-aligned."""
    cells = [list(header), *([printable(cell).replace("\n", " ") for cell in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    flush_right = set(right)
    return "\n".join(
        "  ".join(_padded(cell, widths[n], n in flush_right) for n, cell in enumerate(row)).rstrip() for row in cells
    )


def width(text: str) -> int:
    """Columns that a text takes on a terminal: wide East Asian characters two, combining marks none."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _padded(cell: str, columns: int, right: bool) -> str:
    space = " " * (columns - width(cell))
    return space + cell if right else cell + space


def clip(text: str, columns: int) -> str:
    """The text on one line, cut with an ellipsis where it is longer than `columns`."""
    line = " ".join(text.split())
    return line if len(line) <= columns else line[: max(columns - 1, 0)].rstrip() + "…"


def ago(moment: datetime, now: datetime) -> str:
    """`just now`, `5 min ago`, `3 h ago`, and the day from two days on."""
    seconds = (now - moment).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min ago"
    return f"{seconds / 3600:.0f} h ago" if seconds < 48 * 3600 else f"{moment:%Y-%m-%d}"
