"""From the start of the server to the first page on the screen of a browser."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.benchmarks.figure import Figure

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
REPEATS = 5
# What the page shows once its script has run to the end.
LANDMARK = "Where it came from"


def measure() -> list[Figure]:
    if not Path(CHROMIUM).exists():
        raise SystemExit("first_page needs a browser: apt-get install chromium")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        environment = {**os.environ, "QBS_HOME": home}
        qbs = Path(sys.executable).with_name("qbs")
        # As `qbs app --prepare` leaves it: replayed and indexed.
        for words in (("replay",), ("replay", "--variant", "recorded"), ("runs", "list")):
            subprocess.run([qbs, *words], env=environment, check=True, capture_output=True)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        times = [_seconds(browser, environment) for _ in range(REPEATS)]
    return [Figure("first page, server start to rendered", statistics.median(times), "s", 3.0)]


def _seconds(browser: Browser, environment: dict[str, str]) -> float:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    started = time.perf_counter()
    with _server(environment) as port:
        _wait_until_it_listens(port)
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_text(LANDMARK).first.wait_for(timeout=60_000)
        elapsed = time.perf_counter() - started
    page.close()
    return elapsed


def _wait_until_it_listens(port: int) -> None:
    """Asked of the port alone: a browser that is refused takes its time before it tries again."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise SystemExit("the server of the workbench did not start")


@contextlib.contextmanager
def _server(environment: dict[str, str]) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [Path(sys.executable).with_name("qbs"), "app", "--no-browser", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        server.terminate()
        server.wait(timeout=10)


if __name__ == "__main__":
    print(measure())
