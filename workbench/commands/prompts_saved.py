"""What is said of a version that was to be saved: under which name it is kept, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import UnknownPromptError
from workbench.commands.exits import say
from workbench.commands.output import show, show_json

if TYPE_CHECKING:
    from evals.tuning.version_values import PromptVersion
    from evals.tuning.versions import PromptWorkspace


def known_hashes(workspace: PromptWorkspace, name: str) -> frozenset[str]:
    """The content hashes of a prompt's versions; none of a name that there is not, which saving then says."""
    try:
        return frozenset(own.hash for own in workspace.versions(name))
    except UnknownPromptError:
        return frozenset()


def say_saved(saved: PromptVersion, known: frozenset[str], *, as_json: bool) -> None:
    """`known` are the content hashes of what was there before."""
    from workbench.commands.prompts_report import version_facts

    if as_json:
        show_json(version_facts(saved, 0))
        return
    show(f"{saved.name} {saved.version}  {saved.ref}")
    if saved.hash in known:
        say("Nothing was saved: a version with this content is there already.")
    elif saved.parent is not None:
        say(
            f"Next: qbs prompts diff {saved.name}@{saved.version}\n"
            f"      qbs evaluate --variant recorded --against recorded --prompts {saved.name}@{saved.version}"
        )
