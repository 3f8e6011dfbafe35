"""litellm, asked for one completion by one HTTP request."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import Any

from engine.llm.completion import Call, Completion
from engine.llm.faults import call_fault
from engine.llm.libraries import litellm
from engine.llm.limits import Spend
from engine.llm.sending import Place, http_client

# Tried: these send by the `post` of litellm's own HTTP client, given as `client=`. Azure wants another client.
_TAKE_CLIENT = frozenset(
    {
        "anthropic",
        "azure_ai",
        "cerebras",
        "databricks",
        "deepseek",
        "fireworks_ai",
        "gemini",
        "groq",
        "hosted_vllm",
        "litellm_proxy",
        "lm_studio",
        "mistral",
        "nvidia_nim",
        "ollama",
        "ollama_chat",
        "openai",
        "openrouter",
        "perplexity",
        "together_ai",
        "xai",
    }
)

CHARACTERS_PER_TOKEN = 4  # of English, roughly; only for reserving


@functools.cache
def _takes_client(model: str) -> bool:
    try:
        return litellm().get_llm_provider(model)[1] in _TAKE_CLIENT
    except Exception:  # noqa: BLE001  # no such provider: the call itself will say so
        return False


def estimated_cost_usd(model: str, tokens_in: int, tokens_out: int) -> float | None:
    """What that many tokens cost by litellm's price list; None if it does not know the model."""
    try:
        costs = litellm().cost_per_token(model=model, prompt_tokens=tokens_in, completion_tokens=tokens_out)
    except Exception:  # noqa: BLE001  # "not mapped" comes as several classes, and is an answer
        return None
    return float(sum(costs))


@functools.cache
def _has_price(model: str) -> bool:
    return estimated_cost_usd(model, 1, 1) is not None


class ModelClient:
    """Gets one completion at a time. `engine.llm.libraries` must have been imported.

    Addresses and keys come from litellm's environment variables unless `api_base` and `api_key` are given.
    `timeout_s` is how long the provider may be silent. Close it in the loop that used it.
    """

    def __init__(self, *, api_base: str | None = None, api_key: str | None = None, timeout_s: float = 30.0) -> None:
        self._address = {"api_base": api_base, "api_key": api_key}
        self._timeout_s = timeout_s
        self._http: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def complete(self, call: Call) -> Completion:
        """The answer to `call`, whatever it says. Raises FaultError."""
        if not _takes_client(call.model):
            return await self._complete(call)
        http = self._http_client()
        async with Place(http.places):
            return await self._complete(call, client=http)

    def estimate(self, call: Call, *, priced: bool) -> Spend:
        """What `call` may take at most, roughly. The price is only looked up if `priced`."""
        tokens_in = sum(len(message.get("content") or "") for message in call.messages) // CHARACTERS_PER_TOKEN
        cost_usd = estimated_cost_usd(call.model, tokens_in, call.max_tokens) if priced else 0.0
        return Spend(calls=1, tokens=tokens_in + call.max_tokens, cost_usd=cost_usd)

    async def aclose(self) -> None:
        """Close the connections."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _complete(self, call: Call, **client: Any) -> Completion:
        started = time.perf_counter()
        try:
            response = await litellm().acompletion(**self._arguments(call), **client)
        except Exception as error:
            raise call_fault(error) from error
        latency_ms = (time.perf_counter() - started) * 1000
        return Completion(response.model_dump(exclude_none=True), latency_ms, _cost_usd(call.model, response))

    def _arguments(self, call: Call) -> dict[str, Any]:
        return {
            "model": call.model,
            "messages": [dict(message) for message in call.messages],
            "tools": [call.tool],
            "tool_choice": call.tool_choice,
            "temperature": call.temperature,
            "max_tokens": call.max_tokens,
            "timeout": self._timeout_s,
            "num_retries": 0,
            "max_retries": 0,
            "fallbacks": [],  # no other model; told so, litellm also spares itself an account of each success
            "drop_params": True,  # some models take no temperature
            **{name: value for name, value in self._address.items() if value is not None},
        }

    def _http_client(self) -> Any:
        """The HTTP client of the running loop: connections cannot move from one loop to another."""
        loop = asyncio.get_running_loop()
        if self._http is None or self._loop is not loop:
            self._http, self._loop = http_client(self._timeout_s), loop
        return self._http


def _cost_usd(model: str, response: Any) -> float | None:
    """What litellm computed for this one answer, by `completion_cost`; None if it does not know the model."""
    if not _has_price(model):
        return None
    cost = response._hidden_params.get("response_cost")
    return cost if isinstance(cost, float) else None
