"""ReleaseRepository: a tenant's releases in Postgres. A release is never changed: a rollback is a new one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from engine.errors import InputError, SchemaVersionError, StaleStateError, StateError, UnknownError
from engine.outcomes.sql import listed, statement
from engine.releases.values import AS_EVERYBODY, NewRelease, Release, Stage
from engine.state.database import TenantSession
from engine.state.driver import Row

DOCUMENT_VERSION = 1  # of `prompts` and `evidence`
ATTEMPTS = 50  # at a number that others take at the same moment; each time one of them has got it
PAGE = 50

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it

_COLUMNS = (
    "number", "prompt_set", "stage", "released_at", "released_by", "note", "verdict", "evidence", "overridden_because",
    "returns_to", "schema_version",
)  # fmt: skip

# Of several at the same moment one gets the number: the others wait for its transaction, and then add nothing.
_ADD = statement(
    f"""
insert into qbs.prompt_releases (
    tenant_id, number, prompt_set, stage, prompts, released_by, note, verdict, evidence, overridden_because,
    returns_to, schema_version
)
select :tenant_id::uuid, coalesce(max(number), 0) + 1, :prompt_set, :stage, :prompts::jsonb, :released_by, :note,
       :verdict, :evidence::jsonb, :overridden_because, :returns_to::int, :version::int
  from qbs.prompt_releases
 where tenant_id = :tenant_id::uuid
having :since::bigint is null or coalesce(max(number), 0) = :since::bigint
on conflict do nothing
returning {listed(_COLUMNS)}
""",  # noqa: S608  # made of names
    _COLUMNS,
)
_NEWEST_NUMBER = statement(
    "select coalesce(max(number), 0) as number from qbs.prompt_releases where tenant_id = :tenant_id::uuid",
    ("number",),
)
_NUMBERED = statement(
    f"select {listed(_COLUMNS)} from qbs.prompt_releases "  # noqa: S608  # made of names
    "where tenant_id = :tenant_id::uuid and number = :number::bigint",
    _COLUMNS,
)
_CONTENTS = statement(
    "select prompts from qbs.prompt_releases where tenant_id = :tenant_id::uuid and number = :number::bigint",
    ("prompts",),
)
_NEWEST = statement(
    f"""
select {listed(_COLUMNS)}
  from qbs.prompt_releases
 where tenant_id = :tenant_id::uuid and stage = :stage and (:before::int is null or number < :before::int)
 order by number desc
 limit 1
""",  # noqa: S608  # made of names
    _COLUMNS,
)
_HISTORY = statement(
    f"""
select {listed(_COLUMNS)}
  from qbs.prompt_releases
 where tenant_id = :tenant_id::uuid and (:before::int is null or number < :before::int)
 order by number desc
 limit :limit::int
""",  # noqa: S608  # made of names
    _COLUMNS,
)


class ReleaseRepository:
    """The releases of one tenant, in the transaction of `session`. What everybody has is under a tenant of its own,
    `engine.state.tenants.EVERYBODY`.
    """

    def __init__(self, session: TenantSession) -> None:
        self._session = session
        self._tenant = session.tenant_id

    async def add(self, release: NewRelease, *, since: int | None = None) -> Release:
        """Add a release under the next number. `since` is the newest number that was seen (0: none), where what is
        decided rests on it.

        Raises InputError for a production release that neither passed the gate nor says why it is made nevertheless,
        and for a step back of what is in production, which takes a rollback; StaleStateError if there are newer
        releases than `since`.
        """
        if not release.prompts:
            raise InputError("a release without prompts would release nothing; name a prompt set")
        if release.stage is Stage.PRODUCTION and not release.is_backed:
            raise InputError("the gate did not let this prompt set pass; to release it nevertheless, say why")
        present = None if release.stage is Stage.PRODUCTION else await self.newest(Stage.PRODUCTION)
        if present is not None and present.prompt_set == release.prompt_set:
            raise InputError(
                f"{present.short} is in production: roll back first, so that something else takes its place"
            )
        return await self._add(release, returns_to=None, since=since)

    async def roll_back(self, *, by: str, note: str = "", to: int | None = None, since: int | None = None) -> Release:
        """Bring back an earlier production release; without `to` the one before what is in production now.

        Before a tenant's first release are everybody's prompts, or the shipped ones. Whoever rolls back twice goes back
        two steps. `since` is as in `add`; without it, what this call itself has seen. Raises UnknownError if there is
        no release `to`; InputError if there is nothing to go back from, or `to` was never in production;
        StaleStateError if somebody released in the meantime.
        """
        since = await self.newest_number() if since is None else since
        named = None if to is None else await self._in_production(to)
        present = await self.newest(Stage.PRODUCTION)
        if present is None or (to is None and not present.is_own):
            raise InputError("no release of this tenant's own is in production, so there is nothing to roll back")
        goal = named or await self._before(present)
        if goal is None:
            nothing = NewRelease(prompt_set=AS_EVERYBODY, stage=Stage.PRODUCTION, prompts={}, released_by=by, note=note)
            return await self._add(nothing, returns_to=None, since=since)
        again = NewRelease(
            prompt_set=goal.prompt_set,
            stage=Stage.PRODUCTION,
            prompts=await self.contents(goal.number),
            released_by=by,
            note=note,
            verdict=goal.verdict,
            evidence=goal.evidence,
            overridden_because=goal.overridden_because,
        )
        return await self._add(again, returns_to=goal.number, since=since)

    async def newest(self, stage: Stage, *, before: int | None = None) -> Release | None:
        """The newest release at a stage, of those before a number if one is given."""
        (rows,) = await self._session.send(_NEWEST(tenant_id=self._tenant, stage=stage, before=before))
        return _release(rows[0]) if rows else None

    async def newest_number(self) -> int:
        """The number of the newest release at any stage; 0 if there is none."""
        (rows,) = await self._session.send(_NEWEST_NUMBER(tenant_id=self._tenant))
        return int(rows[0]["number"])

    async def get(self, number: int) -> Release:
        """Raises UnknownError if the tenant has no release of this number."""
        (rows,) = await self._session.send(_NUMBERED(tenant_id=self._tenant, number=number))
        if not rows:
            raise UnknownError(f"this tenant has no release {number}; `qbs releases list` shows those it has")
        return _release(rows[0])

    async def contents(self, number: int) -> dict[str, str]:
        """The files of a release by name: what `PromptSet.from_contents` takes. Raises UnknownError as `get` does."""
        (rows,) = await self._session.send(_CONTENTS(tenant_id=self._tenant, number=number))
        if not rows:
            raise UnknownError(f"this tenant has no release {number}; `qbs releases list` shows those it has")
        return _texts(number, rows[0]["prompts"])

    async def history(self, *, limit: int = PAGE, before: int | None = None) -> tuple[Release, ...]:
        """The tenant's releases, the newest first."""
        (rows,) = await self._session.send(_HISTORY(tenant_id=self._tenant, before=before, limit=limit))
        return tuple(_release(row) for row in rows)

    async def _add(self, release: NewRelease, *, returns_to: int | None, since: int | None) -> Release:
        call = _ADD(
            tenant_id=self._tenant,
            prompt_set=release.prompt_set,
            stage=release.stage,
            prompts=_json(release.prompts),
            released_by=release.released_by,
            note=release.note,
            verdict=release.verdict,
            evidence=_json(release.evidence),
            overridden_because=release.overridden_because,
            returns_to=returns_to,
            version=DOCUMENT_VERSION,
            since=since,
        )
        for _ in range(ATTEMPTS):
            (rows,) = await self._session.send(call)
            if rows:
                return _release(rows[0])
            if since is not None:
                raise StaleStateError("somebody has released prompts of this tenant in the meantime: look again")
        raise StateError("others kept releasing prompts of this tenant at the same moment; try again")

    async def _before(self, present: Release) -> Release | None:
        """What was in production before what is there now came for the first time; None: nothing of its own was."""
        first = await self._origin(present)
        earlier = await self.newest(Stage.PRODUCTION, before=first.number)
        return await self._origin(earlier) if earlier is not None and earlier.is_own else None

    async def _origin(self, release: Release) -> Release:
        """The release that was made of these prompts first, from which rollbacks copied."""
        while release.returns_to is not None:
            release = await self.get(release.returns_to)
        return release

    async def _in_production(self, number: int) -> Release:
        found = await self.get(number)
        if found.stage is not Stage.PRODUCTION or not found.is_own:
            raise InputError(f"release {number} was not in production; promote its prompt set {found.short} instead")
        return await self._origin(found)


def _release(row: Row) -> Release:
    """Raises SchemaVersionError for documents of a newer program, StateError for what no program of ours wrote."""
    if row["schema_version"] > DOCUMENT_VERSION:
        raise SchemaVersionError(
            f"release {row['number']} is of version {row['schema_version']}, and this program reads up to "
            f"{DOCUMENT_VERSION}: use the program that wrote it, or a newer one"
        )
    fields = {column: row[column] for column in _COLUMNS if column != "schema_version"}
    try:
        return Release.model_validate(fields | {"evidence": json.loads(row["evidence"])})
    except ValidationError as error:
        wrong = sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})
        raise StateError(f"release {row['number']} cannot be read: {', '.join(wrong)}") from None


def _texts(number: int, prompts: bytes) -> dict[str, str]:
    found: Any = json.loads(prompts)
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise StateError(f"release {number} cannot be read: its prompts are no texts by name")
    return found


def _json(document: Mapping[str, Any]) -> bytes:
    """As Postgres keeps it. Raises InputError for a NUL, which it cannot keep, and for a lone surrogate."""
    try:
        text = json.dumps(dict(document), ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise InputError("a prompt holds a character that no text has (a lone surrogate); remove it") from None
    if _NUL.search(text):
        raise InputError("a prompt holds a NUL character, which Postgres cannot keep; remove it")
    return text
