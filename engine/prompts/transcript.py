"""A conversation as a model reads it: one line per turn between two tags, which no message can imitate.

    <transcript>
    [0] seller, Renske Hoekstra: Hi Kavi, morning from Utrecht!
    [1] customer, Kavi Sundaresan: first line of what he wrote
        second line of it
    </transcript>

Only a turn's own line and the tags start at the left edge. Further lines of a message are indented, so text
that looks like a turn, a heading or a tag stays visibly inside the message of the person who wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.model.conversation import MAX_TURN_CHARACTERS, Speaker, Turn

OPENING = "<transcript>"
CLOSING = "</transcript>"
CUT = " […]"

# Characters of message text in one transcript: about 15,000 tokens.
MAX_CHARACTERS = 60_000
MAX_NAME_CHARACTERS = 300

_INDENT = "    "
_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_TAG = re.compile(r"<(?=\s*/?\s*transcript\b)", re.IGNORECASE)
_TURN = re.compile(r"\[(\d{1,6})\] (seller|customer|other)(?:, ([^:\n]*))?:(?: (.*))?")
_LINE = re.compile(rf"{_TURN.pattern}|    .*|\[turns \d+ to \d+ left out\]|")


def render(turns: Sequence[Turn], *, most: int | None = None, characters: int = MAX_CHARACTERS) -> str:
    """The newest `most` turns (None: all) whose texts fit into `characters`, between the tags.

    A newest turn that is too long by itself is cut at the end; a line says which turns were left out. A tag
    inside a message is made harmless by a space, other text stays as it was written.
    """
    shown = _newest_that_fit(turns if most is None else turns[-most:], characters)
    left_out = len(turns) - len(shown)
    lines = [f"[turns {turns[0].index} to {turns[left_out - 1].index} left out]"] if left_out else []
    return "\n".join([OPENING, *lines, *(_rendered(turn) for turn in shown), CLOSING])


def parse(text: str) -> tuple[Turn, ...]:
    """The turns of the last transcript in `text`; empty when there is none. The reverse of `render`."""
    found: list[tuple[re.Match[str], list[str]]] = []
    for line in _last_block(text):
        if match := _TURN.fullmatch(line):
            found.append((match, [match[4] or ""]))
        elif found and (line.startswith(_INDENT) or not line):
            found[-1][1].append(line.removeprefix(_INDENT))
    return tuple(_turn(match, lines) for match, lines in found)


def latest_index(text: str) -> int | None:
    """The index of the last turn that `parse` finds in `text`; None when there is none."""
    found = [match for line in _last_block(text) if (match := _TURN.fullmatch(line))]
    return int(found[-1][1]) if found else None


def as_transcript(text: str) -> str:
    """`text` if it is a rendered transcript; else a transcript in which the customer says it."""
    first, *inner, last = f"{text}\n".split("\n")[:-1] if "\n" in text else ("", "")
    rendered = (first, last) == (OPENING, CLOSING) and all(_LINE.fullmatch(line) for line in inner)
    if rendered and latest_index(text) is not None:
        return text
    return render((Turn(index=0, speaker=Speaker.CUSTOMER, text=text[-MAX_TURN_CHARACTERS:]),))


def harmless(text: str) -> str:
    """The text with a space in every tag that could be taken for the beginning or end of the transcript."""
    return _TAG.sub("< ", text)


def _newest_that_fit(turns: Sequence[Turn], characters: int) -> list[Turn]:
    shown: list[Turn] = []
    for turn in reversed(turns):
        if shown and len(turn.text) > characters:
            break
        shown.append(turn if len(turn.text) <= characters else _cut(turn, characters))
        characters -= len(turn.text)
    return shown[::-1]


def _cut(turn: Turn, characters: int) -> Turn:
    return turn.model_copy(update={"text": turn.text[:characters].rstrip() + CUT})


def _rendered(turn: Turn) -> str:
    name = harmless(" ".join((turn.name or "").replace(":", " ").split()))
    head = f"[{turn.index}] {turn.speaker}{f', {name}' if name else ''}:"
    first, *rest = harmless(_LINE_ENDS.sub("\n", turn.text)).split("\n")
    lines = [f"{head} {first}" if first else head]
    lines += [_INDENT + line if line else "" for line in rest]
    return "\n".join(lines)


def _last_block(text: str) -> list[str]:
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if line == OPENING]
    if not starts:
        return []
    block = lines[starts[-1] + 1 :]
    return block[: block.index(CLOSING)] if CLOSING in block else []


def _turn(match: re.Match[str], lines: list[str]) -> Turn:
    return Turn(
        index=int(match[1]),
        speaker=Speaker(match[2]),
        name=(match[3] or "")[:MAX_NAME_CHARACTERS] or None,
        text="\n".join(lines)[:MAX_TURN_CHARACTERS],
    )
