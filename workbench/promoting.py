"""Promotions as pages and commands ask for them: a set weighed against what is in production, released, rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING
from uuid import UUID

from engine.errors import ConfigurationError, InputError, PromptError, StaleStateError, UnknownError
from workbench.services import Services
from workbench.text import UnknownNameError, clip, printable

if TYPE_CHECKING:
    from engine.prompts import PromptSet
    from engine.releases import Release, Stage
    from engine.state.database import Database
    from evals.library import Dataset
    from evals.tuning.decision import Decision, Finding
    from evals.tuning.must_not_break import MustNotBreak
    from evals.tuning.promotion_file import PromotionRules
    from evals.tuning.promotion_runs import FoundRuns, NamedSet
    from evals.tuning.versions import PromptWorkspace


@dataclass(frozen=True, slots=True)
class Standing:
    """What a tenant has: `prompts` in production, from `release` (None: shipped), and its newest release's number.

    `not_kept` says why prompts that were released elsewhere cannot be kept here too, and so not be replayed.
    """

    prompts: NamedSet
    release: Release | None
    newest: int
    not_kept: str | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A prompt set beside what is in production for a tenant, and what the gate says of it."""

    candidate: NamedSet
    standing: Standing
    decision: Decision


def rules(services: Services) -> PromotionRules:
    """What the gate asks for. Raises InputError with the line of what is wrong in `promotion.toml`, UnknownError for a
    data set or a metric that there is none of.

    Where nobody named who is to answer and no model is configured, the recordings of the data sets are to.
    """
    from evals.tuning.promotion_file import FILE, PromotionRules, check_datasets, read_promotion
    from workbench.variants import are_configured

    found = read_promotion(services.settings.home / FILE)
    check_datasets(found, services.dataset_folders())
    by_default = found.variant == PromotionRules().variant and not are_configured(services.settings)
    if by_default and all(map(services.has_recordings, found.datasets)):
        return replace(found, variant="recorded")
    return found


def must_not_break(services: Services) -> MustNotBreak:
    """The list of turns that must never break again."""
    from evals.tuning.must_not_break import FILE, MustNotBreak

    return MustNotBreak(services.settings.home / FILE)


def named_set(services: Services, name: str) -> NamedSet:
    """The set that a person named. Raises UnknownNameError, InputError or PromptError, with the choices."""
    from evals.tuning.promotion_runs import NamedSet

    workspace = services.prompt_workspace()
    if not workspace.has_set(name):
        hint = "`qbs prompts list` shows them; NAME@VERSION is the shipped one with that version"
        raise UnknownNameError("prompt set", name, workspace.set_names(), hint=hint)
    return NamedSet(workspace.set_named(name), name)


async def standing(services: Services, database: Database, tenant: UUID | str) -> Standing:
    """What is in production for a tenant. What was released elsewhere is kept here too, so that it can be replayed.

    Raises PromptError for a release that cannot be read, DatabaseUnavailableError.
    """
    from engine.releases import ReleaseRepository, in_production
    from evals.tuning.promotion_runs import NamedSet

    async with database.tenant(tenant).begin() as session:
        newest = await ReleaseRepository(session).newest_number()
    workspace = services.prompt_workspace()
    found = await in_production(database, tenant)
    if found is None:
        return Standing(NamedSet(workspace.shipped, "shipped"), None, newest)
    release, prompts = found
    try:
        return Standing(NamedSet(prompts, _kept(workspace, prompts, release)), release, newest)
    except PromptError as error:
        return Standing(NamedSet(prompts, prompts.short), release, newest, str(error))


async def weigh(
    services: Services, database: Database, name: str, tenant: UUID | str, *, neutral: bool = False
) -> Weighed:
    """What the gate says of a set for a tenant, by the finished runs there are.

    Raises UnknownNameError, InputError and PromptError for what a person has to put right, DatabaseUnavailableError.
    """
    import asyncio

    from evals.tuning.promotion import undecided

    candidate = named_set(services, name)
    present = await standing(services, database, tenant)
    decision = await asyncio.to_thread(decided, services, candidate, present.prompts, neutral=neutral)
    if present.not_kept is not None and any(run.prompts == present.prompts.name for run in decision.missing):
        decision = undecided(present.prompts, candidate, present.not_kept, neutral=neutral)
    return Weighed(candidate, present, decision)


def decided(services: Services, candidate: NamedSet, production: NamedSet, *, neutral: bool = False) -> Decision:
    """The gate's decision about two sets, which says if a search learned from what is compared.

    Raises PromptError for a candidate that cannot be filled in.
    """
    from engine.live.released import check_fills
    from evals.runs.counts import CountStore
    from evals.tuning.promotion import decide, undecided

    check_fills(candidate.prompts)
    asked, protected = rules(services), must_not_break(services).turns()
    try:
        found = () if production.reads_like(candidate) else _runs(services, asked, candidate, production)
    except ConfigurationError as error:
        return undecided(production, candidate, str(error), neutral=neutral)
    store = CountStore(services.run_index())
    decision = decide(asked, found, production, candidate, protected, neutral=neutral, store=store)
    return replace(decision, findings=(*decision.findings, *_searched(services, candidate.prompts, decision)))


async def release(
    database: Database,
    tenant: UUID | str,
    weighed: Weighed,
    *,
    by: str,
    note: str,
    override: str | None = None,
) -> Release:
    """Put a set that was weighed into production. What the gate did not let pass takes an `override`, a reason.

    Raises InputError without one and for a set that is there already, StaleStateError if somebody released meanwhile.
    """
    from engine.releases import NewRelease, ReleaseRepository, Stage

    decision, present = weighed.decision, weighed.standing
    if present.release is not None and present.prompts.prompts.hash == weighed.candidate.prompts.hash:
        raise InputError(f"{weighed.candidate.name} is in production already: there is nothing to promote")
    new = NewRelease.of(
        weighed.candidate.prompts,
        Stage.PRODUCTION,
        released_by=by,
        note=note,
        verdict=decision.verdict.value,
        evidence=decision.evidence(),
        overridden_because=None if decision.passed else override,
    )
    async with database.tenant(tenant).begin() as session:
        return await ReleaseRepository(session).add(new, since=weighed.standing.newest)


async def move(
    services: Services, database: Database, name: str, tenant: UUID | str, stage: Stage, *, by: str, note: str
) -> Release:
    """Move a set to candidate, or back to draft: no gate is asked, but its prompts must be sound."""
    from engine.live.released import check_fills
    from engine.releases import NewRelease, ReleaseRepository

    prompts = named_set(services, name).prompts
    check_fills(prompts)
    async with database.tenant(tenant).begin() as session:
        return await ReleaseRepository(session).add(NewRelease.of(prompts, stage, released_by=by, note=note))


async def roll_back(
    database: Database,
    tenant: UUID | str,
    *,
    by: str,
    note: str = "",
    to: int | None = None,
    since: int | None = None,
) -> Release:
    """Bring back the release before, or release `to`. `since` is the newest number that was seen, 0 for none.

    Raises StaleStateError, which says who has released what since then; InputError, UnknownError.
    """
    from engine.releases import ReleaseRepository

    try:
        async with database.tenant(tenant).begin() as session:
            return await ReleaseRepository(session).roll_back(by=by, note=note, to=to, since=since)
    except StaleStateError:
        if since is None:
            raise
    async with database.tenant(tenant).begin() as session:
        newer = [own for own in await ReleaseRepository(session).history() if own.number > since]
    if not newer:
        raise UnknownError(f"no release {since} was made here: `qbs releases list` lists the numbers")
    raise StaleStateError(f"{' '.join(map(_told, reversed(newer)))} Look again, and decide anew.")


def _told(release: Release) -> str:
    """`Meanwhile ann moved 3f9ac2d1 to production as number 4, 2026-03-02 09:30 UTC ("too chatty").`"""
    what = f"moved {release.short} to {release.stage}" if release.is_own else "gave up prompts of its own"
    when = f"{release.released_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    by, note = printable(release.released_by), clip(printable(release.note), 200)
    return f'Meanwhile {by} {what} as number {release.number}, {when} ("{note}").'


def _searched(services: Services, prompts: PromptSet, decision: Decision) -> Iterator[Finding]:
    """What the searches have learned from that the prompts come from, of what was compared."""
    from evals.tuning.search_record import searches
    from evals.tuning.searched_with import searched_findings, searched_with
    from workbench.searches import SEARCHES

    if not decision.runs or not (known := searches(services.settings.home / SEARCHES)):
        return
    found = searched_with(prompts, services.prompt_workspace().versions(), known)
    yield from searched_findings(found, [own.dataset for own in decision.runs])


def _runs(
    services: Services, asked: PromotionRules, candidate: NamedSet, production: NamedSet
) -> tuple[FoundRuns, ...]:
    """The runs over the data sets of the rules, and over those of protected turns that are still there.

    Raises ConfigurationError where it is not known which models would be asked, UnknownNameError for a data set of the
    rules that there is not.
    """
    from evals.tuning.promotion_runs import find_runs

    there = services.dataset_folders()
    protected = {turn.dataset for turn in must_not_break(services).turns()} & there.keys()
    datasets: list[Dataset] = [services.dataset(name) for name in dict.fromkeys((*asked.datasets, *sorted(protected)))]
    return tuple(
        found
        for own in datasets
        for found in find_runs(services.runs_folder, [own], production, candidate, services.variant(asked.variant, own))
    )


def _kept(workspace: PromptWorkspace, prompts: PromptSet, release: Release) -> str:
    """The name under which the workspace has a released set, which it is given if it has not got it.

    Raises PromptError where it has something else under the same version.
    """
    known = next((own for own in workspace.sets() if own.hash == prompts.hash), None)
    if known is not None:
        return known.name
    note = f"as released by {release.released_by}, release {release.number}"
    shipped, by = workspace.shipped.hashes(), release.released_by
    versions = [
        workspace.save(own.name, own.content, author=by, note=note, version=own.version)
        for own in prompts.prompts.values()
        if shipped.get(own.name) != own.hash
    ]
    if workspace.shipped.with_prompts(*(own.prompt for own in versions)).hash != prompts.hash:
        raise PromptError(
            f"the prompts in production ({prompts.short}) are made of others than this version of the program ships"
        )
    return workspace.save_set([own.ref for own in versions], author=by, note=note).name
