"""Changes to the bytes of a prompt file that leave all others as they are: its version, its line ends, its mark."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

import yaml

from engine.errors import PromptError
from engine.prompts.front_matter import entry_of, outline_of

BOM = b"\xef\xbb\xbf"


def with_version(content: bytes, version: str) -> bytes:
    """The file under another version: the value after `version:` changes, and nothing else.

    Raises PromptError where the front matter names no version that could be changed.
    """
    start, node = _front_matter(content)
    found = entry_of(node, ("version",))
    value = None if found is None else found[1]
    if not isinstance(value, yaml.ScalarNode):
        raise PromptError("the front matter has no line `version: ...`; write one")
    text = content.decode()
    before, after = text[: start + value.start_mark.index], text[start + value.end_mark.index :]
    return (before + _scalar(version, value.style) + after).encode()


def without_version(content: bytes) -> bytes:
    """Equal for files that differ in their version alone."""
    return with_version(content, "v0")


def as_edited(text: str, original: bytes | None) -> bytes:
    """An edited text as bytes: where an editor has made plain line ends of all, with those of the original again.

    A line that is as it was keeps its end, a new one takes that of the line before; the mark at the beginning of the
    file, and a last line without an end, stay. A text with ends of its own, or without an original, stays as it is.
    Raises PromptError for a text that UTF-8 cannot hold.
    """
    try:
        plain = text.encode()
    except UnicodeEncodeError:
        raise PromptError("the text holds half of a surrogate pair, which no file can hold; type it anew") from None
    if original is None or b"\r" in plain or b"\r" not in original:
        return plain if original is None else _marked(plain, original)
    return _marked("".join(_with_ends(text.split("\n"), original)).encode(), original)


def _with_ends(lines: list[str], original: bytes) -> Iterator[str]:
    before = original.removeprefix(BOM).decode(errors="replace").split("\n")
    ends = ["\r\n" if line.endswith("\r") else "\n" for line in before]
    bare = [line.removesuffix("\r") for line in before]
    end = ends[0]
    matcher = difflib.SequenceMatcher(None, bare, [line.removeprefix("\ufeff") for line in lines], autojunk=False)
    for tag, start, _, first, last in matcher.get_opcodes():
        for position in range(first, last):
            if tag == "equal" and start + position - first < len(before) - 1:
                end = ends[start + position - first]
            yield lines[position] + (end if position < len(lines) - 1 else "")


def _marked(content: bytes, original: bytes) -> bytes:
    return BOM + content if original.startswith(BOM) and not content.startswith(BOM) else content


def line_of(content: bytes, *keys: str) -> int | None:
    """The line of the file (from 1) on which this key of the front matter stands; None if there is no such key."""
    start, node = _front_matter(content)
    found = entry_of(node, keys)
    return None if found is None else content.decode()[: start + found[0].start_mark.index].count("\n") + 1


def _front_matter(content: bytes) -> tuple[int, yaml.Node | None]:
    """Where the front matter begins, in characters, and its outline."""
    text = content.decode()
    start = text.index("\n") + 1 if "\n" in text else len(text)
    try:
        return start, outline_of(text[start : _end_of_front_matter(text, start)])
    except yaml.YAMLError:
        return start, None


def _end_of_front_matter(text: str, start: int) -> int:
    """Where the line begins that closes it."""
    end = start
    for line in text[start:].split("\n"):
        if line.rstrip() == "---":
            break
        end += len(line) + 1
    return end


def with_list(content: bytes, key: str, values: Sequence[str]) -> bytes:
    """The file with `key: [values]` in its front matter, in place of what the key had there, or as the last line."""
    start, node = _front_matter(content)
    text, listed = content.decode(), f"[{', '.join(values)}]"
    found = entry_of(node, (key,))
    if found is not None:
        value = found[1]
        last = value.value[-1] if isinstance(value, yaml.SequenceNode) and not value.flow_style else value
        before, after = text[: start + value.start_mark.index], text[start + last.end_mark.index :]
        return f"{before}{listed}{after}".encode()
    end = _end_of_front_matter(text, start)
    line_end = "\r\n" if text[:start].endswith("\r\n") else "\n"
    return f"{text[:end]}{key}: {listed}{line_end}{text[end:]}".encode()


def _scalar(version: str, style: str | None) -> str:
    """The version as YAML, quoted as it was, or where it would be read as a number or a date."""
    if style in ("'", '"'):
        return f"{style}{version}{style}"
    try:
        plain = yaml.safe_load(version)
    except (yaml.YAMLError, ValueError):
        plain = None
    return version if plain == version else f'"{version}"'
