from __future__ import annotations

import asyncio

import pytest

from engine.errors import ConfigurationError
from engine.llm.libraries import import_libraries
from engine.model.analysis import FallbackReason
from evals.records import Variant
from tests.workbench.commands.conftest import conversation, write_lines
from workbench import replays
from workbench.asking import Reach, check_askable, models_to_ask
from workbench.replays import ReplayRequest, carry_out, plan_replay
from workbench.services import Services
from workbench.settings import Secret, Settings

KEYLESS = ("OPENAI_API_KEY", "OPENAI_API_BASE", "OPENAI_BASE_URL", "GEMINI_API_KEY", "GOOGLE_API_KEY")


class _Sources:
    """As much of an analysis as is looked at: where each call's answer came from."""

    def __init__(self, *reasons: str | None) -> None:
        from engine.model.analysis import Source

        self.sources = {
            str(number): Source(kind="rules", model="m", fallback_reason=FallbackReason(reason))
            if reason
            else Source(kind="llm", model="m")
            for number, reason in enumerate(reasons)
        }


@pytest.mark.parametrize(
    ("turns", "taken", "ended", "reason"),
    [
        ([(None, None, None)], [True], False, None),
        ([(None, "connection", "connection"), ("circuit_open",) * 3], [True, True], False, None),
        ([("connection",) * 3], [False], False, None),
        ([("connection",) * 3, (None,) * 3], [False, True], False, None),
        ([("connection",) * 3, ("circuit_open",) * 3], [False, False], True, "connection"),
        ([("not_authorised", "circuit_open", "circuit_open")], [False], True, "not_authorised"),
        ([("circuit_open",) * 3], [False], True, "circuit_open"),
        ([("quota_exhausted",) * 3], [False], True, "quota_exhausted"),
        ([("invalid_reply",) * 3, ("circuit_open",) * 3], [True, True], False, None),
        ([("no_recording",) * 3], [True], False, None),
        ([(None, None, "limit_reached")], [False], True, None),
    ],
)
def test_a_turn_is_taken_once_a_model_has_answered_and_the_session_ends_when_none_can(turns, taken, ended, reason):
    reach = Reach()
    assert [reach.takes(_Sources(*reasons)) for reasons in turns] == taken
    assert (reach.ended.is_set(), reach.reason) == (ended, reason)


@pytest.mark.parametrize(
    ("name", "mode", "asked"),
    [("rules", "reuse", ()), ("recorded", "reuse", ()), ("llm:a+b", "recorded", ()), ("llm:a+b", "live", ("a", "b"))],
)
def test_only_a_variant_of_models_asks_and_not_where_only_recordings_answer(name, mode, asked):
    variant = Variant(name=name, reasoning_model="a", fast_model="b")
    assert models_to_ask(variant, Settings(recording_mode=mode)) == asked


@pytest.mark.parametrize(
    ("model", "settings", "environment", "said"),
    [
        ("openai/gpt-4o-mini", Settings(), {}, "OPENAI_API_KEY is not set"),
        ("gemini/gemini-2.0-flash", Settings(), {}, "GOOGLE_API_KEY or GEMINI_API_KEY is not set"),
        ("openai/gpt-4o-mini", Settings(), {"OPENAI_API_KEY": "x"}, None),
        ("openai/gpt-4o-mini", Settings(), {"OPENAI_BASE_URL": "http://127.0.0.1:1"}, None),
        ("openai/gpt-4o-mini", Settings(api_base="http://127.0.0.1:1"), {}, None),
        ("openai/gpt-4o-mini", Settings(api_key=Secret("x")), {}, None),
        ("bedrock/some-model", Settings(), {}, None),
        ("openai/gpt-4o-mini", Settings(api_key=Secret("x"), max_cost_usd=1.0), {}, None),
        ("openai/no-such", Settings(api_key=Secret("x"), max_cost_usd=1.0), {}, "price of openai/no-such is not known"),
    ],
)
async def test_what_can_only_be_in_vain_is_refused_beforehand(monkeypatch, model, settings, environment, said):
    await import_libraries()
    for name in KEYLESS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if said is None:
        check_askable([model], settings)
    else:
        with pytest.raises(ConfigurationError, match=said):
            check_askable([model], settings)


async def test_a_stop_waits_for_turns_under_way_no_longer_than_their_deadline(tmp_path, monkeypatch):
    class Endless:
        async def analyze(self, state, turn, history):
            stop.set()
            await asyncio.Event().wait()

    stop = asyncio.Event()
    monkeypatch.setattr(replays, "GRACE_SECONDS", 0.01)
    monkeypatch.setattr(Services, "analyzer_for", lambda *_, **__: Endless())
    write_lines(tmp_path / "shipped" / "talks" / "conversations.jsonl", conversation(1))
    services = Services(Settings(home=tmp_path / "home", deadline_seconds=0.01), tmp_path / "shipped")
    outcome = await carry_out(services, plan_replay(services, ReplayRequest("talks")), stop=stop)
    assert (outcome.ended, outcome.progress.done) == ("person", 0)
