"""The way of answering that a configuration names. What a way needs is only imported when it is named."""

from __future__ import annotations

from engine.llm.fake.answers import Answers, FirstOf, SchemaAnswers
from engine.llm.fake.config import FakeModelConfig


def answers_for(config: FakeModelConfig) -> Answers:
    """Raises ConfigurationError for a folder of recordings that is not there."""
    match config.answers:
        case "schema":
            return SchemaAnswers()
        case "rules":
            return _by_rules()
        case "recordings":
            return FirstOf(_recorded(config), _by_rules()) if config.on_miss == "rules" else _recorded(config)
    return config.answers


def _recorded(config: FakeModelConfig) -> Answers:
    from engine.llm.fake.recorded import RecordedAnswers

    return RecordedAnswers(config.recordings)


def _by_rules() -> Answers:
    """The rules; calls that they know nothing of, such as a self-test, are filled by schema."""
    from engine.llm.fake.by_rules import RulesAnswers

    return FirstOf(RulesAnswers(), SchemaAnswers())
