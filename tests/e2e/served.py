"""The app served over a QBS_HOME of one's own, and how long its first page takes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
START_SECONDS = 60


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser, as long as the block runs. CHROMIUM says whether there is one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The address of a server over `home`, as long as the block runs. Raises RuntimeError if it does not start."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [str(Path(sys.executable).with_name("qbs")), "app", "--no-browser", "--port", str(port)]
    log = home / "server.log"
    with log.open("w") as output:
        environment = {**os.environ, "QBS_HOME": str(home)}
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_healthy(address, server, log)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=20)


def seconds_to_first_page(browser: Browser, home: Path, *, query: str = "") -> float:
    """From starting the server to seeing the first customer message and both answers, with a cold browser cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    begun = time.perf_counter()
    with served(home) as address:
        page.goto(f"{address}/?{query}")
        page.locator(".st-key-current").wait_for(timeout=START_SECONDS * 1_000)
        page.get_by_text("What is known so far").wait_for(timeout=START_SECONDS * 1_000)
        seconds = time.perf_counter() - begun
        context.close()
    return seconds


def _wait_until_healthy(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxies the environment names
    while time.monotonic() < give_up and server.poll() is None:
        try:
            with direct.open(f"{address}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"the app did not start:\n{log.read_text()}")
