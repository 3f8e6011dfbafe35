"""Prompt files in a folder: read as they stand, and made whole, once, never over another."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from engine.errors import PromptError
from engine.prompts import Prompt, read_prompt
from engine.prompts.library import in_order
from engine.prompts.prompt import MAX_FILE_BYTES
from evals.files import flush_folder
from evals.tuning.version_values import PromptVersion, VersionLine


def prompt_in(file: Path) -> Prompt:
    """The prompt in `<name>/<version>.md`. Raises PromptError for anything that is not sound about it."""
    if file.stat().st_size > MAX_FILE_BYTES:
        raise PromptError(f"{file}: {file.stat().st_size:,} bytes; a prompt file holds at most {MAX_FILE_BYTES:,}")
    prompt = _read(file.read_bytes(), str(file))
    if (prompt.name, prompt.version) != (file.parent.name, file.stem):
        raise PromptError(f"{file} says that it is {prompt.name} {prompt.version}; file and text must agree")
    return prompt


def versions_in(
    folder: Path, shipped_folder: Path, name: str, lines: Mapping[tuple[str, str], VersionLine]
) -> Iterator[PromptVersion]:
    """All versions of one prompt in both folders, oldest first; `lines` say what is remembered, by name and hash.

    Raises PromptError for a file that is no sound prompt, or was changed after it was saved.
    """
    saved = {line.version: line for line in lines.values() if line.name == name}
    own = {file.stem: file for file in (folder / name).glob("*.md")}
    shipped = {file.stem: file for file in (shipped_folder / name).glob("*.md")}
    for version in in_order({*own, *shipped}):
        first = None
        if version in shipped:
            first = prompt_in(shipped[version])
            yield PromptVersion(first, shipped=True)
        if version in own:
            prompt = prompt_in(own[version])
            if version in saved and saved[version].hash != prompt.hash:
                raise PromptError(
                    f"{own[version]} was changed after it was saved; give the file back its content, or rename "
                    "what it is now to a version of its own"
                )
            if first is None or first.hash != prompt.hash:
                yield PromptVersion(prompt, shipped=False, about=lines.get((name, prompt.hash)))


def created(file: Path, content: bytes) -> bool:
    """Make a file with this content, whole or not at all; False if there is one already."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.chmod(0o644)
        file.hardlink_to(beside)
    except FileExistsError:
        return False
    finally:
        beside.unlink()
    flush_folder(file.parent)
    return True


def conflict(prompt: Prompt, there: PromptVersion, known: Sequence[PromptVersion]) -> PromptError:
    return PromptError(
        f"{prompt.name} {prompt.version} is there with other content ({there.ref}; this one is {prompt.ref}), and "
        f"nothing is overwritten: give this one another version, such as {next_version(known)}, in its front matter "
        "and as its file's name"
    )


def next_version(known: Sequence[PromptVersion]) -> str:
    numbers = [int(found[1]) for own in known if (found := re.fullmatch(r"v(\d{1,9})", own.version))]
    return f"v{max(numbers, default=0) + 1}"


@lru_cache(maxsize=1024)
def _read(content: bytes, where: str) -> Prompt:
    """A version never changes, and parsing one takes some milliseconds."""
    return read_prompt(content, where=where)
