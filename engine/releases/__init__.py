"""Releases: which prompt set a tenant's conversations are read with, since when, and on which evidence.

    async with database.tenant("acme").begin() as session:
        releases = ReleaseRepository(session)
        released = await releases.add(NewRelease(...))
        await releases.roll_back(by="ines", note="answers grew too long")

docs/promotion.md says who may release what.
"""

from engine.releases.production import in_production, prompts_of
from engine.releases.repository import ReleaseRepository
from engine.releases.values import AS_EVERYBODY, NewRelease, Release, Stage

__all__ = ["AS_EVERYBODY", "NewRelease", "Release", "ReleaseRepository", "Stage", "in_production", "prompts_of"]
