"""Who may answer on the Live page, and who does when that is left open."""

from __future__ import annotations

from workbench.presenters.words import Word

AUTOMATIC, RECORDED, RULES, MODELS = "automatic", "recorded", "rules", "llm"


def answer_choices(*, recorded: bool, models: str | None) -> dict[str, Word]:
    """What a presenter may choose: recordings only where there are some, models only where some are configured."""
    instead = models or "the fixed rules"
    choices = {
        AUTOMATIC: Word(
            "Automatic", f"Recorded answers while a scripted customer follows the recording; else {instead}."
        ),
        RECORDED: Word("Recorded answers", "What a model answered earlier; where it was never asked, a seed question."),
        RULES: Word("Fixed rules", "Rules read the text. No model takes part."),
        MODELS: Word(models or "", "The configured models are asked."),
    }
    there = {AUTOMATIC, RULES, *([RECORDED] if recorded else []), *([MODELS] if models else [])}
    return {choice: word for choice, word in choices.items() if choice in there}


def who_answers(chosen: str, *, recorded: bool, models: bool) -> str:
    """The variant that answers the next message. `recorded` says that the message is the recording's next."""
    if chosen != AUTOMATIC:
        return chosen
    if recorded:
        return RECORDED
    return MODELS if models else RULES
