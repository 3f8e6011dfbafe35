from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workbench.commands.conftest import conversation, write_lines
from workbench import serving
from workbench.commands import app

ROOT = Path(__file__).parents[3]


@pytest.fixture
def served(monkeypatch) -> list[dict[str, object]]:
    """What the server would have been told, each time it would have been started."""
    told: list[dict[str, object]] = []
    monkeypatch.setattr("streamlit.starlette.App.run", lambda _, config: told.append(config))
    return told


@pytest.fixture
def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((app.ADDRESS, 0))
        return listener.getsockname()[1]


@pytest.fixture
def script(monkeypatch, tmp_path):
    file = tmp_path / "streamlit_app.py"
    file.touch()
    monkeypatch.setattr(serving, "SCRIPT", file)
    return file


def test_the_server_listens_on_this_machine_only_and_its_address_is_printed(qbs, served, script, free_port):
    result = qbs("app", "--port", free_port)
    assert f"http://127.0.0.1:{free_port}" in result.stderr
    (options,) = served
    assert (options["server.address"], options["server.port"]) == ("127.0.0.1", free_port)
    assert options["server.headless"] is False


def test_no_browser_is_opened_when_none_is_wanted(qbs, served, script, free_port):
    qbs("app", "--port", free_port, "--no-browser")
    assert served[0]["server.headless"] is True


def test_what_is_imported_ahead_is_every_page_and_no_model_library_among_it():
    code = "import sys; from workbench.warming import *; import_all((*FIRST, *OTHERS)); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    pages = {f"workbench.views.{path.stem}" for path in (ROOT / "workbench" / "views").glob("*_page.py")}
    assert {"workbench.views.replay", "duckdb", "psycopg", *pages} <= set(done.stdout.split())
    assert not {"litellm", "instructor"} & set(done.stdout.split())


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


def test_it_looks_the_same_from_whichever_folder_it_is_started(tmp_path, monkeypatch):
    from workbench import serving

    told = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serving.signal, "signal", lambda *_: None)
    monkeypatch.setattr(serving.App, "run", lambda _, config: told.update(config))
    serving.serve(8765, headless=True)
    assert (told["server.address"], told["server.port"], told["server.fileWatcherType"]) == ("127.0.0.1", 8765, "none")
    assert told["theme.light.primaryColor"].startswith("#")
    assert told["client.showErrorDetails"] == "type"
