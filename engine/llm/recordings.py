"""The recording store: model answers as they came, kept in append-only files and found by the request they answer.

A store is a folder of JSON-lines files. One line is one answer:

    {"key": ..., "sample": 0, "request": {...}, "response": {...}, "latency_ms": 812.4, "cost_usd": 0.0011,
     "recorded_at": "2026-05-04T09:30:00Z", "check": "9f2c61d0"}

`request` is the canonical request (model, messages, schema, temperature, max_tokens), `key` its hash with the sample
index, `response` the completion in OpenAI's form, malformed or not, `check` the CRC-32 of what stands before it. A line
whose check is wrong, such as one torn by a crash, is passed over. Of two answers under one key the first one counts.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import threading
import zlib
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.errors import ConfigurationError
from engine.llm.completion import Call, Complete, Completion, key_of
from engine.llm.faults import FaultError
from engine.model.analysis import FallbackReason

FILE_NAME = "recordings.jsonl"

_KEY_AT = slice(len('{"key":"'), len('{"key":"') + 64)
_CHECK_LENGTH = len(',"check":"00000000"}\n')


class RecordingMode(StrEnum):
    """Where answers come from."""

    LIVE = "live"  # always asked; recorded where there is a folder to write to
    REUSE = "reuse"  # from the store if they are there, else asked and recorded
    RECORDED = "recorded"  # from the store only; nothing is ever asked


class RecordingStore:
    """Recordings in `writable` (None: nothing can be added), and below it in any number of read-only folders.

    Several processes may share every folder: lines that another one appends are found. Nothing is read or made before
    it is needed.
    """

    def __init__(self, writable: Path | None = None, read_only: Sequence[Path] = ()) -> None:
        self._writable = writable
        self._folders = (writable, *read_only) if writable else tuple(read_only)
        self._files: dict[Path, _RecordingFile] = {}
        self._lock = threading.Lock()
        self._pending: deque[bytes] = deque()
        self._writer: ThreadPoolExecutor | None = None

    @property
    def can_record(self) -> bool:
        return self._writable is not None

    def find(self, request: Mapping[str, Any], sample: int = 0) -> Completion | None:
        """The recorded answer to `request`, or None."""
        line = self.find_line(key_of(request, sample))
        return _completion_in(json.loads(line)) if line else None

    def find_line(self, key: str) -> bytes | None:
        """The whole line under `key`, or None. Files are read again only where they have grown."""
        wanted = key.encode()
        with self._lock:
            line = self._find_known(wanted)
            if line is None and self._look_for_more():
                line = self._find_known(wanted)
            return line

    async def append(
        self,
        request: Mapping[str, Any],
        completion: Completion,
        sample: int = 0,
        *,
        recorded_at: datetime | None = None,
    ) -> None:
        """Add an answer; it is on disk when this returns. Answers given at the same time share one write.

        Raises ConfigurationError if the store is read-only, OSError if the disk refuses.
        """
        if self._writable is None:
            raise ConfigurationError("this recording store is read-only: give it a folder to write to")
        self._pending.append(line_of(request, sample, completion, recorded_at or datetime.now(UTC)))
        if self._writer is None:
            self._writer = ThreadPoolExecutor(1, thread_name_prefix="recordings")
        writing = asyncio.get_running_loop().run_in_executor(self._writer, self._write_pending, self._writable)
        await asyncio.shield(writing)  # a deadline that passes now must not lose what was paid for

    def close(self) -> None:
        """Wait until everything is written. The store can still be used."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.shutdown(wait=True)

    def _write_pending(self, folder: Path) -> None:
        """Write what is waiting. Runs in the one writing thread, once per answer: the first run takes them all."""
        lines = [self._pending.popleft() for _ in range(len(self._pending))]
        if not lines:
            return
        try:
            append_lines(folder / FILE_NAME, b"".join(lines))
        except OSError:
            self._pending.extendleft(reversed(lines))  # so that every answer's own run meets the error
            raise

    def _find_known(self, key: bytes) -> bytes | None:
        found = (file.line(key) for file in self._files.values())
        return next((line for line in found if line is not None), None)

    def _look_for_more(self) -> bool:
        """Read what was added to the files since the last look; whether there was anything."""
        paths = [path for folder in self._folders for path in sorted(folder.glob("*.jsonl"))]
        self._files = {path: self._files.get(path) or _RecordingFile(path) for path in paths}
        grown = [file.read_on() for file in self._files.values()]
        return any(grown)


class _RecordingFile:
    """Where each answer of one file begins and how long it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[bytes, tuple[int, int]] = {}
        self._read_to = 0

    def line(self, key: bytes) -> bytes | None:
        place = self._places.get(key)
        if place is None:
            return None
        try:
            with self._path.open("rb") as file:
                file.seek(place[0])
                line = file.read(place[1])
        except OSError:
            return None
        return line if line[_KEY_AT] == key and _is_whole(line) else None

    def read_on(self) -> bool:
        """Note the lines that are new; whether there were any. A line without its end is left for the next time."""
        with self._path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size == self._read_to:
                return False
            if size < self._read_to:
                self._places, self._read_to = {}, 0
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                if _is_whole(line):
                    self._places.setdefault(line[_KEY_AT], (self._read_to, len(line)))
                self._read_to += len(line)
        return True


def recording(complete: Complete, store: RecordingStore | None, mode: RecordingMode) -> Complete:
    """`complete` with `store` before it: an answer is taken from there, and put there before it is used.

    In mode `recorded` a missing answer raises FaultError `no_recording`. Failed calls are not recorded.
    """
    if store is None:
        return complete

    async def recorded(call: Call) -> Completion:
        found = store.find(call.request, call.sample) if mode is not RecordingMode.LIVE else None
        if found is not None:
            return found
        if mode is RecordingMode.RECORDED:
            raise FaultError(FallbackReason.NO_RECORDING)
        completion = await complete(call)
        if store.can_record:
            await store.append(call.request, completion, call.sample)
        return completion

    return recorded


def line_of(request: Mapping[str, Any], sample: int, completion: Completion, recorded_at: datetime) -> bytes:
    """One line of a recording file, with its end."""
    fields = {
        "key": key_of(request, sample),
        "sample": sample,
        "request": request,
        "response": completion.body,
        "latency_ms": completion.latency_ms,
        "cost_usd": completion.cost_usd,
        "recorded_at": recorded_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    body = json.dumps(fields, separators=(",", ":")).encode()[:-1]
    return body + b',"check":"%08x"}\n' % zlib.crc32(body)


def append_lines(path: Path, lines: bytes) -> None:
    """Append whole lines to a file that other processes append to as well; they are on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = file.seek(0, os.SEEK_END)
        if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
            lines = b"\n" + lines  # the last writer died in the middle of a line
        if file.write(lines) != len(lines):
            raise OSError(f"{path.name}: not everything could be written; is the disk full?")
        os.fsync(file.fileno())


def _is_whole(line: bytes) -> bool:
    body, check = line[:-_CHECK_LENGTH], line[-_CHECK_LENGTH:]
    return check == b',"check":"%08x"}\n' % zlib.crc32(body)


def _completion_in(fields: Mapping[str, Any]) -> Completion:
    return Completion(fields["response"], fields.get("latency_ms"), fields.get("cost_usd"), recorded=True)
