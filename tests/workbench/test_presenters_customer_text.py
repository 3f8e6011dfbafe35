"""Customer text as markdown: nothing that a customer types becomes anything but text."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workbench.prepared import HOSTILE
from workbench.presenters.customer_text import Highlight, as_written, normalised_lines, on_one_line

_APART = re.compile(r":color\[(&#\d+;)\]")
_HIGHLIGHT = re.compile(r":yellow-background\[([^\]]*)\]")
_NOTE = re.compile(r" :small\[:gray\[←[^\]]*\]\]")
_REFERENCE = re.compile(r"&#(\d+);")

_TRICKY = [
    HOSTILE,
    ":material/home:",
    ":material_home:",
    ":+1: :smile:",
    ":red[x] :blue-badge[y] :color[z]{foreground='red'} :help[h] :shimmer[s]",
    "::leaf[x]{a=b}\n:::container\ninside\n:::",
    "$x$ and $$y$$",
    "a -> b, a <- b, a <-> b, a -- b, a >= b, a <= b, a ~= b",
    "https://evil.example/a?b=c#d http://x.y www.evil.example WWW.EVIL.EXAMPLE me@evil.example mailto:me@evil.example",
    "[a](b) ![a](b) [a]: http://b [^1] <http://b> [a][b]",
    "<script>alert(1)</script> <!-- c --> &lt; &#60; &amp;",
    "# h\n## h\nh\n===\nh\n---\n***",
    "- a\n* b\n+ c\n1. d\n2) e\n- [x] f",
    "> quoted\n>> twice",
    "    indented\n\tindented\n```python\ncode\n```\n~~~\ncode\n~~~",
    "|a|b|\n|-|-|\n|c|d|",
    "\\[a\\] \\\\ \\* trailing\\\nbreak",
    "two  spaces   three, and at the end  \nnext",
    "*a* **b** _c_ __d__ ~~e~~ `f` ``g``",
    "\u202eright to left\u202c, \x00, \x1b[31m",
    "naïve façade — “quoted” … 東京 🎉",
    "",
    "   ",
    "\n\n\n",
]


def plain(markdown: str) -> str:
    """What a reader sees, if the markdown holds nothing but the pieces that stand for plain text."""
    markdown = _NOTE.sub("", markdown)
    markdown = _APART.sub(r"\1", markdown)
    markdown = _HIGHLIGHT.sub(r"\1", markdown)
    rest = _REFERENCE.sub("", markdown).replace("\\\n", "\n")
    assert not set(rest) & set(string.punctuation), f"punctuation that markdown may read: {rest!r}"
    text = markdown.replace("\\\n", "\n").replace("\u00a0", " ")
    return _REFERENCE.sub(lambda match: chr(int(match[1])), text)


def folded(text: str) -> list[list[str]]:
    """Words by line; blank lines, which only part paragraphs, and the width of spaces are left out."""
    lines = (re.split(r"[ \t]+", line.strip(" \t")) for line in normalised_lines(text).split("\n"))
    return [words for words in lines if words != [""]]


@pytest.mark.parametrize("text", _TRICKY)
def test_markup_in_a_message_is_shown_as_it_was_typed(text: str) -> None:
    assert folded(plain(as_written(text))) == folded(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_is_shown_as_it_was_typed(text: str) -> None:
    assert folded(plain(as_written(text))) == folded(text.replace("\u00a0", " "))


@given(st.text(alphabet=" \n\t:-<>@~.w*_`$[](){}#+=|&;!\\/0aé", max_size=60))
def test_any_mixture_of_marks_is_shown_as_it_was_typed(text: str) -> None:
    assert folded(plain(as_written(text))) == folded(text)


@given(st.text(alphabet=":-<>@~.wW/*[] \na", min_size=2, max_size=40), st.data())
def test_a_highlight_changes_nothing_but_the_ground(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    markdown = as_written(text, [Highlight(start, end)])
    assert plain(markdown) == plain(as_written(text))


@pytest.mark.parametrize("alone", [":", "@", "<", ">", "~"])
def test_characters_that_later_passes_look_for_stand_apart(alone: str) -> None:
    assert as_written(f"a{alone}b") == f"a:color[&#{ord(alone)};]b"


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("one two three", 4, 7, "one :yellow-background[two] three"),
        ("one\ntwo", 0, 7, ":yellow-background[one]\\\n:yellow-background[two]"),
        ("one\n\ntwo", 0, 8, ":yellow-background[one]\n\n:yellow-background[two]"),
        ("a [b]", 2, 5, "a :yellow-background[&#91;b&#93;]"),
        ("a: b", 0, 4, ":yellow-background[a:color[&#58;] b]"),
    ],
)
def test_a_highlight_is_drawn_line_by_line(text: str, start: int, end: int, expected: str) -> None:
    assert as_written(text, [Highlight(start, end)]) == expected


def test_a_note_stands_behind_its_highlight_and_the_mark_that_closes_it() -> None:
    assert (
        as_written("a. b", [Highlight(0, 1, "need, pain")])
        == ":yellow-background[a]&#46; :small[:gray[←\u00a0need&#44; pain]] b"
    )


def test_a_text_on_one_line_has_no_line_end() -> None:
    assert on_one_line("one\n\n two\t three\r\n") == "one two three"
