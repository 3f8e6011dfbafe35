"""Who and what takes part in the demo: the data set, the tenant, and the prompt that is to be promoted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import QBSError
from workbench.services import DEFAULT_DATASET, RECORDINGS, Services
from workbench.text import UnknownNameError

if TYPE_CHECKING:
    from engine.prompts import PromptSet
    from evals.tuning.version_values import PromptVersion

DATASET = DEFAULT_DATASET
TENANT = "demo"
LABEL = "calmer"  # of the set with the prompt that is to be promoted
AUTHOR = "QBS Workbench"
NOTE = "Comes with the example conversations: a candidate for the question prompt."


@dataclass(frozen=True, slots=True)
class Candidate:
    """The prompt set that is to be promoted, and its version of a prompt beside the shipped one.

    `answered` says that there are recorded answers to it.
    """

    prompts: PromptSet
    version: PromptVersion
    shipped: PromptVersion
    answered: bool


def candidate(services: Services) -> Candidate | None:
    """The candidate as the workspace of prompts has it; None where it was not taken in yet."""
    workspace = services.prompt_workspace()
    found = next((own for own in workspace.sets() if LABEL in own.labels), None)
    if found is None:
        return None
    prompts, shipped = workspace.set_of(found.prompts), workspace.shipped.hashes()
    changed = next((own for own in prompts.prompts.values() if shipped.get(own.name) != own.hash), None)
    if changed is None:
        return None
    version = workspace.version(changed.ref)
    return Candidate(prompts, version, workspace.version(changed.name), covered(services, prompts))


def take_candidate(services: Services) -> str:
    """Take the candidate that comes with the data set into the workspace; why that cannot be, in words, or nothing.

    Where it is there already nothing is changed.
    """
    from evals.tuning.version_files import prompt_in

    folder = _folder(services) / "prompts"
    files = sorted(folder.glob("*/*.md"))
    if not files:
        return f"{DATASET} comes without a candidate for a prompt."
    workspace = services.prompt_workspace()
    try:
        if not any(LABEL in own.labels for own in workspace.sets()):
            workspace.take(folder, author=AUTHOR, note=NOTE)
            refs = [prompt_in(file).ref for file in files]
            workspace.save_set(refs, author=AUTHOR, label=LABEL, note=NOTE)
    except QBSError as error:
        return f"The candidate of {DATASET} could not be taken in: {error}"
    return ""


def covered(services: Services, prompts: PromptSet) -> bool:
    """Whether the data set comes with recorded answers to these prompts."""
    from workbench.live.recorded_prompts import covers
    from workbench.variants import covered_prompts

    return covers(covered_prompts(_folder(services) / RECORDINGS), prompts)


def _folder(services: Services) -> Path:
    """Where the data set lies. Raises UnknownNameError if it is not there."""
    folders = services.dataset_folders()
    if DATASET not in folders:
        raise UnknownNameError("data set", DATASET, folders)
    return folders[DATASET]
