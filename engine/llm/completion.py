"""One completion: what is asked of a model, and what comes back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import from_json, to_json


@dataclass(frozen=True, slots=True)
class Call:
    """One completion to be had. `schema` is name, description and parameters of the tool that must be called.

    Calls that differ in `sample` alone are the same question asked again on purpose.
    """

    model: str
    messages: tuple[Mapping[str, Any], ...]
    schema: Mapping[str, Any]
    temperature: float
    max_tokens: int
    sample: int = 0

    @property
    def request(self) -> dict[str, Any]:
        """What the answer depends on: the canonical request."""
        return {
            "model": self.model,
            "messages": list(self.messages),
            "schema": self.schema,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }

    @property
    def key(self) -> str:
        """SHA-256, in hexadecimal digits, of the canonical request and the sample index."""
        return key_of(self.request, self.sample)

    @property
    def tool(self) -> dict[str, Any]:
        """`schema` as a tool; a copy, because litellm's translations for some providers write into it."""
        return {"type": "function", "function": from_json(to_json(self.schema))}

    @property
    def tool_choice(self) -> dict[str, Any]:
        return {"type": "function", "function": {"name": self.schema["name"]}}


def key_of(request: Mapping[str, Any], sample: int) -> str:
    """The key under which the answer to `request` is recorded; independent of the order of its fields."""
    text = json.dumps([request, sample], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer as it came, in OpenAI's form, well-formed or not.

    `latency_ms` is None where it was not measured, `cost_usd` where no price is known.
    """

    body: Mapping[str, Any]
    latency_ms: float | None
    cost_usd: float | None
    recorded: bool = False

    @property
    def tokens_in(self) -> int:
        return self._tokens("prompt_tokens")

    @property
    def tokens_out(self) -> int:
        return self._tokens("completion_tokens")

    def _tokens(self, kind: Literal["prompt_tokens", "completion_tokens"]) -> int:
        count = (self.body.get("usage") or {}).get(kind)
        return count if isinstance(count, int) and count > 0 else 0


Complete = Callable[[Call], Awaitable[Completion]]
