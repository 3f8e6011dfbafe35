"""Where each conclusion of a turn came from, how long it took and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.model.analysis import Source
from workbench.presenters import figures
from workbench.presenters.sides import Side
from workbench.presenters.words import FALLBACKS

CONCLUSIONS = {"extraction": "Qualification", "question": "Question", "expansion": "People"}

_SEED = "Seed question in the model's place"
_NOTHING = "Nothing read from the message"
_ON_FAILURE = (
    "On a failure the engine extracts nothing and asks by a fixed table, from the state alone. "
    "The rules variant is something else: it reads the text."
)


@dataclass(frozen=True, slots=True)
class Origin:
    """A source in one phrase, with a sentence that explains it."""

    name: str
    meaning: str
    fallback: bool


def origin(source: Source, conclusion: str = "question") -> Origin:
    """Who answered, plainly: a fallback is mistaken neither for a model's answer nor for the rules variant."""
    if source.fallback_reason is not None:
        word = FALLBACKS[source.fallback_reason]
        asked = f" {source.model} was to answer." if source.model else ""
        instead = _SEED if conclusion == "question" else _NOTHING
        return Origin(f"{instead}: {word.name}", f"{word.meaning}{asked} {_ON_FAILURE}", True)
    match source.kind:
        case "recorded":
            meaning = "A model gave this answer earlier. It was kept, and is played back here."
            return Origin(f"Recorded answer of {source.model or 'a model'}", meaning, False)
        case "rules":
            return Origin("Fixed rules, no model", "Rules read the text. No model took part.", False)
        case "labels":
            return Origin("Labels by people", "What people said about this message. No software concluded it.", False)
        case "llm":
            return Origin(f"Asked {source.model or 'a model'}", "The model was asked in this run.", False)


def origins(side: Side, turn: int) -> tuple[Origin, ...]:
    """The turn's different origins, fallbacks first."""
    analysis = side.analysis(turn)
    sources = {} if analysis is None else analysis.sources
    found: dict[str, Origin] = {}  # one for each reason to fall back, in the words of the question if it is concerned
    for conclusion, source in sorted(sources.items(), key=lambda item: item[0] != "question"):
        made = origin(source, conclusion)
        found.setdefault(source.fallback_reason or made.name, made)
    return tuple(sorted(found.values(), key=lambda item: not item.fallback))


@dataclass(frozen=True, slots=True)
class Provenance:
    """Conclusions that came the same way: who answered, under which prompt, and what it took.

    `figures` maps a caption to a figure; what was not measured is a dash.
    """

    conclusions: tuple[str, ...]
    origin: Origin
    prompt: str | None
    figures: tuple[tuple[str, str], ...]


def provenance(side: Side, turn: int) -> tuple[Provenance, ...]:
    """Where the turn's three conclusions came from; those that came the same way are one."""
    analysis = side.analysis(turn)
    sources = {} if analysis is None else analysis.sources
    shared: dict[Provenance, list[str]] = {}
    for key, source in sources.items():
        shared.setdefault(_of(source, key), []).append(CONCLUSIONS[key])
    return tuple(replace(item, conclusions=tuple(titles)) for item, titles in shared.items())


def _of(source: Source, conclusion: str) -> Provenance:
    taken = {
        "latency": figures.latency(source.latency_ms),
        "tokens": figures.tokens(source.tokens_in, source.tokens_out),
        "cost": figures.cost(source.cost_usd if source.attempts else None),
    }
    return Provenance((), origin(source, conclusion), source.prompt, tuple(taken.items()))
