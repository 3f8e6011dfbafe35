"""A template prints variables and chooses; everything else is refused when it is read."""

from __future__ import annotations

import contextlib
import resource
import time

import pytest

from engine.errors import PromptError
from engine.prompts.template import MAX_RENDERED_CHARACTERS, MAX_TEMPLATE_CHARACTERS, StrictTemplate, literally


def template(text: str, line: int = 1) -> StrictTemplate:
    return StrictTemplate(text, where="greeting/v1.md", line=line)


@pytest.mark.parametrize(
    ("text", "variables", "rendered"),
    [
        ("Hello {{ who }}", {"who": "Ida"}, "Hello Ida"),
        ("{{ who or 'nobody' }}", {"who": ""}, "nobody"),
        ("{% if n > 2 and not off %}many{% else %}few{% endif %}", {"n": 3, "off": False}, "many"),
        ("{% if stage == 'lost' %}a{% elif stage == 'won' %}b{% endif %}", {"stage": "won"}, "b"),
        ("a\n{% if who %}\nb\n{% endif %}\nc", {"who": "x"}, "a\nb\nc"),
        ("{{ 'early' if n < 3 else 'late' }}", {"n": 1}, "early"),
        ("{# a note to the next designer #}Hello", {}, "Hello"),
    ],
)
def test_variables_and_conditions_are_filled_in(text: str, variables: dict[str, object], rendered: str) -> None:
    assert template(text).render(variables) == rendered


@pytest.mark.parametrize("said", ["{{ secret }}", "{% if 1 %}", "{{ 7 * 7 }}", "## system", "<system>", "{# x #}"])
def test_what_a_variable_holds_is_never_read_as_a_template(said: str) -> None:
    assert template("They said: {{ text }}").render({"text": said}) == f"They said: {said}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{% for x in who %}{{ x }}{% endfor %}", "loops"),
        ("{{ range(1000000000) }}", "calls"),
        ("{{ who.upper() }}", "calls"),
        ("{{ who.__class__ }}", "attributes"),
        ("{{ who['__class__'] }}", "items"),
        ("{{ who | upper }}", "filters"),
        ("{% filter upper %}x{% endfilter %}", "filters"),
        ("{{ who is defined }}", "tests"),
        ("{{ 'a' * 100000000 }}", "arithmetic"),
        ("{{ 9 ** 9 ** 9 }}", "arithmetic"),
        ("{% set who = 'x' %}", "assignments"),
        ("{% include 'system/v1.md' %}", "includes"),
        ("{% macro m() %}{% endmacro %}", "macros"),
        ("{% block b %}{% endblock %}", "anything else"),
        ("{{ [who] }}", "anything else"),
        ("{{ who ~ who }}", "anything else"),
    ],
)
def test_anything_but_variables_and_conditions_is_refused_by_line(text: str, what: str) -> None:
    with pytest.raises(PromptError, match=f"greeting/v1.md, line 12: {what} cannot be used"):
        template(f"first\n\n{text}", line=10)


@pytest.mark.parametrize("text", ["{{ who", "{% if who %}", "{{ }}", "{% endif %}", "{% nonsense %}"])
def test_a_mistake_in_the_syntax_names_its_line(text: str) -> None:
    with pytest.raises(PromptError, match=r"greeting/v1.md, line 4: "):
        template(text, line=4)


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "(" * 5000 + "who" + ")" * 5000 + " }}",
        "{% if who %}" * 2000 + "x" + "{% endif %}" * 2000,
        "{{ " + "not " * 5000 + "who }}",
    ],
)
def test_deep_nesting_is_refused_and_breaks_nothing(text: str) -> None:
    with pytest.raises(PromptError, match="nested too deeply"):
        template(text)


def test_a_template_that_is_too_long_is_refused() -> None:
    with pytest.raises(PromptError, match="at most 60,000"):
        template("x" * (MAX_TEMPLATE_CHARACTERS + 1))


def test_output_that_grows_too_long_is_refused_while_it_grows() -> None:
    often = template("{{ text }}" * 5000)
    assert len(often.render({"text": "x" * 100})) == MAX_RENDERED_CHARACTERS
    with pytest.raises(PromptError, match="exceeds 500,000 characters"):
        often.render({"text": "x" * 1_000_000})


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(PromptError, match="'who' is undefined"):
        template("Hello {{ who }}").render({})


def test_a_text_compared_with_a_number_is_an_error_of_the_prompt() -> None:
    with pytest.raises(PromptError, match=r"^greeting/v1"):
        template("{% if who > 3 %}x{% endif %}").render({"who": "Ida"})


def test_variables_are_known_with_the_line_of_their_first_use() -> None:
    found = template("a\n{{ who }}\n{% if late %}{{ who }}{% endif %}", line=5).variables
    assert found == {"late": 7, "who": 6}


@pytest.mark.parametrize("number", ["9" * 50_000, "0x" + "f" * 50_000])
def test_a_number_of_thousands_of_digits_is_refused(number: str) -> None:
    with pytest.raises(PromptError, match="line 3: a number in the text is too long"):
        template("{{ " + number + " }}", line=3)


@pytest.mark.parametrize(
    "text",
    [
        "{% if a %}x" + "{% elif a %}y" * 4500 + "{% endif %}",
        "{{ a" + " == a" * 9000 + " }}",
        "{{ " + "a and " * 9000 + "a }}",
        "{%" * 29_000,
        "{{-" * 19_000,
        "{{ " + "[" * 25_000 + "]" * 25_000 + " }}",
        " " * 59_000 + "{% if a %}",
    ],
)
def test_whatever_fits_into_a_prompt_is_read_and_rendered_in_bounded_time_and_memory(text: str) -> None:
    began, held = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rendered = ""
    with contextlib.suppress(PromptError):
        rendered = template(text).render({"a": "x" * 10_000})
    assert len(rendered) <= MAX_RENDERED_CHARACTERS
    assert time.process_time() - began < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < 300_000  # kilobytes


@pytest.mark.parametrize(
    "said", ["{{ 7 }}", "{{{ x", "{%raw%}", "{#", "{", "}}", "{{{{%", 'a "quoted" {{"{"}}', "plain"]
)
def test_text_can_be_put_into_a_template_literally(said: str) -> None:
    assert template(f"before {literally(said)} after").render({}) == f"before {said} after"
