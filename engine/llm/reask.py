"""instructor, for the answers that are not in order: it says what is wrong with one, and asks the model to mend it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from engine.llm.completion import Call, Complete, Completion
from engine.llm.faults import answer_fault
from engine.llm.libraries import import_instructor, instructor
from engine.llm.reply import ReplyT, instructed

# pydantic's messages end with a link that names its version: of no use to a model, and it would make the recording
# of a re-ask depend on that version.
_LINK = re.compile(r"\n\s+For further information visit https://errors\.pydantic\.dev/\S+")


async def read_or_reask(
    reply: type[ReplyT], call: Call, first: Completion, complete: Complete, *, reasks: int
) -> ReplyT:
    """The reply that instructor makes of `first`, the answer to `call`.

    Where the reply is invalid, the model is asked again, at most `reasks` times, with its answer and what is wrong
    with it. A refusal or prose is not asked again. Raises FaultError.
    """
    await import_instructor()
    from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

    attempts = AsyncRetrying(
        stop=stop_after_attempt(reasks + 1), retry=retry_if_exception_type(ValidationError), reraise=True
    )
    client = instructor().from_litellm(_answering(call, first, complete), async_client=True)
    try:
        found = await client.create(
            response_model=instructed(reply), messages=list(call.messages), max_retries=attempts, strict=False
        )
    except Exception as error:
        raise answer_fault(error) from error
    return reply.model_validate(found.model_dump(by_alias=True))


def _answering(call: Call, first: Completion, complete: Complete) -> Any:
    """What instructor takes for litellm's `acompletion`: `first` to begin with, then a real call for each re-ask."""
    waiting = [first]

    async def answer(*, messages: list[Mapping[str, Any]], **_: object) -> Any:
        completion = waiting.pop() if waiting else await complete(replace(call, messages=_without_links(messages)))
        return _as_object(completion.body)

    return answer


def _as_object(body: Mapping[str, Any]) -> Any:
    """The completion as instructor reads it. OpenAI's class, for litellm's takes seconds to import in vain."""
    from openai.types.chat import ChatCompletion

    return ChatCompletion.construct(**body)


def _without_links(messages: list[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {**message, "content": _LINK.sub("", message["content"])}
        if isinstance(message.get("content"), str)
        else message
        for message in messages
    )
