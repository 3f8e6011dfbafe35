"""The faults that a model can show, and the plan that says which request gets which."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from engine.errors import ConfigurationError
from engine.llm.fake.chat import ChatRequest

MODEL_PREFIX = "fake-"


class Fault(StrEnum):
    """One way in which a model call goes wrong. The value is its name on the command line and in model names."""

    # a completion arrives, but not a usable one
    LENGTH = "length"  # cut JSON, finish_reason "length"
    BAD_JSON = "bad_json"
    WRONG_SCHEMA = "wrong_schema"  # good JSON, every field of a wrong type
    NAN = "nan"  # NaN in the place of a number
    REFUSAL = "refusal"  # OpenAI's `refusal` field
    NULL = "null"  # neither content nor a tool call
    PROSE = "prose"  # text in the place of the structured answer
    EMPTY_CHOICES = "empty_choices"
    # the request is turned down with an HTTP status
    BAD_REQUEST = "400"
    CONTENT_POLICY = "content_policy"
    CONTEXT_TOO_LONG = "context_too_long"
    UNAUTHORISED = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    RATE_LIMITED = "429"
    INSUFFICIENT_QUOTA = "insufficient_quota"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    # the connection misbehaves
    RESET = "reset"  # closed with a reset before any answer
    CUT_BODY = "cut_body"  # closed in the middle of the body
    HTML_200 = "html_200"  # a proxy's page with status 200
    HANG = "hang"  # no answer until somebody closes
    DRIP = "drip"  # the answer, one byte at a time


def fault_named(name: str) -> Fault:
    """The fault called `name` (hyphens are as good as underscores); raises ConfigurationError with the choices."""
    try:
        return Fault(name.strip().replace("-", "_"))
    except ValueError:
        raise ConfigurationError(f"there is no fault called {name!r}; the faults are {', '.join(Fault)}") from None


def fault_of_model(model: str) -> Fault | None:
    """What a model name such as `fake-429` or `openai/fake-bad-json` asks for; None for any other name."""
    name = model.rpartition("/")[2]
    if not name.startswith(MODEL_PREFIX):
        return None
    wanted = name.removeprefix(MODEL_PREFIX).replace("-", "_")
    return next((fault for fault in Fault if fault.value == wanted), None)


def check_rates(rates: Mapping[Fault, float]) -> None:
    """Raise ConfigurationError unless every rate is a probability and they add up to at most 1."""
    if any(not 0 <= rate <= 1 for rate in rates.values()) or sum(rates.values()) > 1 + 1e-9:
        raise ConfigurationError("fault rates are probabilities from 0 to 1 that add up to at most 1")


class FaultPlan:
    """Decides the fault of each request: by its model name, else by the script, else by seeded rates.

    Request numbers count from 0. `recover_after` caps how often the same request is failed (None: no cap);
    `same_request` says which requests are the same.
    """

    def __init__(
        self,
        rates: Mapping[Fault, float],
        script: tuple[Fault | None, ...] = (),
        *,
        seed: int = 0,
        recover_after: int | None = None,
    ) -> None:
        check_rates(rates)
        self._rates = tuple(rates.items())
        self._script = script
        self._seed = seed
        self._recover_after = recover_after
        self._failed: Counter[bytes] = Counter()

    def fault_for(self, number: int, chat: ChatRequest) -> Fault | None:
        """The fault of request `number`; remembers that this request was failed once more."""
        fault = self._wanted(number, chat.model)
        if fault is None or self._recover_after is None:
            return fault
        request = same_request(chat)
        if self._failed[request] >= self._recover_after:
            return None
        self._failed[request] += 1
        return fault

    def forget(self) -> None:
        """Start over: no request has been failed yet."""
        self._failed.clear()

    def _wanted(self, number: int, model: str) -> Fault | None:
        by_model = fault_of_model(model)
        if by_model is not None:
            return by_model
        if number < len(self._script):
            return self._script[number]
        return self._drawn(number) if self._rates else None

    def _drawn(self, number: int) -> Fault | None:
        point = uniform(self._seed, number)
        for fault, rate in self._rates:
            if point < rate:
                return fault
            point -= rate
        return None


def uniform(seed: int, number: int) -> float:
    """A number in [0, 1) that depends on `seed` and `number` alone."""
    digest = hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def same_request(chat: ChatRequest) -> bytes:
    """What a request shares with its repetitions: the model, the reply, and what was said before any answer.

    A re-ask, which appends the faulty answer, and a repetition with a larger limit are the same request.
    """
    digest = hashlib.blake2b(f"{chat.model}\n{chat.reply_name}\n".encode(), digest_size=16)
    for message in chat.opening:
        digest.update(f"{message.get('role')}\n{message.get('content')}\n".encode("utf-8", "replace"))
    return digest.digest()
