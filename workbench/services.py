"""The composition root: what the pages and the command line work with, built from settings at the edge.

Building it opens nothing and imports nothing heavy; each part is made when it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from engine.errors import ConfigurationError, InputError
from workbench.databases import DatabaseServer, Role
from workbench.settings import Settings, load_settings
from workbench.text import UnknownNameError

if TYPE_CHECKING:
    from engine.analyzers import Analyzer
    from engine.drafting import ReplyDrafter
    from engine.live import LiveEngine
    from engine.live.calibrated import CalibrationsInUse
    from engine.live.released import ReleasedPrompts
    from engine.llm.limits import Ledger
    from engine.llm.recordings import RecordingStore
    from engine.llm.service import ModelService
    from engine.model.conversation import Channel
    from engine.prompts import PromptLibrary
    from engine.state.database import Database
    from engine.state.urls import DatabaseUrls
    from evals.learning.facts.store import OutcomeStore
    from evals.learning.importing import MappingStore
    from evals.library import Dataset
    from evals.origins import Origin
    from evals.records import Variant
    from evals.runs.folder import RunFolder
    from evals.runs.importer import Refreshed
    from evals.runs.index import RunIndex
    from evals.tuning.versions import PromptWorkspace

RECORDINGS = "recordings"
DEFAULT_DATASET = "b2b_discovery"  # where none is named
SHIPPED_DATASETS = Path(__file__).parents[1] / "datasets"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a page or a command needs, by name. `shipped` holds the data sets that come with the project."""

    settings: Settings
    shipped: Path = SHIPPED_DATASETS

    @property
    def runs_folder(self) -> Path:
        return self.settings.home / "runs"

    @property
    def conversations_folder(self) -> Path:
        """Where imported data sets lie."""
        return self.settings.home / "conversations"

    @property
    def recordings_folder(self) -> Path:
        """Where models' answers are kept as they come."""
        return self.settings.home / RECORDINGS

    def dataset_folders(self) -> dict[str, Path]:
        """Every data set by name, shipped ones first."""
        from evals.library import dataset_folders

        return dataset_folders((self.shipped, self.conversations_folder))

    def dataset_names(self) -> tuple[str, ...]:
        return tuple(self.dataset_folders())

    def check_own_name(self, name: str) -> None:
        """Raises InputError if `name` is a shipped data set's, which nobody adds to."""
        from evals.library import dataset_folders

        if name in dataset_folders((self.shipped,)):
            raise InputError(f"{name} comes with the project and stays as it is; choose another name with --into")

    def dataset(self, name: str) -> Dataset:
        """Raises UnknownNameError, or InputError for the first thing that is wrong with its files."""
        from evals.library import load_dataset

        folders = self.dataset_folders()
        if name not in folders:
            raise UnknownNameError("data set", name, folders)
        return load_dataset(folders[name])

    def origin(self, name: str) -> Origin | None:
        """Where the conversations of a data set come from; None if nobody says, or it is gone or unreadable."""
        from evals.library import origin_of

        folder = self.dataset_folders().get(name)
        return None if folder is None else origin_of(folder)

    def prompts(self, set_name: str | None = None) -> PromptLibrary:
        """All prompts; in use are those of a set (`PromptWorkspace.set_named`), of which None means the shipped one.

        Raises UnknownNameError or PromptError, with the choices.
        """
        workspace = self.prompt_workspace()
        if set_name is None:
            return workspace.library()
        if not workspace.has_set(set_name):
            hint = "`qbs prompts list` shows them; NAME@VERSION is the shipped one with that version"
            raise UnknownNameError("prompt set", set_name, workspace.set_names(), hint=hint)
        return workspace.library(workspace.set_named(set_name).hashes())

    def prompts_of(self, variant: Variant) -> PromptLibrary:
        """All prompts; in use are those that a variant names by their content. Raises PromptError if one is gone."""
        return _library_with(self.prompt_workspace().folder, tuple(sorted(variant.prompts.items())))

    def prompt_workspace(self) -> PromptWorkspace:
        """Every version of every prompt: shipped ones, and those kept in QBS_HOME/prompts."""
        from evals.tuning.versions import PromptWorkspace

        return PromptWorkspace(self.settings.home / "prompts")

    def outcome_store(self) -> OutcomeStore:
        """The analysts' copy of outcomes."""
        from evals.learning.facts.store import OutcomeStore

        return OutcomeStore(self.settings.home / "outcomes.duckdb")

    def outcomes_of(self, tenant: UUID | str) -> OutcomeStore:
        """The same; the simulated world is put into it when its tenant is asked about."""
        from engine.state.tenants import tenant_uuid
        from evals.learning.simulated import TENANT
        from evals.learning.simulated_data import load_simulated

        store = self.outcome_store()
        if tenant_uuid(tenant) == tenant_uuid(TENANT):
            load_simulated(store, self.shipped / "simulated_outcomes")
        return store

    def variant(self, text: str, dataset: Dataset, prompts: PromptLibrary | None = None) -> Variant:
        """The variant that `text` names, for this data set, with these prompts (None: those in use).

        Raises UnknownNameError with the choices.
        """
        from engine.prompts import ANALYSIS_PROMPTS
        from workbench.variants import variant_named

        used = [(prompts or self.prompts()).load(name) for name in ANALYSIS_PROMPTS]
        hashes = {prompt.name: prompt.hash for prompt in used}
        found = variant_named(text, self.settings, hashes, dataset.folder / RECORDINGS)
        examples = sorted({example for prompt in used for example in prompt.head.examples})
        return found.model_copy(update={"examples": tuple(examples)}) if found.prompts and examples else found

    def run(self, name: str) -> RunFolder:
        """The run that a person means by `name`. Raises UnknownNameError, RunError for one that cannot be read."""
        from workbench.run_names import run_named

        return run_named(name, self.runs_folder)

    def run_index(self) -> RunIndex:
        """The index over the runs. Using it brings it up to date and holds nothing open."""
        from evals.runs.index import RunIndex, log_rebuilt

        def say_rebuilt(refreshed: Refreshed) -> None:
            self._configure_logs()
            log_rebuilt(refreshed)

        return RunIndex(self.settings.home / "index.duckdb", self.runs_folder, on_rebuilt=say_rebuilt)

    def outcome_mappings(self) -> MappingStore:
        """Which columns of whose files are which fields of outcomes."""
        from evals.learning.importing import MappingStore

        return MappingStore(self.settings.home / "outcome_imports")

    @property
    def recording_folders(self) -> tuple[Path, ...]:
        """The recordings that come with data sets."""
        folders = (folder / RECORDINGS for folder in self.dataset_folders().values())
        return tuple(folder for folder in folders if folder.is_dir())

    def has_recordings(self, dataset: str) -> bool:
        """Whether a data set comes with recordings."""
        folder = self.dataset_folders().get(dataset)
        return folder is not None and (folder / RECORDINGS).is_dir()

    def recording_store(self) -> RecordingStore:
        """Answers of one's own, kept in QBS_HOME, above those that come with data sets."""
        from engine.llm.recordings import RecordingStore

        return RecordingStore(self.recordings_folder, self.recording_folders)

    def model_service(self, mode: str | None = None, *, ledger: Ledger | None = None) -> ModelService:
        """What asks models, with a breaker of its own; `mode` is QBS_RECORDING_MODE if not given, and `ledger` one of
        its own that keeps to the limits of the settings.

        Close it in the event loop that used it.
        """
        from engine.llm.limits import Ledger, Limits
        from engine.llm.recordings import RecordingMode
        from engine.llm.service import ModelService

        told = self.settings
        self._configure_logs()
        _tell_providers(told.providers)
        return ModelService(
            store=self.recording_store(),
            mode=RecordingMode(mode or told.recording_mode),
            ledger=ledger or Ledger(Limits(told.max_calls, told.max_tokens, told.max_cost_usd)),
            api_base=told.api_base,
            api_key=self._api_key,
        )

    def bare_model_service(self) -> ModelService:
        """What asks the configured models past all recordings, and records nothing."""
        from engine.llm.service import ModelService

        self._configure_logs()
        _tell_providers(self.settings.providers)
        return ModelService(api_base=self.settings.api_base, api_key=self._api_key)

    def model_service_for(self, variant: Variant) -> ModelService:
        """`recorded` never asks anybody, whatever the settings say."""
        return self.model_service("recorded" if variant.name == "recorded" else None)

    def analyzer_for(
        self, variant: Variant, service: ModelService, *, sample: int = 0, prompts: PromptLibrary | None = None
    ) -> Analyzer:
        """The analyzer of a variant, with these prompts (None: those that it names).

        Raises ConfigurationError for one that has no models and is not `rules`.
        """
        from engine.analyzers import LLMAnalyzer, RulesAnalyzer

        if variant.name == "rules":
            return RulesAnalyzer()
        if variant.reasoning_model is None or variant.fast_model is None:
            raise ConfigurationError(f"the variant {variant.name} names no models")
        return LLMAnalyzer(
            service,
            prompts or self.prompts_of(variant),
            variant.reasoning_model,
            variant.fast_model,
            deadline_s=self.settings.deadline_seconds,
            sample=sample,
        )

    def live_engine(
        self, database: Database, analyzer: Analyzer, calibrations: CalibrationsInUse | None = None
    ) -> LiveEngine:
        """What takes the turns of contacts kept in `database`. An analyzer ends within its own deadline; this one is
        later, for one that is broken. Questions are explored as QBS_EXPLORATION says, and
        confidence is corrected by the calibration that is published for a tenant. Who makes several engines over one
        database gives them the same `calibrations`, which then are not looked up anew for each.
        """
        from engine.exploration import Exploration
        from engine.live import ANALYSIS_SECONDS, LiveEngine

        self._configure_logs()
        share = self.settings.exploration
        return LiveEngine(
            database,
            analyzer,
            analysis_s=max(ANALYSIS_SECONDS, self.settings.deadline_seconds + 2),
            exploration=Exploration(share) if share else None,
            calibrations=calibrations or self.calibrations_in_use(database),
        )

    def calibrations_in_use(self, database: Database) -> CalibrationsInUse:
        """The calibrations that are published, tenant by tenant, kept up to date while the process runs."""
        from engine.live.calibrated import CalibrationsInUse

        self._configure_logs()
        return CalibrationsInUse(database)

    def released_prompts(self, database: Database) -> ReleasedPrompts:
        """The prompts in production, tenant by tenant, kept up to date while the process runs."""
        from engine.live.released import ReleasedPrompts

        self._configure_logs()
        return ReleasedPrompts(database)

    def drafter(
        self, variant: Variant, service: ModelService, channel: Channel, prompts: PromptLibrary | None = None
    ) -> ReplyDrafter:
        """What drafts replies for a channel: the models, or else the rules: recordings hold no replies.

        A variant names the prompts that analyse; those of drafts are shipped ones, if `prompts` are not given.
        """
        from engine.drafting import ReplyDrafter

        used = prompts or self.prompts()
        if variant.name in ("rules", "recorded"):
            return ReplyDrafter(prompts=used)
        prompt = used.load("email" if channel == "email" else "chat")
        model = variant.reasoning_model if prompt.head.model_role == "reasoning" else variant.fast_model
        return ReplyDrafter(service, used, model, deadline_s=self.settings.deadline_seconds)

    @property
    def database_server(self) -> DatabaseServer:
        """The server that keeps production state. Nothing is started or opened until it is asked for an address."""
        return DatabaseServer(self.settings)

    def database_urls(self) -> DatabaseUrls:
        """The addresses of the database for its three roles; a server of our own is started, and its schema current.

        Raises ConfigurationError if a server is named but not all of its roles, DatabaseUnavailableError.
        """
        self._configure_logs()
        self.database_server.bring_up_to_date()
        return self.database_server.urls()

    async def database(self) -> Database:
        """Production state, once it is certain that tenants cannot meet in it. Close it in the loop that used it.

        Raises UnsafeDatabaseError with what to do, SchemaVersionError, ConfigurationError, DatabaseUnavailableError.
        """
        import asyncio

        from engine.state.database import Database

        self._configure_logs()
        await asyncio.to_thread(self.database_server.bring_up_to_date)
        database = Database(await asyncio.to_thread(self.database_server.url, Role.APP))
        try:
            await database.preflight()
        except BaseException:
            await database.aclose()
            raise
        return database

    def _configure_logs(self) -> None:
        """Done by whatever may log, just before it may: importing the logs takes longer than many a command."""
        from workbench.logs import configure_logs

        configure_logs(self.settings.log_level, self.settings.log_format)

    @property
    def _api_key(self) -> str | None:
        return self.settings.api_key.reveal() if self.settings.api_key else None


def _tell_providers(variables: Mapping[str, str]) -> None:
    """Put what `.env` says for providers' clients where those look. What the environment says already stays."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)


@lru_cache(maxsize=64)
def _library_with(folder: Path, prompts: tuple[tuple[str, str], ...]) -> PromptLibrary:
    """Looked for once: what has a hash never changes, and a run asks for it at every conversation."""
    from evals.tuning.versions import PromptWorkspace

    return PromptWorkspace(folder).library(dict(prompts))


def build_services(settings: Settings | None = None) -> Services:
    """Services for these settings (None: as the environment says). Raises ConfigurationError.

    QBS_HOME need not exist yet, but neither it nor anything above it can be a file.
    """
    settings = settings or load_settings()
    existing = next(each for each in (settings.home, *settings.home.parents) if each.exists())
    if not existing.is_dir():
        raise ConfigurationError(
            f"QBS_HOME is {settings.home}, but {existing} is a file; name a folder, or one that can be made"
        )
    return Services(settings, SHIPPED_DATASETS)
