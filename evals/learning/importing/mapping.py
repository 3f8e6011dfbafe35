"""Which column of a file is which field of an outcome, and in which zone times without one are; remembered by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.errors import InputError
from evals.errors import unknown
from evals.files import write_atomically

# What a field means is said in docs/learning.md.
REQUIRED = ("conversation", "recommended_at")
TIMES = ("recommended_at", "closes_at", "replied_at")
FLAGS = ("replied", "sent", "stage_advanced")
SHARES = ("confidence", "calibrated_confidence", "propensity")
COUNTS = ("interaction_count", "turn")
WORDS = (
    "question_type", "target", "delivery", "engagement", "pain_depth", "stage", "persona", "channel",
    "fallback_reason", "outcome_type",
)  # fmt: skip
TEXTS = (
    "outcome_id",
    "conversation",
    "account",
    "contact",
    "action_type",
    "analyzer",
    "model",
    "prompt",
    "calibration",
)
FIELDS = (*TEXTS, *WORDS, *TIMES, *FLAGS, *SHARES, *COUNTS)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True)
class Mapping:
    """`columns` maps fields to the file's columns; a field that is not named is the column of its own name, if any.

    `zone` is that of times that say none (None: each has to say it). Raises InputError for fields and zones that there
    are none of, and for a column that two fields would be.
    """

    columns: dict[str, str] = field(default_factory=dict)
    zone: str | None = None

    def __post_init__(self) -> None:
        for name in self.columns:
            if name not in FIELDS:
                raise unknown("field", name, FIELDS)
        if len(set(self.columns.values())) < len(self.columns):
            raise InputError("two fields are mapped to the same column")
        if self.zone is not None:
            try:
                ZoneInfo(self.zone)
            except (KeyError, ValueError, OSError):
                raise InputError(f"there is no time zone {self.zone!r}; one is Europe/Berlin") from None

    def found(self, header: Iterable[str], file: Path) -> dict[str, str]:
        """The fields that a file with this header has. Raises InputError for a mapped column that it has not, and if
        what is needed of every outcome is missing.
        """
        columns = list(header)
        for name, column in self.columns.items():
            if column not in columns:
                near = unknown("column", column, columns)
                raise InputError(f"{name} is mapped to {column!r}, and {near.problem}", file=file)
        taken = set(self.columns.values())
        own = {name: name for name in FIELDS if name in columns and name not in self.columns and name not in taken}
        fields = own | self.columns
        missing = [name for name in REQUIRED if name not in fields]
        if not {"question_type", "action_type"} & fields.keys():
            missing.append("question_type")
        if not {"replied", "replied_at"} & fields.keys():
            missing.append("replied_at")
        if missing:
            raise InputError(
                f"has no column for {', '.join(missing)}; say which it is: --map {missing[0]}=COLUMN "
                f"(there are {', '.join(columns[:12])}{' and more' if len(columns) > 12 else ''})",
                file=file,
            )
        return fields


class MappingStore:
    """Mappings by name, each a file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, name: str, mapping: Mapping) -> None:
        """Remember it; one of the same name is replaced. Raises InputError for a name that cannot be a file's."""
        content: dict[str, Any] = {"format": 1, "columns": mapping.columns, "zone": mapping.zone}
        write_atomically(self._file(name), (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())

    def load(self, name: str) -> Mapping:
        """Raises InputError if there is none of that name, or its file cannot be read."""
        file = self._file(name)
        if not file.is_file():
            raise unknown("mapping", name, self.names())
        try:
            content = json.loads(file.read_bytes())
            return Mapping({str(k): str(v) for k, v in content["columns"].items()}, content["zone"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"is no mapping ({type(error).__name__}); save it anew", file=file) from error

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(file.stem for file in self._folder.glob("*.json")))

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InputError(f"{name!r} cannot be a mapping's name: letters, digits, dots, dashes and underscores")
        return self._folder / f"{name}.json"
