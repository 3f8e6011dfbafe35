"""Prompts and labelled turns for other tools, and texts from elsewhere as prompts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from jinja2 import Environment, StrictUndefined

from engine.errors import PromptError
from engine.llm.reply import schema_of
from engine.prompts import ANALYSIS_PROMPTS, PromptLibrary, PromptSet, read_prompt
from engine.replies import reply_of
from evals.library import Dataset, load_dataset
from evals.tuning.cases import Cases, cases_of
from evals.tuning.checking import check
from evals.tuning.langfuse import langfuse_bodies
from evals.tuning.promptfoo import nunjucks, promptfoo_file, provider_of
from evals.tuning.text_import import imported
from tests.evals.tuning.prompt_files import question
from tests.evals.values import conversation, label, labels_of, write_lines

SHIPPED = PromptSet.of(PromptLibrary())


def dataset(folder: Path, account: str = "Acme", people: tuple[str, ...] = ()) -> Dataset:
    talks = [conversation("alpha", 3, account=account), conversation("beta", 2), conversation("gamma", 1)]
    labels = [own for talk in talks[:2] for own in labels_of(talk).values()]
    mentioned = [{"mention": name, "quote": "Ines Faro"} for name in people]
    labels[2] = label(5, "alpha", people=mentioned, question_types=["impact", "solution"], dimensions=[])
    write_lines(folder / "conversations.jsonl", *talks)
    write_lines(folder / "labels.jsonl", *labels)
    return load_dataset(folder)


async def made(of: Dataset, prompts: PromptSet = SHIPPED) -> Cases:
    return await cases_of(of, of.conversations, prompts)


async def test_a_case_says_what_a_prompt_is_told_and_what_is_right(tmp_path: Path):
    toys = dataset(tmp_path / "toys", people=("Ines Faro",))
    cases = await made(toys)
    assert cases.unlabelled == ("gamma",)
    assert [case.turn for case in cases.of("question")] == [1, 3, 5, 1, 3]
    first, *_, last = (case for case in cases.of("extraction") if case.conversation_id == "alpha")
    assert (first.place, first.expected) == ("toys/alpha/1", {"said": ["pain"]})
    assert last.expected == {"said": []}
    asked = cases.of("question")[2]
    assert set(asked.variables) == set(SHIPPED.prompt("question").variables)
    assert "pain 1" in str(asked.variables["pain_topics"])
    assert asked.expected == {
        "engagement_signal": "factual", "pain_depth": "surface", "question_types": ["impact", "solution"],
    }  # fmt: skip
    assert cases.of("expansion")[2].expected == {"people": ["Ines Faro"]}


async def test_conversations_that_a_prompt_shows_give_no_case(tmp_path: Path):
    told = question().replace("\n---\n##", "\nexamples: [toys/alpha/3]\n---\n##", 1)
    prompts = SHIPPED.with_prompts(read_prompt(told.encode(), where="x"))
    cases = await made(dataset(tmp_path / "toys"), prompts)
    assert cases.shown == ("alpha",)
    assert {case.conversation_id for case in cases.cases} == {"beta"}


@pytest.mark.parametrize("name", ANALYSIS_PROMPTS)
async def test_promptfoo_renders_the_messages_that_the_engine_sends(tmp_path: Path, name: str):
    cases = (await made(dataset(tmp_path / "toys", people=("Ines Faro",)))).of(name)
    prompt = SHIPPED.prompt(name)
    found = promptfoo_file(prompt, cases, model="openai/gpt-x")
    config = yaml.safe_load(found.text)
    assert found.text.startswith("# yaml-language-server: $schema=https://promptfoo.dev/config-schema.json\n")
    assert set(config) == {"description", "prompts", "providers", "tests"}
    assert (found.cases, len(config["tests"]), found.left_out) == (5, 5, ())
    plain = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # trims nothing, as Nunjucks
    for test, case in zip(config["tests"], cases, strict=True):
        messages = json.loads(config["prompts"][0]["raw"])
        rendered = [{**own, "content": plain.from_string(own["content"]).render(test["vars"])} for own in messages]
        assert rendered == list(prompt.render(**case.variables))
    (provider,) = config["providers"]
    assert provider["id"] == "openai:chat:gpt-x"
    assert provider["config"]["tools"][0]["function"] == schema_of(reply_of(name))
    assert provider["config"]["temperature"] == prompt.head.temperature


async def test_promptfoo_checks_an_answer_by_its_label(tmp_path: Path):
    cases = await made(dataset(tmp_path / "toys", people=('Ines "Inky" Faro',)))
    conditions = {}
    for name in ANALYSIS_PROMPTS:
        test = yaml.safe_load(promptfoo_file(SHIPPED.prompt(name), cases.of(name), model="m").text)["tests"][2]
        assert {own["type"] for own in test["assert"]} <= {"javascript"}
        conditions[name] = {own["metric"]: own["value"].rpartition("return ")[2] for own in test["assert"]}
    assert conditions["extraction"] == {}
    assert conditions["question"] == {
        "engagement_signal": 'reply.engagement_signal === "factual";',
        "pain_depth": 'reply.pain_depth === "surface";',
        "question_type": '["impact", "solution"].includes(reply.question_type);',
    }
    assert r'includes("ines \"inky\" faro")' in conditions["expansion"]["people"]


@pytest.mark.parametrize("account", ["file:///etc/passwd", "package:x", "{{ env.KEY }}", "{% raw %}", "{#"])
async def test_what_promptfoo_would_run_or_load_is_left_out(tmp_path: Path, account: str):
    cases = (await made(dataset(tmp_path / "toys", account=account))).of("question")
    found = promptfoo_file(SHIPPED.prompt("question"), cases, model="m")
    assert found.left_out == ("toys/alpha/1", "toys/alpha/3", "toys/alpha/5")
    assert found.cases == 2
    assert account not in found.text.replace(json.dumps(SHIPPED.prompt("question").sections["system"].source), "")


def test_a_woven_prompt_cannot_be_asked_by_itself():
    with pytest.raises(PromptError, match="woven into other prompts"):
        promptfoo_file(SHIPPED.prompt("system"), (), model="m")


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-x", "openai:chat:gpt-x"),
        ("openai/gpt-x", "openai:chat:gpt-x"),
        ("mistral/large", "mistral:large"),
        ("openrouter/maker/model", "openrouter:maker:model"),
    ],
)
def test_models_are_named_as_promptfoo_does(model: str, provider: str):
    assert provider_of(model) == provider


def test_white_space_around_blocks_is_taken_out():
    assert nunjucks("a\n  {% if x %}\nb\n{% endif %}\n{{ c }}\n") == "a\n{% if x %}b\n{% endif %}{{ c }}\n"


async def test_langfuse_gets_bodies_that_its_api_takes(tmp_path: Path):
    cases = await made(dataset(tmp_path / "toys"))
    bodies = json.loads(json.dumps(langfuse_bodies(SHIPPED, cases.cases, note="first")))
    prompts = {own["name"]: own for own in bodies["prompts"]}
    assert set(prompts) == set(SHIPPED.prompts)
    assert prompts["question"]["type"] == "chat"
    assert [own["role"] for own in prompts["question"]["prompt"]] == ["system", "user"]
    assert prompts["question"]["config"]["hash"] == SHIPPED.prompt("question").hash
    assert prompts["question"]["config"]["reply"]["name"] == "QuestionRecommendation"
    assert (prompts["system"]["type"], "## rules" in prompts["system"]["prompt"]) == ("text", True)
    assert all(own["commitMessage"] == "first" for own in prompts.values())
    assert [own["name"] for own in bodies["datasets"]] == [f"toys/{name}" for name in ANALYSIS_PROMPTS]
    assert len(bodies["items"]) == len({own["id"] for own in bodies["items"]}) == 15
    assert set(bodies["items"][0]) == {"datasetName", "id", "input", "expectedOutput", "metadata"}


# Texts from elsewhere


def taken(text: str, *, jinja: bool, base: str = "question"):
    content = imported(text, SHIPPED.prompt(base), where="notes/from-me.txt", jinja=jinja)
    assert check(content, base) == ()
    return read_prompt(content, where=base)


@pytest.mark.parametrize(
    "text",
    ["You are terse.", "a {{ b }} {% c %} {# d #}", "## steps\n## one.two\n### three\n## Four", "x\r\ny", "\ufeffx"],
)
def test_a_plain_text_is_the_system_message_word_for_word(text: str):
    found = taken(text, jinja=False)
    assert found.sections["system"].render({}) == text.removeprefix("\ufeff").replace("\r\n", "\n")
    assert found.sections["user"].source == SHIPPED.prompt("question").sections["user"].source
    assert (found.head.model_role, found.head.max_tokens) == ("fast", 512)
    assert found.head.description == "imported from from-me.txt"


def test_a_template_that_shows_the_transcript_is_the_whole_request():
    found = taken("For {{ account }}:\n{% if channel == 'chat' %}briefly{% endif %}\n{{ transcript }}", jinja=True)
    assert tuple(found.sections) == ("user",)
    assert set(found.variables) == {"account", "channel", "transcript"}


def test_headings_divide_a_text():
    found = taken("before\n## user\n{{ transcript }}\n## assistant\nWell:", jinja=True)
    assert tuple(found.sections) == ("system", "user", "assistant")
    assert tuple(taken("## user\n{{ transcript }}", jinja=True).sections) == ("user",)


@pytest.mark.parametrize(
    ("text", "base", "problem"),
    [
        ("a\nb {{ who }}", "question", "from-me.txt, line 2: 'who' is not available here; available are: account"),
        ("a\n{% for x in y %}{% endfor %}", "question", "from-me.txt, line 2: loops cannot be used"),
        ("a\n\n{{ x | upper }}", "question", "from-me.txt, line 3: filters cannot be used"),
        (" \n", "question", "the text is empty"),
        ("x", "system", "woven into other prompts; import what is sent to a model: extraction"),
    ],
)
def test_what_no_prompt_can_hold_is_said_with_its_line(text: str, base: str, problem: str):
    with pytest.raises(PromptError, match=re.escape(problem)):
        imported(text, SHIPPED.prompt(base), where="notes/from-me.txt", jinja=True)
