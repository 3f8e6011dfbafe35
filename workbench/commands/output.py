"""Results on stdout: JSON for programs, tables and paragraphs for people."""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import Annotated, Any
from urllib.parse import quote

import typer

from workbench.text import printable

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def show(text: str = "") -> None:
    """Print a piece of the result."""
    typer.echo(text)


def show_json(value: Any) -> None:
    """Print one JSON array or object. Its keys are part of the command line: docs/command-line.md lists them."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def in_the_app(dataset: str) -> str:
    """The line of advice after `Next:` that says where a data set is to be seen."""
    return f"      qbs app       then http://127.0.0.1:8501/?dataset={quote(dataset)}"


def paragraph(text: str, indent: int, mark: str = "") -> str:
    """The text wrapped to the terminal (at most 100 columns) and indented, its own line breaks kept.

    `mark` stands in the indentation of the first line.
    """
    width = min(shutil.get_terminal_size((100, 40)).columns, 100)
    space = " " * indent
    lines = [
        textwrap.fill(line, width, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)
        for line in printable(text).split("\n")
    ]
    return mark.ljust(indent) + "\n".join(lines)[indent:] if mark else "\n".join(lines)
