"""`qbs` in this process, its commands read once: typer else reads all of them anew for each that is run."""

from __future__ import annotations

import functools
from typing import Any
from unittest import mock

import typer
from typer.testing import CliRunner, Result

from workbench.cli import build_cli


@functools.cache
def every_command() -> Any:
    """All commands and groups as a tree; running one leaves nothing behind in it."""
    return typer.main.get_command(build_cli())


def run(*arguments: object, **options: Any) -> Result:
    """Run a command: `run("runs", "list").stdout`; the options are those of typer's CliRunner."""
    with mock.patch("typer.testing._get_command", return_value=every_command()):
        return CliRunner().invoke(typer.Typer(), [str(each) for each in arguments], **options)
