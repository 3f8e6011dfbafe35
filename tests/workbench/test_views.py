"""The pages without a browser: they start, say what to do where there is nothing, and follow links."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.workbench.prepared import DATASET, add_run, conversation, prepare
from workbench.background import background
from workbench.presenters.words import NO_ANSWER
from workbench.services import Services
from workbench.settings import Settings
from workbench.views import reading

ROOT = Path(__file__).parents[2]
WAIT = 60


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty QBS_HOME, and none of the data sets that come with the project."""
    services = Services(Settings(home=tmp_path), shipped=tmp_path / "none")
    monkeypatch.setattr(reading, "build_services", lambda: services)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture
def prepared(home: Path) -> Path:
    prepare(home)
    return home


def replay_page(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=WAIT)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def runs_page() -> AppTest:
    def page() -> None:
        from workbench.views import runs

        runs.page()

    return AppTest.from_function(page, default_timeout=WAIT).run()


def text(app: AppTest) -> str:
    assert not app.exception
    parts = [*app.markdown, *app.caption, *app.info, *app.error, *app.subheader, *app.code]
    return "\n".join(part.value for part in parts)


def address(app: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in dict(app.query_params).items()}


def message(app: AppTest) -> str:
    return app.slider[0].label


def test_without_conversations_the_page_says_how_to_import_some(home: Path) -> None:
    assert "qbs import" in text(replay_page())
    assert "qbs import" in text(runs_page())


def test_a_data_set_that_cannot_be_read_is_named_with_what_shows_its_problems(prepared: Path) -> None:
    file = prepared / "conversations" / DATASET / "conversations.jsonl"
    file.write_text(file.read_text(encoding="utf-8") + "{broken\n", encoding="utf-8")
    shown = text(replay_page())
    assert "conversations.jsonl, line 4" in shown.replace("&#46;", ".").replace("&#44;", ",")
    assert f"qbs conversations check {DATASET}" in shown


def test_without_runs_the_page_shows_the_conversation_and_offers_a_replay(home: Path) -> None:
    prepare(home, [])
    app = replay_page(conversation="carrier")
    assert "No runs yet" in text(app)
    assert "We re&#45;key every order by hand" in text(app)
    assert "qbs replay small --variant rules" in text(app)
    assert "No runs yet" in text(runs_page())


def test_with_one_run_the_page_offers_another(home: Path) -> None:
    prepare(home, ["rules"])
    app = replay_page(conversation="carrier")
    assert "Nothing to compare with yet" in text(app)
    assert "qbs replay small --variant labels" in text(app)
    assert "What is known so far" in text(app)


def test_a_replay_begun_on_the_page_runs_in_the_background_and_shows_up(home: Path) -> None:
    prepare(home, [])
    app = replay_page()
    button = next(item for item in app.button if item.label == "Replay small by rules")
    button.click().run()
    assert not app.exception
    for _ in range(WAIT * 20):
        job = background().job("replay small rules")
        assert job is not None
        if job.ended:
            break
        app.run()
    assert job.outcome.startswith("Complete: 7 of 7 turns")
    assert "Fixed rules&#44; no model" in text(app.run())


def test_both_runs_are_shown_from_the_first_message_on(prepared: Path) -> None:
    app = replay_page(conversation="carrier")
    assert message(app) == "Customer message 1 of 3 · turn 1"
    shown = text(app)
    for part in ("##### Rules", "##### Recorded answers", "#### Two days a week&#63;", ":yellow-background[", "BANT"):
        assert part in shown


@pytest.mark.parametrize(
    ("steps", "turn"), [(["Later"], 3), (["Later", "Later"], 5), (["Later", "Later", "Earlier"], 3)]
)
def test_buttons_step_and_the_address_follows(prepared: Path, steps: list[str], turn: int) -> None:
    app = replay_page(conversation="carrier")
    for label in steps:
        next(item for item in app.button if item.label == label).click().run()
    assert f"turn {turn}" in message(app)
    assert address(app)["turn"] == str(turn)


def test_the_slider_steps_too(prepared: Path) -> None:
    app = replay_page(conversation="carrier")
    app.slider[0].set_value(3).run()
    assert "Customer message 3 of 3" in message(app)


def test_a_link_leads_to_its_turn(prepared: Path) -> None:
    app = replay_page(dataset=DATASET, conversation="carrier", turn="5")
    assert "turn 5" in message(app)
    assert "Seed question in the model&#39;s place" in text(app)
    assert not app.info


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"dataset": "gone"}, "data set that is not here: “gone”. Shown instead: “small”."),
        ({"conversation": "gone"}, "conversation that is not here: “gone”."),
        ({"conversation": "carrier", "left": "gone"}, "run that is not here: “gone”. Shown instead: “Rules”."),
        ({"conversation": "carrier", "right": "gone"}, "Shown instead: “Recorded answers”."),
        ({"conversation": "carrier", "turn": "2"}, "Turn 2 is not the customer's"),
        ({"conversation": "carrier", "turn": "77"}, "The link names turn 77, but the last turn is 5."),
        ({"conversation": "carrier", "left": "[x](https://evil.example)"}, "“[x](https://evil.example)”"),
    ],
)
def test_what_a_link_names_in_vain_is_said(prepared: Path, query: dict[str, str], said: str) -> None:
    app = replay_page(**query)
    shown = app.info[0].value
    assert "](" not in shown
    for character in "“”.,:[]()/'":
        shown = shown.replace(f":color[&#{ord(character)};]", character).replace(f"&#{ord(character)};", character)
    assert said in shown
    assert message(app) if query.get("conversation") == "carrier" else True


def test_another_conversation_begins_at_its_first_message(prepared: Path) -> None:
    app = replay_page(conversation="carrier", turn="5")
    conversation = next(item for item in app.selectbox if item.label == "Conversation")
    conversation.select("carrier-again").run()
    assert "Customer message 1 of 3" in message(app)
    assert address(app)["conversation"] == "carrier-again"
    assert address(app)["turn"] == "1"


@pytest.fixture
def second_data_set(prepared: Path) -> str:
    """An imported data set of one conversation of its own, with a run; the id of the run."""
    folder = prepared / "conversations" / "another"
    folder.mkdir()
    own = conversation("carrier").model_copy(update={"id": "elsewhere", "title": "Elsewhere"})
    (folder / "conversations.jsonl").write_text(own.model_dump_json() + "\n", encoding="utf-8")
    return add_run(prepared, "rules", "another")


def test_a_second_data_set_is_offered_beside_the_conversations(prepared: Path, second_data_set: str) -> None:
    app = replay_page(dataset=DATASET)
    next(item for item in app.selectbox if item.label == "Data set").select("another").run()
    assert not app.exception
    assert address(app)["conversation"] == "elsewhere"
    assert address(app)["left"] == second_data_set


def test_one_data_set_is_not_offered_for_choice(prepared: Path) -> None:
    assert "Data set" not in [item.label for item in replay_page().selectbox]


def test_a_data_set_that_cannot_be_read_does_not_keep_from_another(prepared: Path, second_data_set: str) -> None:
    (prepared / "conversations" / "another" / "conversations.jsonl").write_text("{broken\n", encoding="utf-8")
    app = replay_page(dataset="another")
    next(item for item in app.selectbox if item.label == "Data set").select(DATASET).run()
    assert "Customer message 1 of 1" in text(app)
    assert address(app)["dataset"] == DATASET


@pytest.mark.parametrize("named", ["conversation", "left", "right"])
def test_a_link_finds_what_it_names_in_any_data_set(prepared: Path, second_data_set: str, named: str) -> None:
    app = replay_page(**{named: "elsewhere" if named == "conversation" else second_data_set})
    assert not app.info
    assert address(app)["dataset"] == "another"
    assert address(app)["conversation"] == "elsewhere"


def test_a_run_of_another_data_set_leads_there(prepared: Path, second_data_set: str) -> None:
    app = replay_page(dataset=DATASET, left=second_data_set)
    assert address(app)["dataset"] == "another"


def test_a_run_alone_leads_to_a_conversation_that_it_answered(prepared: Path) -> None:
    (run,) = prepared.glob("runs/*recorded*")
    (run / "finished.json").unlink()
    lines = (run / "turns.jsonl").read_bytes().splitlines(keepends=True)
    (run / "turns.jsonl").write_bytes(b"".join(line for line in lines if b'"conversation_id":"hostile"' in line))
    assert address(replay_page(left=run.name))["conversation"] == "hostile"


def test_conversations_are_found_by_id(prepared: Path) -> None:
    app = replay_page(conversation="carrier-again")
    box = next(item for item in app.selectbox if item.label == "Conversation")
    assert "The same carrier again · carrier-again" in box.options
    assert "carrier&#45;again" in text(app)


def test_the_same_run_is_never_on_both_sides(prepared: Path) -> None:
    app = replay_page(conversation="carrier")
    left, right = (next(item for item in app.selectbox if item.label == label) for label in ("Compare", "with"))
    assert len(left.options) == 2
    assert len(right.options) == 1
    left.select(next(run for run in _run_ids(prepared) if "recorded" in run)).run()
    assert not app.exception
    assert "recorded" in address(app)["left"]
    assert "rules" in address(app)["right"]


def test_filters_that_nothing_fits_can_be_cleared(prepared: Path) -> None:
    app = replay_page(conversation="carrier")
    app.session_state["channels"] = ["call"]
    app.run()
    assert "No conversation fits" in text(app)
    next(item for item in app.button if item.label == "Clear the filters").click().run()
    assert "Customer message" in message(app)


def test_a_turn_that_failed_says_so_beside_the_other_answer(home: Path) -> None:
    prepare(home, ["rules", "failing"])
    shown = text(replay_page(conversation="carrier", turn="3"))
    assert "This turn failed: ZeroDivisionError" in shown
    assert "Fixed rules&#44; no model" in shown


def test_a_run_that_was_stopped_says_how_to_go_on(prepared: Path) -> None:
    (run,) = prepared.glob("runs/*recorded*")
    (run / "finished.json").unlink()
    lines = (run / "turns.jsonl").read_bytes().splitlines(keepends=True)
    (run / "turns.jsonl").write_bytes(b"".join(line for line in lines if b'"turn":5' not in line))
    app = replay_page(conversation="carrier", right=run.name, turn="5")
    shown = text(app)
    assert "has not come to this message yet" in shown
    assert f"**Recorded answers** :gray[{NO_ANSWER}]" in shown
    assert shown.count(NO_ANSWER) == 4  # BANT, MEDDIC, people, sources
    assert "knows 0" not in shown
    assert "qbs replay small --variant recorded" in shown


@pytest.mark.parametrize("indexed", [False, True])
def test_a_run_that_is_damaged_is_reported_beside_one_that_is_not(prepared: Path, indexed: bool) -> None:
    if indexed:
        reading.services().run_index().refresh()
    for file in prepared.glob("runs/*rules*/turns.jsonl"):
        content = file.read_bytes()
        file.write_bytes(content.replace(b"re-keying", b"RE-KEYING"))
    shown = text(replay_page(conversation="carrier"))
    assert "checksum" in shown
    assert "Recorded answer of a&#45;model&#45;4" in shown


def test_a_run_in_which_no_model_answered_is_marked_and_not_compared_with(home: Path) -> None:
    prepare(home, ["rules", "unanswered"])
    assert "the model answered nothing" in text(runs_page())
    app = replay_page(conversation="carrier")
    assert "right" not in address(app)
    assert "Nothing to compare with yet" in text(app)
    next(item for item in app.selectbox if item.label == "with").select_index(0).run()
    assert "unanswered" in address(app)["right"]
    assert "Seed question in the model&#39;s place&#58; no connection" in text(app).replace(":color[&#58;]", "&#58;")


def test_runs_are_listed(prepared: Path) -> None:
    shown = text(runs_page())
    for part in ("**Rules** on small", "**Recorded answers** on small", "3 conversations", "a&#45;model&#45;4"):
        assert part in shown


def test_the_first_page_loads_nothing_heavy(tmp_path: Path) -> None:
    """In a process of its own: litellm alone would take longer than the page may."""
    prepare(tmp_path)
    Services(Settings(home=tmp_path)).run_index().refresh()
    script = (
        "import json, sys; from streamlit.testing.v1 import AppTest;"
        f"app = AppTest.from_file({str(ROOT / 'streamlit_app.py')!r}, default_timeout={WAIT});"
        f"app.query_params['dataset'] = {DATASET!r}; app.run(); assert not app.exception;"
        "assert len(app.chat_message) > 1;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"QBS_HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & {"litellm", "instructor", "openai", "pandas", "altair", "scipy", "engine.llm"}


def _run_ids(home: Path) -> list[str]:
    return [path.name for path in (home / "runs").iterdir()]
