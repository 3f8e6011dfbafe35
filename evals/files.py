"""Files that are either as they were or wholly new: written beside, flushed to disk, then renamed over."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(file: Path) -> Iterator[BinaryIO]:
    """A stream whose content takes the place of `file` when the block ends, and goes nowhere if it raises.

    A crash at any moment leaves the old content or the new, whole. Folders on the way are made. Raises OSError if
    it cannot be written; nothing is left behind then.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.chmod(0o644)
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    flush_folder(file.parent)


def write_atomically(file: Path, content: bytes) -> None:
    """Put `content` in the place of `file`; see `replacing`."""
    with replacing(file) as stream:
        stream.write(content)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, if it is there. Raises OSError if anything of it cannot be removed."""
    if folder.exists():
        shutil.rmtree(folder)


def flush_folder(folder: Path) -> None:
    """Make new and renamed names in `folder` survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
