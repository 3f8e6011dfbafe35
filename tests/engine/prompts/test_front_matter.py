"""The head of a prompt file: what is wrong is said with its line, and nothing in it can take much time or memory."""

from __future__ import annotations

import resource
import time

import pytest

from engine.errors import PromptError
from engine.prompts import read_prompt

BOMB = "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40))


def file(more: str = "", role: str = "model_role: fast\n") -> bytes:
    head = f"name: greeting\nversion: v1\ndescription: greets\n{role}variables:\n  who: whom to greet\n{more}"
    return f"---\n{head}---\n## user\nHello {{{{ who }}}}\n".encode()


def test_descriptions_of_the_reply_and_examples_are_read():
    head = read_prompt(file("reply:\n  Finding.value: ' what holds '\nexamples: [talks/c07/3]\n"), where="x").head
    assert head.reply == {"Finding.value": "what holds"}
    assert head.examples == ("talks/c07/3",)
    plain = read_prompt(file(), where="x").head
    assert (plain.reply, plain.examples) == ({}, ())


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("temperature: 9\n", "x, line 8: front matter, temperature: "),
        ("reply:\n  # first\n  budget: ''\n", "x, line 10: front matter, reply.budget: "),
        ("reply: [budget]\n", "x, line 8: front matter, reply: "),
        ("examples: [talks/c07]\n", "x, line 8: front matter, examples.0: "),
        ("examples: ['talks/two words/3']\n", "x, line 8: front matter, examples.0: "),
        ("colour: red\n", "x, line 8: front matter, colour: "),
        ("temperature: 1\ntemperature: 0\n", "x, line 9: front matter is not valid YAML: 'temperature' is given twice"),
        ("reply: &a {budget: x}\nmore: *a\n", "x, line 9: front matter is not valid YAML: references such as *name"),
        (BOMB, "references such as *name are not read"),
        ("reply: " + "[" * 9000 + "\n", "x"),
        ("temperature: " + "1:" * 9000 + "1\n", "x"),
        ("max_tokens: " + "9" * 9000 + "\n", "x"),
        ("# " + "x" * 30_000 + "\n", "x: the front matter has 30,"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_in_little_time_and_memory(more, problem):
    began, held = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PromptError) as caught:
        read_prompt(file(more), where="x")
    assert str(caught.value).startswith(problem) or problem in str(caught.value)
    assert time.process_time() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < 200_000  # kilobytes


def test_a_prompt_that_asks_for_no_reply_describes_none():
    woven = file("reply:\n  text: x\n", role="").replace(b"## user", b"## summary")
    with pytest.raises(PromptError, match="asks for no reply"):
        read_prompt(woven, where="x")
