from __future__ import annotations

import os

import pytest

from engine.errors import ConfigurationError, InputError, PromptError
from evals.records import Variant
from workbench.services import Services, build_services
from workbench.settings import Secret, Settings
from workbench.text import UnknownNameError


@pytest.fixture
def services(tmp_path) -> Services:
    return Services(Settings(home=tmp_path / "home"), tmp_path / "shipped")


def test_building_services_makes_and_opens_nothing(tmp_path):
    build_services(Settings(home=tmp_path / "home"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "a/b"])
def test_a_home_that_is_a_file_or_below_one_is_refused(tmp_path, below):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="QBS_HOME"):
        build_services(Settings(home=tmp_path / "file" / below))


def test_the_shipped_data_set_of_a_name_comes_before_one_s_own(services, tmp_path):
    for root in (services.shipped, services.conversations_folder):
        (root / "talks").mkdir(parents=True)
        (root / "talks" / "conversations.jsonl").touch()
    assert services.dataset_folders() == {"talks": services.shipped / "talks"}
    with pytest.raises(InputError, match="comes with the project"):
        services.check_own_name("talks")


def test_an_unknown_data_set_or_run_is_named(services):
    with pytest.raises(UnknownNameError, match="data set"):
        services.dataset("talks")
    with pytest.raises(UnknownNameError, match="run"):
        services.run("latest")


def test_what_the_env_file_says_for_providers_reaches_them_and_never_overrides_the_environment(
    services, tmp_path, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "from the environment")
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    told = Settings(home=tmp_path, providers={"OPENAI_API_KEY": "from the file", "MISTRAL_API_KEY": "from the file"})
    Services(told, tmp_path).model_service()
    assert os.environ["OPENAI_API_KEY"] == "from the environment"
    assert os.environ.pop("MISTRAL_API_KEY") == "from the file"


def test_a_recorded_variant_never_asks_anybody_whatever_the_settings_say(services):
    from engine.llm.recordings import RecordingMode

    service = services.model_service_for(Variant(name="recorded", reasoning_model="a", fast_model="b"))
    assert service._mode is RecordingMode.RECORDED


def test_a_variant_without_models_is_no_analyzer(services):
    with pytest.raises(ConfigurationError, match="names no models"):
        services.analyzer_for(Variant(name="labels"), services.model_service())


def test_the_key_is_nowhere_in_what_services_show_of_themselves(tmp_path):
    services = Services(Settings(home=tmp_path, api_key=Secret("sk-canary")), tmp_path)
    assert "sk-canary" not in repr(services)


def test_a_variant_is_answered_with_the_prompts_that_it_names(services):
    shipped = services.prompts().load("question")
    text = shipped.content.decode().replace("Under 45 words.", "Under 40 words.")
    saved = services.prompt_workspace().save("question", text, parent="question", author="Ada")
    variant = Variant(name="llm:m", reasoning_model="m", fast_model="m", prompts={"question": saved.hash})
    assert services.prompts_of(variant).load("question").ref == saved.ref
    assert services.prompts_of(variant.model_copy(update={"prompts": {}})).load("question").ref == shipped.ref
    assert services.prompts("question@v2").load("question").ref == saved.ref
    assert services.prompts("shipped").load("question").ref == shipped.ref
    assert services.prompts().find(saved.ref).version == "v2"
    with pytest.raises(UnknownNameError, match="there is no prompt set 'brief'; there is shipped"):
        services.prompts("brief")
    with pytest.raises(PromptError, match="no version of the prompt 'question' has the content"):
        services.prompts_of(variant.model_copy(update={"prompts": {"question": "0" * 64}}))


def test_a_variant_says_which_turns_its_prompts_show(services):
    shipped = services.prompts().load("question")
    text = shipped.content.decode().replace("\n---\n##", "\nexamples: [talks/c07/3]\n---\n##", 1)
    services.prompt_workspace().save("question", text, parent="question", author="Ada")
    dataset = Services(services.settings).dataset("b2b_discovery")
    assert services.variant("llm:m", dataset).examples == ()
    assert services.variant("llm:m", dataset, services.prompts("question@v2")).examples == ("talks/c07/3",)
    assert services.variant("rules", dataset, services.prompts("question@v2")).examples == ()
