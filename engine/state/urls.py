"""The addresses of one database, for the three roles that use it, and how an address is shown without its password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from engine.errors import ConfigurationError


@dataclass(frozen=True, slots=True, repr=False)
class DatabaseUrls:
    """`app` reads and writes rows, `owner` migrates the schema, `maintenance` makes roles, backs up and restores.

    Each is a `postgresql://` address with its password; what is printed of them has none.
    """

    app: str
    owner: str
    maintenance: str

    def __repr__(self) -> str:
        return f"DatabaseUrls(app={without_password(self.app)!r})"


def socket_url(socket: Path, database: str, *, user: str, password: str, port: int) -> str:
    """The address of `database` behind the socket in a folder. The port is named, so that PGPORT changes nothing."""
    where = urlencode({"host": str(socket), "port": port}, quote_via=quote)
    return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@/{database}?{where}"


def without_password(url: str) -> str:
    """Where an address leads, as `user@host:port/database`, for people to read."""
    parts = parts_of(url)
    place = f"{parts.get('host', 'localhost')}:{parts.get('port', '5432')}/{parts.get('dbname', '')}"
    return f"{parts['user']}@{place}" if parts.get("user") else place


def parts_of(url: str) -> Mapping[str, str]:
    """The parts of an address, as libpq names them: host, port, dbname, user, password ...

    An address written for SQLAlchemy, such as `postgresql+psycopg://`, means the same. Raises ConfigurationError for
    one that cannot be read, or would be read wrongly; the text does not repeat the address, which may hold a password.
    """
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    scheme, separator, rest = url.partition("://")
    try:
        found = conninfo_to_dict(f"{scheme.partition('+')[0]}{separator}{rest}")
    except ProgrammingError:
        raise ConfigurationError(_UNREADABLE) from None
    parts = {name: str(value) for name, value in found.items() if value is not None}
    # A password with a bare / in it is taken for a port and a database, and would be shown as such.
    if not parts.get("port", "5432").replace(",", "").isdigit() or "@" in parts.get("dbname", ""):
        raise ConfigurationError(_UNREADABLE)
    return parts


_UNREADABLE = (
    "the database's address cannot be read; it looks like postgresql://user:password@host:5432/qbs, "
    "and %, / and @ in its password are %25, %2F and %40"
)
