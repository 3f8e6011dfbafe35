"""`qbs prompts`: versions of prompts and sets of them: read, compared, checked, saved, and taken to other tools."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import InputError, PromptError
from workbench.commands.exits import FAILED, say
from workbench.commands.output import AsJson, show, show_json
from workbench.commands.prompts_elsewhere import langfuse, promptfoo, refuse_file
from workbench.commands.prompts_help import EPILOG, EPILOGS
from workbench.commands.prompts_saved import known_hashes, say_saved
from workbench.person import user_name
from workbench.services import Services, build_services

if TYPE_CHECKING:
    from evals.tuning.version_values import PromptVersion
    from evals.tuning.versions import PromptWorkspace

Ref = Annotated[str, typer.Argument(metavar="PROMPT[@VERSION]", help="Such as question@v2; the shipped one without.")]
Note = Annotated[str, typer.Option("--note", help="What is new, for whoever reads the list.")]
Author = Annotated[str | None, typer.Option("--author", metavar="NAME", help="Who saves it; you, if not given.")]


def register(cli: typer.Typer) -> None:
    group = typer.Typer(help="Versions of prompts: read, check, save, take along.", no_args_is_help=True)
    commands: dict[str, Callable[..., None]] = {
        "list": list_versions,
        "show": show_version,
        "diff": diff,
        "check": check,
        "save": save,
        "label": label,
        "export": export,
        "import": import_,
        "examples": examples,
        "promptfoo": promptfoo,
        "langfuse": langfuse,
    }
    for name, command in commands.items():
        group.command(name, epilog=EPILOGS[name])(command)
    cli.add_typer(group, name="prompts", epilog=EPILOG)


def list_versions(
    name: Annotated[str | None, typer.Argument(metavar="PROMPT", help="Only versions of this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the versions of prompts, and the sets."""
    from workbench.commands.prompts_report import set_facts, sets_table, version_facts, versions_table

    services = build_services()
    workspace = services.prompt_workspace()
    versions, sets = workspace.versions(name), workspace.sets() if name is None else ()
    runs = _runs(services)
    of_set = {own.hash: sum(_uses(used, own.prompts) for used in runs) for own in sets}
    by_version = Counter((prompt, digest) for used in runs for prompt, digest in used.items())
    if as_json:
        found = [version_facts(own, by_version[own.name, own.hash]) for own in versions]
        show_json({"versions": found, "sets": [set_facts(own, of_set[own.hash]) for own in sets]})
        return
    show(versions_table(versions, by_version))
    if sets:
        refs = {(own.name, own.hash): f"{own.name} {own.version}" for own in versions}
        show(f"\n{sets_table(sets, refs, of_set)}")


def show_version(
    ref: Ref,
    schema: Annotated[bool, typer.Option("--schema", help="What the model fills in, with its descriptions.")] = False,
    facts: Annotated[bool, typer.Option("--facts", help="Who saved it, from what, and which runs used it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the text of a version, as it is in its file."""
    from dataclasses import asdict

    from evals.tuning.checking import fields_of_reply
    from evals.tuning.versions import runs_with
    from workbench.commands.prompts_report import fields_text, heading, version_facts

    services = build_services()
    version = services.prompt_workspace().version(ref)
    if as_json:
        runs = runs_with(services.runs_folder, {version.name: version.hash})
        fields = [asdict(field) for field in fields_of_reply(version.prompt)]
        show_json(version_facts(version, runs) | {"text": version.text, "reply": fields})
        return
    if facts:
        show(heading(version, runs_with(services.runs_folder, {version.name: version.hash})))
    if schema:
        show(fields_text(fields_of_reply(version.prompt)))
    if not (facts or schema):
        typer.echo(version.prompt.content, nl=False)


def diff(
    first: Ref,
    second: Annotated[str | None, typer.Argument(metavar="PROMPT@VERSION", help="If left out: its parent.")] = None,
    full: Annotated[bool, typer.Option("--full", help="All words, not only those around differences.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two versions, or one with its parent, word by word."""
    from dataclasses import asdict

    from evals.tuning.word_diff import AROUND, word_difference
    from workbench.commands.prompts_report import difference_text

    workspace = build_services().prompt_workspace()
    one = workspace.version(first)
    if second is None:
        if one.parent is None:
            raise typer.BadParameter(f"{first} has no parent; say which version to compare it with")
        one, other = workspace.version(one.parent), one
    else:
        other = workspace.version(second)
    pieces = word_difference(one.text, other.text, around=None if full else AROUND)
    if as_json:
        show_json({"first": one.ref, "second": other.ref, "pieces": [asdict(piece) for piece in pieces]})
    else:
        show(difference_text(pieces))


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A prompt file.", exists=True, dir_okay=False)],
    name: Annotated[str | None, typer.Option("--name", help="As which prompt; as its front matter says.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a prompt file: syntax, variables, sections, reply fields, size."""
    from dataclasses import asdict

    from evals.tuning.checking import check as check_text
    from evals.tuning.tokens import tokens
    from workbench.commands.prompts_report import problem_text

    content = _content(file)
    problems = check_text(content, name or _own_name(content, file))
    failed = any(problem.severity == "error" for problem in problems)
    about = tokens(content.decode(errors="replace"))
    if as_json:
        found = [asdict(problem) for problem in problems]
        show_json({"file": str(file), "sound": not failed, "problems": found, "tokens_estimated": about})
    else:
        for problem in problems:
            show(problem_text(problem, str(file)))
        verdict = "cannot be used" if failed else "sound"
        show(f"{file}: {verdict}; about {about:,} tokens (an estimate) before variables are filled in")
    if failed:
        raise typer.Exit(FAILED)


def save(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A prompt file.", exists=True, dir_okay=False)],
    parent: Annotated[
        str | None, typer.Option("--parent", metavar="REF", help="What it was made from; the version that it names.")
    ] = None,
    version: Annotated[str | None, typer.Option("--as", metavar="VERSION", help="Its version; the next one.")] = None,
    note: Note = "",
    author: Author = None,
    as_json: AsJson = False,
) -> None:
    """Keep a prompt file as a new version; nothing but its version line changes."""
    workspace = build_services().prompt_workspace()
    content = _content(file)
    name = _own_name(content, file)
    known = known_hashes(workspace, name)
    saved = workspace.save(
        name,
        content,
        parent=parent or _parent(workspace, name, content, file),
        author=_author(author),
        note=note,
        version=version,
    )
    say_saved(saved, known, as_json=as_json)


def label(
    name: Annotated[str, typer.Argument(metavar="LABEL", help="What the set is to be called.")],
    refs: Annotated[list[str] | None, typer.Argument(metavar="PROMPT@VERSION...", help="Its versions.")] = None,
    parent: Annotated[str, typer.Option("--from", metavar="SET", help="The set that the others are taken from.")] = (
        "shipped"
    ),
    note: Note = "",
    author: Author = None,
    as_json: AsJson = False,
) -> None:
    """Keep a set of versions under a label."""
    from workbench.commands.prompts_report import set_facts

    services = build_services()
    services.prompts(parent)  # says which sets there are, if not this one
    workspace = services.prompt_workspace()
    saved = workspace.save_set(refs or [], label=name, parent=parent, author=_author(author), note=note)
    if as_json:
        show_json(set_facts(saved, sum(_uses(used, saved.prompts) for used in _runs(services))))
        return
    show(f"{saved.name}: {saved.short}")
    say(f"Next: qbs evaluate --variant recorded --prompts {shlex.quote(saved.name)} --against recorded")


def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder, such as one of a git checkout.")],
    refs: Annotated[list[str] | None, typer.Argument(metavar="PROMPT@VERSION...", help="Only these.")] = None,
    prompts: Annotated[str | None, typer.Option("--prompts", metavar="SET", help="Only those of a set.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write versions to a folder, byte for byte; every one of your own, if none is named."""
    refuse_file(folder)
    services = build_services()
    workspace = services.prompt_workspace()
    if refs and prompts:
        raise typer.BadParameter("name either versions or a set")
    if prompts is not None:
        services.prompts(prompts)
        used = workspace.set_named(prompts).prompts.values()
        chosen = [workspace.version(f"{prompt.name}@{prompt.hash}") for prompt in used]
    elif refs:
        chosen = [workspace.version(ref) for ref in refs]
    else:
        chosen = [own for own in workspace.versions() if not own.shipped]
    if not chosen:
        raise InputError("there are no versions of your own yet; name shipped ones, such as question@v1")
    files = workspace.export(chosen, folder)
    if as_json:
        show_json([str(file) for file in files])
    else:
        show("\n".join(str(file) for file in files))


def import_(
    source: Annotated[Path, typer.Argument(metavar="FOLDER|FILE", exists=True, help="As `export` writes, or a text.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="PROMPT[@VERSION]", help="What a text is to be: instead of what.")
    ] = None,
    note: Note = "",
    author: Author = None,
    as_json: AsJson = False,
) -> None:
    """Keep the versions in a folder, or a plain text or Jinja template (.txt, .j2) as a new version."""
    from workbench.commands.prompts_report import version_facts

    workspace = build_services().prompt_workspace()
    if source.is_dir():
        found = workspace.take(source, author=_author(author), note=note)
        if as_json:
            show_json([version_facts(own, 0) for own in found])
        else:
            show("\n".join(f"{own.name} {own.version}  {own.ref}" for own in found) or "Nothing new: all is here.")
        return
    if name is None:
        raise typer.BadParameter("say which prompt the text is to be, such as --name question", param_hint="--name")
    base = workspace.version(name)
    content, known = _imported(source, base), known_hashes(workspace, base.name)
    saved = workspace.save(
        base.name, content, parent=base.ref, author=_author(author), note=note or f"from {source.name}"
    )
    say_saved(saved, known, as_json=as_json)


def examples(
    ref: Ref,
    turns: Annotated[
        list[str] | None, typer.Argument(metavar="DATASET/CONVERSATION/TURN...", help="Labelled turns; none takes out.")
    ] = None,
    note: Note = "",
    author: Author = None,
    as_json: AsJson = False,
) -> None:
    """Show labelled turns in a prompt as examples, in place of those it shows."""
    from evals.tuning.few_shot import example, with_examples

    services = build_services()
    workspace = services.prompt_workspace()
    base = workspace.version(ref)
    places = [_place(turn) for turn in turns or []]
    datasets = {name: services.dataset(name) for name in dict.fromkeys(name for name, _, _ in places)}
    found = [example(datasets[name], id_, turn) for name, id_, turn in places]
    content = with_examples(base.prompt, found)
    said = note or (f"examples: {', '.join(turns)}" if turns else "without examples")
    known = known_hashes(workspace, base.name)
    saved = workspace.save(base.name, content, parent=base.ref, author=_author(author), note=said)
    say_saved(saved, known, as_json=as_json)


def _imported(file: Path, base: PromptVersion) -> bytes:
    from evals.tuning.text_import import imported, is_jinja

    content = _content(file)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise PromptError(f"{file}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    if text.startswith("---"):
        return content
    return imported(text, base.prompt, where=str(file), jinja=file.suffix != ".txt" and is_jinja(text))


def _content(file: Path) -> bytes:
    from engine.prompts.prompt import MAX_FILE_BYTES

    if file.stat().st_size > MAX_FILE_BYTES:
        raise PromptError(f"{file}: {file.stat().st_size:,} bytes; a prompt file holds at most {MAX_FILE_BYTES:,}")
    return file.read_bytes()


def _own_name(content: bytes, file: Path) -> str:
    """The name that the front matter gives, or else the folder. Checks say what is wrong with the rest."""
    from engine.prompts import read_prompt

    try:
        return read_prompt(content, where=str(file)).name
    except PromptError:
        return file.resolve().parent.name


def _parent(workspace: PromptWorkspace, name: str, content: bytes, file: Path) -> str | None:
    """The version that the text says it is, if there is one: an edited text still says what it was made from."""
    from engine.prompts import read_prompt

    said = read_prompt(content, where=str(file)).version
    return next((own.ref for own in workspace.versions(name) if own.version == said), None)


def _place(text: str) -> tuple[str, str, int]:
    """Read DATASET/CONVERSATION/TURN. Raises typer.BadParameter."""
    parts = text.split("/")
    if len(parts) != 3 or not (parts[2].isascii() and parts[2].isdigit()):
        raise typer.BadParameter(f"{text!r} is not DATASET/CONVERSATION/TURN, such as b2b_discovery/deep-unasked/3")
    return parts[0], parts[1], int(parts[2])


def _author(given: str | None) -> str:
    name = user_name() if given is None else given
    if name is None:
        raise typer.BadParameter("the system knows no name of yours; say one", param_hint="--author")
    return name


def _runs(services: Services) -> Sequence[dict[str, str]]:
    """The prompts, by name and content hash, that each run used."""
    from evals.runs.folder import RunFolder, run_folders

    folders = (RunFolder.open(path) for path in run_folders(services.runs_folder))
    return [folder.manifest.spec.variant.prompts for folder in folders]


def _uses(used: dict[str, str], prompts: Any) -> bool:
    """Whether a run that used these prompts, which are those that analyse, was of this set."""
    return bool(used) and all(prompts.get(name) == digest for name, digest in used.items())
