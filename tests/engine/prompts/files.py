"""Prompt files as a designer would write them."""

from __future__ import annotations

from pathlib import Path

SOUND = """---
name: greeting
version: v1
description: greets
model_role: fast
variables:
  who: whom to greet
  late: whether it is late
---
## system
Be kind.
## user
Hello {{ who }}{% if late %}, at last{% endif %}!
"""


def prompt_file(
    text: str = "## user\nHello {{ who }}",
    *,
    name: str = "greeting",
    version: str = "v1",
    variables: str = "  who: whom to greet",
    head: str = "model_role: fast",
) -> bytes:
    front = f"name: {name}\nversion: {version}\ndescription: greets\n{head}\nvariables:\n{variables}"
    return f"---\n{front}\n---\n{text}\n".encode()


def write(folder: Path, content: bytes, name: str = "greeting", version: str = "v1") -> Path:
    path = folder / name / f"{version}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
