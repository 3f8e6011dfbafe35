"""The smallest plain value that a JSON schema accepts, always the same."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

# Schemas that contain themselves have no smallest value; beyond this depth the answer is null.
MAX_DEPTH = 32

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "someone@example.com",
    "uri": "https://example.com/",
}
_TEXTS = ("answer", "Answer", "a", "A", "0", "0000", *_FORMATS.values())


def filled(schema: Schema) -> Any:
    """A value of `schema`: every property, defaults where there are any, lists as short as allowed, numbers near 0.

    Understands what pydantic writes (references, unions, constants, bounds, formats); a `pattern` is met only when one
    of a few common texts happens to match.
    """
    return _filled(schema, schema, 0)


def allowed_types(schema: Schema, root: Schema) -> frozenset[str]:
    """The JSON types that `schema` accepts; empty if it does not say."""
    schema = _resolved(schema, root)
    types: set[str] = set()
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        types |= allowed_types(branch, root)
    said = schema.get("type", ())
    types |= {said} if isinstance(said, str) else set(said)
    if "enum" in schema or "const" in schema:
        types |= {_type_of(value) for value in schema.get("enum", [schema.get("const")])}
    return frozenset(types)


def _filled(schema: Schema, root: Schema, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return None
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for union in ("anyOf", "oneOf"):
        if schema.get(union):
            return _filled(schema[union][0], root, depth + 1)
    return _filled_by_type(schema, root, depth)


def _filled_by_type(schema: Schema, root: Schema, depth: int) -> Any:
    match _first_type(schema):
        case "object":
            return {name: _filled(part, root, depth + 1) for name, part in schema.get("properties", {}).items()}
        case "array":
            starts = [_filled(part, root, depth + 1) for part in schema.get("prefixItems", ())]
            missing = max(0, schema.get("minItems", 0) - len(starts))
            return starts + [_filled(schema.get("items") or {}, root, depth + 1) for _ in range(missing)]
        case "string":
            return _text(schema)
        case "integer" | "number" as kind:
            return _number(schema, whole=kind == "integer")
        case "boolean":
            return False
    return None


def _first_type(schema: Schema) -> str:
    said = schema.get("type", "object" if "properties" in schema else "null")
    return said if isinstance(said, str) else said[0]


def _text(schema: Schema) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    pattern = schema.get("pattern")
    text = next((text for text in _TEXTS if pattern and re.search(pattern, text)), _TEXTS[0])
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _number(schema: Schema, *, whole: bool) -> float:
    """The allowed number nearest to 0."""
    step: float = schema.get("multipleOf", 1)
    above: float = schema.get("exclusiveMinimum", -math.inf)
    below: float = schema.get("exclusiveMaximum", math.inf)
    inside = step if whole else min(step, (below - above) / 2)
    low = max(schema.get("minimum", -math.inf), above + inside)
    high = min(schema.get("maximum", math.inf), below - inside)
    if "multipleOf" in schema:
        low = low if math.isinf(low) else math.ceil(low / step) * step
    nearest = min(max(0.0, low), high)
    return int(nearest) if whole else nearest


def _resolved(schema: Schema, root: Schema) -> Schema:
    """`schema` without references, and with its `allOf` parts merged into it."""
    for _ in range(MAX_DEPTH):
        if "$ref" in schema:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**_referred(schema["$ref"], root), **rest}
        elif "allOf" in schema:
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            for part in schema["allOf"]:
                rest = {**_resolved(part, root), **rest}
            schema = rest
        else:
            break
    return schema


def _referred(reference: str, root: Schema) -> Schema:
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found  # type: ignore[no-any-return]


def _type_of(value: object) -> str:
    names: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return "null" if value is None else names.get(type(value), "object")
