"""A row of somebody's file as an outcome and what became of it, or everything that is wrong with it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from engine.model.outcome import EventKind, OutcomeType
from evals.jsonl import Problem
from evals.learning.facts.schema import ENUMS
from evals.learning.importing.files import Row
from evals.learning.importing.mapping import COUNTS, FLAGS, SHARES, TEXTS, TIMES, WORDS
from evals.shapes import unwelcome_character

MAX_TEXT = 300
_IDS = UUID("0b7f7b1e-2a53-5d51-9a5c-7f1f5f1f7c11")  # fixed for ever: another would make other ids
_YES, _NO = ("yes", "y", "true", "t", "1"), ("no", "n", "false", "f", "0")


@dataclass(frozen=True, slots=True)
class ImportedOutcome:
    """An outcome as a file gives it; times in UTC. `happened` is what became of it: None while that is open."""

    outcome_id: str
    given_id: str | None
    conversation: str
    action_type: str
    outcome_type: str
    recommended_at: datetime
    closes_at: datetime
    happened: str | None = None
    happened_at: datetime | None = None
    sent: bool | None = None
    stage_advanced: bool | None = None
    account: str | None = None
    contact: str | None = None
    question_type: str | None = None
    target: str | None = None
    delivery: str | None = None
    engagement: str | None = None
    pain_depth: str | None = None
    stage: str | None = None
    persona: str | None = None
    channel: str | None = None
    fallback_reason: str | None = None
    analyzer: str | None = None
    model: str | None = None
    prompt: str | None = None
    calibration: str | None = None
    confidence: float | None = None
    calibrated_confidence: float | None = None
    propensity: float | None = None
    interaction_count: int | None = None
    turn: int | None = None

    @property
    def fingerprint(self) -> str:
        """Changes with anything that is said of the outcome."""
        return hashlib.sha256(json.dumps(asdict(self), default=str, sort_keys=True).encode()).hexdigest()


def read_row(
    row: Row, columns: dict[str, str], file: Path, zone: ZoneInfo | None, now: datetime
) -> ImportedOutcome | tuple[Problem, ...]:
    """The row as an outcome, with `columns` naming the column of each field. A window closes by `now` or is open.

    No problem quotes what stands in the file beyond single words and times.
    """
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, column in columns.items():
        try:
            found[name] = _value(name, row.fields.get(column), zone)
        except ValueError as error:
            problems.append(Problem(f"{column}: {error}", file, row.line))
    if not problems:
        problems = [Problem(text, file, row.line) for text in _contradictions(found, columns, now)]
    return tuple(problems) or _outcome(found, now)


def _value(name: str, value: Any, zone: ZoneInfo | None) -> Any:
    """The value of a field, None where there is none. Raises ValueError that says what is wrong."""
    if value is None or (isinstance(value, str) and not value.strip()) or (isinstance(value, float) and value != value):
        return None
    readers: tuple[tuple[tuple[str, ...], Callable[[Any], Any]], ...] = (
        (TIMES, lambda given: _moment(given, zone)),
        (FLAGS, _flag),
        (SHARES, _share),
        (COUNTS, _count),
        (WORDS, lambda given: _word(name, given)),
        (TEXTS, _text),
    )
    return next(read for names, read in readers if name in names)(value)


def _moment(value: Any, zone: ZoneInfo | None) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError("is no time as 2026-03-02T09:30:00+01:00") from None
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError("lacks its zone: write 2026-03-02T09:30:00+01:00, or say which it is in (--zone)")
        early, late = moment.replace(tzinfo=zone), moment.replace(tzinfo=zone, fold=1)
        if early.utcoffset() != late.utcoffset():
            raise ValueError("is a time at which the clocks were changed: write it with its offset")
        moment = early
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999") from None


def _flag(value: Any) -> bool:
    word = str(value).strip().casefold()
    if word not in (*_YES, *_NO):
        raise ValueError("is neither yes nor no")
    return word in _YES


def _share(value: Any) -> float:
    """From 0 to 1, so that a comma can only be the decimal mark."""
    try:
        number = float(value.replace(",", ".") if isinstance(value, str) else value)
    except (TypeError, ValueError):
        raise ValueError("is no number") from None
    if not (math.isfinite(number) and 0 <= number <= 1):
        raise ValueError("is not between 0 and 1")
    return number


def _count(value: Any) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError("is no number") from None
    if number != int(number) or not 0 <= number < 2**31:
        raise ValueError("is no whole number from 0 on")
    return int(number)


def _word(name: str, value: Any) -> str:
    word = "_".join(str(value).strip().casefold().replace("-", " ").split())
    if name == "question_type":
        word = word.removeprefix("qbs_")
    if word not in ENUMS[name]:
        raise ValueError(f"is none of {', '.join(ENUMS[name])}")
    return word


def _text(value: Any) -> str:
    text = str(value).strip()
    if len(text) > MAX_TEXT:
        raise ValueError(f"is longer than {MAX_TEXT} characters")
    if character := unwelcome_character(text):
        raise ValueError(f"holds {character}; remove it")
    return text


def _contradictions(found: dict[str, Any], columns: dict[str, str], now: datetime) -> list[str]:
    texts = [f"{columns[name]} is empty" for name in ("conversation", "recommended_at") if found.get(name) is None]
    if found.get("question_type") is None and found.get("action_type") is None:
        texts.append("says neither question_type nor action_type")
    if found.get("replied") and found.get("replied_at") is None:
        texts.append("says that there was a reply, and not when: map replied_at")
    if found.get("replied") is False and found.get("replied_at") is not None:
        texts.append("says that there was no reply, and when it came")
    begun, replied, closes = (found.get(name) for name in ("recommended_at", "replied_at", "closes_at"))
    if begun and begun > now:
        texts.append(f"{columns['recommended_at']} lies in the future")
    if begun and replied and replied <= begun:
        texts.append("the reply came before the question")
    if replied and replied > now:
        texts.append(f"{columns['replied_at']} lies in the future")
    if begun and closes and closes <= begun:
        texts.append("the window closes before it opens")
    if found.get("sent") is False and replied:
        texts.append("says that the question was not sent, and that it was answered")
    return texts


def _outcome(found: dict[str, Any], now: datetime) -> ImportedOutcome:
    type_ = OutcomeType(found.get("outcome_type") or OutcomeType.EMAIL_ENGAGEMENT)
    closes = found.get("closes_at") or found["recommended_at"] + type_.window
    action = found.get("action_type") or f"qbs_{found['question_type']}"
    question = found.get("question_type") or _question_type(action)
    replied = found.get("replied_at")
    happened, at = None, None
    if replied:
        happened, at = (EventKind.POSITIVE if replied <= closes else EventKind.LATE), replied
    elif closes < now and found.get("sent") is not False:
        happened, at = EventKind.NEGATIVE, closes
    own = {name: value for name, value in found.items() if name in _OWN}
    told = {
        "given_id": found.get("outcome_id"),
        "action_type": action,
        "question_type": question,
        "outcome_type": str(type_),
        "closes_at": closes,
        "happened": str(happened) if happened else None,
        "happened_at": at,
    }
    return ImportedOutcome(**own | told | {"outcome_id": str(_id(own | told))})


_OWN = {field.name for field in fields(ImportedOutcome)} - {"outcome_id"}


def _question_type(action: str) -> str | None:
    word = action.removeprefix("qbs_")
    return word if word in ENUMS["question_type"] else None


def _id(told: dict[str, Any]) -> UUID:
    """From the id that the file gives, else from what tells recommendations apart: whom, when, what, and for what."""
    if told["given_id"] is not None:
        return uuid5(_IDS, f"id\n{told['given_id']}")
    moment = told["recommended_at"].isoformat()
    return uuid5(_IDS, "\n".join(("content", told["conversation"], moment, told["action_type"], told["outcome_type"])))
