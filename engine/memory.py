"""What the engine remembers in `metadata["qbs"]`: pain, people, questions asked; never more than 5 KB.

Every section is a frozen value; `put` returns a new state. What has to go to stay within the limit goes in
the order of least use, and how much went is counted in the sections themselves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

from pydantic_core import to_json

from engine.model.qbs import ExpansionEntry, ExpansionState, PainFunnelState
from engine.model.state import ConversationState
from engine.wording import questions

LIMIT_BYTES = 5 * 1024
# Once it is full, this share of the limit is kept, so that the next turns need not make room again.
KEPT_SHARE = 0.85
MAX_ASKED = 150

_WORDING = ("context_quote", "relationship_to_contact", "expansion_approach")
_WORD = re.compile(r"[^\W_]+")


def pain(state: ConversationState) -> PainFunnelState:
    section = state.metadata.get("qbs", {}).get("pain_state")
    return PainFunnelState.model_validate(section) if section else PainFunnelState()


def expansion(state: ConversationState) -> ExpansionState:
    section = state.metadata.get("qbs", {}).get("expansion")
    return ExpansionState.model_validate(section) if section else ExpansionState()


def asked(state: ConversationState) -> frozenset[str]:
    """Fingerprints of the questions recommended so far, the newest `MAX_ASKED` of them."""
    return frozenset(state.metadata.get("qbs", {}).get("asked", ()))


@lru_cache(maxsize=8192)
def fingerprint(question: str) -> str:
    """Eight hex digits that are equal for questions that differ only in case, punctuation and spacing.

    Of a message with a lead-in, only the part that asks counts.
    """
    asking = " ".join(questions(question)) or question
    return hashlib.blake2s(" ".join(_words(asking)).encode(), digest_size=4).hexdigest()


@lru_cache(maxsize=8192)
def words(text: str) -> frozenset[str]:
    """The words of a short text, folded: equal for texts that differ only in case, order and punctuation."""
    return frozenset(_words(text))


def put(
    state: ConversationState,
    *,
    pain: PainFunnelState | None = None,
    expansion: ExpansionState | None = None,
    question: str | None = None,
) -> ConversationState:
    """A new state with these sections replaced and the question remembered, within `LIMIT_BYTES`."""
    qbs = dict(state.metadata.get("qbs", {}))
    if pain is not None:
        qbs["pain_state"] = _dump(pain)
    if expansion is not None:
        qbs["expansion"] = _dump(expansion)
    if question is not None:
        earlier = [print_ for print_ in qbs.get("asked", ()) if print_ != fingerprint(question)]
        qbs["asked"] = [*earlier, fingerprint(question)][-MAX_ASKED:]
    return state.model_copy(update={"metadata": {**state.metadata, "qbs": within_limit(qbs)}})


def size(qbs: dict[str, Any]) -> int:
    """Bytes of the section as compact UTF-8 JSON."""
    return len(to_json(qbs))


def within_limit(qbs: dict[str, Any], limit: int = LIMIT_BYTES) -> dict[str, Any]:
    """The same sections; where they exceed the limit, made smaller step by step until there is room again."""
    if size(qbs) <= limit:
        return qbs
    smaller = _Smaller(qbs)
    for step in smaller.steps():
        step()
        if size(current := smaller.dump()) <= limit * KEPT_SHARE:
            return current
    return smaller.dump()


class _Smaller:
    """The sections while they are being made smaller, and the steps for it, least useful first."""

    def __init__(self, qbs: dict[str, Any]) -> None:
        self.pain = PainFunnelState.model_validate(qbs.get("pain_state", {}))
        self.expansion = ExpansionState.model_validate(qbs.get("expansion", {}))
        self.asked = list(qbs.get("asked", ()))
        self.others = {
            name: section for name, section in qbs.items() if name not in ("pain_state", "expansion", "asked")
        }

    def dump(self) -> dict[str, Any]:
        return {**self.others, "pain_state": _dump(self.pain), "expansion": _dump(self.expansion), "asked": self.asked}

    def steps(self) -> Iterator[Callable[[], None]]:
        """What can be forgotten, least useful first; of topics and people those first that were longest untouched."""
        topics = sorted(self.pain.topics, key=lambda topic: topic.last_probed_at)
        people = sorted(self.expansion.entries, key=lambda entry: (not entry.contacted, entry.last_seen))
        older, newer = people[: len(people) // 2], people[len(people) // 2 :]
        yield from (partial(self._keep_evidence, topic.name, 1) for topic in topics if len(topic.evidence) > 1)
        yield from (partial(self._forget_wording, _name(entry)) for entry in people if _has_wording(entry))
        yield self._forget_half_of_asked
        yield from (partial(self._drop_person, _name(entry)) for entry in older)
        yield from (partial(self._keep_evidence, topic.name, 0) for topic in topics if topic.evidence)
        yield from (partial(self._drop_topic, topic.name) for topic in topics if topic.name != self.pain.active_topic)
        yield from (partial(self._drop_person, _name(entry)) for entry in newer)

    def _keep_evidence(self, name: str, count: int) -> None:
        """Keep the newest `count` quotes of a topic."""
        dropped = sum(len(topic.evidence) - count for topic in self.pain.topics if topic.name == name)
        self.pain = self.pain.model_copy(
            update={
                "topics": tuple(
                    topic.model_copy(update={"evidence": topic.evidence[len(topic.evidence) - count :]})
                    if topic.name == name
                    else topic
                    for topic in self.pain.topics
                ),
                "dropped_evidence": self.pain.dropped_evidence + dropped,
            }
        )

    def _drop_topic(self, name: str) -> None:
        kept = tuple(topic for topic in self.pain.topics if topic.name != name)
        self.pain = self.pain.model_copy(update={"topics": kept, "dropped_topics": self.pain.dropped_topics + 1})

    def _forget_wording(self, name: str) -> None:
        bare = dict.fromkeys(_WORDING, "")
        entries = tuple(
            entry.model_copy(update={"trigger": entry.trigger.model_copy(update=bare)})
            if entry.trigger.mentioned_name_or_role == name
            else entry
            for entry in self.expansion.entries
        )
        self.expansion = self.expansion.model_copy(update={"entries": entries})

    def _drop_person(self, name: str) -> None:
        kept = tuple(entry for entry in self.expansion.entries if entry.trigger.mentioned_name_or_role != name)
        self.expansion = self.expansion.model_copy(update={"entries": kept, "dropped": self.expansion.dropped + 1})

    def _forget_half_of_asked(self) -> None:
        self.asked = self.asked[len(self.asked) // 2 :]


def _name(entry: ExpansionEntry) -> str:
    return entry.trigger.mentioned_name_or_role


def _has_wording(entry: ExpansionEntry) -> bool:
    return any(getattr(entry.trigger, field) for field in _WORDING)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _dump(value: PainFunnelState | ExpansionState) -> dict[str, Any]:
    return {"version": value.version, **value.model_dump(mode="json", exclude_defaults=True)}
