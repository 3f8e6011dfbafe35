"""Answers from recordings: what a model once said to the same request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.errors import ConfigurationError
from engine.llm.fake.answers import Answer, WholeCompletion
from engine.llm.fake.chat import ChatRequest
from engine.llm.recordings import RecordingStore

# litellm takes the provider from the model's name before it sends it; recordings keep the whole name.
_PROVIDER = "openai/"


class RecordedAnswers:
    """Serves the recorded completion of a request as it came; None where there is none.

    A request is found by its canonical form, as `engine.llm.recordings` keeps it, under the model name that was sent
    or that name with `openai/` before it. The sample index does not go over the wire: sample 0 answers.
    Raises ConfigurationError for a folder that is not there.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        for folder in folders:
            if not folder.is_dir():
                raise ConfigurationError(f"there is no folder of recordings at {folder}")
        self._store = RecordingStore(read_only=folders)

    def answer(self, chat: ChatRequest) -> Answer | None:
        found = (self._store.find(request) for request in canonical_requests(chat))
        completion = next((completion for completion in found if completion is not None), None)
        return None if completion is None else WholeCompletion(completion.body)


def canonical_requests(chat: ChatRequest) -> Iterator[dict[str, Any]]:
    """The canonical requests that may have led to `chat`; none where it does not ask for a tool call."""
    if chat.form != "tool":
        return
    for model in (chat.model, _PROVIDER + chat.model):
        yield {
            "model": model,
            "messages": list(chat.messages),
            "schema": chat.function,
            "temperature": chat.body.get("temperature"),
            "max_tokens": chat.body.get("max_tokens") or chat.body.get("max_completion_tokens"),
        }
