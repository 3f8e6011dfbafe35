"""A reply taken apart, so that it can be put together and trimmed: greeting, paragraphs of sentences, sign-off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from engine.wording import sentences

GREETING_WORDS = 7
SIGN_OFF_LINES, SIGN_OFF_WORDS = 3, 10

_GREETS = re.compile(r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|(?:good )?day|morning)\b", re.IGNORECASE)
_CLOSES = re.compile(
    r"(?:best|kind|warm|many|all|with|regards|cheers|thanks|thank you|yours|sincerely|greetings|speak soon|talk soon"
    r"|take care|until)\b",
    re.IGNORECASE,
)
_NAME_LINE = re.compile(r"(?:[^\W\d_][\w'’.-]*\.? ?){1,4}")
_ABBREVIATED = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|e\.g|i\.e|vs|approx|[A-Z])\.$")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")

Paragraph = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A reply in its parts. `greeting` and `sign_off` have lines of their own, and only an email has them.

    A greeting in the line of the first sentence ("Morning Ida! ...") is a sentence like others.
    """

    paragraphs: tuple[Paragraph, ...]
    greeting: str = ""
    sign_off: str = ""

    @property
    def text(self) -> str:
        body = (" ".join(paragraph) for paragraph in self.paragraphs)
        return "\n\n".join(part for part in (self.greeting, *body, self.sign_off) if part)

    @property
    def said(self) -> tuple[str, ...]:
        """The sentences between greeting and sign-off."""
        return tuple(sentence for paragraph in self.paragraphs for sentence in paragraph)

    @property
    def word_count(self) -> int:
        """Words between greeting and sign-off."""
        return sum(len(sentence.split()) for sentence in self.said)

    def keeping(self, wanted: Callable[[str], bool]) -> Letter:
        """The letter with only those sentences; a paragraph that has none left goes."""
        kept = (tuple(filter(wanted, paragraph)) for paragraph in self.paragraphs)
        return replace(self, paragraphs=tuple(paragraph for paragraph in kept if paragraph))


def letter_of(text: str) -> Letter:
    """The parts of a reply as it was written. Line ends within a paragraph count as spaces."""
    blocks = [block.strip() for block in _BLANK_LINE.split(text.strip()) if block.strip()]
    greeting, blocks = _greeting(blocks)
    sign_off, blocks = _sign_off(blocks)
    return Letter(tuple(_sentences(block) for block in blocks), greeting, sign_off)


def is_greeting(sentence: str) -> bool:
    """Whether a sentence or line does no more than greet."""
    return len(sentence.split()) <= GREETING_WORDS and _GREETS.match(sentence) is not None and "?" not in sentence


def _greeting(blocks: list[str]) -> tuple[str, list[str]]:
    first, _, rest = blocks[0].partition("\n") if blocks else ("", "", "")
    alone = len(blocks) > 1 or bool(rest)
    names = first.endswith(",") and len(first.split()) <= GREETING_WORDS
    if not alone or not (names or (is_greeting(first) and first[-1] in ",!:")):
        return "", blocks
    return first.strip(), [rest.strip(), *blocks[1:]] if rest.strip() else blocks[1:]


def _sign_off(blocks: list[str]) -> tuple[str, list[str]]:
    """The closing lines: a block of their own, or the last lines from a closing word on."""
    if len(blocks) > 1 and _is_sign_off(blocks[-1].split("\n")):
        return blocks[-1], blocks[:-1]
    lines = blocks[-1].split("\n") if blocks else []
    for count in range(1, min(SIGN_OFF_LINES, len(lines) - 1) + 1):
        if _CLOSES.match(lines[-count]) and lines[-count].rstrip().endswith(",") and _is_sign_off(lines[-count:]):
            return "\n".join(lines[-count:]), [*blocks[:-1], "\n".join(lines[:-count])]
    return "", blocks


def _is_sign_off(lines: list[str]) -> bool:
    short = len(lines) <= SIGN_OFF_LINES and sum(len(line.split()) for line in lines) <= SIGN_OFF_WORDS
    only_name = len(lines) == 1 and _NAME_LINE.fullmatch(lines[0].strip()) is not None
    closes = _CLOSES.match(lines[0]) is not None and (len(lines) > 1 or lines[0].rstrip().endswith((",", "s", "[")))
    return short and "?" not in "".join(lines) and (closes or (only_name and not lines[0].rstrip().endswith(".")))


def _sentences(block: str) -> Paragraph:
    """The sentences of a paragraph; "Mr." and "e.g." end none."""
    joined: list[str] = []
    for sentence in sentences(" ".join(block.split())):
        if joined and _ABBREVIATED.search(joined[-1]):
            joined[-1] = f"{joined[-1]} {sentence}"
        else:
            joined.append(sentence)
    return tuple(joined)


def lines_of(paragraphs: Iterable[Iterable[str]]) -> tuple[Paragraph, ...]:
    """Paragraphs without empty sentences, and without those that are then empty."""
    cleaned = (tuple(sentence for sentence in paragraph if sentence) for paragraph in paragraphs)
    return tuple(paragraph for paragraph in cleaned if paragraph)
