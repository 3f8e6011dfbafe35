"""What `qbs prompts` prints: versions and sets as tables, differences word by word, facts for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from workbench.text import ago, clip, count, printable, table

if TYPE_CHECKING:
    from evals.tuning.checking import Problem, ReplyField
    from evals.tuning.version_values import PromptVersion, SetVersion
    from evals.tuning.word_diff import Piece

RunsOf = Mapping[tuple[str, str], int]  # by prompt name and content hash


def version_facts(version: PromptVersion, runs: Sequence[str] | int) -> dict[str, Any]:
    about = version.about
    return {
        "name": version.name,
        "version": version.version,
        "ref": version.ref,
        "hash": version.hash,
        "shipped": version.shipped,
        "parent": version.parent,
        "author": about.author if about else None,
        "date": about.date.isoformat() if about else None,
        "note": about.note if about else None,
        "examples": list(version.prompt.head.examples),
        "runs": runs if isinstance(runs, int) else list(runs),
    }


def set_facts(found: SetVersion, runs: int) -> dict[str, Any]:
    about = found.about
    return {
        "hash": found.hash,
        "short": found.short,
        "labels": list(found.labels),
        "parent": about.parent if about else None,
        "author": about.author if about else None,
        "date": about.date.isoformat() if about else None,
        "note": about.note if about else None,
        "prompts": dict(found.prompts),
        "runs": runs,
    }


def versions_table(versions: Sequence[PromptVersion], runs: RunsOf) -> str:
    now = datetime.now(UTC)
    rows = [
        [
            version.name,
            version.version,
            version.hash[:8],
            _parent(version),
            "shipped" if version.shipped else version.about.author if version.about else "-",
            ago(version.about.date, now) if version.about else "-",
            str(runs.get((version.name, version.hash), 0)),
            clip(version.about.note, 50) if version.about else "",
        ]
        for version in versions
    ]
    return table(rows, ["PROMPT", "VERSION", "HASH", "FROM", "BY", "SAVED", "RUNS", "NOTE"], right=[6])


def sets_table(sets: Sequence[SetVersion], refs: Mapping[tuple[str, str], str], runs: Mapping[str, int]) -> str:
    """A line for each label of a set, the one given last first; further ones only say whose they are too."""
    shipped = sets[0].prompts
    rows = []
    for found in sets:
        rows.append(
            [
                found.name,
                found.short,
                ", ".join(_changed(found, shipped, refs)) or "-",
                found.about.author if found.about else "-",
                str(runs.get(found.hash, 0)),
                clip(found.about.note, 50) if found.about else "",
            ]
        )
        rows += [[label, found.short, f"the same as {found.name}", "", "", ""] for label in found.labels[-2::-1]]
    return table(rows, ["SET", "HASH", "NOT AS SHIPPED", "BY", "RUNS", "NOTE"], right=[4])


def heading(version: PromptVersion, runs: Sequence[str]) -> str:
    lines = [f"{version.name} {version.version}  {version.ref}", printable(version.prompt.head.description)]
    if version.about is not None:
        lines.append(f"saved by {printable(version.about.author)} on {version.about.date:%Y-%m-%d %H:%M} UTC")
        lines += [f"from {version.about.parent[:-56]}"] if version.about.parent else []
        lines += [printable(version.about.note)] if version.about.note else []
    elif version.shipped:
        lines.append("comes with the project")
    if version.prompt.head.examples:
        lines.append(f"shows as examples: {', '.join(version.prompt.head.examples)}")
    lines.append(f"used in {count(len(runs), 'run')}" + (f", last {runs[0]}" if runs else ""))
    return "\n".join(lines)


def fields_text(fields: Sequence[ReplyField]) -> str:
    """The schema of the reply: path and type, and below it what the model is told; `*` marks the prompt's own words."""
    lines = []
    for field in fields:
        kind = "" if field.type is None else f"  ({field.type}{'' if field.required else ', may be left out'})"
        lines.append(f"{'* ' if field.overridden else '  '}{field.path}{kind}")
        lines += [f"      {printable(line)}" for line in (field.description or "").split("\n") if line]
    return "\n".join(lines) or "This prompt is woven into others and asks for no reply."


def difference_text(pieces: Sequence[Piece]) -> str:
    """`the same [-gone-] {+new+}`, as git's word diff."""
    marks = {"removed": ("[-", "-]"), "added": ("{+", "+}"), "same": ("", ""), "gap": ("\n", "")}
    shown = []
    for piece in pieces:
        before, after = marks[piece.kind]
        shown.append(f"{before}{printable(piece.text)}{after}")
    return " ".join(shown).strip() or "They say the same."


def problem_text(problem: Problem, where: str) -> str:
    line = f":{problem.line}" if problem.line is not None else ""
    mark = "" if problem.severity == "error" else "warning: "
    return f"{where}{line}: {mark}{printable(problem.message)}"


def _parent(version: PromptVersion) -> str:
    return version.parent.partition("@")[2][:8] if version.parent else "-"


def _changed(found: SetVersion, shipped: Mapping[str, str], refs: Mapping[tuple[str, str], str]) -> list[str]:
    """`question v2` for every prompt that is not the shipped one."""
    changed = [(name, digest) for name, digest in found.prompts.items() if shipped.get(name) != digest]
    return [refs.get((name, digest), f"{name} {digest[:8]}") for name, digest in changed]
