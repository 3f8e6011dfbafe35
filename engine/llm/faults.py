"""What can go wrong with a model call, sorted into the reasons for a fallback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from engine.model.analysis import FallbackReason


class FaultError(Exception):
    """One call, or one ask, went wrong. Stays inside `engine.llm`: callers get a `ModelCallError`.

    `kind` is the class and code of what was behind it, safe to log; `retry_after_s` is what the provider asked for.
    """

    def __init__(self, reason: FallbackReason, kind: str = "", *, retry_after_s: float | None = None) -> None:
        self.reason = reason
        self.kind = kind
        self.retry_after_s = retry_after_s
        super().__init__(f"{reason} ({kind})" if kind else str(reason))


# What litellm's own classes say more precisely than their HTTP status.
_BY_CLASS: Mapping[str, FallbackReason] = {
    "ContextWindowExceededError": FallbackReason.CONTEXT_TOO_LONG,
    "ContentPolicyViolationError": FallbackReason.CONTENT_POLICY,
    "Timeout": FallbackReason.TIMEOUT,
}
_BY_STATUS: Mapping[int, FallbackReason] = {
    400: FallbackReason.BAD_REQUEST,
    401: FallbackReason.NOT_AUTHORISED,
    402: FallbackReason.QUOTA_EXHAUSTED,
    403: FallbackReason.NOT_AUTHORISED,
    404: FallbackReason.MODEL_NOT_FOUND,
    408: FallbackReason.TIMEOUT,
    422: FallbackReason.BAD_REQUEST,
    429: FallbackReason.RATE_LIMITED,
    504: FallbackReason.TIMEOUT,
}
# A 429 that waiting does not cure says so only in its text.
_QUOTA_MARKS = ("insufficient_quota", "exceeded your current quota")

# What instructor found wrong with an answer that did arrive.
_BY_FINDING: Mapping[str, FallbackReason] = {
    "IncompleteOutputException": FallbackReason.TRUNCATED,
    "ValidationError": FallbackReason.INVALID_REPLY,
    "JSONDecodeError": FallbackReason.INVALID_REPLY,
    "ResponseParsingError": FallbackReason.REFUSED,
    "AssertionError": FallbackReason.REFUSED,  # the `refusal` field is set
    "IndexError": FallbackReason.EMPTY_REPLY,
}


def call_fault(error: Exception) -> FaultError:
    """The fault behind an exception of litellm's `acompletion`."""
    status = getattr(error, "status_code", None)
    kind = f"{type(error).__name__} {status}" if status else type(error).__name__
    return FaultError(_call_reason(error, status), kind, retry_after_s=retry_after_s(_headers(error)))


def answer_fault(error: Exception) -> FaultError:
    """The fault behind an exception of instructor's: a `FaultError` that passed through it, or what it found itself."""
    cause = error.__cause__ if type(error).__name__ == "InstructorRetryException" else error
    if isinstance(cause, FaultError):
        return cause
    reason = _first(_BY_FINDING, cause) if cause else None
    return FaultError(reason or FallbackReason.UNEXPECTED, type(cause or error).__name__)


def _call_reason(error: Exception, status: object) -> FallbackReason:
    by_class = _first(_BY_CLASS, error)
    if by_class is not None:
        return by_class
    if any(isinstance(link, ImportError) for link in _chain(error)):
        return FallbackReason.UNEXPECTED
    # litellm gives a broken connection the status 500; what broke is behind it.
    if any("TransportError" in _names(link) for link in _chain(error)):
        return FallbackReason.CONNECTION
    if not isinstance(status, int):
        return FallbackReason.UNEXPECTED
    if status == 429 and any(mark in str(error) for mark in _QUOTA_MARKS):
        return FallbackReason.QUOTA_EXHAUSTED
    # A page in the place of an answer comes with 200: the server is not the one that was meant, or not well.
    unnamed = FallbackReason.SERVER_ERROR if status >= 500 or status < 300 else FallbackReason.BAD_REQUEST
    return _BY_STATUS.get(status, unnamed)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait according to `retry-after-ms` or `retry-after` (seconds or an HTTP date); None if not said."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(headers["retry-after"]))
    except KeyError:
        return None
    except ValueError:
        return _seconds_until(headers.get("retry-after", ""))


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _headers(error: Exception) -> Mapping[str, str]:
    found = getattr(error, "litellm_response_headers", None) or getattr(
        getattr(error, "response", None), "headers", None
    )
    return {str(name).lower(): str(value) for name, value in (found or {}).items()}


def _first(reasons: Mapping[str, FallbackReason], error: BaseException) -> FallbackReason | None:
    """The reason of the most special class of `error` that has one. By name, so that no library is imported."""
    return next((reasons[name] for name in _names(error) if name in reasons), None)


def _names(error: BaseException) -> tuple[str, ...]:
    return tuple(kind.__name__ for kind in type(error).__mro__)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and what was behind it."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__
