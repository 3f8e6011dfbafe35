"""Labelled turns as cases for a prompt: what it is told there, and what a right answer must say.

The state before each turn is the one that the labels give, so that a case depends on no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.contacts import known_contacts
from engine.model.conversation import Conversation
from engine.people import same_person
from engine.prompts import ANALYSIS_PROMPTS, Prompt, PromptSet
from engine.prompts.variables import at_turn
from evals.gold import LabelAnalyzer
from evals.labels import TurnLabel
from evals.library import Dataset
from evals.matching import shown_conversations
from evals.records import TurnRecord
from evals.replay import replay

Expected = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled turn for one prompt. `variables` are those that the prompt uses, with their values there.

    `expected` is, for the prompt
    - `extraction`: `said`, the dimensions that the turn says something about;
    - `question`: `engagement_signal`, `pain_depth`, and `question_types`, any of which is right;
    - `expansion`: `people`, mentioned in the turn and not known before.
    """

    dataset: str
    conversation_id: str
    turn: int
    prompt: str
    variables: Mapping[str, object]
    expected: Expected

    @property
    def place(self) -> str:
        return f"{self.dataset}/{self.conversation_id}/{self.turn}"


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases, and the conversations that give none: shown in the prompts as examples, or not labelled."""

    cases: tuple[Case, ...]
    shown: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()

    def of(self, prompt: str) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if case.prompt == prompt)


async def cases_of(dataset: Dataset, conversations: Sequence[Conversation], prompts: PromptSet) -> Cases:
    """The cases of these conversations for the prompts that analyse. Raises PromptError if one cannot be filled in."""
    used = {name: prompts.prompt(name) for name in ANALYSIS_PROMPTS}
    examples = [example for prompt in used.values() for example in prompt.head.examples]
    shown = shown_conversations(examples, dataset.name)
    found: list[Case] = []
    unlabelled = []
    for conversation in conversations:
        labels = dataset.labels.get(conversation.id, {})
        if conversation.id in shown:
            continue
        if any(turn.index not in labels for turn in conversation.customer_turns):
            unlabelled.append(conversation.id)
            continue
        analyzer = LabelAnalyzer(conversation, labels)
        async for record in replay(conversation, analyzer, run_id="cases", labels=labels):
            found += _cases(dataset.name, conversation, record, labels[record.turn], used)
    left_out = tuple(conversation.id for conversation in conversations if conversation.id in shown)
    return Cases(tuple(found), left_out, tuple(unlabelled))


def _cases(
    dataset: str, conversation: Conversation, record: TurnRecord, label: TurnLabel, used: Mapping[str, Prompt]
) -> list[Case]:
    turn = conversation.turns[record.turn]
    available = at_turn(record.before, turn, conversation.before(turn.index))
    expected = _expected(label, known_contacts(record.before))
    return [
        Case(dataset, conversation.id, turn.index, name, prompt.chosen_from(available[name]), expected[name])
        for name, prompt in used.items()
    ]


def _expected(label: TurnLabel, known: Sequence[str]) -> dict[str, Expected]:
    new = [own.mention for own in label.people if not any(same_person(own.mention, contact) for contact in known)]
    return {
        "extraction": {"said": sorted({item.dimension.value for item in label.dimensions})},
        "question": {
            "engagement_signal": label.engagement.value,
            "pain_depth": label.pain_depth.value,
            "question_types": [kind.value for kind in label.question_types],
        },
        "expansion": {"people": new},
    }
