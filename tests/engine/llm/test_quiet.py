"""What asking must not do: import what is not needed, or say in a log or an error what was said or which key it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.llm.fake import FakeModel, FakeModelConfig, Fault
from engine.llm.recordings import RecordingStore
from tests.engine.llm.asking import failure, model_with, request, service_for

WORDS, SECRET = "canary-words-in-the-transcript", "sk-canary-key"

# Everything is logged that can be: the root logger at DEBUG, litellm told to debug.
LOUD = """
import asyncio, logging, os, sys, traceback
os.environ["LITELLM_LOG"] = "DEBUG"
logging.basicConfig(level=logging.DEBUG)
from engine.errors import ModelCallError
from engine.llm.fake import Fault
from tests.engine.llm.asking import AT_ONCE, model_with, patient_breaker, request
from engine.llm.service import ModelService

async def main():
    service = ModelService(
        api_base=sys.argv[1], api_key=sys.argv[2], retries=AT_ONCE, breaker=patient_breaker(), timeout_s=1
    )
    async with service:
        await service.warm_up()
        asks = (
            service.ask(request(model_with(fault), text=sys.argv[3]), deadline=2 if fault == Fault.DRIP else 60)
            for fault in ("none", *Fault)
        )
        for error in await asyncio.gather(*asks, return_exceptions=True):
            if isinstance(error, ModelCallError):
                print(repr(error), error, error.source)
                traceback.print_exception(error)
            else:
                print("answered", error.source)
    logging.getLogger("tests").debug("still loud")

asyncio.run(main())
"""


async def run(code: str, *arguments: str) -> str:
    """What a fresh process says on both channels."""
    from asyncio import create_subprocess_exec
    from asyncio.subprocess import PIPE, STDOUT

    process = await create_subprocess_exec(sys.executable, "-c", code, *arguments, stdout=PIPE, stderr=STDOUT)
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_no_transcript_no_key_and_no_answer_in_any_log_line() -> None:
    async with FakeModel(FakeModelConfig(retry_after_s=0, drip_s=0.05)) as fake:
        said = await run(LOUD, fake.base_url, SECRET, WORDS)

    for unsaid in (WORDS, SECRET, "canary", "Let me think", "not what was asked for"):
        assert unsaid not in said
    assert "still loud" in said
    assert said.count("model call failed") == len(Fault)
    assert fake.stats.requests > len(Fault)


IMPORTS = """
import sys
import engine.qualification, engine.qbs, engine.expansion, engine.analyzers
import engine.llm.service
heavy = {"litellm", "instructor", "openai", "aiohttp", "httpx"} & set(sys.modules)
assert not heavy, heavy
"""


def test_the_asking_modules_import_nothing_heavy() -> None:
    subprocess.run([sys.executable, "-c", IMPORTS], check=True, timeout=120)


REPLAY = """
import asyncio, sys
from pathlib import Path
from engine.llm.recordings import RecordingMode, RecordingStore
from engine.llm.service import ModelService
from tests.engine.llm.asking import failure, model_with, request

async def main():
    service = ModelService(store=RecordingStore(Path(sys.argv[1])), mode=RecordingMode.RECORDED)
    await service.warm_up()
    reply = await service.ask(request(), deadline=60)
    assert reply.source.kind == "recorded"
    source = await failure(service, request(model_with("bad_json")))
    assert source.fallback_reason == "invalid_reply", source
    await service.aclose()

asyncio.run(main())
assert "litellm" not in sys.modules
"""


@pytest.fixture
async def recordings(tmp_path: Path) -> Path:
    async with FakeModel() as fake, service_for(fake.base_url, store=RecordingStore(tmp_path)) as service:
        await service.ask(request(), deadline=60)
        await failure(service, request(model_with(Fault.BAD_JSON)))
    return tmp_path


async def test_a_replay_does_not_wait_for_litellm(recordings: Path) -> None:
    await run(REPLAY, str(recordings))
