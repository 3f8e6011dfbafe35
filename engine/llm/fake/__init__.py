"""A fake model server that ships beside the real client, for tests, benchmarks and demonstrations."""

from engine.llm.fake.answers import Answer, Answers, FirstOf, SchemaAnswers, WholeCompletion
from engine.llm.fake.config import FakeModelConfig
from engine.llm.fake.faults import Fault
from engine.llm.fake.server import FakeModel, serve
from engine.llm.fake.stats import FakeStats

__all__ = [
    "Answer",
    "Answers",
    "FakeModel",
    "FakeModelConfig",
    "FakeStats",
    "Fault",
    "FirstOf",
    "SchemaAnswers",
    "WholeCompletion",
    "serve",
]
