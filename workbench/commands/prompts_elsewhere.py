"""`qbs prompts promptfoo` and `langfuse`: prompts with labelled turns as cases, for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.errors import InputError
from workbench.commands.exits import say
from workbench.commands.options import Split
from workbench.commands.output import AsJson, show, show_json
from workbench.services import DEFAULT_DATASET, Services, build_services
from workbench.text import count

if TYPE_CHECKING:
    from engine.prompts import PromptSet
    from evals.tuning.cases import Cases

SetName = Annotated[str, typer.Option("--prompts", metavar="NAME", help="The prompt set.")]
DatasetName = Annotated[str, typer.Option("--dataset", metavar="NAME", help="Whose labelled turns are the cases.")]


def promptfoo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where one YAML file for each prompt is written.")],
    model: Annotated[str | None, typer.Option("--model", metavar="MODEL", help="Who is asked there.")] = None,
    prompts: SetName = "shipped",
    dataset: DatasetName = DEFAULT_DATASET,
    split: Split = None,
    as_json: AsJson = False,
) -> None:
    """Write prompts with labelled turns as cases for promptfoo."""
    from engine.prompts import ANALYSIS_PROMPTS
    from evals.files import write_atomically
    from evals.tuning.promptfoo import promptfoo_file
    from workbench.commands.models import named_or_configured

    refuse_file(folder)
    services = build_services()
    used, cases = _cases(services, prompts, dataset, split)
    models = named_or_configured(model, services.settings)
    written: list[dict[str, Any]] = []
    for name in ANALYSIS_PROMPTS:
        asked = models[0] if used.prompt(name).head.model_role == "reasoning" else models[1]
        found = promptfoo_file(used.prompt(name), cases.of(name), model=asked)
        file = folder / f"{name}.promptfoo.yaml"
        write_atomically(file, found.text.encode())
        facts = {"prompt": name, "model": asked, "file": str(file), "cases": found.cases}
        written.append(facts | {"left_out": list(found.left_out)})
    if as_json:
        show_json({"files": written, **_left_out(cases)})
        return
    for each in written:
        show(f"{each['file']}: {count(each['cases'], 'case')}")
        if each["left_out"]:
            places = ", ".join(each["left_out"])
            say(f"Left out, since promptfoo could take their text for a template or a file: {places}")
    say(f"Next: npx promptfoo eval -c {folder / 'question.promptfoo.yaml'}")


def refuse_file(folder: Path) -> None:
    """Raises InputError for a place that is to be a folder and is a file, or lies in one."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), None)
    if there is not None and not there.is_dir():
        raise InputError("is a file; name a folder, which is made if it is not there", file=there)


def langfuse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The JSON file to write.")],
    prompts: SetName = "shipped",
    dataset: DatasetName = DEFAULT_DATASET,
    split: Split = None,
    note: Annotated[str, typer.Option("--note", help="The message of the commit there.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE if it is there already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a prompt set with labelled turns as what Langfuse's API takes."""
    import json

    from evals.files import write_atomically
    from evals.tuning.langfuse import langfuse_bodies

    if file.exists() and not force:
        raise InputError("is there already; name another file, or say --force to overwrite it", file=file)
    used, cases = _cases(build_services(), prompts, dataset, split)
    bodies = langfuse_bodies(used, cases.cases, note=note)
    write_atomically(file, json.dumps(bodies, ensure_ascii=False, indent=1).encode() + b"\n")
    if as_json:
        counts = {name: len(bodies[name]) for name in ("prompts", "datasets", "items")}
        show_json({"file": str(file), **counts, **_left_out(cases)})
        return
    show(f"{file}: {count(len(bodies['prompts']), 'prompt')}, {count(len(bodies['items']), 'item')}")
    say("docs/prompts.md says which address takes which part.")


def _left_out(cases: Cases) -> dict[str, list[str]]:
    """The conversations that are no cases, by why."""
    return {"shown_as_examples": list(cases.shown), "not_labelled": list(cases.unlabelled)}


def _cases(
    services: Services, prompts: str, dataset: str, split: Literal["dev", "test"] | None
) -> tuple[PromptSet, Cases]:
    import asyncio

    from evals.tuning.cases import cases_of

    services.prompts(prompts)
    used = services.prompt_workspace().set_named(prompts)
    found = services.dataset(dataset)
    conversations = found.conversations if split is None else found.part(split)
    cases = asyncio.run(cases_of(found, conversations, used))
    if cases.shown:
        say(f"Left out, since the prompts show them as examples: {', '.join(cases.shown)}")
    if cases.unlabelled:
        say(f"Left out, since they are not labelled: {', '.join(cases.unlabelled)}")
    if not cases.cases:
        raise InputError(f"{dataset} has no labelled conversations that could be cases")
    return used, cases
