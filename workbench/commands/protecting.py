"""`qbs releases protect|unprotect|protected`: the turns that must never break again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from workbench.commands.output import AsJson, show, show_json
from workbench.commands.releases_report import protected_text
from workbench.person import user_name
from workbench.services import build_services

EPILOG = """\
\b
Examples:
  qbs releases protect b2b_discovery won-energy 4 --why "the CFO's no"
  qbs releases unprotect b2b_discovery won-energy 4 --why "label was wrong"
  qbs releases protected
"""

Turn = Annotated[int, typer.Argument(metavar="TURN", min=0, help="The index of the customer's turn.")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="Why, in a few words.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who decides; the user of the system if not.")]


def register(group: typer.Typer) -> None:
    for command in (protect, unprotect, protected):
        group.command(command.__name__, epilog=EPILOG)(command)


def protect(
    dataset: Annotated[str, typer.Argument(metavar="DATASET")],
    conversation: Annotated[str, typer.Argument(metavar="CONVERSATION")],
    turn: Turn,
    why: Why = "",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Put a turn on the list of those that must never break again."""
    from workbench.promoting import must_not_break

    services = build_services()
    kept = must_not_break(services).add(services.dataset(dataset), conversation, turn, by=person(by), why=why)
    if as_json:
        show_json(kept.model_dump(mode="json"))
        return
    show(f"Must not break: {kept.title}, since {kept.at:%Y-%m-%d}, by {kept.by}.")


def unprotect(
    dataset: Annotated[str, typer.Argument(metavar="DATASET")],
    conversation: Annotated[str, typer.Argument(metavar="CONVERSATION")],
    turn: Turn,
    why: Why = "",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Take a turn off that list."""
    from workbench.promoting import must_not_break

    must_not_break(build_services()).remove(dataset, conversation, turn, by=person(by), why=why)
    if as_json:
        show_json({"dataset": dataset, "conversation_id": conversation, "turn": turn})
        return
    show(f"May break again: {dataset}, {conversation}, turn {turn}.")


def protected(as_json: AsJson = False) -> None:
    """List the turns that must not break."""
    from workbench.promoting import must_not_break

    turns = must_not_break(build_services()).turns()
    if as_json:
        show_json([turn.model_dump(mode="json") for turn in turns])
    else:
        show(protected_text(turns, datetime.now(UTC)) if turns else "No turn is on the list.")


def person(by: str | None) -> str:
    """Who decides."""
    if by is not None and by.strip():
        return by.strip()
    name = user_name()
    if name is None:
        raise typer.BadParameter("the system does not say who you are: name yourself", param_hint="--by")
    return name
