from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from engine.llm.faults import FaultError, answer_fault, call_fault, retry_after_s
from engine.llm.retries import RetryPolicy
from engine.model.analysis import FallbackReason as Reason


class StatusError(Exception):
    """As litellm's, in the two things that are looked at."""

    def __init__(self, status: int | None, text: str = "", headers: Mapping[str, str] | None = None) -> None:
        self.status_code = status
        self.litellm_response_headers = headers
        super().__init__(text)


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (400, "", Reason.BAD_REQUEST),
        (401, "", Reason.NOT_AUTHORISED),
        (402, "", Reason.QUOTA_EXHAUSTED),
        (403, "", Reason.NOT_AUTHORISED),
        (404, "", Reason.MODEL_NOT_FOUND),
        (408, "", Reason.TIMEOUT),
        (418, "", Reason.BAD_REQUEST),
        (422, "", Reason.BAD_REQUEST),
        (429, "slow down", Reason.RATE_LIMITED),
        (429, "code: insufficient_quota", Reason.QUOTA_EXHAUSTED),
        (500, "", Reason.SERVER_ERROR),
        (504, "", Reason.TIMEOUT),
        (529, "", Reason.SERVER_ERROR),
        (200, "", Reason.SERVER_ERROR),
        (None, "", Reason.UNEXPECTED),
    ],
)
def test_a_status_has_its_reason(status: int | None, text: str, reason: Reason) -> None:
    assert call_fault(StatusError(status, text)).reason is reason


def test_a_missing_package_is_not_taken_for_a_broken_server() -> None:
    error = StatusError(500)
    error.__cause__ = ModuleNotFoundError("No module named 'mcp'")
    assert call_fault(error).reason is Reason.UNEXPECTED


def test_a_fault_says_class_and_status_and_nothing_that_was_said() -> None:
    fault = call_fault(StatusError(400, "the transcript, the key"))
    assert str(fault) == "bad_request (StatusError 400)"


def test_what_instructor_does_not_know_is_unexpected() -> None:
    assert answer_fault(RuntimeError("text")).reason is Reason.UNEXPECTED
    assert answer_fault(FaultError(Reason.TIMEOUT)).reason is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-4"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


def test_a_date_to_retry_after_is_seconds_from_now() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    found = retry_after_s({"retry-after": date})
    assert found is not None
    assert 3000 < found <= 3600


def test_headers_are_read_whatever_their_case() -> None:
    assert call_fault(StatusError(429, headers={"Retry-After": "3"})).retry_after_s == 3.0


def policy(jitter: float) -> RetryPolicy:
    return RetryPolicy(repeats=2, first_pause_s=0.2, jitter=lambda: jitter)


@pytest.mark.parametrize(
    ("reason", "retry_after", "repeated", "left_s", "pause_s"),
    [
        (Reason.SERVER_ERROR, None, 0, 9.0, 0.2),
        (Reason.SERVER_ERROR, None, 1, 9.0, 0.4),
        (Reason.SERVER_ERROR, None, 2, 9.0, None),  # often enough
        (Reason.RATE_LIMITED, 3.0, 0, 9.0, 3.0),
        (Reason.RATE_LIMITED, 0.1, 0, 9.0, 0.2),
        (Reason.RATE_LIMITED, 3.0, 0, 2.0, None),  # nothing would be left
        (Reason.BAD_REQUEST, None, 0, 9.0, None),
        (Reason.QUOTA_EXHAUSTED, 1.0, 0, 9.0, None),
        (Reason.NOT_AUTHORISED, None, 0, 9.0, None),
        (Reason.CONTENT_POLICY, None, 0, 9.0, None),
    ],
)
def test_the_pause_before_a_repetition(
    reason: Reason, retry_after: float | None, repeated: int, left_s: float, pause_s: float | None
) -> None:
    fault = FaultError(reason, retry_after_s=retry_after)
    found = policy(jitter=0.5).pause_s(fault, repeated=repeated, left_s=left_s)
    assert found == (None if pause_s is None else pytest.approx(pause_s))


def test_pauses_differ_so_that_callers_do_not_come_back_together() -> None:
    fault = FaultError(Reason.SERVER_ERROR)
    pauses = [policy(jitter).pause_s(fault, repeated=0, left_s=9) for jitter in (0.0, 0.999)]
    assert pauses == [pytest.approx(0.1), pytest.approx(0.3, rel=0.01)]
