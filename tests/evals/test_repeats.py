"""Repeated answers: the variance between them apart from that between conversations."""

from __future__ import annotations

import numpy as np
import pytest

from evals.metrics import find_metrics
from evals.repeats import Variation, variations
from evals.scoring import score
from tests.evals.metrics.turns import analysis, record
from tests.evals.values import conversation, label

TYPE = find_metrics(("question.type",))
TURNS = (1, 3, 5)


def variation(right: np.ndarray) -> Variation:
    """Of a run in which `right[conversation, sample, turn]` says whether the type was acceptable."""
    talks = [conversation(f"talk{number:03}") for number in range(len(right))]
    labels = {talk.id: {turn: label(turn, talk.id, question_types=["impact"]) for turn in TURNS} for talk in talks}
    records = [
        record(analysis(question_type="impact" if hit else "solution"), turn, of=talk, sample=sample)
        for talk, samples in zip(talks, right, strict=True)
        for sample, answers in enumerate(samples)
        for turn, hit in zip(TURNS, answers, strict=True)
    ]
    return variations(score(records, labels, talks, TYPE), resamples=2_000)[0]


def simulated(conversations: int, samples: int, between: float, seed: int = 0) -> np.ndarray:
    """Half of the turns are right on average; `between` is how far conversations differ in that."""
    generator = np.random.default_rng(seed)
    share = 0.5 + between * generator.choice([-1, 1], size=(conversations, 1, 1))
    return generator.random((conversations, samples, len(TURNS))) < share


def test_answers_that_never_vary_leave_all_variance_to_conversations():
    right = np.repeat(simulated(40, 1, between=0.4), 3, axis=1)
    found = variation(right)
    assert (found.samples, found.answers) == (3, 0.0)
    assert found.conversations == pytest.approx(right[:, 0].mean(axis=1).std(ddof=1) / np.sqrt(40), rel=0.05)


def test_conversations_that_are_alike_leave_nearly_all_variance_to_answers():
    found = variation(simulated(60, 5, between=0.0))
    assert found.answers == pytest.approx(np.sqrt(0.25 / (60 * 3)), rel=0.1)
    assert found.conversations is not None
    assert found.conversations < 0.5 * found.answers


def test_both_are_found_where_both_are_there():
    found = variation(simulated(80, 4, between=0.3))
    assert found.answers == pytest.approx(np.sqrt((0.25 - 0.09) / (80 * 3)), rel=0.12)
    assert found.conversations == pytest.approx(0.3 / np.sqrt(80), rel=0.15)


def test_with_one_sample_the_variance_between_answers_is_not_known():
    found = variation(simulated(10, 1, between=0.3))
    assert (found.samples, found.answers, found.conversations) == (1, None, None)


def test_one_conversation_says_nothing_about_others():
    found = variation(simulated(1, 3, between=0.3))
    assert found.conversations is None
    assert found.answers is not None


def test_a_run_without_records_has_no_variation():
    (found,) = variations(score([], {}, [], TYPE))
    assert (found.samples, found.answers, found.conversations) == (0, None, None)
