"""How the embedded server is set up: no network, a password for everybody, and no customer's words in its log."""

from __future__ import annotations

from pathlib import Path

from engine.state.embedded.passwords import MAINTENANCE
from engine.state.roles import APP, DATABASE, OWNER

PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"

# Only these come in, and only with their passwords: whoever is not named is turned away.
HBA = f"""\
# Written at every start; changes made here are lost.
local  {DATABASE}  {APP},{OWNER}  scram-sha-256
local  all         {MAINTENANCE}  scram-sha-256
local  all         all            reject
"""


def server_arguments(socket: Path) -> list[str]:
    """The server's arguments, which stand above what the files of its folder say. `socket` is a folder."""
    settings = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(socket),
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        # Neither statements nor rows: an error tells its sender, and nobody else.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
        "lc_messages": "C",
        "cluster_name": "qbs",
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def initdb_arguments(data: Path, password_file: Path) -> list[str]:
    """What makes a folder that nobody can get into without a password, from its first moment on."""
    return [
        f"--pgdata={data}",
        f"--username={MAINTENANCE}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        # The order of text is Postgres's own, so that a copy sorts the same on another system.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
    ]
