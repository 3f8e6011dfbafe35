from __future__ import annotations

import pytest

from engine.errors import ConfigurationError, InputError
from workbench.settings import Settings
from workbench.text import UnknownNameError
from workbench.variants import CHOICES, MEANINGS, variant_named

PROMPTS = {"extraction": "abc"}
CONFIGURED = Settings(reasoning_model="openai/big", fast_model="openai/small")


@pytest.mark.parametrize(
    ("text", "settings", "name", "models"),
    [
        ("rules", Settings(), "rules", (None, None)),
        ("labels", Settings(), "labels", (None, None)),
        ("llm:openai/x", Settings(), "llm:openai/x", ("openai/x", "openai/x")),
        ("llm:openai/x:free", Settings(), "llm:openai/x:free", ("openai/x:free", "openai/x:free")),
        ("llm:openai/x+openai/y", Settings(), "llm:openai/x+openai/y", ("openai/x", "openai/y")),
        ("llm", CONFIGURED, "llm:openai/big+openai/small", ("openai/big", "openai/small")),
        ("llm", Settings(fast_model="openai/small"), "llm:openai/small", ("openai/small", "openai/small")),
        ("recorded", CONFIGURED, "recorded", ("openai/big", "openai/small")),
    ],
)
def test_a_variant_is_named_and_knows_its_models(tmp_path, text, settings, name, models):
    variant = variant_named(text, settings, PROMPTS, tmp_path / "recordings")
    assert variant.name == name
    assert (variant.reasoning_model, variant.fast_model) == models
    assert variant.prompts == ({} if name in ("rules", "labels") else PROMPTS)


def test_recordings_say_whose_answers_they_are_whatever_is_configured(tmp_path):
    (tmp_path / "MANIFEST.json").write_text('{"models": {"reasoning": "a", "fast": "b"}}')
    variant = variant_named("recorded", CONFIGURED, PROMPTS, tmp_path)
    assert (variant.reasoning_model, variant.fast_model) == ("a", "b")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"models": null}', '{"models": {"fast": "b"}}'])
def test_recordings_that_do_not_say_so_are_refused_by_file(tmp_path, content):
    (tmp_path / "MANIFEST.json").write_text(content)
    with pytest.raises(InputError, match=r"MANIFEST\.json"):
        variant_named("recorded", CONFIGURED, PROMPTS, tmp_path)


@pytest.mark.parametrize("text", ["llm", "recorded"])
def test_without_any_model_it_says_which_setting_is_missing(tmp_path, text):
    with pytest.raises(ConfigurationError, match="QBS_REASONING_MODEL"):
        variant_named(text, Settings(), PROMPTS, tmp_path)


@pytest.mark.parametrize("text", ["", "llm:", "LLM:x", "model", "llm:+y", "llm:x+", "llm:a+b+c"])
def test_an_unknown_variant_lists_the_choices(tmp_path, text):
    with pytest.raises(UnknownNameError) as caught:
        variant_named(text, Settings(), PROMPTS, tmp_path)
    assert "rules" in str(caught.value) or "llm" in str(caught.value)


def test_every_choice_is_explained():
    assert set(MEANINGS) == set(CHOICES)
