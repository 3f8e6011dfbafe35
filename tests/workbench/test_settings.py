from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ConfigurationError
from workbench.settings import Secret, Settings, explain, load_settings, read_settings, setting_fields

NO_FILE = Path("there-is-no-such-file")


def test_with_nothing_given_everything_has_its_default_and_home_is_a_folder_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings({})
    assert settings.home == tmp_path / ".qbs"
    assert (settings.deadline_seconds, settings.concurrency, settings.recording_mode) == (8.0, 8, "reuse")
    assert {row.origin for row in explain(settings)} == {"default"}


def test_the_environment_wins_over_the_file_and_each_value_says_where_it_came_from(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("QBS_CONCURRENCY=3\nexport QBS_FAST_MODEL='openai/small'  # quick\n")
    settings = load_settings({"QBS_CONCURRENCY": "5"}, env_file)
    assert (settings.concurrency, settings.fast_model) == (5, "openai/small")
    assert settings.origins == {"QBS_CONCURRENCY": "environment", "QBS_FAST_MODEL": str(env_file)}


def test_an_empty_variable_in_the_environment_switches_off_what_the_file_says(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("QBS_FAST_MODEL=openai/small\n")
    assert load_settings({"QBS_FAST_MODEL": ""}, env_file).fast_model is None


def test_values_of_the_file_are_taken_as_they_stand(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME_OF_NOBODY", "expanded")
    env_file = tmp_path / ".env"
    env_file.write_text("QBS_API_KEY=a$b${HOME_OF_NOBODY}\n")
    assert load_settings({}, env_file).api_key == Secret("a$b${HOME_OF_NOBODY}")


def test_what_else_the_file_says_is_kept_for_the_providers_and_never_shown(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("OPENAI_API_KEY=sk-canary\n")
    settings = load_settings({}, env_file)
    assert settings.providers == {"OPENAI_API_KEY": "sk-canary"}
    assert "sk-canary" not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("QBS_CONCURRENCY", "many", "whole number"),
        ("QBS_CONCURRENCY", "0", "whole number"),
        ("QBS_CONCURRENCY", "2.5", "whole number"),
        ("QBS_DEADLINE_SECONDS", "-1", "above 0"),
        ("QBS_DEADLINE_SECONDS", "nan", "above 0"),
        ("QBS_DEADLINE_SECONDS", "inf", "above 0"),
        ("QBS_MAX_COST_USD", "2,50", "above 0"),
        ("QBS_EXPLORATION", "0.6", "share from 0 to 0.5"),
        ("QBS_EXPLORATION", "-0.1", "share from 0 to 0.5"),
        ("QBS_EXPLORATION", "nan", "share from 0 to 0.5"),
        ("QBS_RECORDING_MODE", "sometimes", "live, reuse, recorded"),
        ("QBS_LOG_LEVEL", "loud", "debug, info, warning, error"),
        ("QBS_API_BASE", "localhost:8600", "http://"),
    ],
)
def test_an_unusable_value_is_named_with_its_variable_and_an_example(variable, value, complaint):
    with pytest.raises(ConfigurationError) as caught:
        load_settings({variable: value}, NO_FILE)
    assert variable in str(caught.value)
    assert repr(value) in str(caught.value)
    assert complaint in str(caught.value)
    assert setting_fields()[variable].metadata["example"] in str(caught.value)


def test_all_unusable_values_are_named_at_once_and_defaults_stand_in_for_them():
    settings, problems = read_settings({"QBS_CONCURRENCY": "x", "QBS_MAX_CALLS": "y", "QBS_LOG_LEVEL": "info"}, NO_FILE)
    assert [problem.split()[0] for problem in problems] == ["QBS_CONCURRENCY", "QBS_MAX_CALLS"]
    assert (settings.concurrency, settings.max_calls, settings.log_level) == (8, None, "info")


def test_unknown_variables_with_our_prefix_are_kept_as_probable_typing_errors():
    assert load_settings({"QBS_CONCURENCY": "4", "PATH": "/bin"}, NO_FILE).unknown == ("QBS_CONCURENCY",)


def test_a_secret_is_not_shown_in_any_form():
    settings = load_settings({"QBS_API_KEY": "sk-canary"}, NO_FILE)
    assert settings.api_key is not None
    assert settings.api_key.reveal() == "sk-canary"
    shown = f"{settings!r} {settings.api_key} {settings.api_key!r} {explain(settings)}"
    assert "sk-canary" not in shown


@pytest.mark.parametrize(
    ("variable", "field"),
    [
        ("QBS_DATABASE_URL", "database_url"),
        ("QBS_DATABASE_OWNER_URL", "database_owner_url"),
        ("QBS_DATABASE_MAINTENANCE_URL", "database_maintenance_url"),
    ],
)
def test_the_address_of_a_database_is_shown_without_its_password(variable, field):
    settings = load_settings({variable: "postgresql://ann:canary@db.example.com:5433/state"}, NO_FILE)
    url = getattr(settings, field)
    assert url.reveal() == "postgresql://ann:canary@db.example.com:5433/state"
    assert str(url) == "ann@db.example.com:5433/state"
    assert "canary" not in f"{settings!r} {url!r} {explain(settings)}"


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("mysql://ann:canary@db/state", "begins with postgresql://"),
        ("db.example.com canary", "begins with postgresql://"),
        ("postgresql://ann:can%ary@db/state", "%25"),
        ("postgresql://ann:12canary/34@db/state", "%2F"),
        ("postgresql://ann:1/canary@db/state", "%2F"),
        ("postgresql://ann:canary@[db/state", "cannot be read"),
        ("postgresql://ann@db/state?password=canary&sll=1", "cannot be read"),
    ],
)
def test_an_address_that_is_not_a_databases_is_refused_and_not_shown(value, complaint):
    _, (problem,) = read_settings({"QBS_DATABASE_URL": value}, NO_FILE)
    assert complaint in problem
    assert "canary" not in problem
    assert "can%ary" not in problem
    assert problem.startswith("QBS_DATABASE_URL (from environment): what is given ")


def test_a_file_that_is_no_text_is_named(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_bytes(b"QBS_HOME=\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=r"\.env cannot be read"):
        load_settings({}, env_file)


def test_a_folder_called_like_the_file_is_ignored(tmp_path):
    (tmp_path / ".env").mkdir()
    assert load_settings({}, tmp_path / ".env").fast_model is None


def test_every_example_is_itself_a_usable_value():
    environ = {variable: f.metadata["example"] for variable, f in setting_fields().items()}
    settings = load_settings(environ, NO_FILE)
    assert set(settings.origins) == set(environ)


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        Settings().concurrency = 3  # type: ignore[misc]


def test_the_reference_explains_every_setting_with_the_words_of_the_program():
    reference = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    for row in explain(load_settings({}, NO_FILE)):
        assert f"| `{row.variable}` | {row.meaning}" in reference
