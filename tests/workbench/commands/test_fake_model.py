from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request

import pytest

from engine.llm.fake import Fault
from tests.workbench.commands.conftest import Qbs
from workbench.commands.fake_model import EPILOG, fault_rates


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop_and_says_how_to_use_it(home, number):
    process = subprocess.Popen(
        [sys.executable, "-c", "from workbench.cli import main; main()", "fake-model", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(5)]
    address = said[0].split()[5]
    assert f"export QBS_API_BASE={address}" in said[2]
    with urllib.request.urlopen(f"{address}/models") as answer:
        assert "fake-model" in json.dumps(json.load(answer))
    process.send_signal(number)
    assert "asked 0 times" in process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0


def test_rates_are_read_by_name():
    assert fault_rates(["429=0.1", "bad-json=0.2"]) == {Fault.RATE_LIMITED: 0.1, Fault.BAD_JSON: 0.2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("429", "429=0.1"),
        ("429=often", "NAME=RATE"),
        ("flood=0.1", "the faults are length"),
        ("429=1.5", "probabilities"),
        ("429=nan", "probabilities"),
    ],
)
def test_a_rate_that_is_none_is_wrong_usage(qbs: Qbs, text, said):
    result = qbs("fake-model", "--fault", text)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_help_names_every_fault():
    assert [fault for fault in Fault if f" {fault.value} " not in EPILOG.replace("\n", " ")] == []


def test_a_port_that_is_taken_is_named(qbs: Qbs):
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        result = qbs("fake-model", "--port", listener.getsockname()[1])
    assert result.exit_code == 4
    assert "port" in result.stderr
