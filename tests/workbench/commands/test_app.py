from __future__ import annotations

import socket

import pytest

from tests.workbench.commands.conftest import conversation, write_lines
from workbench.commands import app


@pytest.fixture
def served(monkeypatch) -> list[list[str]]:
    """The command lines that would have taken the place of `qbs`."""
    commands: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _, arguments: commands.append(arguments))
    return commands


@pytest.fixture
def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((app.ADDRESS, 0))
        return listener.getsockname()[1]


@pytest.fixture
def script(monkeypatch, tmp_path):
    file = tmp_path / "streamlit_app.py"
    file.touch()
    monkeypatch.setattr(app, "SCRIPT", file)
    return file


def test_the_server_listens_on_this_machine_only_and_its_address_is_printed(qbs, served, script, free_port):
    result = qbs("app", "--port", free_port)
    assert f"http://127.0.0.1:{free_port}" in result.stderr
    (command,) = served
    assert command[1:5] == ["-m", "streamlit", "run", str(script)]
    options = dict(zip(command[5::2], command[6::2], strict=True))
    assert (options["--server.address"], options["--server.port"]) == ("127.0.0.1", str(free_port))
    assert options["--server.headless"] == "false"


def test_no_browser_is_opened_when_none_is_wanted(qbs, served, script, free_port):
    qbs("app", "--port", free_port, "--no-browser")
    at = served[0].index("--server.headless")
    assert served[0][at + 1] == "true"


def test_a_taken_port_is_named_with_one_that_is_free(qbs, served, script):
    with socket.socket() as listener:
        listener.bind((app.ADDRESS, 0))
        listener.listen()
        port = listener.getsockname()[1]
        result = qbs("app", "--port", port)
    assert result.exit_code == 1
    assert f"port {port} on 127.0.0.1 is taken" in result.stderr
    assert "qbs app --port" in result.stderr
    assert served == []


@pytest.mark.parametrize("recordings", [False, True])
def test_preparing_replays_the_shipped_conversations_once(qbs, served, script, shipped, home, free_port, recordings):
    write_lines(shipped / "b2b_discovery" / "conversations.jsonl", conversation(1))
    if recordings:
        manifest = shipped / "b2b_discovery" / "recordings" / "MANIFEST.json"
        write_lines(manifest, '{"models": {"reasoning": "a", "fast": "b"}}')
    assert qbs("app", "--port", free_port, "--prepare").exit_code == 0
    made = sorted(path.name for path in (home / "runs").iterdir())
    assert [name.rsplit("-", 2)[0] for name in made] == (
        ["b2b-discovery-recorded", "b2b-discovery-rules"] if recordings else ["b2b-discovery-rules"]
    )
    qbs("app", "--port", free_port, "--prepare")
    assert sorted(path.name for path in (home / "runs").iterdir()) == made
    assert len(served) == 2


def test_without_the_script_of_the_pages_it_says_where_to_go(qbs, served, script):
    script.unlink()
    result = qbs("app")
    assert result.exit_code == 4
    assert "checkout" in result.stderr
