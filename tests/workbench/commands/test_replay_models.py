"""Replays that really ask: the fake model over HTTP, stopped, limited, resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.llm.fake import FakeModel, FakeModelConfig, Fault
from tests.workbench.commands.conftest import conversation, write_lines

VARIANT = ("--variant", "llm:openai/fake-model")
FAULTS = [fault for fault in Fault if fault not in (Fault.HANG, Fault.DRIP)]
FAILING = FakeModelConfig(answers="rules", faults=dict.fromkeys(FAULTS, 0.04), retry_after_s=0.05)


@pytest.fixture(autouse=True)
def _asks_the_fake_model(home, shipped, fake: FakeModel, monkeypatch):
    monkeypatch.setenv("QBS_API_BASE", fake.base_url)
    monkeypatch.setenv("QBS_API_KEY", "none")
    write_lines(shipped / "talks" / "conversations.jsonl", *(conversation(number) for number in range(1, 5)))


def start(shipped: Path, *arguments: str, **options: object) -> subprocess.Popen[str]:
    """`qbs replay` in a process of its own."""
    program = (
        "import sys, pathlib, workbench.services\n"
        f"workbench.services.SHIPPED_DATASETS = pathlib.Path({str(shipped)!r})\n"
        "from workbench.cli import main\n"
        "main()\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, "replay", "talks", *VARIANT, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not reached() and process.poll() is None:
        time.sleep(0.01)


def lines_in(home: Path, pattern: str) -> list[dict]:
    return [json.loads(line) for file in home.glob(pattern) for line in file.read_text().splitlines()]


def keys_of_answers(home: Path) -> Counter[str]:
    return Counter(line["key"] for line in lines_in(home, "recordings/*.jsonl"))


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema")], indirect=True)
def test_nothing_is_asked_twice_unless_it_is_wanted_anew(qbs, home, fake):
    first = json.loads(qbs("replay", "talks", *VARIANT, "--json").stdout)
    assert (first["ended"], first["turns"], first["fallbacks"], fake.stats.requests) == ("complete", 8, 0, 24)
    qbs("replay", "talks", *VARIANT)
    qbs("replay", "talks", *VARIANT, "--conversation", "talk-1")
    assert fake.stats.requests == 24
    qbs("replay", "talks", *VARIANT, "--again")
    assert fake.stats.requests == 48
    qbs("replay", "talks", *VARIANT, "--samples", "2")
    assert fake.stats.requests == 72
    assert set(keys_of_answers(home).values()) == {1}


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema")], indirect=True)
def test_own_recordings_answer_a_recorded_replay(qbs, fake, monkeypatch):
    monkeypatch.setenv("QBS_REASONING_MODEL", "openai/fake-model")
    qbs("replay", "talks", "--variant", "llm")
    run = json.loads(qbs("replay", "talks", "--variant", "recorded", "--json").stdout)
    assert (run["turns"], run["fallbacks"], fake.stats.requests) == (8, 0, 24)


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema")], indirect=True)
@pytest.mark.parametrize("limit", [["--limit-calls", "7"], ["--limit-calls", "0"], ["--limit-tokens", "2000"]])
def test_a_limit_stops_a_replay_which_can_go_on_later(qbs, home, fake, limit):
    stopped = qbs("replay", "talks", *VARIANT, *limit, "--json")
    run = json.loads(stopped.stdout)
    assert (stopped.exit_code, run["ended"], run["status"]) == (1, "limit", "incomplete")
    assert "the same command goes on" in stopped.stderr
    assert run["fallbacks"] == 0
    assert fake.stats.requests <= 7
    done = json.loads(qbs("replay", "talks", *VARIANT, "--json").stdout)
    assert (done["run_id"], done["ended"], done["turns"], done["fallbacks"]) == (run["run_id"], "complete", 8, 0)


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema", latency_ms=300)], indirect=True)
def test_a_limit_of_time_stops_a_replay(qbs, fake):
    run = json.loads(qbs("replay", "talks", *VARIANT, "--concurrency", "1", "--limit-time", "0.2", "--json").stdout)
    assert (run["ended"], run["status"], run["turns"]) == ("limit", "incomplete", 1)


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema")], indirect=True)
def test_a_limit_of_money_for_a_model_without_a_price_is_refused_before_anything_is_asked(qbs, home, fake):
    result = qbs("replay", "talks", *VARIANT, "--limit-cost", "5")
    assert (result.exit_code, fake.stats.requests) == (4, 0)
    assert "the price of openai/fake-model is not known" in result.stderr
    assert "--limit-calls or --limit-tokens" in result.stderr
    assert "goes on" not in result.stderr
    assert not (home / "runs").exists()


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema")], indirect=True)
def test_a_model_with_a_price_is_asked_within_a_limit_of_money(qbs, fake):
    variant = ("--variant", "llm:openai/gpt-4o-mini")
    run = json.loads(qbs("replay", "talks", *variant, "--limit-cost", "5", "--json").stdout)
    assert (run["ended"], run["turns"], run["cost_usd"] is not None) == ("complete", 8, True)


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema")], indirect=True)
def test_a_key_that_is_missing_is_named_before_anything_is_asked(qbs, home, fake, monkeypatch):
    for name in ("QBS_API_BASE", "QBS_API_KEY", "OPENAI_API_KEY", "OPENAI_API_BASE", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    result = qbs("replay", "talks", "--variant", "llm:openai/gpt-4o-mini")
    assert (result.exit_code, fake.stats.requests) == (4, 0)
    assert "OPENAI_API_KEY is not set" in result.stderr
    assert "network" not in result.stderr
    assert not (home / "runs").exists()


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema")], indirect=True)
@pytest.mark.parametrize(
    ("model", "reason", "advice"),
    [("openai/fake-401", "not_authorised", "QBS_API_KEY"), ("openai/fake-404", "model_not_found", "check the name")],
)
def test_a_model_that_cannot_be_reached_stops_a_replay_early_and_keeps_no_turn(qbs, fake, model, reason, advice):
    result = qbs("replay", "talks", "--variant", f"llm:{model}", "--json")
    run = json.loads(result.stdout)
    assert (result.exit_code, run["ended"], run["status"], run["turns"]) == (4, "unanswered", "incomplete", 0)
    assert f"no model answered ({reason})" in result.stderr
    assert advice in result.stderr
    assert "the same command goes on" in result.stderr
    assert fake.stats.requests <= 12


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema", script=(Fault.UNAUTHORISED,) * 12)], indirect=True)
def test_the_same_command_goes_on_once_the_key_is_accepted(qbs, fake):
    stopped = json.loads(qbs("replay", "talks", *VARIANT, "--concurrency", "1", "--json").stdout)
    assert (stopped["ended"], stopped["turns"]) == ("unanswered", 0)
    for _ in range(12 - fake.stats.requests):
        if fake.stats.requests < 12:
            qbs("replay", "talks", *VARIANT, "--concurrency", "1")
    done = json.loads(qbs("replay", "talks", *VARIANT, "--json").stdout)
    assert (done["run_id"], done["ended"], done["turns"], done["fallbacks"]) == (stopped["run_id"], "complete", 8, 0)


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema")], indirect=True)
def test_an_address_where_nobody_listens_stops_a_replay_when_the_circuit_opens(qbs, fake, monkeypatch):
    monkeypatch.setenv("QBS_API_BASE", "http://127.0.0.1:9/v1")
    result = qbs("replay", "talks", *VARIANT, "--json", "--deadline", "1")
    run = json.loads(result.stdout)
    assert (result.exit_code, run["ended"], run["turns"]) == (4, "unanswered", 0)
    assert "no model answered (connection)" in result.stderr or "no model answered (deadline)" in result.stderr


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema")], indirect=True)
def test_a_run_in_which_some_calls_are_answered_keeps_its_labelled_fallbacks(qbs, fake):
    result = qbs("replay", "talks", "--variant", "llm:openai/fake-model+openai/fake-404", "--concurrency", "1")
    shown = json.loads(qbs("runs", "show", "latest", "--json").stdout)
    assert (result.exit_code, shown["status"], shown["turns"]) == (0, "complete", 8)
    assert shown["sources"]["llm"] == 8
    assert set(shown["fallback_reasons"]) <= {"model_not_found", "circuit_open"}


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema", script=(Fault.HANG,) * 3)], indirect=True)
def test_the_second_interruption_does_not_wait_for_anything(home, shipped, fake):
    process = start(shipped, "--concurrency", "1", "--deadline", "600")
    wait_until(lambda: fake.stats.requests > 2, process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "Ctrl-C again" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "Stopped at once" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("fake", [FAILING], indirect=True)
def test_no_word_of_a_customer_and_no_key_is_in_anything_that_is_printed(home, shipped, fake, tmp_path):
    words, key = "heliotrope-canary", "sk-canary-0123456789abcdef0123456789"
    talks = []
    for number in range(1, 5):
        talk = conversation(number, account=f"Account {words}")
        for turn in talk["turns"]:
            turn["text"] += f" We call it {words}."
        talks.append(talk)
    write_lines(shipped / "talks" / "conversations.jsonl", *talks)
    environment = os.environ | {"QBS_API_KEY": key, "QBS_LOG_LEVEL": "debug", "OPENAI_API_KEY": key}
    process = start(shipped, "--json", "--samples", "2", env=environment)
    out, err = process.communicate()
    assert process.returncode == 0
    assert "model call failed" in err
    assert words not in out + err
    assert key not in out + err
    assert fake.stats.faults
    for file in home.rglob("*"):
        if file.is_file():
            assert key.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("fake", [FakeModelConfig(script=(Fault.BAD_JSON,) * 6)], indirect=True)
def test_each_log_line_says_which_run_conversation_and_turn_it_is_about(qbs, fake):
    result = qbs("replay", "talks", *VARIANT, "--conversation", "talk-1", env={"QBS_LOG_LEVEL": "warning"})
    logged = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    assert logged
    for line in logged:
        assert line["conversation"] == "talk-1"
        assert line["turn"] in (1, 3)
        assert line["run"].startswith("talks-llm-openai-fake-model")
        assert line["reason"] == "invalid_reply"
