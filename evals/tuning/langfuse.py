"""A prompt set and its cases as the bodies that Langfuse's API takes, in one JSON file.

`prompts` go to POST /api/public/v2/prompts, `datasets` to POST /api/public/v2/datasets, `items` to POST
/api/public/dataset-items, one by one and in this order. Langfuse fills in `{{ name }}` alone: blocks such as
`{% if %}` stay as they are for a client that renders Jinja, which `config.template_format` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.llm.reply import described, schema_of
from engine.prompts import Prompt, PromptSet
from engine.replies import reply_of
from evals.tuning.cases import Case


def langfuse_bodies(prompts: PromptSet, cases: Sequence[Case], *, note: str = "") -> dict[str, list[dict[str, Any]]]:
    """Every prompt of the set, a data set for each prompt that has cases, and its items. Items are upserted by id."""
    datasets = {_dataset(case): case for case in cases}
    return {
        "prompts": [_prompt(prompt, prompts, note) for prompt in prompts.prompts.values()],
        "datasets": [
            {"name": name, "description": f"Labelled turns of {case.dataset} for the prompt {case.prompt}"}
            for name, case in datasets.items()
        ],
        "items": [_item(case) for case in cases],
    }


def _prompt(prompt: Prompt, of: PromptSet, note: str) -> dict[str, Any]:
    reply = reply_of(prompt.name)
    config: dict[str, Any] = {
        "template_format": "jinja2",
        "version": prompt.version,
        "hash": prompt.hash,
        "model_role": prompt.head.model_role,
        "temperature": prompt.head.temperature,
        "max_tokens": prompt.head.max_tokens,
        "variables": dict(prompt.variables),
    }
    if reply is not None:
        config["reply"] = schema_of(described(reply, prompt.head.reply, where=prompt.ref))
    body: dict[str, Any] = {"name": prompt.name, "config": config, "labels": [], "tags": ["qbs", f"set-{of.short}"]}
    if note:
        body["commitMessage"] = note
    parts = prompt.sections.items()
    if prompt.head.model_role is None:
        return {**body, "type": "text", "prompt": "\n".join(f"## {name}\n{part.source}" for name, part in parts)}
    return {**body, "type": "chat", "prompt": [{"role": role, "content": part.source} for role, part in parts]}


def _dataset(case: Case) -> str:
    return f"{case.dataset}/{case.prompt}"


def _item(case: Case) -> dict[str, Any]:
    return {
        "datasetName": _dataset(case),
        "id": f"{case.place}/{case.prompt}",
        "input": dict(case.variables),
        "expectedOutput": dict(case.expected),
        "metadata": {"conversation": case.conversation_id, "turn": case.turn},
    }
