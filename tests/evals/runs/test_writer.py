"""Group commit: nothing is acknowledged before it is on disk, in order, and failures surface."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from evals.runs import writer as writer_module
from evals.runs.writer import GroupWriter


def test_everything_is_written_in_order_and_acknowledged_once(tmp_path: Path):
    acknowledged: list[int] = []
    writer = GroupWriter[int](tmp_path / "f", _numbered, acknowledged.extend)
    for number in range(5_000):
        writer.submit(number)
    writer.close()
    assert acknowledged == list(range(5_000))
    assert (tmp_path / "f").read_bytes() == b"".join(map(_numbered, range(5_000)))


def test_an_item_is_acknowledged_only_after_its_line_was_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    flushed: list[int] = []
    sizes: list[tuple[int, int]] = []
    monkeypatch.setattr(writer_module, "_flush", lambda descriptor: flushed.append(os.fstat(descriptor).st_size))
    writer = GroupWriter[int](tmp_path / "f", _tens, lambda ends: sizes.append((max(ends), flushed[-1])))
    for end in range(10, 10_010, 10):
        writer.submit(end)
    writer.close()
    assert sizes
    assert all(end <= size for end, size in sizes)
    assert sizes[-1] == (10_000, 10_000)


def test_many_lines_share_a_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    flushes = []
    may_flush = threading.Event()

    def flush(descriptor: int) -> None:
        assert may_flush.wait(30)
        flushes.append(descriptor)

    monkeypatch.setattr(writer_module, "_flush", flush)
    writer = GroupWriter[int](tmp_path / "f", _tens, _nobody)
    for number in range(500):
        writer.submit(number)
    may_flush.set()
    writer.close()
    assert 1 <= len(flushes) <= 500
    assert (tmp_path / "f").stat().st_size == 5_000


def test_what_is_submitted_by_many_threads_is_never_mixed(tmp_path: Path):
    acknowledged: list[str] = []
    writer = GroupWriter[str](tmp_path / "f", str.encode, acknowledged.extend)

    def submit(name: str) -> None:
        for number in range(300):
            writer.submit(f"{name} {number} {name * 200}\n")

    threads = [threading.Thread(target=submit, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    lines = (tmp_path / "f").read_text().splitlines()
    assert len(lines) == len(acknowledged) == 8 * 300
    assert all(line.split()[2] == line[0] * 200 for line in lines)
    for name in "abcdefgh":
        assert [int(line.split()[1]) for line in lines if line[0] == name] == list(range(300))


def test_a_full_disk_is_raised_to_whoever_writes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    acknowledged: list[int] = []

    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer_module, "_flush", refuse)
    writer = GroupWriter[int](tmp_path / "f", _numbered, acknowledged.extend)
    writer.submit(1)
    with pytest.raises(OSError, match="No space left"):
        _submit_many(writer, 100_000)  # far more than may wait: submitting does not hang either
    with pytest.raises(OSError, match="No space left"):
        writer.close()
    assert acknowledged == []


def test_closing_twice_is_harmless(tmp_path: Path):
    writer = GroupWriter[int](tmp_path / "f", _numbered, _nobody)
    writer.close()
    writer.close()


def _submit_many(writer: GroupWriter[int], count: int) -> None:
    for number in range(count):
        writer.submit(number)


def test_an_item_without_a_line_is_raised_and_nothing_of_its_batch_is_acknowledged(tmp_path: Path):
    acknowledged: list[int] = []
    writer = GroupWriter[int](tmp_path / "f", lambda number: b"%d\n" % (1 // number), acknowledged.extend)
    writer.submit(0)
    with pytest.raises(ZeroDivisionError):
        writer.close()
    assert acknowledged == []
    assert (tmp_path / "f").read_bytes() == b""


def _numbered(number: int) -> bytes:
    return b"%d\n" % number


def _tens(_number: int) -> bytes:
    return b"x" * 10


def _nobody(_items: Sequence[object]) -> None:
    pass
