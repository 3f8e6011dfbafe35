"""What a prompt set has to show before it may go into production: built in, or from `QBS_HOME/promotion.toml`.

datasets = ["b2b_discovery"]        # runs over all of each are compared
variant = "llm"                     # who answers there; "llm" is the models of QBS_REASONING_MODEL and QBS_FAST_MODEL
metrics = ["extraction.f1", ...]    # none may be worse; one has to be better, unless the change is to be neutral
view = "model"                      # or "all": answers by fallbacks count too
minimum_conversations = 6           # in common, with labels
minimum_turns = 40

[limits]
cost_growth = 0.5                   # at most so much more than now, as a share, unless that may be luck
latency_growth = 0.5                # of the time within which 95 % of the turns are answered
fallbacks = 0.02                    # at most so many of the answers, as a share
# cost_usd = 0.05                   # a conversation, whatever it costs now
# latency_p95_ms = 4000

[[gate]]                            # further conditions, in the words of `qbs compare --fail-if`; B is the candidate
name = "needs are still seen"
fail_if = "extraction.need.recall.high < -0.05"
not_enough_data = "fail"

What the file does not say is as built in; `inf` is no limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import InputError, UnknownError
from evals.errors import unknown
from evals.gates import Gate
from evals.gates_file import GateEntry, TooLittle, gates_in
from evals.metrics import find_metric
from evals.metrics.judged import View
from evals.toml_file import line_of, read_toml

FILE = "promotion.toml"
VARIANTS = ("llm", "llm:<model>", "recorded")

# What a message is for: understanding, the fitting question, good manners, the right people.
METRICS = (
    "extraction.f1",
    "extraction.verbatim",
    "question.type",
    "question.target",
    "question.engagement",
    "question.back_off_precision",
    "question.back_off_recall",
    "question.repetition",
    "conduct.questions_per_message",
    "conduct.probe_run",
    "conduct.jargon",
    "conduct.early_emotion",
    "conduct.premature_solution",
    "expansion.precision",
    "expansion.recall",
    "expansion.wrong_urgency",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the candidate may cost at most, how long it may take, and how often a fallback may answer; None: no limit.

    Growths are shares of what it is now; they stop only what is more than luck.
    """

    cost_growth: float | None = 0.5
    latency_growth: float | None = 0.5
    fallbacks: float | None = 0.02
    cost_usd: float | None = None
    latency_p95_ms: float | None = None


@dataclass(frozen=True, slots=True)
class PromotionRules:
    """What the gate asks for. `file` is where it was read, None for what is built in."""

    datasets: tuple[str, ...] = ("b2b_discovery",)
    variant: str = "llm"
    metrics: tuple[str, ...] = METRICS
    view: View = View.MODEL
    minimum_conversations: int = 6
    minimum_turns: int = 40
    limits: Limits = Limits()
    gates: tuple[Gate, ...] = ()
    file: Path | None = None


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cost_growth: float | None = Field(default=None, ge=0)
    latency_growth: float | None = Field(default=None, ge=0)
    fallbacks: float | None = Field(default=None, ge=0, le=1)
    cost_usd: float | None = Field(default=None, ge=0)
    latency_p95_ms: float | None = Field(default=None, ge=0)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    datasets: tuple[str, ...] = Field(default=PromotionRules().datasets, min_length=1)
    variant: str = Field(default=PromotionRules().variant, min_length=1)
    metrics: tuple[str, ...] = Field(default=METRICS, min_length=1)
    view: View = View.MODEL
    minimum_conversations: int = Field(default=PromotionRules().minimum_conversations, ge=1)
    minimum_turns: int = Field(default=PromotionRules().minimum_turns, ge=1)
    not_enough_data: TooLittle = "pass"
    limits: _Limits = Field(default_factory=_Limits)
    gate: list[GateEntry] = Field(default_factory=list)


def read_promotion(file: Path) -> PromotionRules:
    """The rules in `file`, or what is built in if there is no such file.

    Raises InputError with the line for the first thing that is wrong, UnknownError for a metric or a variant that there
    is none of.
    """
    if not file.exists():
        return PromotionRules()
    found, text = read_toml(file, _File)
    for name in found.metrics:
        try:
            find_metric(name)
        except UnknownError as error:
            raise UnknownError(error.problem, file=file, line=line_of(text, ("metrics",))) from None
    if found.variant in ("rules", "labels"):
        raise InputError(
            f"{found.variant} asks no model, and prompts make no difference to it; name llm or llm:<model>",
            file=file,
            line=line_of(text, ("variant",)),
        )
    if found.variant not in ("llm", "recorded") and not found.variant.startswith("llm:"):
        problem = unknown("variant", found.variant, VARIANTS).problem
        raise UnknownError(problem, file=file, line=line_of(text, ("variant",)))
    return PromotionRules(
        datasets=tuple(dict.fromkeys(found.datasets)),
        variant=found.variant,
        metrics=tuple(dict.fromkeys(found.metrics)),
        view=found.view,
        minimum_conversations=found.minimum_conversations,
        minimum_turns=found.minimum_turns,
        limits=_limits(found.limits),
        gates=gates_in(found.gate, found.not_enough_data, text, file),
        file=file,
    )


def check_datasets(rules: PromotionRules, known: Iterable[str]) -> None:
    """Raises UnknownError, with the line of the file that names it, for a data set that is none of those `known`.

    What is built in is looked for where it is needed.
    """
    names = list(known)
    missing = next((name for name in rules.datasets if name not in names), None)
    if rules.file is not None and missing is not None:
        line = line_of(rules.file.read_text(encoding="utf-8"), ("datasets",))
        raise UnknownError(unknown("data set", missing, names).problem, file=rules.file, line=line)


def _limits(found: _Limits) -> Limits:
    """What is not said is as built in."""
    said = {field.name: getattr(found, field.name) for field in fields(Limits) if field.name in found.model_fields_set}
    return Limits(**said)
