"""Replays and the index killed at random moments, as often as the goal says: the suite does the same fewer times."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.benchmarks.figure import Figure

FILES = {
    "replays of ten conversations, killed 20 times": "test_killed_replay.py",
    "`qbs replay` asking a model, killed 20 times": "test_killed_qbs_replay.py",
    "refreshes of the index, killed 60 times": "test_killed_index.py",
}


def measure() -> list[Figure]:
    """What was lost or doubled anywhere is a failed test."""
    return [_failures(name, file) for name, file in FILES.items()]


def _failures(name: str, file: str) -> Figure:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"tests/integration/{file}"]
    done = subprocess.run(command, env={**os.environ, "QBS_BENCH": "1"}, capture_output=True, text=True, check=False)
    *_, last = done.stdout.strip().split("\n")
    failed = int(found[1]) if (found := re.search(r"(\d+) (?:failed|error)", last)) else int(done.returncode != 0)
    return Figure(name, failed, "failures", 0, note=last)
