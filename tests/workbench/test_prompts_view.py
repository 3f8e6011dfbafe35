"""The Prompts page without a browser: what it shows, checks, saves and follows, and what it says without data."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.prompts import PromptLibrary
from engine.releases import Release, Stage
from engine.state.tenants import EVERYBODY
from evals.tuning.promotion_runs import NamedSet
from evals.tuning.versions import PromptWorkspace
from tests.evals.tuning.searching import talks_with_labels
from tests.workbench.pages import open_page, text
from tests.workbench.prepared import DATASET, HOSTILE, prepare
from workbench import promoting
from workbench.promoting import Standing, Weighed
from workbench.services import Services
from workbench.settings import Settings
from workbench.views import prompts_reading, prompts_releasing, reading


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty QBS_HOME, and none of the data sets that come with the project."""
    services = Services(Settings(home=tmp_path), shipped=tmp_path / "none")
    monkeypatch.setattr(reading, "build_services", lambda: services)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, ...]]:
    """A home with finished runs by rules and of recorded answers, and their ids; to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    runs = prepare(folder)
    Services(Settings(home=folder)).run_index().refresh()
    return folder, runs


@pytest.fixture
def runs(home: Path, prepared: tuple[Path, tuple[str, ...]]) -> tuple[str, ...]:
    """The prepared runs, in a home of their own."""
    shutil.copytree(prepared[0], home, dirs_exist_ok=True)
    return prepared[1]


def prompts_page(**query: str) -> AppTest:
    return open_page("prompts", **query)


def address(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in dict(app.query_params).items()}


def button(app: AppTest, label: str):
    return next(item for item in app.button if item.label == label)


def write(app: AppTest, before: str, after: str) -> AppTest:
    """Change the text in the editor."""
    return app.text_area[0].set_value(app.text_area[0].value.replace(before, after, 1)).run()


def save(home: Path, instruction: str, *, label: str | None = None) -> str:
    """A version of the question prompt that begins with an instruction; its short hash."""
    workspace = PromptWorkspace(home / "prompts")
    shipped = workspace.shipped.prompt("question")
    content = shipped.content.decode().replace("## system\n", f"## system\n{instruction}\n")
    saved = workspace.save("question", content, parent="question", author="ines", note=f"adds {instruction}")
    if label is not None:
        workspace.save_set([saved.ref], author="ines", label=label)
    return saved.hash[:8]


def test_without_conversations_it_says_what_to_do(home: Path):
    assert "There are no conversations yet" in text(prompts_page())


def test_without_a_run_the_text_is_edited_and_rendered_and_a_run_is_offered(home: Path):
    talks_with_labels(home / "conversations" / "talks", 2)
    app = prompts_page()
    shown = text(app)
    assert "A prompt is tried on turns that a run has answered" in shown
    assert "as before anything was said" in shown
    assert "In plant 0 part 1 of the line stops" in shown
    assert "Replay talks by rules" in [item.label for item in app.button]


def test_it_begins_with_the_shipped_question_prompt_on_what_a_model_answered(runs: tuple[str, ...]):
    app = prompts_page()
    at = address(app)
    assert (at["prompt"], at["dataset"], at["run"], at["tab"]) == ("question", DATASET, runs[1], "write")
    assert app.text_area[0].value == PromptLibrary().load("question").content.decode()
    assert "comes with the project" in text(app)


def test_a_link_opens_the_prompt_the_version_and_the_turn(runs: tuple[str, ...], home: Path):
    hash_ = save(home, "Be brief.")
    app = prompts_page(prompt="question", version="v2", run=runs[0], conversation="carrier", turn="3")
    at = address(app)
    assert (at["version"], at["run"], at["conversation"], at["turn"]) == (hash_, runs[0], "carrier", "3")
    shown = text(app)
    assert "Be brief." in shown
    assert "from v1" in shown
    assert "I barely sleep." in shown


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"prompt": "nonsense"}, "The link names a prompt that is not here: “nonsense”."),
        ({"version": "v99"}, "The link names a version that is not here: “v99”."),
        ({"run": "gone"}, "The link names a run that is not here: “gone”."),
        ({"conversation": "carrier", "turn": "2"}, "The link names a turn that is not here: “carrier:2”."),
    ],
)
def test_what_a_link_names_and_is_not_there_is_said(runs: tuple[str, ...], query: dict[str, str], told: str):
    assert told in text(prompts_page(**query))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("## system\n", "## system\n{{ nobody }}\n", "unknown variable 'nobody'"),
        ("## system\n", "## system\n{% for a in b %}{% endfor %}\n", "loops cannot be used"),
        ("name: question", "name: quest", "'quest'"),
        ("## system\n", f"## system\n{'x' * 61_000}\n", "60,000"),
    ],
)
def test_what_is_wrong_is_said_as_it_is_typed_and_cannot_be_tried_or_saved(
    runs: tuple[str, ...], before: str, after: str, told: str
):
    app = write(prompts_page(), before, after)
    shown = text(app)
    assert told in shown
    assert "cannot be used as it is" in shown
    assert button(app, "Try on this turn").disabled
    assert "As soon as the text is sound" in shown


def test_what_is_written_is_rendered_at_once_and_kept_while_another_tab_is_looked_at(runs: tuple[str, ...]):
    app = write(prompts_page(conversation="carrier"), "## system\n", "## system\nBe kind to them.\n")
    assert any("Be kind to them." in block.value for block in app.code)
    app = app.segmented_control(key="prompts tab").set_value("difference").run()
    assert "Be kind to them." in text(app)
    app = app.segmented_control(key="prompts tab").set_value("write").run()
    assert "Be kind to them." in app.text_area[0].value
    button(app, "Discard").click().run()
    assert "Be kind to them." not in app.text_area[0].value


def test_a_version_is_saved_with_its_parent_and_a_set(runs: tuple[str, ...], home: Path):
    app = write(prompts_page(), "## system\n", "## system\nBe kind.\n")
    app.text_input(key="prompts note").set_value("kinder")
    app.text_input(key="prompts saved by").set_value("ines")
    app.text_input(key="prompts label").set_value("kind")
    app = button(app, "Save").click().run()
    workspace = PromptWorkspace(home / "prompts")
    saved = workspace.version("question@v2")
    assert saved.about is not None
    assert (saved.about.author, saved.about.note, saved.parent) == ("ines", "kinder", _shipped_ref())
    assert workspace.set("kind").prompts["question"] == saved.hash
    assert address(app)["version"] == saved.hash[:8]
    assert "Be kind." in app.text_area[0].value


def _shipped_ref() -> str:
    shipped = PromptLibrary().load("question")
    return f"question@{shipped.hash}"


def test_a_label_that_is_taken_keeps_anything_from_being_saved(runs: tuple[str, ...], home: Path):
    save(home, "Be brief.", label="brief")
    app = write(prompts_page(version="v1"), "## system\n", "## system\nBe kind.\n")
    app.text_input(key="prompts saved by").set_value("ines")
    app.text_input(key="prompts label").set_value("brief")
    app = button(app, "Save").click().run()
    assert "the label 'brief' is that of the set" in text(app)
    assert len(PromptWorkspace(home / "prompts").versions("question")) == 2


def test_without_a_model_trying_says_so_and_that_nothing_is_recorded(runs: tuple[str, ...], home: Path):
    app = write(prompts_page(run=runs[1]), "## system\n", "## system\nBe kind.\n")
    assert "No model is configured (QBS_REASONING_MODEL), so nothing new can be answered." in text(app)
    app = button(app, "Try on this turn").click().run()
    assert "set QBS_REASONING_MODEL" in text(app)


def test_a_whole_run_by_the_version_is_a_link_away(runs: tuple[str, ...], home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prompts_reading, "runs_with", lambda version: (runs[0],))
    links = [item.proto.label for item in prompts_page(run=runs[1]).get("page_link")]
    assert links == ["The whole run by question v1 beside this one"]


def test_two_versions_are_compared_word_by_word_also_as_they_are_sent(runs: tuple[str, ...], home: Path):
    first, second = save(home, "Be brief."), save(home, "Be kind.")
    app = prompts_page(prompt="question", version=second, against=first, tab="difference", conversation="carrier")
    shown = text(app)
    assert "question v2 → question v3" in shown
    assert "~~brief.~~" in shown
    assert "**kind.**" in shown
    assert "**user**" in shown
    assert address(app)["against"] == first


def test_a_difference_begins_with_the_parent_of_whatever_version_is_chosen(runs: tuple[str, ...], home: Path):
    save(home, "Be brief.")
    hash_ = save(home, "Be kind.")
    app = prompts_page(prompt="question", version=hash_, tab="difference")
    assert "question v1 → question v3" in text(app)


def test_the_words_of_a_customer_stay_text(runs: tuple[str, ...]):
    app = prompts_page(conversation="hostile", turn="1")
    assert any(HOSTILE.splitlines()[0] in block.value for block in app.code)
    assert not any("<script>" in item.value for item in app.markdown)


@pytest.mark.parametrize("prompt", ["chat", "guidance"])
def test_a_prompt_that_drafts_replies_is_rendered_and_not_tried(runs: tuple[str, ...], prompt: str):
    app = prompts_page(prompt=prompt, conversation="carrier", turn="3")
    shown = text(app)
    assert "This prompt is not asked when a message is read" in shown
    assert "as the run had it there" in shown
    assert not app.error


def test_a_turn_is_put_on_the_list_once(runs: tuple[str, ...], home: Path):
    app = prompts_page(conversation="carrier", turn="3")
    app = button(app, "Never break again").click().run()
    assert button(app, "Must not break").disabled
    (kept,) = promoting.must_not_break(reading.services()).turns()
    assert kept.key == (DATASET, "carrier", 3)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Release]]:
    """Releases in memory, newest first, in the place of the database; the gate is the real one."""
    kept: dict[str, list[Release]] = {}

    def weighed(name: str, candidate: str, prompts: object, *, neutral: bool) -> Weighed:
        services = reading.services()
        chosen = promoting.named_set(services, candidate)
        shipped = NamedSet(services.prompt_workspace().shipped, "shipped")
        decision = promoting.decided(services, chosen, shipped, neutral=neutral)
        return Weighed(chosen, Standing(shipped, None, len(kept.get(name, ()))), decision)

    def promote(name: str, found: Weighed, *, by: str, note: str, override: str | None) -> Release:
        return add(name, found.candidate.prompts.hash, by, note, found.decision.evidence(), override)

    def add(name: str, prompt_set: str, by: str, note: str, evidence: dict, override: str | None) -> Release:
        release = Release(
            number=len(kept.setdefault(name, [])) + 1,
            prompt_set=prompt_set,
            stage=Stage.PRODUCTION,
            released_at=datetime(2026, 3, 2, tzinfo=UTC),
            released_by=by,
            note=note,
            evidence=evidence,
            overridden_because=override,
        )
        kept[name].insert(0, release)
        return release

    monkeypatch.setattr(prompts_releasing, "database", lambda: None)
    monkeypatch.setattr(prompts_releasing, "history", lambda name: tuple(kept.get(name, ())))
    monkeypatch.setattr(prompts_releasing, "weighed", weighed)
    monkeypatch.setattr(prompts_releasing, "promote", promote)
    return kept


def release_page(**query: str) -> AppTest:
    return prompts_page(prompt="question", tab="release", **query)


def test_what_the_gate_misses_is_said_with_the_commands(runs: tuple[str, ...], home: Path, board: dict):
    (home / "promotion.toml").write_text(f'datasets = ["{DATASET}"]\nvariant = "llm:openai/none"\n')
    save(home, "Be brief.", label="brief")
    app = release_page(candidate="brief", version="v2")
    shown = text(app)
    assert "Blocked: not enough data" in shown
    assert f"qbs replay {DATASET} --variant llm:openai/none --prompts brief" in shown
    assert button(app, "Put into production").disabled
    assert "Make the 2 missing runs" in [item.label for item in app.button]
    assert address(app)["candidate"] == "brief"


def test_a_gate_is_overridden_with_a_reason_that_stays(runs: tuple[str, ...], home: Path, board: dict):
    (home / "promotion.toml").write_text(f'datasets = ["{DATASET}"]\nvariant = "llm:openai/none"\n')
    hash_ = save(home, "Be brief.")
    app = release_page(version=hash_)
    assert button(app, "Release nevertheless").disabled
    app = app.text_input(key="prompts override").set_value("the customer waits").run()
    app = button(app, "Release nevertheless").click().run()
    shown = text(app)
    assert [own.overridden_because for own in board["demo"]] == ["the customer waits"]
    assert "Release 1: question v2 is in production for demo." in shown
    assert shown.count("gate overridden") == 2
    assert "the customer waits" in shown


def test_a_set_that_only_drafts_differ_in_passes_as_neutral(runs: tuple[str, ...], home: Path, board: dict):
    workspace = PromptWorkspace(home / "prompts")
    shipped = workspace.shipped.prompt("guidance").content.decode()
    saved = workspace.save(
        "guidance", shipped.replace("## guidance\n", "## guidance\nBe kind.\n"), parent="guidance", author="ines"
    )
    workspace.save_set([saved.ref], author="ines", label="kinder")
    app = release_page(candidate="kinder")
    assert button(app, "Put into production").disabled
    app = app.toggle(key="prompts neutral").set_value(True).run()
    assert "Passed: tied, as it is meant to be" in text(app)
    app = button(app, "Put into production").click().run()
    assert "the gate let it pass" in text(app)
    assert EVERYBODY not in board


def test_turns_come_off_the_list_again(runs: tuple[str, ...], board: dict):
    kept = promoting.must_not_break(reading.services())
    kept.add(reading.dataset(DATASET), "carrier", 3, by="ines", why="furious boss")
    app = release_page()
    assert "ines, 2" in text(app)
    assert "furious boss" in text(app)
    app = button(app, "Take off").click().run()
    assert kept.turns() == ()
    assert "No turn is on the list." in text(app)


def test_a_search_needs_a_model_and_a_prompt_that_labels_judge(runs: tuple[str, ...]):
    assert "A search asks a model" in text(prompts_page(prompt="question", tab="search"))
    assert "Searched for are the prompts" in text(prompts_page(prompt="email", tab="search"))
