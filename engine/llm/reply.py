"""What a model fills in: the base of the reply schemas, and how a completion is read into one."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.llm.libraries import instructor


class Reply(BaseModel):
    """The base of every reply schema, and of every model nested in one.

    A reply schema is private to the module that asks. Its name, docstring and field descriptions are part of the
    prompt. Fields that a model adds on its own are dropped; NaN and infinity are refused.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


ReplyT = TypeVar("ReplyT", bound=Reply)


@functools.cache
def schema_of(reply: type[Reply]) -> Mapping[str, Any]:
    """Name, description and JSON schema ("parameters") of `reply`: the tool that the model must call.

    The same as instructor writes for it; made here, once per class, so that a recording answers the same request
    without instructor and whatever its version.
    """
    schema = reply.model_json_schema()
    parameters = {key: value for key, value in schema.items() if key not in ("title", "description")}
    parameters["required"] = sorted(schema.get("required", ()))
    return {
        "name": schema["title"],
        "description": schema.get(
            "description",
            f"Correctly extracted `{reply.__name__}` with all the required parameters with correct types",
        ),
        "parameters": parameters,
    }


@functools.cache
def instructed(reply: type[ReplyT]) -> type[ReplyT]:
    """`reply` as instructor wants it, made once per class: given a plain model, instructor makes one at every call."""
    bases = (reply, instructor().OpenAISchema)
    return type(reply.__name__, bases, {"__doc__": reply.__doc__, "__module__": reply.__module__})


def reply_in(reply: type[ReplyT], body: Mapping[str, Any]) -> ReplyT | None:
    """The reply that a completion carries; None where anything is wrong with it, and instructor must say what.

    Checks what instructor checks in the tool calls that are in order: instructor's own way there is the same
    validation after some three milliseconds of preparation.
    """
    match body:
        case {"choices": [{"finish_reason": reason, "message": message}]} if reason != "length":
            pass
        case _:
            return None
    match message:
        case {"tool_calls": [{"function": {"arguments": str(arguments)}}, *_]} if message.get("refusal") is None:
            try:
                return reply.model_validate_json(arguments)
            except ValidationError:
                return None
    return None
