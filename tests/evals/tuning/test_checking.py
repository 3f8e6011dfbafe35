"""What an editor says about the text of a prompt."""

from __future__ import annotations

import pytest

from engine.prompts import PromptLibrary, read_prompt
from evals.tuning.checking import check, errors, fields_of_reply
from tests.evals.tuning.prompt_files import question

SHIPPED = PromptLibrary()


def lined(text: str, part: str) -> int:
    """The line of `text` on which `part` first stands."""
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize("name", SHIPPED.names())
def test_nothing_is_wrong_with_the_shipped_prompts(name: str):
    assert check(SHIPPED.load(name).content, name) == ()


@pytest.mark.parametrize(
    ("name", "old", "new", "at", "message"),
    [
        ("question", "Under 45 words.", "{{ acount }}", "{{ acount }}", "unknown variable 'acount'"),
        ("question", "Under 45 words.", "{% if x %}", "{% if x %}", "Unexpected end of template"),
        ("question", "Under 45 words.", "{{ who.__class__ }}", "{{ who._", "attributes cannot be used"),
        (
            "question",
            "  account: the",
            "  foo: x\n  account: the",
            None,
            "'foo' is described in the front matter but never",
        ),
        ("question", "name: question", "name: chat", "name: chat", "this is the prompt 'chat'"),
        ("question", "temperature: 0.3", "temperature: hot", "temperature: hot", "temperature: Input should be"),
        (
            "question",
            "\n---\n##",
            "\nreply:\n  Foo.bar: x\n---\n##",
            "  Foo.bar: x",
            "the reply has no field 'Foo.bar'",
        ),
        ("question", "model_role: fast\n", "", None, "section"),
        ("question", "## user", "## usr", None, "section 'usr' is not a role"),
        ("context", "## summary", "## sumary", None, "a section '## summary', which is missing"),
        ("extraction", "## system", "## system\n" + "x" * 60_001, None, "60,"),
    ],
)
def test_an_error_is_shown_on_its_line(name: str, old: str, new: str, at: str | None, message: str):
    shipped = SHIPPED.load(name).content.decode()
    assert old in shipped
    text = shipped.replace(old, new, 1)
    found = errors(text, name)
    assert found
    assert message in found[0].message
    if at is not None:
        assert found[0].line == lined(text, at)


def test_variables_are_those_that_the_engine_offers_to_this_prompt():
    text = question("{{ seller }}").replace("variables:\n", "variables:\n  seller: who writes\n")
    (found,) = errors(text, "question")
    assert found.line == lined(text, "  seller: who")
    assert "'seller' is not available here; available are: account" in found.message
    assert check(text, "question", [*read_prompt(text.encode(), where="x").variables]) == ()


def test_a_prompt_that_never_shows_what_was_said_is_doubtful():
    text = (
        question()
        .replace("{{ transcript }}", "")
        .replace("  transcript: the last turns up to and including the latest message, one line per turn\n", "")
    )
    (found,) = check(text, "question")
    assert (found.severity, "does not see what was said" in found.message) == ("warning", True)
    assert errors(text, "question") == ()


@pytest.mark.parametrize(("text", "message"), [("", "front matter"), ("\ud800", "surrogate"), (b"\xff", "not UTF-8")])
def test_what_is_no_text_is_said(text, message: str):
    (found,) = check(text, "question")
    assert message in found.message


def test_an_unknown_name_is_said_with_those_there_are():
    assert (
        "there is no prompt 'qestion' in the engine; there are: extraction" in check(question(), "qestion")[0].message
    )


def test_the_schema_is_listed_with_the_prompt_s_own_words():
    text = question().replace("\n---\n##", "\nreply:\n  confidence: HOW SURE\n---\n##", 1)
    fields = {field.path: field for field in fields_of_reply(read_prompt(text.encode(), where="x"))}
    assert (fields["confidence"].description, fields["confidence"].overridden) == ("HOW SURE", True)
    assert (fields["topic"].type, fields["topic"].required, fields["topic"].overridden) == (
        "text or nothing",
        False,
        False,
    )
    assert fields_of_reply(SHIPPED.load("system")) == ()
