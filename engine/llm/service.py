"""Asking a model for one structured reply: within a deadline, with every failure sorted, counted and labelled."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypedDict

import structlog

from engine.errors import ConfigurationError, ModelCallError
from engine.llm.calling import Caller, Tab
from engine.llm.client import ModelClient
from engine.llm.completion import Call, Completion
from engine.llm.faults import FaultError
from engine.llm.libraries import import_instructor, import_libraries
from engine.llm.limits import CircuitBreaker, Ledger
from engine.llm.reask import read_or_reask
from engine.llm.recordings import RecordingMode, RecordingStore, recording
from engine.llm.remedies import REMEDIES
from engine.llm.reply import ReplyT, reply_in, schema_of
from engine.llm.retries import RetryPolicy
from engine.model.analysis import FallbackReason, Source


class Message(TypedDict):
    """One chat message as every provider takes it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ModelRequest(Generic[ReplyT]):
    """What is asked of a model. `prompt` is name@hash; `reasks` how often an invalid reply is asked again.

    `sample` tells repeats apart: the same request with another sample is really asked again, with recordings too.
    """

    purpose: str  # "extraction", "question", "expansion", ...
    model: str  # a litellm model name
    messages: tuple[Message, ...]
    reply: type[ReplyT]
    prompt: str
    temperature: float
    max_tokens: int
    reasks: int = 1
    sample: int = 0

    @property
    def call(self) -> Call:
        """The first completion that this request leads to."""
        return Call(self.model, self.messages, schema_of(self.reply), self.temperature, self.max_tokens, self.sample)


@dataclass(frozen=True, slots=True)
class ModelReply(Generic[ReplyT]):
    """The reply, and where it came from: a source of kind `llm`, or `recorded` if every answer was."""

    value: ReplyT
    source: Source


class ModelService:
    """Asks models. One for a process is enough; it belongs to one event loop at a time.

    `api_base` and `api_key` take the place of litellm's environment variables. `timeout_s` is how long a provider may
    be silent in one call. Raises ConfigurationError where `mode` needs a store and there is none.
    """

    def __init__(
        self,
        *,
        store: RecordingStore | None = None,
        mode: RecordingMode = RecordingMode.LIVE,
        ledger: Ledger | None = None,
        breaker: CircuitBreaker | None = None,
        retries: RetryPolicy | None = None,
        api_base: str | None = None,
        api_key: str | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        if store is None and mode is not RecordingMode.LIVE:
            raise ConfigurationError(f"recording mode {mode} needs a recording store")
        self._store = store
        self._mode = mode
        self._breaker = breaker or CircuitBreaker()
        self._client = ModelClient(api_base=api_base, api_key=api_key, timeout_s=timeout_s)
        self._caller = Caller(self._client, ledger or Ledger(), self._breaker, retries or RetryPolicy())

    async def ask(self, request: ModelRequest[ReplyT], *, deadline: float) -> ModelReply[ReplyT]:
        """The reply to `request` within `deadline` seconds from now.

        Raises ModelCallError with the reason, the time, and what was spent on all attempts, and nothing else.
        """
        tab = Tab(asyncio.get_running_loop().time() + deadline)
        limit = asyncio.timeout_at(tab.expires_at)
        try:
            async with limit:
                value = await self._answer(request, tab)
                return ModelReply(value, _source(request, tab))
        except Exception as error:  # noqa: BLE001  # the caller goes on with the rules, whatever it was
            fault = _fault_of(error, expired=limit.expired())
        if fault.reason is FallbackReason.DEADLINE and tab.attempts:
            self._breaker.failed(request.model, fault.reason)
        _note_failure(request, fault, tab)
        # Raised out here, so that nothing of the model's words hangs on it as a context.
        raise ModelCallError(_source(request, tab, fault), fault.kind)

    async def warm_up(self) -> None:
        """Import what asking takes (seconds), off the loop; without it the first ask does, within its deadline."""
        await (import_instructor() if self._mode is RecordingMode.RECORDED else import_libraries())

    async def aclose(self) -> None:
        """Close the connections and wait until every answer is written."""
        await self._client.aclose()
        if self._store is not None:
            self._store.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _answer(self, request: ModelRequest[ReplyT], tab: Tab) -> ReplyT:
        call, remedies = request.call, dict(REMEDIES)
        while True:
            try:
                return await self._reply(request, call, tab)
            except FaultError as fault:
                remedy = remedies.pop(fault.reason, None)
                if remedy is None:
                    raise
                call = remedy(call)

    async def _reply(self, request: ModelRequest[ReplyT], call: Call, tab: Tab) -> ReplyT:
        recorded = recording(lambda call: self._caller.complete(call, tab), self._store, self._mode)

        async def complete(call: Call) -> Completion:
            completion = await recorded(call)
            if completion.recorded:
                tab.add_recorded(completion)
            return completion

        completion = await complete(call)
        value = reply_in(request.reply, completion.body)
        if value is not None:
            return value
        return await read_or_reask(request.reply, call, completion, complete, reasks=request.reasks)


def _source(request: ModelRequest[ReplyT], tab: Tab, fault: FaultError | None = None) -> Source:
    """Where the reply came from; for a failed ask, the rules that will answer in the model's place."""
    return Source(
        kind="rules" if fault else "recorded" if tab.is_recorded else "llm",
        model=request.model,
        prompt=request.prompt,
        fallback_reason=fault.reason if fault else None,
        latency_ms=tab.latency_ms,
        tokens_in=tab.tokens_in,
        tokens_out=tab.tokens_out,
        cost_usd=tab.cost_usd,
        attempts=tab.attempts,
    )


def _fault_of(error: Exception, *, expired: bool) -> FaultError:
    if expired:
        return FaultError(FallbackReason.DEADLINE)
    if isinstance(error, FaultError):
        return error
    # A defect, or a disk that is full. The place is safe to log; the text may hold what was said.
    *_, place = traceback.extract_tb(error.__traceback__)
    kind = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
    return FaultError(FallbackReason.UNEXPECTED, kind)


def _note_failure(request: ModelRequest[ReplyT], fault: FaultError, tab: Tab) -> None:
    log = structlog.get_logger(__name__)
    note = log.warning if tab.attempts else log.info  # what was never asked is no failure of the model's
    note(
        "model call failed",
        purpose=request.purpose,
        model=request.model,
        reason=fault.reason.value,
        error=fault.kind or None,
        attempts=tab.attempts,
    )
