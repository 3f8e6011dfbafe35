"""Locks between processes and threads, given back when their holder dies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from evals.errors import LockedError
from evals.locks import is_locked, locked

HOLDER = """
import sys
from pathlib import Path
from evals.locks import locked
with locked(Path(sys.argv[1]), what="it"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_excludes_another_process_and_names_it(tmp_path: Path):
    file = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_locked(file)
        with pytest.raises(LockedError, match=f"the run is in use by process {holder.pid};"):
            _take(file, timeout=0.02)
        holder.kill()
    assert not is_locked(file)
    _take(file, timeout=0)


def test_a_lock_excludes_other_threads_of_the_process(tmp_path: Path):
    file, inside = tmp_path / "lock", []

    def count() -> None:
        for _ in range(20):
            with locked(file, what="it"):
                inside.append(1)
                assert len(inside) == 1
                inside.pop()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == []


def test_an_error_inside_gives_the_lock_back(tmp_path: Path):
    with pytest.raises(KeyError), locked(tmp_path / "lock", what="it"):
        raise KeyError
    assert not is_locked(tmp_path / "lock")


def test_a_lock_that_nobody_made_is_free(tmp_path: Path):
    assert not is_locked(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()


def test_the_holder_is_the_process_that_has_it_now(tmp_path: Path):
    (tmp_path / "lock").write_text("123456789")
    with locked(tmp_path / "lock", what="it"):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def _take(file: Path, timeout: float) -> None:
    with locked(file, what="the run", timeout=timeout):
        pass
