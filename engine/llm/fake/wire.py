"""Answers as they go over the wire: orderly, turned down with a status, or broken."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic_core import to_json

from engine.llm.fake.faults import Fault

HTML_PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"

# Closing a socket that lingers for 0 seconds sends a reset in the place of an orderly end.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class ApiError:
    """An error in OpenAI's form."""

    status: int
    kind: str
    code: str | None
    message: str

    @property
    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.kind, "param": None, "code": self.code}}


API_ERRORS: Mapping[Fault, ApiError] = {
    Fault.BAD_REQUEST: ApiError(400, "invalid_request_error", None, "Invalid request (injected)."),
    Fault.CONTENT_POLICY: ApiError(
        400,
        "invalid_request_error",
        "content_policy_violation",
        "Your request was rejected as a result of our safety system.",
    ),
    Fault.CONTEXT_TOO_LONG: ApiError(
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 4096 tokens. Please reduce the length of the messages.",
    ),
    Fault.UNAUTHORISED: ApiError(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    Fault.FORBIDDEN: ApiError(403, "permission_error", "forbidden", "You are not allowed to use this model."),
    Fault.NOT_FOUND: ApiError(404, "invalid_request_error", "model_not_found", "The model does not exist."),
    Fault.RATE_LIMITED: ApiError(429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    Fault.INSUFFICIENT_QUOTA: ApiError(
        429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota; please check your plan."
    ),
    Fault.SERVER_ERROR: ApiError(500, "server_error", None, "The server had an error while processing your request."),
    Fault.BAD_GATEWAY: ApiError(502, "server_error", None, "Bad gateway."),
    Fault.UNAVAILABLE: ApiError(503, "server_error", None, "The engine is currently overloaded."),
}


def json_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=to_json(body), status=status, headers=headers, content_type="application/json")


def error_response(error: ApiError, *, retry_after_s: float | None = None) -> web.Response:
    headers = {"Retry-After": f"{retry_after_s:g}"} if error.status == 429 and retry_after_s is not None else None
    return json_response(error.body, error.status, headers)


def html_response() -> web.Response:
    return web.Response(text=HTML_PAGE, content_type="text/html")


def reset(request: web.Request) -> web.StreamResponse:
    """Reset the connection before any byte of an answer."""
    transport = request.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
    return web.Response()


async def cut(request: web.Request, body: bytes) -> web.StreamResponse:
    """Promise the whole body, send half of it, and close."""
    response = await _begun(request, len(body))
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def drip(request: web.Request, body: bytes, pause_s: float, stopping: asyncio.Event) -> web.StreamResponse:
    """Send the body one byte at a time, with `pause_s` seconds before each; cut off when the server stops."""
    response = await _begun(request, len(body))
    for byte in body:
        if await _stopped_within(pause_s, stopping):
            return reset(request)
        await response.write(bytes((byte,)))
    return response


async def hang(request: web.Request, stopping: asyncio.Event) -> web.StreamResponse:
    """Say nothing until the client leaves (which cancels this) or the server stops."""
    await stopping.wait()
    return reset(request)


async def _begun(request: web.Request, length: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(length)})
    await response.prepare(request)
    return response


async def _stopped_within(seconds: float, stopping: asyncio.Event) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
    return stopping.is_set()
