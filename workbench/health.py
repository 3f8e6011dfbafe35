"""What works on this machine and what does not, each with what a person should do about it."""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from http.client import HTTPException
from typing import TYPE_CHECKING

from engine.errors import ModelCallError, QBSError, UnsafeDatabaseError
from engine.model.analysis import FallbackReason
from workbench.services import Services
from workbench.settings import PREFIX, Secret, Settings, setting_fields
from workbench.text import count, near, one_of, percent
from workbench.variants import configured_models

if TYPE_CHECKING:
    from engine.llm.service import ModelService
    from evals.library import Dataset

DISTRIBUTION = "qbs-workbench"
FREE_BYTES = 500_000_000
SELF_TEST_SECONDS = 30.0
ADDRESS_SECONDS = 3.0
PUT_RIGHT = "run `make install`"


class Status(StrEnum):
    OK = "ok"
    NOTE = "note"  # something that is not needed is missing
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and what to do about it."""

    name: str
    status: Status
    finding: str
    advice: str = ""


def all_checks(services: Services, problems: tuple[str, ...] = ()) -> Iterator[Check]:
    """Every check, as each is done. `problems` are those that reading the settings brought up."""
    yield from settings_checks(services.settings, problems)
    checks: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        ("Python", python_checks),
        ("packages", package_checks),
        ("home", lambda: home_checks(services.settings)),
        ("data sets", lambda: dataset_checks(services)),
        ("recordings", lambda: recording_checks(services)),
        ("index", lambda: index_checks(services)),
        ("database", lambda: database_checks(services)),
        ("address", lambda: address_checks(services.settings)),
        ("model", lambda: model_checks(services)),
        ("browser", browser_checks),
    )
    for name, look in checks:
        try:
            yield from look()
        except (QBSError, OSError) as error:
            yield Check(name, Status.PROBLEM, str(error))
        except Exception as error:  # noqa: BLE001  # one look that fails must not hide what the others find
            yield Check(name, Status.PROBLEM, f"could not be looked at: {type(error).__name__}", PUT_RIGHT)


def settings_checks(settings: Settings, problems: tuple[str, ...]) -> Iterator[Check]:
    for problem in problems:
        yield Check("settings", Status.PROBLEM, problem, "correct it, or take it out to get the default")
    for name in settings.unknown:
        meant = near(name, list(setting_fields()))
        advice = f"did you mean {one_of(meant)}?" if meant else "docs/settings.md lists those that have"
        yield Check("settings", Status.NOTE, f"{name} has no effect: there is no such setting", advice)
    if not problems and not settings.unknown:
        given = [name for name in settings.origins if name.startswith(PREFIX)]
        yield Check("settings", Status.OK, f"{count(len(given), 'setting')} given, the others have their defaults")


def python_checks() -> Iterator[Check]:
    yield Check("Python", Status.OK, f"{platform.python_version()} at {sys.executable}")


def package_checks() -> Iterator[Check]:
    """Whether each package that the project names is there in a version that it allows."""
    from packaging.requirements import Requirement

    try:
        named = [Requirement(text) for text in importlib.metadata.requires(DISTRIBUTION) or ()]
    except importlib.metadata.PackageNotFoundError:
        yield Check("packages", Status.PROBLEM, f"{DISTRIBUTION} itself is not installed", PUT_RIGHT)
        return
    needed = [each for each in named if each.marker is None or each.marker.evaluate({"extra": ""})]
    wrong = [problem for each in needed if (problem := _package_problem(each.name, each.specifier.contains))]
    for problem in wrong:
        yield Check("packages", Status.PROBLEM, problem, PUT_RIGHT)
    if not wrong:
        yield Check("packages", Status.OK, f"{len(needed)} as required")


def home_checks(settings: Settings) -> Iterator[Check]:
    """Whether the home folder can be written to, now or once it is made."""
    folder = settings.home
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if not existing.is_dir():
        yield Check(
            "home", Status.PROBLEM, f"{existing} is a file", "set QBS_HOME to a folder, or to one that can be made"
        )
        return
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"can this be written?")
    except OSError as error:
        yield Check(
            "home", Status.PROBLEM, f"{existing}: {error.strerror}", "make it writable, or set QBS_HOME elsewhere"
        )
        return
    free = shutil.disk_usage(existing).free
    room = f"{free / 1e9:,.1f} GB free"
    if free < FREE_BYTES:
        yield Check(
            "home", Status.PROBLEM, f"{folder}: only {room}", "make room on the disk, or set QBS_HOME elsewhere"
        )
    else:
        yield Check("home", Status.OK, f"{folder}{'' if folder.exists() else ' (not there yet)'}, writable, {room}")


def dataset_checks(services: Services) -> Iterator[Check]:
    """Whether each data set can be read and is what its manifest says."""
    from evals.library import check_dataset, load_dataset

    folders = services.dataset_folders()
    if not folders:
        yield Check(
            "data sets", Status.PROBLEM, "there are none", "work in a checkout of the project, or `qbs import FILE`"
        )
    for name, folder in folders.items():
        problems = check_dataset(folder)
        if problems:
            finding = f"{name}: {count(len(problems), 'problem')}; the first: {problems[0]}"
            yield Check("data sets", Status.PROBLEM, finding, f"see them all with `qbs conversations check {name}`")
        else:
            yield Check("data sets", Status.OK, f"{name}: {_size(load_dataset(folder))}")


def recording_checks(services: Services) -> Iterator[Check]:
    """How many of the calls that the data sets' turns lead to can be answered from recordings."""
    for name, folder in services.dataset_folders().items():
        if (folder / "recordings").is_dir():
            asked, missing = asyncio.run(_coverage(services, name))
            finding = (
                f"{name}: {asked - missing:,} of {count(asked, 'call')} recorded ({percent(asked - missing, asked)})"
            )
            if missing:
                advice = "the rules answer the others, labelled no_recording"
                yield Check("recordings", Status.NOTE, finding, advice)
            else:
                yield Check("recordings", Status.OK, finding)


def index_checks(services: Services) -> Iterator[Check]:
    """Whether the index can be brought up to date, and every run be read."""
    if not services.runs_folder.is_dir():
        yield Check("index", Status.OK, "no runs yet")
        return
    index = services.run_index()
    refreshed = index.refresh()
    runs = index.runs()
    for run_id in refreshed.unreadable:
        yield Check("index", Status.PROBLEM, f"the manifest of {run_id} cannot be read", "move its folder away")
    for run in runs:
        if run.problem:
            yield Check("index", Status.PROBLEM, f"{run.run_id}: {run.problem}")
    again = f" (made anew: {refreshed.rebuilt})" if refreshed.rebuilt else ""
    yield Check(
        "index", Status.OK, f"{count(len(runs), 'run')}, {count(sum(run.turns for run in runs), 'turn')}{again}"
    )


def database_checks(services: Services) -> Iterator[Check]:
    """Whether production state can be kept, tenants apart. A server of our own that was never needed is not made."""
    server = services.database_server
    server.check_settings()
    if server.embedded and not server.folder.exists():
        from engine.state.embedded.programs import program

        program("postgres")
        yield Check("database", Status.OK, f"a Postgres of our own will be made in {server.folder} when it is needed")
        return
    try:
        asyncio.run(_open_database(services))
    except UnsafeDatabaseError as error:
        for problem in error.problems:
            yield Check("database", Status.PROBLEM, problem)
        return
    which = f"a server of our own in {server.folder}" if server.embedded else str(services.settings.database_url)
    yield Check("database", Status.OK, f"{which}: its schema is current, and tenants are kept apart")


def address_checks(settings: Settings) -> Iterator[Check]:
    """Whether anybody answers at QBS_API_BASE, whatever they say: asked without a key for the list of models."""
    if settings.api_base is None:
        return
    from urllib.error import HTTPError
    from urllib.request import urlopen

    address = f"{settings.api_base}/models"
    try:
        with urlopen(address, timeout=ADDRESS_SECONDS) as response:  # noqa: S310  # the setting takes http(s) only
            status = response.status
    except HTTPError as error:
        status = error.code
        error.close()
    except (OSError, HTTPException, ValueError) as error:
        advice = "start the server, or correct or take out QBS_API_BASE"
        yield Check("address", Status.PROBLEM, f"nobody answers at {address} ({_what_went_wrong(error)})", advice)
        return
    if status in (404, 405):
        advice = "some servers have no such list; if the model does not answer, QBS_API_BASE may lack its /v1"
        yield Check("address", Status.NOTE, f"{address} answers with {status}", advice)
    else:
        yield Check("address", Status.OK, f"{address} answers ({status})")


def model_checks(services: Services) -> Iterator[Check]:
    """A real structured call to each configured model; to the fake model if there is none."""
    settings = services.settings
    if settings.reasoning_model is None and settings.fast_model is None:
        problem = asyncio.run(_fake_self_test(services))
        if problem is not None:
            yield Check("model", Status.PROBLEM, f"a structured call to the fake model failed: {problem}", PUT_RIGHT)
            return
        yield Check("model", Status.OK, "a structured call to the built-in fake model works")
        advice = "set QBS_REASONING_MODEL to use one; the rules and the recordings work without"
        yield Check("model", Status.NOTE, "no model is configured", advice)
        return
    for model in dict.fromkeys(configured_models(settings)):
        reason = asyncio.run(_self_test(services, model))
        if reason is None:
            yield Check("model", Status.OK, f"{model} answers structured calls")
        else:
            advice = advice_for(reason, model, settings)
            yield Check("model", Status.PROBLEM, f"{model} gave no usable answer: {reason}", advice)


def browser_checks() -> Iterator[Check]:
    """What the browser tests need; nothing else does."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        yield Check("browser", Status.OK, f"{found}, for the browser tests")
    else:
        advice = "only the browser tests need it: install `chromium` and `fonts-dejavu-core`"
        yield Check("browser", Status.NOTE, "no chromium", advice)


def advice_for(reason: FallbackReason, model: str, settings: Settings) -> str:
    """What to do about a model that does not answer."""
    where = settings.api_base or "the provider"
    return _ADVICE.get(reason, "try again; if it stays so, ask {where}").format(model=model, where=where)


def _what_went_wrong(error: Exception) -> str:
    """The class of what stopped a request; urllib hides it in a class of its own."""
    return type(getattr(error, "reason", error)).__name__


_ADVICE: Mapping[FallbackReason, str] = {
    FallbackReason.NOT_AUTHORISED: "{where} does not accept the key: set QBS_API_KEY, or the provider's own variable",
    FallbackReason.MODEL_NOT_FOUND: "{where} does not know {model}: check the name, with the provider before the slash",
    FallbackReason.CONNECTION: "nobody answers: check the network and QBS_API_BASE ({where})",
    FallbackReason.QUOTA_EXHAUSTED: "the account has nothing left to spend: see the provider's billing page",
    FallbackReason.RATE_LIMITED: "too many requests at the moment: wait, or lower QBS_CONCURRENCY",
    FallbackReason.DEADLINE: "it took longer than 30 s: check the network, or take a quicker model",
    FallbackReason.TIMEOUT: "it took longer than 30 s: check the network, or take a quicker model",
    FallbackReason.BAD_REQUEST: "{where} refuses the request: does {model} support tool calls? Is its name complete?",
    FallbackReason.INVALID_REPLY: "{model} does not keep to the form that it is asked for: take another model",
    FallbackReason.REFUSED: "{model} does not fill in forms: take another model",
    FallbackReason.UNEXPECTED: "the installed packages do not work together: " + PUT_RIGHT,
}


def _package_problem(name: str, allows: Callable[[str], bool]) -> str | None:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return f"{name} is not installed"
    return None if allows(version) else f"{name} {version} is not a version that the project allows"


def _size(dataset: Dataset) -> str:
    turns = sum(len(conversation.customer_turns) for conversation in dataset.conversations)
    labelled = sum(len(own) for own in dataset.labels.values())
    sealed = "as its manifest says" if (dataset.folder / "MANIFEST.json").exists() else "no manifest"
    return (
        f"{count(len(dataset.conversations), 'conversation')}, {labelled} of {count(turns, 'turn')} labelled, {sealed}"
    )


async def _open_database(services: Services) -> None:
    """Open it as a service would, with all that is checked on the way."""
    database = await services.database()
    await database.aclose()


async def _coverage(services: Services, name: str) -> tuple[int, int]:
    """How many calls a replay from recordings makes, and how many of them have no recording."""
    from evals.records import Failure
    from evals.replay import replay

    dataset = services.dataset(name)
    variant = services.variant("recorded", dataset)
    asked = missing = 0
    async with services.model_service_for(variant) as service:
        analyzer = services.analyzer_for(variant, service)
        for conversation in dataset.conversations:
            async for record in replay(conversation, analyzer, run_id="check"):
                if not isinstance(record.result, Failure):
                    sources = record.result.sources.values()
                    asked += len(sources)
                    missing += sum(source.fallback_reason is FallbackReason.NO_RECORDING for source in sources)
    return asked, missing


async def _self_test(services: Services, model: str) -> FallbackReason | None:
    """Ask a configured model, past all recordings."""
    async with services.bare_model_service() as service:
        return await structured_call(service, model)


async def _fake_self_test(services: Services) -> FallbackReason | None:
    from engine.llm.fake import FakeModel

    async with FakeModel() as fake:
        settings = replace(services.settings, api_base=fake.base_url, api_key=Secret("none"))
        return await _self_test(replace(services, settings=settings), "openai/fake-model")


async def structured_call(service: ModelService, model: str) -> FallbackReason | None:
    """Ask `model` to fill in a small form; why it could not, or None if it did."""
    from engine.llm.reply import Reply
    from engine.llm.service import Message, ModelRequest

    class SelfTest(Reply):
        """Say that you are there."""

        present: bool

    request = ModelRequest(
        purpose="self-test",
        model=model,
        messages=(Message(role="user", content="Fill in the form: you are present."),),
        reply=SelfTest,
        prompt="self-test",
        temperature=0.0,
        max_tokens=100,
    )
    try:
        await service.ask(request, deadline=SELF_TEST_SECONDS)
    except ModelCallError as error:
        return error.source.fallback_reason
    return None
