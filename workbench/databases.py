"""Which database this installation uses and as whom: the server that settings name, or one of our own in QBS_HOME."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ConfigurationError
from workbench.settings import DatabaseUrl, Settings

if TYPE_CHECKING:
    from engine.state.embedded import EmbeddedServer
    from engine.state.urls import DatabaseUrls

FOLDER = "postgres"


class Role(StrEnum):
    """Who uses a database: the application, the owner of its schema, or maintenance."""

    APP = "app"
    OWNER = "owner"
    MAINTENANCE = "maintenance"


_VARIABLES = {
    Role.APP: "QBS_DATABASE_URL",
    Role.OWNER: "QBS_DATABASE_OWNER_URL",
    Role.MAINTENANCE: "QBS_DATABASE_MAINTENANCE_URL",
}
_USES = {
    Role.APP: "keep production state there",
    Role.OWNER: "migrate its schema",
    Role.MAINTENANCE: "back up, restore, and count every tenant's rows",
}


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """The server of these settings. One of our own starts when it is first needed, and ends with this process."""

    settings: Settings

    @property
    def embedded(self) -> bool:
        return self.settings.database_url is None

    @property
    def folder(self) -> Path:
        """Where a server of our own keeps everything."""
        return self.settings.home / FOLDER

    def has(self, role: Role) -> bool:
        """Whether there is an address for this role."""
        return self.embedded or self._given(role) is not None

    def url(self, role: Role) -> str:
        """The address for this role; the schema there is as it is.

        Raises ConfigurationError if there is none, or if it leads to another database than the application's.
        """
        if self.embedded:
            self.check_settings()
            return str(getattr(self.start().urls, role.value))
        given = self._given(role)
        if given is None:
            raise ConfigurationError(
                f"to {_USES[role]}, {_VARIABLES[role]} has to be set: docs/production-state.md says to what"
            )
        if role is not Role.APP:
            self._check_leads_there(role, given.reveal())
        return given.reveal()

    def is_running(self) -> bool:
        """Whether a server of our own runs, for whomever."""
        from engine.state.embedded import is_running

        return is_running(self.folder)

    def start(self) -> EmbeddedServer:
        """The server of our own, running. Raises ConfigurationError and DatabaseUnavailableError."""
        return _started(self.folder)

    def urls(self) -> DatabaseUrls:
        """The addresses for all roles; the schema there is as it is. Raises ConfigurationError if one is missing."""
        from engine.state.urls import DatabaseUrls

        return DatabaseUrls(app=self.url(Role.APP), owner=self.url(Role.OWNER), maintenance=self.url(Role.MAINTENANCE))

    def set_up(self) -> bool:
        """Make roles and schema on a server that settings name, if they are missing; whether that was done.

        The roles get the passwords in their addresses. Without a maintenance address nothing is done. Raises
        ConfigurationError and DatabaseUnavailableError.
        """
        from engine.state.roles import is_set_up, set_up

        if self.embedded or not self.has(Role.MAINTENANCE) or is_set_up(self.url(Role.MAINTENANCE)):
            return False
        set_up(self.urls())
        return True

    def bring_up_to_date(self) -> None:
        """Migrate a server of our own to the newest revision; one that settings name is only migrated when asked."""
        from engine.state.schema import current, upgrade
        from engine.state.tables import HEAD

        if self.embedded and current(self.url(Role.APP)) != HEAD:
            upgrade(self.url(Role.OWNER))

    def check_settings(self) -> None:
        """Raises ConfigurationError if an owner is named and no application: they would use different servers."""
        given = [_VARIABLES[role] for role in Role if self._given(role)]
        if given and self.embedded:
            raise ConfigurationError(f"{given[0]} is set, but QBS_DATABASE_URL is not: set both, or neither")

    def _check_leads_there(self, role: Role, url: str) -> None:
        from engine.state.identity import lead_elsewhere
        from engine.state.urls import without_password

        app = self.url(Role.APP)
        if lead_elsewhere(app, url):
            raise ConfigurationError(
                f"QBS_DATABASE_URL leads to {without_password(app)}, and {_VARIABLES[role]} to another database, "
                f"{without_password(url)}: correct the one that is wrong"
            )

    def _given(self, role: Role) -> DatabaseUrl | None:
        settings = self.settings
        return {
            Role.APP: settings.database_url,
            Role.OWNER: settings.database_owner_url,
            Role.MAINTENANCE: settings.database_maintenance_url,
        }[role]


@cache
def _started(folder: Path) -> EmbeddedServer:
    """One use of the server in a folder is enough for a process."""
    from engine.state.embedded import start_embedded

    return start_embedded(folder)
