"""The server of the pages takes along what it started."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from engine.state.embedded import is_running

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
from engine.state.embedded import start_embedded
from workbench.serving import serve

start_embedded(Path(sys.argv[1]))
serve(int(sys.argv[2]), headless=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_embedded_postgres_ends_with_the_server_that_was_told_to_end(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "postgres"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-c", PROGRAM, str(folder), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        _wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", server)
        assert is_running(folder)
        server.send_signal(number)
        server.wait(timeout=60)
    assert not is_running(folder)


def _wait_until_healthy(address: str, server: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError("the server of the pages did not start")
