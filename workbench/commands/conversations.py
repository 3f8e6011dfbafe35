"""`qbs conversations`: the recorded conversations there are, one of them to read, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.commands.exits import FAILED
from workbench.commands.options import Split
from workbench.commands.output import AsJson, paragraph, show, show_json
from workbench.services import build_services
from workbench.text import UnknownNameError, clip, count, printable, table, the_one

if TYPE_CHECKING:
    from engine.model.conversation import Conversation, Turn
    from evals.jsonl import Problem
    from evals.labels import TurnLabel
    from evals.library import Dataset
    from workbench.checking import Checked

EPILOG = """\
\b
Examples:
  qbs conversations list
  qbs conversations show won-energy
  qbs conversations check my-export.jsonl
"""
LIST_EPILOG = """\
\b
Examples:
  qbs conversations list                               of every data set
  qbs conversations list b2b_discovery --split dev
  qbs conversations list --json | jq -r '.[].id'
"""
SHOW_EPILOG = """\
\b
Examples:
  qbs conversations show won-energy    a unique part of the id is enough
  qbs conversations show won-energy --labels
                                       with what people said about its turns
"""
CHECK_EPILOG = """\
\b
Examples:
  qbs conversations check                  every data set
  qbs conversations check b2b_discovery
  qbs conversations check export.jsonl     a file, before importing it

\b
Each problem is printed as FILE:LINE: what is wrong. With one, it ends with 1.
"""

DatasetArgument = Annotated[str | None, typer.Argument(metavar="DATASET", help="One data set; all if not given.")]
DatasetOption = Annotated[str | None, typer.Option("--dataset", help="Where to look, if two data sets have the id.")]


def register(cli: typer.Typer) -> None:
    group = typer.Typer(help="List, read and check recorded conversations.", no_args_is_help=True)
    group.command("list", epilog=LIST_EPILOG)(list_conversations)
    group.command("show", epilog=SHOW_EPILOG)(show_conversation)
    group.command("check", epilog=CHECK_EPILOG)(check)
    cli.add_typer(group, name="conversations", epilog=EPILOG)


def list_conversations(
    dataset: DatasetArgument = None,
    split: Split = None,
    as_json: AsJson = False,
) -> None:
    """List conversations."""
    datasets = list(_datasets(dataset))
    if as_json:
        show_json([row for each in datasets for row in _rows(each, split)])
        return
    for number, each in enumerate(datasets):
        show(("\n" if number else "") + _table(each, split))
    if not datasets:
        show("There are no conversations yet. `qbs import FILE` adds some.")


def show_conversation(
    conversation: Annotated[str, typer.Argument(metavar="CONVERSATION", help="Its id, or a unique part of it.")],
    dataset: DatasetOption = None,
    labels: Annotated[bool, typer.Option("--labels", help="Add what people said about each customer turn.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print one conversation as a transcript."""
    found, of = _find(conversation, dataset)
    known = of.labels.get(found.id, {})
    if as_json:
        shown: dict[str, Any] = {
            "dataset": of.name,
            "split": of.split[found.id],
            "conversation": found.model_dump(mode="json"),
        }
        if labels:
            shown["labels"] = [label.model_dump(mode="json") for label in known.values()]
        show_json(shown)
        return
    show(_heading(found, of))
    for turn in found.turns:
        show()
        show("\n".join(_lines(turn, found, known.get(turn.index) if labels else None)))
    if labels and not known:
        show("\nNobody has labelled this conversation.")


def check(
    what: Annotated[
        str | None, typer.Argument(metavar="DATASET|FILE|FOLDER", help="What to check; every data set if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check data sets or a file; print each problem with its line."""
    from workbench.checking import check_file, check_folder

    if what is not None and (path := Path(what)).exists():
        checked = [check_folder(path) if path.is_dir() else check_file(path)]
    else:
        folders = build_services().dataset_folders()
        if what is not None and what not in folders:
            raise UnknownNameError("data set, file or folder", what, folders)
        checked = [check_folder(folder) for name, folder in folders.items() if what in (None, name)]
    if as_json:
        show_json([_checked_facts(each) for each in checked])
    else:
        show("\n\n".join("\n".join(_checked_lines(each)) for each in checked) or "There is nothing to check.")
    if any(each.problems for each in checked):
        raise typer.Exit(FAILED)


def located(problem: Problem) -> str:
    """`file:line: what`, which editors and terminals make clickable."""
    line = f":{problem.line}" if problem.line is not None else ""
    turn = f"turn {problem.turn}: " if problem.turn is not None else ""
    return f"{problem.file}{line}: {turn}{printable(problem.text)}"


def _checked_lines(checked: Checked) -> Iterator[str]:
    yield from (located(problem) for problem in checked.problems)
    found = count(len(checked.problems), "problem") + " found" if checked.problems else "no problems found"
    yield f"{checked.name}: {count(checked.conversations, 'conversation')}, {found}"
    if checked.agreement:
        yield "\nHow far its two labellers agreed before settling (1 is always; a kappa of 0 is as by chance):\n"
        rows = [
            [each.label, _figure(each.value), each.measure.replace("_", " "), _figure(each.observed), f"{each.n:,}"]
            for each in checked.agreement
        ]
        yield table(rows, ["LABEL", "AGREEMENT", "MEASURE", "SAME", "JUDGED"], right=[1, 3, 4])


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _checked_facts(checked: Checked) -> dict[str, Any]:
    problems = [{"file": str(p.file), "line": p.line, "turn": p.turn, "problem": p.text} for p in checked.problems]
    agreement = [each.model_dump(mode="json") for each in checked.agreement]
    return {"name": checked.name, "conversations": checked.conversations, "problems": problems, "agreement": agreement}


def _datasets(name: str | None) -> Iterator[Dataset]:
    services = build_services()
    for each in [name] if name else services.dataset_names():
        yield services.dataset(each)


def _rows(dataset: Dataset, split: str | None) -> Iterator[dict[str, Any]]:
    for conversation in dataset.conversations:
        if split in (None, dataset.split[conversation.id]):
            yield {
                "dataset": dataset.name,
                "origin": dataset.origin,
                "id": conversation.id,
                "title": conversation.title,
                "account": conversation.account,
                "industry": conversation.industry,
                "persona": conversation.persona.value,
                "channel": conversation.channel.value,
                "opening_stage": conversation.opening_stage.value,
                "turns": len(conversation.turns),
                "customer_turns": len(conversation.customer_turns),
                "split": dataset.split[conversation.id],
                "labelled_turns": len(dataset.labels.get(conversation.id, {})),
            }


def _table(dataset: Dataset, split: str | None) -> str:
    from evals.origins import origin_line

    rows = list(_rows(dataset, split))
    turns = sum(row["customer_turns"] for row in rows)
    title = f"{dataset.name}: {count(len(rows), 'conversation')}, {count(turns, 'customer turn')}"
    cells = [
        [
            row["id"],
            clip(row["title"], 44),
            row["persona"],
            row["channel"],
            str(row["turns"]),
            row["split"],
            f"{row['labelled_turns']}/{row['customer_turns']}",
        ]
        for row in rows
    ]
    header = ["ID", "TITLE", "PERSONA", "CHANNEL", "TURNS", "SPLIT", "LABELLED"]
    return f"{title}\n{origin_line(dataset.origin)}\n\n{table(cells, header, right=[4, 6])}"


def _find(name: str, dataset: str | None) -> tuple[Conversation, Dataset]:
    """The conversation with this id, or a unique part of it, and its data set. Raises UnknownNameError."""
    every = list(_datasets(dataset))
    ids = {conversation_id for of in every for conversation_id in of.hashes}
    conversation_id = the_one("conversation", name, ids, hint="`qbs conversations list` shows them all")
    homes = {of.name: of for of in every if conversation_id in of.hashes}
    if len(homes) > 1:
        raise UnknownNameError("single conversation", name, homes, hint="say which data set with --dataset")
    of = next(iter(homes.values()))
    return of.conversation(conversation_id), of


def _heading(conversation: Conversation, dataset: Dataset) -> str:
    contact = ", ".join(filter(None, (conversation.contact.name, conversation.contact.title)))
    account = f"{conversation.account} ({conversation.industry})" if conversation.industry else conversation.account
    facts = [
        ("account", account),
        ("contact", f"{contact} ({conversation.persona})"),
        ("offering", conversation.offering or ""),
        ("known there", ", ".join(conversation.known_contacts)),
        ("channel", conversation.channel.value),
        ("stage", conversation.opening_stage.value),
        ("data set", f"{dataset.name} ({dataset.split[conversation.id]})"),
    ]
    return "\n".join(
        [
            f"{conversation.id}: {printable(conversation.title)}",
            "",
            *(f"  {name:<12} {printable(value)}" for name, value in facts if value),
        ]
    )


def _lines(turn: Turn, conversation: Conversation, label: TurnLabel | None) -> Iterator[str]:
    who = f"{turn.speaker} {printable(turn.name or '')}".rstrip()
    channel = f" by {turn.channel}" if turn.channel and turn.channel != conversation.channel else ""
    time = f"   {turn.time:%Y-%m-%d %H:%M}" if turn.time else ""
    yield f"{turn.index:>3}  {who}{channel}{time}"
    yield paragraph(turn.text, 5)
    if label is not None:
        yield from (paragraph(line, 9, "       |") for line in _label_lines(label))
    for change in conversation.stage_changes:
        if change.after_turn == turn.index:
            yield f"\n     -- the deal moves to {change.to} --"


def _label_lines(label: TurnLabel) -> Iterator[str]:
    back_off = ", back off" if label.back_off else ""
    yield f"{label.engagement}, pain {label.pain_depth}{back_off}; next: {', '.join(label.question_types)}"
    for dimension in label.dimensions:
        yield f"{dimension.dimension}: {dimension.value} («{dimension.quote}»)"
    for person in label.people:
        yield f"mentions {person.mention} («{person.quote}»)"
