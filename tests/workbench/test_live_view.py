"""The Live page without a browser and without a database: play, say, send, move, restart, another tenant."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunData
from streamlit.testing.v1 import AppTest, local_script_runner
from streamlit.testing.v1.element_tree import Button

from engine.errors import DatabaseUnavailableError, InputError
from engine.llm.service import ModelService
from evals.dataset_manifest import RECORDINGS
from tests.workbench.conversations_in_memory import ConversationsInMemory
from tests.workbench.prepared import HOSTILE, prepare
from workbench.background import Background
from workbench.components import live_choosing
from workbench.live import Answers, LiveConversations, Steps
from workbench.live.readers import Readers
from workbench.services import DEFAULT_DATASET, Services
from workbench.settings import Settings
from workbench.views import live_page as live_view
from workbench.views import live_place, live_seen, reading

ROOT = Path(__file__).parents[2]
WAIT = 60
CARRIER = {"tenant": "demo", "account": "Brontë & Sons Haulage", "contact": "nadia@bronte.example (carrier)"}


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


@pytest.fixture
def conversations(
    tmp_path: Path, background: Background, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ConversationsInMemory]:
    """What the page works with: kept in memory, over the prepared data set."""
    prepare(tmp_path, [])
    services = Services(Settings(home=tmp_path), shipped=tmp_path / "none")
    made = ConversationsInMemory(background, tmp_path)
    monkeypatch.setattr(reading, "build_services", lambda: services)
    monkeypatch.setattr(reading, "live", lambda: made)
    for module in (live_view, live_seen):
        monkeypatch.setattr(module, "background", lambda: background)
    st.cache_resource.clear()
    yield made
    st.cache_resource.clear()


def live_page(**query: str) -> AppTest:
    def page() -> None:
        from workbench.views import live

        live.page()

    app = AppTest.from_function(page, default_timeout=WAIT)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def button(app: AppTest, label: str) -> Button:
    return next(item for item in app.button if item.label == label)


def click(app: AppTest, *labels: str) -> AppTest:
    for label in labels:
        button(app, label).click().run()
        assert not app.exception
    return app


Part = Callable[[AppTest], AppTest]


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Part:
    """Runs only what a browser runs after a click on the talk, or a tick of it: the part below the choice."""

    def run(app: AppTest) -> AppTest:
        first = next(iter(app._fragment_storage._fragments))
        with monkeypatch.context() as patch:
            patch.setattr(local_script_runner, "RerunData", partial(RerunData, fragment_id_queue=[first]))
            return app.run()

    return run


def say(app: AppTest, words: str) -> AppTest:
    app.chat_input[0].set_value(words).run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    """What is to be read, as it is read."""
    assert not app.exception
    shown = "\n".join(part.value for part in [*app.subheader, *app.markdown, *app.caption, *app.error, *app.code])
    for character in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~":
        shown = shown.replace(f":color[&#{ord(character)};]", character).replace(f"&#{ord(character)};", character)
    return shown


def address(app: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in dict(app.query_params).items()}


def test_at_first_the_page_says_what_to_do(conversations: ConversationsInMemory) -> None:
    app = live_page()
    shown = text(app)
    for part in ("Nothing has been said yet", "Press **Play**", "Or write below", "The first message makes the row"):
        assert part in shown
    assert button(app, "Restart").disabled


def test_without_conversations_one_can_still_talk(conversations: ConversationsInMemory, tmp_path: Path) -> None:
    for file in (tmp_path / "conversations" / "small").iterdir():
        file.unlink()
    (tmp_path / "conversations" / "small").rmdir()
    app = say(live_page(), "We lose two days a week on re-keying.")
    assert "We lose two days a week" in text(app)
    assert "Play" not in [item.label for item in app.button]


def test_a_step_is_one_message_of_either_speaker(conversations: ConversationsInMemory) -> None:
    app = click(live_page(**CARRIER), "Step", "Step")
    assert conversations.delivered == [("carrier:0", "rules"), ("carrier:1", "rules")]
    shown = text(app)
    for part in ("what does a Monday look like", "We re-key every order by hand", "Ask next", "What is known so far"):
        assert part in shown


def test_the_page_shows_the_row_and_that_the_other_tenant_sees_nothing(conversations: ConversationsInMemory) -> None:
    shown = text(click(live_page(**CARRIER), "Step", "Step"))
    for part in ("Seen by demo", "uuid-of-demo", "Seen by other-company", "Nothing at all", "answers 0 rows"):
        assert part in shown


def test_the_stage_that_was_recorded_is_reached_on_the_way(conversations: ConversationsInMemory) -> None:
    shown = text(click(live_page(**CARRIER), "Step", "Step", "Step"))
    assert "Prospecting :gray[→] Discovery :small[:gray[2 Mar 2026, 12:00, as recorded]]" in shown


def test_typed_words_are_read_by_rules_and_leave_the_recording(conversations: ConversationsInMemory) -> None:
    app = say(click(live_page(**CARRIER), "Step"), "Our CFO Dana Whitfield signs anything above 50k.")
    (_, by), (_, said_by) = conversations.delivered[0], conversations.delivered[-1]
    assert (by, said_by) == ("rules", "rules")
    shown = text(app)
    assert "Our CFO Dana Whitfield signs anything above 50k." in shown
    assert "Off the recording" in shown


def test_a_suggested_line_is_said_with_one_click(conversations: ConversationsInMemory) -> None:
    shown = text(click(live_page(), "Who decides"))
    assert "Anything above 50k goes to Dana Whitfield" in shown


def test_words_are_said_as_the_channel_that_was_chosen(conversations: ConversationsInMemory) -> None:
    app = live_page()
    app.session_state[live_place.CHANNEL] = "email"
    say(app, "We retype every order by hand.")
    (row,) = conversations.rows.values()
    assert row.state.last_channel == "email"


def test_words_come_by_the_contacts_channel_while_the_choice_is_not_drawn() -> None:
    def page() -> None:
        import streamlit as st

        from engine.model.conversation import Channel
        from workbench.views import live_place

        live_place.offer_channel(Channel.CALL)
        del st.session_state[live_place.CHANNEL]
        st.write(live_place.channel().value)

    app = AppTest.from_function(page).run()
    assert not app.exception
    assert [item.value for item in app.markdown] == ["call"]


def test_a_customers_markup_stays_text(conversations: ConversationsInMemory) -> None:
    app = say(live_page(), HOSTILE)
    shown = [part.value for part in app.markdown]
    assert not [value for value in shown if "<script>" in value or "](https" in value]
    assert "<script>alert(1)</script>" in text(app)


def test_the_draft_is_sent_as_the_sellers_message_once(conversations: ConversationsInMemory) -> None:
    app = say(live_page(), "Our planners retype every order by hand, two days a week.")
    draft = app.code[0].value
    click(app, "Send as the seller")
    (row,) = conversations.rows.values()
    assert [item.turn.text for item in row.turns.values()][-1] == draft
    assert "Sent as turn 1." in text(app)
    assert "Send as the seller" not in [item.label for item in app.button]


def test_the_draft_can_be_changed_first(conversations: ConversationsInMemory) -> None:
    app = say(live_page(), "Our planners retype every order by hand, two days a week.")
    next(item for item in app.text_area if item.label == "Reply").set_value("Two days? What stops?")
    click(app, "Send this")
    (row,) = conversations.rows.values()
    assert [item.turn.text for item in row.turns.values()][-1] == "Two days? What stops?"
    assert "The seller answered in their own words, in turn 1." in text(app)


def test_only_the_stages_that_may_follow_are_offered_and_the_move_is_in_the_history(
    conversations: ConversationsInMemory,
) -> None:
    app = click(live_page(**CARRIER), "Step")
    assert [item.label for item in app.button if (item.key or "").startswith("to ")] == ["Discovery", "Stalled"]
    click(app, "Discovery")
    assert "Prospecting :gray[→] Discovery" in text(app)
    assert [item.label for item in app.button if (item.key or "").startswith("to ")] == ["Qualification", "Stalled"]


def test_play_goes_on_until_it_is_paused(conversations: ConversationsInMemory) -> None:
    app = click(live_page(**CARRIER), "Play")
    assert "Pause" in [item.label for item in app.button]
    assert len(conversations.delivered) == 1
    app.session_state["live.due"] = 0.0
    app.run()
    assert len(conversations.delivered) == 2
    click(app, "Pause")
    app.session_state["live.due"] = 0.0
    app.run()
    assert len(conversations.delivered) == 2


def test_at_the_end_the_script_stops_by_itself(conversations: ConversationsInMemory) -> None:
    app = click(live_page(**CARRIER), *["Step"] * 6)
    assert button(app, "Play").disabled
    assert button(app, "Step").disabled
    assert conversations.delivered[-1][0] == "carrier:5"


def test_a_restart_is_another_contact_and_deletes_nothing(conversations: ConversationsInMemory) -> None:
    app = click(live_page(**CARRIER), "Step", "Step", "Restart")
    assert "Nothing has been said yet" in text(app)
    assert address(app)["contact"] == "nadia@bronte.example (carrier, take 2)"
    click(app, "Step")
    assert sorted(len(row.turns) for row in conversations.rows.values()) == [1, 2]
    assert address(live_page())["contact"] != address(app)["contact"]  # the take belongs to who plays it


@pytest.mark.parametrize("steps", [1, 6])
def test_a_restart_draws_the_whole_page_anew(conversations: ConversationsInMemory, part: Part, steps: int) -> None:
    click(live_page(**CARRIER), *["Step"] * steps)
    app = live_page(**CARRIER)
    button(app, "Restart").click()
    assert address(part(app))["contact"] == "nadia@bronte.example (carrier, take 2)"
    assert "Nothing has been said yet" in text(app)


def test_a_take_that_begins_in_this_session_can_be_restarted(conversations: ConversationsInMemory, part: Part) -> None:
    app = live_page(**CARRIER)
    button(app, "Step").click()
    button(part(app), "Restart").click()
    assert address(part(app))["contact"] == "nadia@bronte.example (carrier, take 2)"


def test_what_was_only_typed_can_be_restarted(conversations: ConversationsInMemory) -> None:
    app = click(say(live_page(**CARRIER), "We retype every order."), "Restart")
    assert address(app)["contact"] == "nadia@bronte.example (carrier, take 2)"


def away(monkeypatch: pytest.MonkeyPatch, conversations: ConversationsInMemory) -> None:
    async def unavailable(*_: object) -> None:
        raise DatabaseUnavailableError("the connection to Postgres was lost (OperationalError)")

    for reading_of in ("kept", "contacts", "sight"):
        monkeypatch.setattr(conversations, reading_of, unavailable)


def test_while_the_database_is_away_the_page_stays_and_then_goes_on(
    conversations: ConversationsInMemory, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = click(live_page(**CARRIER), "Step", "Step")
    with monkeypatch.context() as patch:
        away(patch, conversations)
        for drawn in (part(app), app.run()):
            assert "`qbs db status` says where the database stands" in text(drawn)
            assert "We re-key every order by hand" in text(drawn)
        button(app, "Step").click()
        part(app)
    assert len(conversations.delivered) == 2
    assert "does not answer" not in text(part(app))
    assert len(conversations.delivered) == 3


def test_a_page_that_is_opened_while_the_database_is_away_says_so_and_looks_again(
    conversations: ConversationsInMemory, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        away(patch, conversations)
        app = live_page(**CARRIER)
        assert "The database does not answer" in text(app)
    monkeypatch.setattr(live_seen, "AGAIN", 0.0)  # it is time to look again
    assert "Nothing has been said yet" in text(part(app))


def test_nothing_of_another_contact_is_shown_in_the_place_of_what_cannot_be_read(
    conversations: ConversationsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = say(live_page(**CARRIER), "We retype every order.")
    away(monkeypatch, conversations)
    next(item for item in app.selectbox if item.label == "Tenant").select("other-company").run()
    assert "The database does not answer" in text(app)
    assert "We retype every order." not in text(app)


def test_what_an_address_names_and_cannot_be_read_is_a_sentence(
    conversations: ConversationsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> None:
        raise InputError("contact_id holds a NUL character, which Postgres cannot keep; remove it")

    monkeypatch.setattr(conversations, "kept", refused)
    app = live_page(**{**CARRIER, "contact": "\x00"})
    assert "holds a NUL character" in text(app)


def test_after_an_interruption_the_script_is_paused_and_no_step_is_left_open(
    conversations: ConversationsInMemory,
) -> None:
    app = click(live_page(**CARRIER), "Step", "Step")
    assert ":material/check: Draft" in text(app)
    conversations._begun.clear()
    app = live_page(**CARRIER)
    assert ":material/circle:" not in text(app)
    assert "**Paused** · Message 2 of 6 " in next(item.proto.text for item in app.get("progress"))


def test_a_new_customer_is_talked_to(conversations: ConversationsInMemory) -> None:
    app = live_page()
    app.text_input(key=live_choosing._NAME).set_value("Ida Storm")
    app.text_input(key=live_choosing._COMPANY).set_value("Fjord Line")
    click(app, "Talk to them")
    assert address(app) == {"tenant": "demo", "account": "Fjord Line", "contact": "Ida Storm"}
    assert "Ida Storm" in text(app)


@pytest.mark.parametrize("query", [CARRIER, {"tenant": "a-third", "account": "Acme", "contact": "Ida"}])
def test_a_link_leads_to_its_contact(conversations: ConversationsInMemory, query: dict[str, str]) -> None:
    assert address(live_page(**query)) == query


def test_as_another_tenant_nothing_of_it_is_there(conversations: ConversationsInMemory) -> None:
    app = click(live_page(**CARRIER), "Step", "Step")
    next(item for item in app.selectbox if item.label == "Tenant").select("other-company").run()
    assert "Nothing has been said yet" in text(app)
    assert address(app) == {**CARRIER, "tenant": "other-company"}


def test_coming_back_to_the_page_goes_on_where_it_was_left(conversations: ConversationsInMemory) -> None:
    app = click(live_page(**CARRIER), "Step")
    app.session_state["at.page"] = "runs"
    app.query_params.clear()
    app.run()
    assert address(app) == CARRIER


def test_what_cannot_be_done_is_said_and_the_script_waits(
    conversations: ConversationsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> str:
        return "Postgres did not answer within 3 s. Deliver the message again later: it counts once."

    app = click(live_page(**CARRIER), "Step")
    monkeypatch.setattr(conversations, "_take", away)
    click(app, "Play")
    assert "Deliver the message again later" in text(app)
    assert "Play" in [item.label for item in app.button]


def test_opening_the_page_loads_no_model_library_and_the_replay_page_no_database(tmp_path: Path) -> None:
    """In a process of its own: both would make the first page slow."""
    prepare(tmp_path)
    script = (
        "import json, sys; from streamlit.testing.v1 import AppTest;"
        f"app = AppTest.from_file({str(ROOT / 'streamlit_app.py')!r}, default_timeout={WAIT});"
        "app.run(); assert not app.exception; print(json.dumps(sorted(sys.modules)))"
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
    assert not loaded & {"litellm", "instructor", "sqlalchemy", "psycopg", "engine.live", "engine.state.database"}


@pytest.mark.parametrize(("by", "loaded"), [("recorded", False), ("llm:openai/gpt-4.1", True)])
def test_recorded_answers_load_no_model_library(
    background: Background, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str, loaded: bool
) -> None:
    warmed: list[bool] = []

    async def warm_up(_: ModelService) -> None:
        warmed.append(True)

    monkeypatch.setattr(ModelService, "warm_up", warm_up)
    services = Services(Settings(home=tmp_path))
    recordings = services.dataset(DEFAULT_DATASET).folder / RECORDINGS
    background.call(Readers(services).warm_up(Answers(by, recordings), Steps()), WAIT)
    assert warmed == [True] * loaded


@pytest.mark.parametrize(
    ("own", "asked", "offered"),
    [
        ("demo", None, ("demo", "other-company")),
        ("other-company", None, ("other-company", "demo")),
        ("acme", None, ("acme", "other-company")),
        ("acme", "a-third", ("acme", "other-company", "a-third")),
        ("demo", " DEMO ", ("demo", "other-company")),
    ],
)
def test_a_tenant_is_always_compared_with_another(
    background: Background, own: str, asked: str | None, offered: tuple[str, ...]
) -> None:
    live = LiveConversations(Services(Settings(home=Path(".qbs"), tenant=own)), background)
    assert live.tenants(asked) == offered


def test_words_that_are_said_while_the_engine_is_busy_are_not_lost(conversations: ConversationsInMemory) -> None:
    app = live_page(**CARRIER)
    app.session_state["live.wishes"] = (("step",), ("step",))
    say(app, "Our CFO Dana Whitfield signs anything above 50k.")
    (row,) = conversations.rows.values()
    assert [item.turn.text for item in row.turns.values()][2] == "Our CFO Dana Whitfield signs anything above 50k."
