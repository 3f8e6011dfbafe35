"""How long a person waits for the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.benchmarks.figure import Figure, median_seconds

QBS = Path(sys.executable).with_name("qbs")


def _run(*words: str) -> None:
    subprocess.run([QBS, *words], check=True, capture_output=True)


def measure() -> list[Figure]:
    return [
        Figure("qbs --help", median_seconds(lambda: _run("--help")), "s", 0.5),
        Figure("qbs runs list", median_seconds(lambda: _run("runs", "list")), "s", 0.5),
    ]
