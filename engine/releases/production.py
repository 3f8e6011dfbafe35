"""What is in production for a tenant: its own newest release, else everybody's, else nothing was ever released."""

from __future__ import annotations

from uuid import UUID

from engine.errors import PromptError
from engine.prompts import PromptSet
from engine.releases.repository import ReleaseRepository
from engine.releases.values import Release, Stage
from engine.state.database import Database
from engine.state.tenants import EVERYBODY, tenant_uuid


async def in_production(database: Database, tenant: UUID | str) -> tuple[Release, PromptSet] | None:
    """The release and its prompts; None: the shipped ones are in production.

    Raises PromptError for a release whose prompts cannot be read, DatabaseUnavailableError.
    """
    for own in dict.fromkeys((tenant_uuid(tenant), EVERYBODY)):
        async with database.tenant(own).begin() as session:
            releases = ReleaseRepository(session)
            found = await releases.newest(Stage.PRODUCTION)
            if found is not None and found.is_own:
                return found, prompts_of(found, await releases.contents(found.number))
    return None


def prompts_of(release: Release, contents: dict[str, str]) -> PromptSet:
    """The prompt set of a release. Raises PromptError if it cannot be read, or is not what was released."""
    prompts = PromptSet.from_contents(contents)
    if prompts.hash != release.prompt_set:
        raise PromptError(f"the prompts of release {release.number} are not those that were released")
    return prompts
