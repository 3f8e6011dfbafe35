"""`qbs`, the command line: which commands there are, and how each error becomes one message and an exit code."""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from workbench.commands.exits import INTERRUPTED, complain, exit_code, in_words

# Each command and the module that it is in, in the order in which people need them.
COMMANDS = {
    "replay": "replay",
    "runs": "runs",
    "compare": "compare",
    "evaluate": "evaluate",
    "rescore": "rescore",
    "optimise": "optimise",
    "judge": "judge",
    "prompts": "prompts",
    "conversations": "conversations",
    "import": "imports",
    "app": "app",
    "demo": "demo",
    "db": "db",
    "promote": "releases",
    "releases": "releases",
    "outcomes": "outcomes",
    "calibrate": "calibrate",
    "doctor": "doctor",
    "fake-model": "fake_model",
}
EPILOG = """\
\b
Begin here:
  qbs doctor                       what works, and what to do about the rest
  qbs replay                       replay the shipped conversations by rules
  qbs replay --variant recorded    the same with recorded model answers
  qbs runs list                    what there is to look at
  qbs compare rules recorded       which of the two is better, and in what
  qbs app                          look at it

\b
`qbs COMMAND --help` shows examples of each. Exit codes: 0 done, 1 failed or
problems found, 2 wrong usage or unknown name, 3 input cannot be used,
4 something configured does not work, 130 stopped with Ctrl-C.
"""


class Commands(TyperGroup):
    """All commands, in the order in which people need them.

    One that fails ends with one message and an exit code, with a traceback only under `--debug`.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=list(COMMANDS).index)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # whoever read our output has gone; typer ends quietly
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except typer.BadParameter as error:
            error.message = in_words(error.message)
            raise
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise  # typer's own ways of ending
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            complain(error)
            raise typer.Exit(exit_code(error)) from None


def main() -> None:
    """The entry point of `qbs`."""
    try:
        build_cli(next((word for word in sys.argv[1:] if not word.startswith("-")), None))()
    finally:
        # Nothing is left to be kept: a Ctrl-C while the interpreter winds down ends it without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def build_cli(named: str | None = None) -> typer.Typer:
    """The command line: all of it, or of its commands only the one that is `named`, where there is such a one.

    A command's own imports are made when it runs; reading all of the commands takes a tenth of a second.
    """
    cli = typer.Typer(
        cls=Commands,
        name="qbs",
        help="Replay, compare and tune a B2B sales-conversation engine.",
        epilog=EPILOG,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    cli.callback()(_options)
    modules = (COMMANDS[named],) if named in COMMANDS else dict.fromkeys(COMMANDS.values())
    for module in modules:
        import_module(f"workbench.commands.{module}").register(cli)
    return cli


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"qbs {version('qbs-workbench')}")
        raise typer.Exit


def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """The options that come before a command. `debug` is read where errors are turned into messages."""
