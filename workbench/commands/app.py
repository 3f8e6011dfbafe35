"""`qbs app`: open the workbench in a browser, on this machine only."""

from __future__ import annotations

import socket
from typing import Annotated

import typer

from engine.errors import QBSError
from workbench.commands.exits import say
from workbench.services import build_services

ADDRESS = "127.0.0.1"

EPILOG = """\
\b
Examples:
  qbs app                   open it on http://127.0.0.1:8501
  qbs app --port 8600       on another port
  qbs app --prepare         first replay the shipped conversations, if need be
  qbs app --no-browser      only serve; open the printed address yourself
"""


class PortBusyError(QBSError):
    """Another program listens on the port."""


def register(cli: typer.Typer) -> None:
    cli.command("app", epilog=EPILOG)(app)


def app(
    port: Annotated[int, typer.Option(min=1024, max=65535, metavar="PORT", help="Port on 127.0.0.1.")] = 8501,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="First replay the shipped conversations, where that is still to do.")
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Open the workbench in a browser."""
    services = build_services()
    check_port_is_free(port)
    if prepare:
        from workbench.commands.replay import prepare_runs

        prepare_runs(services)
    say(f"QBS Workbench: http://{ADDRESS}:{port}   (Ctrl-C ends it)")
    from workbench.serving import serve

    serve(port, headless=no_browser)


def check_port_is_free(port: int) -> None:
    """Raises PortBusyError, naming the next free port."""
    if _is_free(port):
        return
    free = next((candidate for candidate in range(port + 1, min(port + 101, 65536)) if _is_free(candidate)), None)
    advice = f"`qbs app --port {free}` or `make run PORT={free}` works" if free else "choose another with --port"
    raise PortBusyError(
        f"port {port} on {ADDRESS} is taken, perhaps by a workbench that is already open "
        f"(http://{ADDRESS}:{port}); {advice}"
    )


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        # As the server does: an address that is merely cooling down after an earlier server counts as free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((ADDRESS, port))
        except OSError:
            return False
    return True
