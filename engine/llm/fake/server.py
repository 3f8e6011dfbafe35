"""The fake model server: OpenAI's chat-completions protocol on 127.0.0.1, with set answers, latency and faults."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from pydantic_core import to_json

from engine.errors import ConfigurationError
from engine.llm.fake import wire
from engine.llm.fake.answers import Answer, WholeCompletion
from engine.llm.fake.chat import BadChatRequestError, ChatRequest, parse_chat
from engine.llm.fake.completion import answer_in, completion
from engine.llm.fake.config import FakeModelConfig
from engine.llm.fake.faults import MODEL_PREFIX, Fault, FaultPlan
from engine.llm.fake.spoiling import SPOILS, spoiled
from engine.llm.fake.stats import FakeStats, Tally
from engine.llm.fake.ways import answers_for

HOST = "127.0.0.1"
MAX_REQUEST_BYTES = 64 * 1024 * 1024
SHUTDOWN_SECONDS = 1.0
PLAIN_TEXT = "This is the fake model; it answers structured calls, and to anything else it says this."

_MISS = wire.ApiError(404, "invalid_request_error", "no_recording", "There is no recorded answer to this request.")


class FakeModel:
    """A fake model server inside this process: `async with FakeModel(config) as fake: fake.base_url`."""

    def __init__(self, config: FakeModelConfig | None = None) -> None:
        self._config = config or FakeModelConfig()
        self._answers = answers_for(self._config)
        self._plan = FaultPlan(
            self._config.faults,
            self._config.script,
            seed=self._config.seed,
            recover_after=self._config.recover_after,
        )
        self._tally = Tally()
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """What a client takes as its base URL, such as `http://127.0.0.1:41234/v1`. The server must be started."""
        if self._runner is None:
            raise RuntimeError("the fake model is not started; use `async with FakeModel(...)`")
        return f"http://{HOST}:{self._runner.addresses[0][1]}/v1"

    @property
    def stats(self) -> FakeStats:
        return self._tally.snapshot()

    def reset_stats(self) -> None:
        """Count from nothing again: the next request is request 0, and no request has been failed."""
        self._tally.reset()
        self._plan.forget()

    async def start(self) -> None:
        """Begin to listen. Raises ConfigurationError if the port is taken."""
        self._stopping.clear()
        runner = web.AppRunner(
            self._app(), access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._config.port).start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigurationError(
                f"the fake model cannot listen on port {self._config.port} ({error.strerror}); port 0 takes a free one"
            ) from error
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening; requests that hang or drip are reset, others get a second to end."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.router.add_post("/v1/chat/completions", self._chat_completions)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/stats", self._show_stats)
        app.router.add_post("/stats/reset", self._reset_stats)
        return app

    async def _models(self, request: web.Request) -> web.Response:
        names = ["fake-model", *(MODEL_PREFIX + fault for fault in Fault)]
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "fake"} for name in names]
        return wire.json_response({"object": "list", "data": models})

    async def _show_stats(self, request: web.Request) -> web.Response:
        return wire.json_response(asdict(self.stats))

    async def _reset_stats(self, request: web.Request) -> web.Response:
        self.reset_stats()
        return wire.json_response(asdict(self.stats))

    async def _chat_completions(self, request: web.Request) -> web.StreamResponse:
        with self._tally.request() as number:
            try:
                chat = parse_chat(await request.read())
            except BadChatRequestError as error:
                self._tally.ended("rejected")
                return wire.error_response(wire.ApiError(400, "invalid_request_error", None, str(error)))
            self._tally.understood(chat.reply_name)
            fault = self._plan.fault_for(number, chat)
            if fault is not None:
                self._tally.failed(fault)
            if self._config.latency_ms:
                await asyncio.sleep(self._config.latency_ms / 1000)
            return await self._respond(request, chat, number, fault)

    async def _respond(
        self, request: web.Request, chat: ChatRequest, number: int, fault: Fault | None
    ) -> web.StreamResponse:
        match fault:
            case Fault.RESET:
                return wire.reset(request)
            case Fault.HANG:
                return await wire.hang(request, self._stopping)
            case Fault.HTML_200:
                return wire.html_response()
        if fault is not None and fault in wire.API_ERRORS:
            return wire.error_response(wire.API_ERRORS[fault], retry_after_s=self._config.retry_after_s)
        return await self._respond_with_completion(request, chat, number, fault)

    async def _respond_with_completion(
        self, request: web.Request, chat: ChatRequest, number: int, fault: Fault | None
    ) -> web.StreamResponse:
        answer = self._answers.answer(chat)
        if answer is None and chat.form != "text":
            if fault is None:
                self._tally.ended("missed")
            return wire.error_response(_MISS)
        if fault is None:
            self._tally.ended("answered")
        body = to_json(completion_for(answer, chat, number, fault))
        if fault is Fault.CUT_BODY:
            return await wire.cut(request, body)
        if fault is Fault.DRIP:
            return await wire.drip(request, body, self._config.drip_s, self._stopping)
        return web.Response(body=body, content_type="application/json")


def completion_for(answer: Answer | None, chat: ChatRequest, number: int, fault: Fault | None) -> dict[str, Any]:
    """The completion that says `answer` (None: a plain sentence), spoiled if `fault` spoils completions."""
    if fault is not None and fault in SPOILS:
        return spoiled(fault, chat, number, _said(answer))
    if isinstance(answer, WholeCompletion):
        return dict(answer.body)
    return completion(chat, number, _said(answer))


def _said(answer: Answer | None) -> str:
    if isinstance(answer, WholeCompletion):
        return answer_in(answer.body) or "{}"
    return PLAIN_TEXT if answer is None else to_json(answer).decode()


async def listen_until_told(config: FakeModelConfig) -> None:
    """Serve until SIGINT or SIGTERM; prints the address when ready."""
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with FakeModel(config) as fake:
        sys.stdout.write(f"listening on {fake.base_url}\n")
        sys.stdout.flush()
        await told.wait()


def serve(config: FakeModelConfig) -> None:
    """Serve in the foreground until Ctrl-C. Raises ConfigurationError if the port is taken."""
    asyncio.run(listen_until_told(config))
