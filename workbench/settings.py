"""Settings: the environment (`QBS_*`) and a `.env` file, read once into a frozen value, and nowhere else.

The fields of `Settings` are the only list of settings there is: variable name, meaning, default and check all
come from them, and so do `qbs doctor` and the checks that docs/settings.md is complete.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.errors import ConfigurationError

PREFIX = "QBS_"
ENV_FILE = Path(".env")


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is never shown; `reveal` is the one way to it."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        return "(set, hidden)"


@dataclass(frozen=True, slots=True)
class DatabaseUrl(Secret):
    """The address of a database; shown without its password."""

    def __str__(self) -> str:
        from engine.state.urls import without_password

        return without_password(self.reveal())


def _text(value: str) -> str:
    return value


def _folder(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _whole(value: str) -> int:
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError("is not a whole number of 1 or more")
    return number


def _positive(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError("is not a number above 0")
    return number


def _explored_share(value: str) -> float:
    from engine.exploration import MOST_EXPLORED

    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= MOST_EXPLORED:
        raise ValueError(f"is not a share from 0 to {MOST_EXPLORED:g}")
    return share


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError(f"is none of {', '.join(choices)}")
        return value.lower()

    return read


def _url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("is not an address that begins with http:// or https://")
    return value.rstrip("/")


def _database_url(value: str) -> DatabaseUrl:
    from engine.state.urls import parts_of

    if not value.startswith("postgresql://"):
        raise ValueError("is not an address that begins with postgresql://")
    try:
        parts_of(value)
    except ConfigurationError:
        raise ValueError("cannot be read as an address; %, / and @ in a password are %25, %2F and %40") from None
    return DatabaseUrl(value)


def _about(meaning: str, read: Callable[[str], Any], *, example: str, secret: bool = False) -> dict[str, Any]:
    """`secret`: not even a value that cannot be used is shown."""
    return {"meaning": meaning, "read": read, "example": example, "secret": secret}


@dataclass(frozen=True, slots=True)
class Settings:
    """What this installation is told. A setting that was not given has its default."""

    home: Path = field(
        default=Path(".qbs"),
        metadata=_about(
            "folder for everything you make: runs, their index, recordings, imported conversations",
            _folder,
            example="/data/qbs",
        ),
    )
    reasoning_model: str | None = field(
        default=None,
        metadata=_about(
            "model that extracts qualification, by its litellm name; QBS_FAST_MODEL if not set",
            _text,
            example="openai/gpt-4.1",
        ),
    )
    fast_model: str | None = field(
        default=None,
        metadata=_about(
            "model that proposes questions and finds people; QBS_REASONING_MODEL if not set",
            _text,
            example="openai/gpt-4.1-mini",
        ),
    )
    api_base: str | None = field(
        default=None,
        metadata=_about(
            "address of an OpenAI-compatible server to ask instead of the provider's own; `qbs fake-model` is one",
            _url,
            example="http://127.0.0.1:8600/v1",
        ),
    )
    api_key: Secret | None = field(
        default=None,
        metadata=_about(
            "key for QBS_API_BASE; providers' own variables (OPENAI_API_KEY and its like) work too",
            Secret,
            example="the key as your provider gave it",
            secret=True,
        ),
    )
    recording_mode: str = field(
        default="reuse",
        metadata=_about(
            "live: ask the model, keep the answer; reuse: ask only what was never asked; recorded: never ask",
            _one_of("live", "reuse", "recorded"),
            example="live",
        ),
    )
    deadline_seconds: float = field(
        default=8.0,
        metadata=_about("seconds after which the rules answer a turn in a model's place", _positive, example="20"),
    )
    concurrency: int = field(default=8, metadata=_about("conversations replayed at the same time", _whole, example="4"))
    max_cost_usd: float | None = field(
        default=None,
        metadata=_about(
            "most that one replay may spend on models, in US dollars; then it stops", _positive, example="2.50"
        ),
    )
    max_calls: int | None = field(
        default=None,
        metadata=_about("most calls that one replay may make to models; then it stops", _whole, example="500"),
    )
    max_tokens: int | None = field(
        default=None,
        metadata=_about(
            "most tokens that one replay may use, read and written; then it stops", _whole, example="1000000"
        ),
    )
    max_seconds: float | None = field(
        default=None,
        metadata=_about("seconds after which one replay stops", _positive, example="600"),
    )
    database_url: DatabaseUrl | None = field(
        default=None,
        metadata=_about(
            "Postgres server that keeps production state, as role qbs_app; without it, one of our own in QBS_HOME",
            _database_url,
            example="postgresql://qbs_app:PASSWORD@db.example.com:5432/qbs?sslmode=verify-full",
            secret=True,
        ),
    )
    database_owner_url: DatabaseUrl | None = field(
        default=None,
        metadata=_about(
            "the same database as role qbs_owner; only `qbs db migrate` uses it",
            _database_url,
            example="postgresql://qbs_owner:PASSWORD@db.example.com:5432/qbs?sslmode=verify-full",
            secret=True,
        ),
    )
    database_maintenance_url: DatabaseUrl | None = field(
        default=None,
        metadata=_about(
            "the same database as a role that sees every tenant's rows; for backup, restore, counts and making roles",
            _database_url,
            example="postgresql://qbs_maintenance:PASSWORD@db.example.com:5432/qbs?sslmode=verify-full",
            secret=True,
        ),
    )
    tenant: str = field(
        default="demo",
        metadata=_about(
            "tenant whose state pages and commands work with where none is named: a name, or a UUID",
            _text,
            example="acme-sales",
        ),
    )
    exploration: float = field(
        default=0.0,
        metadata=_about(
            "share of live questions drawn at random among equally acceptable ones, 0 to 0.5; 0 draws none",
            _explored_share,
            example="0.1",
        ),
    )
    log_level: str = field(
        default="error",
        metadata=_about(
            "least serious log lines to show, on stderr",
            _one_of("debug", "info", "warning", "error"),
            example="warning",
        ),
    )
    log_format: str = field(
        default="auto",
        metadata=_about(
            "text: for people; json: for machines; auto: text on a terminal, json elsewhere",
            _one_of("auto", "text", "json"),
            example="json",
        ),
    )
    origins: Mapping[str, str] = field(
        default_factory=dict
    )  # variable -> "environment" or the .env file; defaults left out
    unknown: tuple[str, ...] = ()  # QBS_* variables that mean nothing here: probably typing errors
    providers: Mapping[str, str] = field(
        default_factory=dict, repr=False
    )  # what else .env says, for the providers' clients


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as it is explained to a person. A secret's `value` is never its text."""

    variable: str
    meaning: str
    value: str | None
    default: str | None
    origin: str
    example: str


def setting_fields() -> dict[str, Field[Any]]:
    """Every setting's field by its variable, in the order in which they are explained."""
    return {PREFIX + f.name.upper(): f for f in fields(Settings) if "read" in f.metadata}


def explain(settings: Settings) -> list[SettingRow]:
    """Each setting with its meaning, value (secrets hidden), default and origin."""
    return [
        SettingRow(
            variable=variable,
            meaning=f.metadata["meaning"],
            value=_shown(getattr(settings, f.name)),
            default=_shown(f.default),
            origin=settings.origins.get(variable, "default"),
            example=f.metadata["example"],
        )
        for variable, f in setting_fields().items()
    ]


def load_settings(environ: Mapping[str, str] | None = None, env_file: Path = ENV_FILE) -> Settings:
    """Settings from `environ` (the process's own if None), and from `env_file` where `environ` does not say.

    Raises ConfigurationError naming every variable that has an unusable value.
    """
    settings, problems = read_settings(environ, env_file)
    if problems:
        raise ConfigurationError("\n".join(problems))
    return settings


def read_settings(
    environ: Mapping[str, str] | None = None, env_file: Path = ENV_FILE
) -> tuple[Settings, tuple[str, ...]]:
    """Settings as far as they can be read, and a sentence for each value that cannot (its default stands in)."""
    written = _written(env_file)
    given = {name: (value, str(env_file)) for name, value in written.items()}
    given |= {name: (value, "environment") for name, value in (os.environ if environ is None else environ).items()}
    values: dict[str, Any] = {"home": _folder(".qbs")}
    origins: dict[str, str] = {}
    problems: list[str] = []
    for variable, f in setting_fields().items():
        text, origin = given.get(variable, ("", ""))
        if not text.strip():
            continue
        try:
            values[f.name] = f.metadata["read"](text.strip())
            origins[variable] = origin
        except ValueError as error:
            shown = "what is given" if f.metadata["secret"] else repr(text)
            problems.append(f"{variable} (from {origin}): {shown} {error}, for example {f.metadata['example']}")
    return (
        Settings(
            **values,
            origins=MappingProxyType(origins),
            unknown=tuple(sorted(n for n in given if n.startswith(PREFIX) and n not in setting_fields())),
            providers=MappingProxyType({n: v for n, v in written.items() if not n.startswith(PREFIX)}),
        ),
        tuple(problems),
    )


def _written(env_file: Path) -> dict[str, str]:
    """What a `.env` file says; nothing if there is none. Values are taken as they stand, `$` included."""
    if not env_file.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        written = dotenv_values(env_file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{env_file} cannot be read ({type(error).__name__}); it must be a UTF-8 text file"
        ) from error
    return {name: value for name, value in written.items() if value is not None}


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)
