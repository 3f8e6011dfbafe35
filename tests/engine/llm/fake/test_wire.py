"""Requests turned down with a status, and connections that misbehave."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from engine.llm.fake import FakeModel, FakeModelConfig, Fault
from engine.llm.fake.spoiling import SPOILS
from engine.llm.fake.wire import API_ERRORS
from tests.engine.llm.fake.calls import arguments_of, post, tool_call

BROKEN = {Fault.RESET, Fault.CUT_BODY, Fault.HTML_200, Fault.HANG, Fault.DRIP}


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.BAD_REQUEST, 400, None),
        (Fault.CONTENT_POLICY, 400, "content_policy_violation"),
        (Fault.CONTEXT_TOO_LONG, 400, "context_length_exceeded"),
        (Fault.UNAUTHORISED, 401, "invalid_api_key"),
        (Fault.FORBIDDEN, 403, "forbidden"),
        (Fault.NOT_FOUND, 404, "model_not_found"),
        (Fault.RATE_LIMITED, 429, "rate_limit_exceeded"),
        (Fault.INSUFFICIENT_QUOTA, 429, "insufficient_quota"),
        (Fault.SERVER_ERROR, 500, None),
        (Fault.BAD_GATEWAY, 502, None),
        (Fault.UNAVAILABLE, 503, None),
    ],
)
async def test_a_request_is_turned_down_with_status_and_code(fault: Fault, status: int, code: str | None) -> None:
    async with FakeModel(FakeModelConfig(retry_after_s=2.5)) as fake:
        answered, body, headers = await post(fake, tool_call(f"fake-{fault}"))
        assert (answered, body["error"]["code"]) == (status, code)
        assert headers.get("Retry-After") == ("2.5" if status == 429 else None)
        assert fake.stats.faults == {fault.value: 1}


def test_every_fault_is_one_of_three_kinds() -> None:
    assert sorted([*SPOILS, *API_ERRORS, *BROKEN]) == sorted(Fault)


async def test_a_reset_comes_before_any_answer() -> None:
    async with FakeModel() as fake:
        with pytest.raises(ConnectionResetError):
            await _raw_answer(fake, tool_call("fake-reset"))


async def test_a_cut_body_stops_short_of_its_length() -> None:
    async with FakeModel() as fake:
        raw = await _raw_answer(fake, tool_call("fake-cut_body"))
        with pytest.raises(aiohttp.ClientPayloadError):
            await post(fake, tool_call("fake-cut_body"))
    head, _, body = raw.partition(b"\r\n\r\n")
    promised = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    assert head.startswith(b"HTTP/1.1 200")
    assert 0 < len(body) < promised


async def test_a_page_of_html_comes_with_status_200() -> None:
    async with FakeModel() as fake:
        status, body, headers = await post(fake, tool_call("fake-html_200"))
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert body.startswith("<!DOCTYPE html>")


async def test_a_hang_says_nothing_at_all() -> None:
    async with FakeModel() as fake:
        reader, writer = await _sent(fake, tool_call("fake-hang"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.3)
        writer.close()


async def test_a_drip_sends_a_byte_at_a_time_and_no_read_waits_longer_than_the_pause() -> None:
    async with FakeModel(FakeModelConfig(drip_s=0.1)) as fake:
        reader, writer = await _sent(fake, tool_call("fake-drip"))
        await reader.readuntil(b"\r\n\r\n")
        began = time.monotonic()
        pieces = [await reader.read(1000) for _ in range(3)]
        took = time.monotonic() - began
        writer.close()
    assert took >= 0.15
    assert all(len(piece) < 20 for piece in pieces)


async def test_a_drip_that_is_waited_for_is_the_whole_answer() -> None:
    async with FakeModel(FakeModelConfig(drip_s=0)) as fake:
        status, body, _ = await post(fake, tool_call("fake-drip"))
    assert status == 200
    assert arguments_of(body)


async def _sent(fake: FakeModel, body: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection on which the request has been sent."""
    payload = aiohttp.JsonPayload(body)
    port = int(fake.base_url.rpartition(":")[2].removesuffix("/v1"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: fake\r\nContent-Length: {payload.size}\r\n\r\n"
    writer.write(head.encode() + payload.decode().encode())
    await writer.drain()
    return reader, writer


async def _raw_answer(fake: FakeModel, body: object) -> bytes:
    reader, writer = await _sent(fake, body)
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()
