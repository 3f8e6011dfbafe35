"""Versions of a prompt, and sets of them, as they are listed: who saved what from what, when, why, and who used it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.prompts import ANALYSIS_PROMPTS
from evals.tuning.version_values import PromptVersion, SetVersion
from workbench.presenters.figures import moment
from workbench.presenters.words import Word
from workbench.text import clip, count

PROMPTS: Mapping[str, Word] = {
    "question": Word("Question", "Senses the message and recommends the one question to ask next."),
    "extraction": Word("Qualification", "Finds what the message says about budget, need, pain and the others."),
    "expansion": Word("People", "Finds people at the customer's whom the seller does not know yet."),
    "email": Word("Email draft", "Writes the seller's next email."),
    "chat": Word("Chat draft", "Writes the seller's next chat message, or the next words on a call."),
    "system": Word("How the seller writes", "Woven into both drafts."),
    "guidance": Word("Guidance", "What a recommended question means for the draft; woven into it."),
    "context": Word("Context", "What is known about the deal; woven into both drafts."),
}
_LONGEST_NOTE = 48


def key_of(version: PromptVersion) -> str:
    """How a link names a version: by its content, so that it can be no other."""
    return version.hash[:8]


def wanted_key(versions: Sequence[PromptVersion], wanted: str | None) -> str | None:
    """The version that a link names by its content or by its name; what is not there stays as it is."""
    found = next((own for own in versions if wanted and (own.version == wanted or own.hash.startswith(wanted))), None)
    return wanted if found is None else key_of(found)


def listed(version: PromptVersion) -> str:
    """`v3 · asks for numbers later (ines, 19 Jan 2026, 15:05)`."""
    if version.about is None:
        return f"{version.version} · {'shipped' if version.shipped else 'put there by hand'}"
    note = clip(version.about.note, _LONGEST_NOTE) or "no note"
    return f"{version.version} · {note} ({clip(version.about.author, 20)}, {moment(version.about.date)})"


def facts(version: PromptVersion, parent: PromptVersion | None, runs: int) -> dict[str, str]:
    """What is remembered of a version, by icon."""
    about = version.about
    said = {
        "tag": version.ref,
        "person": about.author if about else "comes with the project" if version.shipped else "put there by hand",
        "event": moment(about.date) if about else "",
        "sticky_note_2": about.note if about else "",
        "account_tree": f"from {parent.version}" if parent else "",
        "play_circle": f"used in {count(runs, 'run')}" if runs else "used in no run yet",
        "school": f"shows {count(len(version.prompt.head.examples), 'example')}"
        if version.prompt.head.examples
        else "",
    }
    return {icon: words for icon, words in said.items() if words}


def parent_of(version: PromptVersion, versions: Iterable[PromptVersion]) -> PromptVersion | None:
    """The version that it was made from, if it is here; of one that nobody remembers the parent, None."""
    return next((own for own in versions if version.parent == f"{own.name}@{own.hash}"), None)


def compared_with(version: PromptVersion, versions: Sequence[PromptVersion]) -> PromptVersion | None:
    """What a difference begins with: the parent, else the version before it, else any other."""
    parent = parent_of(version, versions)
    others = [own for own in versions if own.hash != version.hash]
    return parent or (others[0] if others else None)


def set_label(found: SetVersion, shipped: SetVersion, names: Mapping[tuple[str, str], str]) -> str:
    """`brief · question v2, extraction v3`; `names` are the versions by prompt and content."""
    changed = [
        names.get((name, digest), f"{name} {digest[:8]}")
        for name, digest in found.prompts.items()
        if shipped.prompts.get(name) != digest
    ]
    return f"{found.name} · {', '.join(changed)}" if changed else found.name


def prompts_of_run(used: Mapping[str, str], shipped: Mapping[str, str]) -> str:
    """The name of the set that a run used, as `--prompts` takes it: only what is not as shipped has to be said."""
    changed = [f"{name}@{used[name]}" for name in ANALYSIS_PROMPTS if name in used and shipped.get(name) != used[name]]
    return ",".join(changed) or "shipped"


def run_name(name: str, prompt: str, used: Mapping[str, str], versions: Mapping[tuple[str, str], str]) -> str:
    """The name of a run with the version of `prompt` that it was asked with: `v2 · gpt-4.1`."""
    digest = used.get(prompt)
    return (
        name
        if digest is None
        else f"{versions.get((prompt, digest), digest[:8]).removeprefix(prompt).strip()} · {name}"
    )
