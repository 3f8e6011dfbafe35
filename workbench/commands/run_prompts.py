"""Which prompts a run was made with, by content and under the names that `--prompts` takes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import engine
from engine.errors import PromptError
from evals.errors import RunError
from workbench.services import Services

if TYPE_CHECKING:
    from engine.prompts import PromptLibrary

SHIPPED = "shipped"
SHORT = 8  # digits of a content hash that say which it is


@dataclass(frozen=True, slots=True)
class MadeWith:
    """The prompts that answered: content hashes by name, none of a variant that asks no model.

    `prompt_set` is `shipped`, or every version that is another, such as `question@v2`, or by its content where that
    version is no longer here. None where there are no prompts.
    """

    prompts: Mapping[str, str]
    prompt_set: str | None

    @property
    def is_other(self) -> bool:
        """Whether they are not those that come with the project."""
        return self.prompt_set not in (None, SHIPPED)


def made_with(services: Services, run_ids: Iterable[str]) -> dict[str, MadeWith]:
    """What each of these runs was made with. Nothing where a manifest cannot be read: the index says why."""
    hashes = {run_id: _prompts(services, run_id) for run_id in run_ids}
    different = {tuple(sorted(prompts.items())) for prompts in hashes.values() if prompts}
    names = {each: _named(dict(each), services.settings.home / "prompts") for each in different}
    return {run_id: MadeWith(own, names.get(tuple(sorted(own.items())))) for run_id, own in hashes.items()}


def _prompts(services: Services, run_id: str) -> Mapping[str, str]:
    from evals.runs.folder import RunFolder

    try:
        return RunFolder.open(services.runs_folder / run_id).manifest.spec.variant.prompts
    except (RunError, OSError):
        return {}


def _named(prompts: Mapping[str, str], own: Path) -> str:
    """Prompts are only read as such where some differ: that takes a while, and this lists runs."""
    others = sorted(name for name, digest in prompts.items() if not _is_shipped(name, digest))
    if not others:
        return SHIPPED
    from engine.prompts import PromptLibrary

    library = PromptLibrary(own)
    return ",".join(f"{name}@{_version(library, name, prompts[name])}" for name in others)


def _is_shipped(name: str, digest: str) -> bool:
    """Whether the prompt that comes with the project, and is in use where none is named, has this content."""
    files = list((Path(engine.__file__).parent / "prompts" / name).glob("*.md"))
    if len(files) == 1:
        return hashlib.sha256(files[0].read_bytes()).hexdigest() == digest
    from engine.prompts import PromptLibrary

    library = PromptLibrary()
    return name in library.names() and library.load(name).hash == digest


def _version(library: PromptLibrary, name: str, digest: str) -> str:
    try:
        return library.find(f"{name}@{digest}").version
    except PromptError:
        return digest[:SHORT]
