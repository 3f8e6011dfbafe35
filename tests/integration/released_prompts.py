"""Prompt sets and releases for the tests of what is in production."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from engine.prompts import PromptLibrary, PromptSet, read_prompt
from engine.releases import NewRelease, Release, ReleaseRepository, Stage
from engine.state.database import Database

PASSED = {"passed": True, "runs": ["r-1"]}


def shipped() -> PromptSet:
    return PromptSet.of(PromptLibrary())


def edited(words: str, name: str = "question") -> PromptSet:
    """The shipped set, with these words at the end of one of its prompts."""
    content = shipped().prompt(name).content + f"\n{words}\n".encode()
    return shipped().with_prompts(read_prompt(content, where=name))


async def release(
    database: Database, tenant: UUID, prompts: PromptSet, stage: Stage = Stage.PRODUCTION, **fields: Any
) -> Release:
    async with database.tenant(tenant).begin() as session:
        new = NewRelease.of(prompts, stage, **{"released_by": "ines", "evidence": PASSED, **fields})
        return await ReleaseRepository(session).add(new)


async def roll_back(database: Database, tenant: UUID, to: int | None = None, since: int | None = None) -> Release:
    async with database.tenant(tenant).begin() as session:
        return await ReleaseRepository(session).roll_back(by="otto", note="back", to=to, since=since)


async def history(database: Database, tenant: UUID) -> tuple[Release, ...]:
    async with database.tenant(tenant).begin() as session:
        return await ReleaseRepository(session).history()
