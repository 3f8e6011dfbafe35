"""The fake model server as a command."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from engine.errors import ConfigurationError
from engine.llm.fake import FakeModelConfig, Fault
from engine.llm.fake.__main__ import config_from
from tests.engine.llm.fake.calls import tool_call


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_says_where_it_listens_answers_and_ends_when_told(ending: signal.Signals) -> None:
    process = await _started("--port", "0", "--script", "429,ok")
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
    address = line.removeprefix("listening on ").strip()
    async with aiohttp.ClientSession() as client:
        statuses = [(await client.post(f"{address}/chat/completions", json=tool_call())).status for _ in range(2)]
    process.send_signal(ending)
    assert await asyncio.wait_for(process.wait(), 30) == 0
    assert line.startswith("listening on http://127.0.0.1:")
    assert address.endswith("/v1")
    assert statuses == [429, 200]


async def test_a_command_that_contradicts_itself_says_so_and_ends_with_2() -> None:
    process = await _started("--fault", "429=2")
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert b"add up to at most 1" in said
    assert b"Traceback" not in said


def test_the_arguments_become_a_configuration() -> None:
    arguments = (
        "--port 1234 --latency-ms 200 --answers recordings --recordings a --recordings b --on-miss rules "
        "--fault 429=0.1 --fault bad-json=0.2 --script null,ok,reset --recover-after 1 --seed 3"
    )
    assert config_from(arguments.split()) == FakeModelConfig(
        port=1234,
        latency_ms=200,
        answers="recordings",
        recordings=(Path("a"), Path("b")),
        on_miss="rules",
        faults={Fault.RATE_LIMITED: 0.1, Fault.BAD_JSON: 0.2},
        script=(Fault.NULL, None, Fault.RESET),
        recover_after=1,
        seed=3,
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--fault", "429"], "is not FAULT=RATE"),
        (["--fault", "earthquake=0.1"], "no fault called 'earthquake'"),
        (["--script", "ok,earthquake"], "no fault called 'earthquake'"),
        (["--latency-ms", "-1"], "0 or more"),
        (["--answers", "recordings"], "at least one folder"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: list[str], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        config_from(arguments)


async def _started(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "engine.llm.fake",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
