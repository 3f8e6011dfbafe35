"""Changing one thing in a prompt file leaves every other byte as it was."""

from __future__ import annotations

import pytest

from engine.errors import PromptError
from engine.prompts import read_prompt
from engine.prompts.rewriting import BOM, as_edited, line_of, with_list, with_version, without_version

HEAD = "# a note first\nname: greeting\n{version}\n# between\ndescription: greets   # and after\nmodel_role: fast\n"
FILE = "---\n" + HEAD + "variables:\n  who: whom\n---\n\n## user\nHello {{{{ who }}}}\nversion: v1 stays here\n"


def file(version: str = "version: v1  # why", text: str = FILE) -> bytes:
    return text.format(version=version).encode()


FORMS = {
    "plain": lambda content: content,
    "CRLF": lambda content: content.replace(b"\n", b"\r\n"),
    "mixed ends": lambda content: content.replace(b"\n", b"\r\n", 3),
    "marked": lambda content: BOM + content,
    "marked CRLF": lambda content: BOM + content.replace(b"\n", b"\r\n"),
    "no last end": lambda content: content.rstrip(b"\n"),
    "blank lines at the end": lambda content: content + b"\n\n  \n",
    "odd letters": lambda content: content.replace(b"whom", "wen — \u00e9".encode()),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("version: v1  # why", "version: v12  # why"),
        ("version:   v1", "version:   v12"),
        ("version: 'v1'", "version: 'v12'"),
        ('version: "v1" # why', 'version: "v12" # why'),
        ("version: 7", "version: v12"),
        ('"version": v1', '"version": v12'),
    ],
)
def test_only_the_version_changes(form, line, becomes):
    before, after = FORMS[form](file(line)), FORMS[form](file(becomes))
    assert with_version(before, "v12") == after
    assert read_prompt(after, where="x").version == "v12"
    if line != "version: 7":
        assert with_version(after, "v1") == before
    assert without_version(before) == without_version(after)


@pytest.mark.parametrize(("version", "written"), [("2", '"2"'), ("1.0", '"1.0"'), ("1e3", "1e3"), ("null", '"null"')])
def test_a_version_that_would_be_read_as_something_else_is_quoted(version, written):
    changed = with_version(file(), version)
    assert f"version: {written}".encode() in changed
    assert read_prompt(changed, where="x").version == version


def test_a_file_without_a_version_line_cannot_be_given_one():
    with pytest.raises(PromptError, match="no line `version"):
        with_version(b"---\nname: x\n---\n## user\nversion: v1", "v2")


@pytest.mark.parametrize("form", FORMS)
def test_what_an_editor_made_of_line_ends_is_undone(form):
    original = FORMS[form](file())
    seen = original.decode("utf-8-sig").replace("\r\n", "\n")
    assert as_edited(seen, original) == original
    edited = as_edited(seen.replace("Hello", "Good day"), original)
    assert edited == original.replace(b"Hello", b"Good day")


def test_a_new_line_ends_as_the_one_before_it():
    original = b"---\r\nname: x\r\n---\r\n## user\nHello\nBye"
    edited = as_edited("---\nname: x\nnew: y\n---\n## user\nHello\nthere\nBye", original)
    assert edited == b"---\r\nname: x\r\nnew: y\r\n---\r\n## user\nHello\nthere\nBye"


@pytest.mark.parametrize(("text", "original"), [("a\r\nb\n", b"a\nb\n"), ("a\nb", None), ("a\nb\n", b"x\ny\n")])
def test_a_text_with_ends_of_its_own_or_nothing_to_go_by_stays(text, original):
    assert as_edited(text, original) == text.encode()


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(PromptError, match="surrogate"):
        as_edited("a\ud800", None)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: x\n", "name: x\nexamples: [a/b/1, a/c/2]\n"),
        ("examples: []  # none yet\nname: x\n", "examples: [a/b/1, a/c/2]  # none yet\nname: x\n"),
        ("examples: [q/r/3]\nname: x\n", "examples: [a/b/1, a/c/2]\nname: x\n"),
        (
            "examples:\n  - q/r/3\n  - q/r/4  # last\n# note\nname: x\n",
            "examples:\n  [a/b/1, a/c/2]  # last\n# note\nname: x\n",
        ),
    ],
)
def test_a_list_is_put_in_the_front_matter_in_place(before, after):
    body = "---\n## user\nexamples: []\n"
    assert with_list(f"---\n{before}{body}".encode(), "examples", ["a/b/1", "a/c/2"]) == f"---\n{after}{body}".encode()
    crlf = [f"---\n{text}{body}".replace("\n", "\r\n").encode() for text in (before, after)]
    assert with_list(crlf[0], "examples", ["a/b/1", "a/c/2"]) == crlf[1]


@pytest.mark.parametrize(
    ("keys", "line"), [(("name",), 3), (("variables", "who"), 9), (("variables", "nobody"), None), (("who",), None)]
)
@pytest.mark.parametrize("form", ["plain", "CRLF", "marked"])
def test_a_key_is_found_with_its_line(keys, line, form):
    assert line_of(FORMS[form](file()), *keys) == line
