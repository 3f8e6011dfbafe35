"""Difference, on the Prompts page: two versions word by word, and the messages that they make of the turn."""

from __future__ import annotations

import streamlit as st

from engine.errors import PromptError
from engine.prompts import Message, Prompt, read_prompt
from evals.tuning.version_values import PromptVersion
from evals.tuning.word_diff import AROUND, message_differences, word_difference
from workbench.components import details, empty, prompts_difference
from workbench.presenters import prompts_rendered as rendering
from workbench.presenters import prompts_versions as listing
from workbench.views import prompts_place as place
from workbench.views import prompts_reading
from workbench.views.prompts_choice import PromptsChoice

_EVERYTHING = "prompts everything"


def difference(choice: PromptsChoice) -> None:
    """From another version to the one that is chosen above, or to what is being written on top of it."""
    first = _first(choice)
    text = place.draft(choice.version.ref)
    if first is None and text is None:
        st.markdown(":gray[There is only one version yet. Edit it, and the difference shows here.]")
        return
    begins, before, goes_to, after = _sides(choice, first, text)
    around = None if st.toggle("All words", key=_EVERYTHING, help="Else only those around a difference.") else AROUND
    details.heading("The prompt")
    title = f"{begins} → {goes_to}"
    prompts_difference.difference(title, word_difference(before, after, around=around), "They say the same.")
    details.heading("What is sent at this turn")
    _rendered(choice, (begins, before), (goes_to, after), around)


def _first(choice: PromptsChoice) -> PromptVersion | None:
    names = {listing.key_of(own): listing.listed(own) for own in choice.versions if own.hash != choice.version.hash}
    if not names:
        return None
    prompts_difference.choosing(names, place.AGAINST)
    chosen = st.session_state[place.AGAINST]
    return next((own for own in choice.versions if listing.key_of(own) == chosen), None)


def _sides(choice: PromptsChoice, first: PromptVersion | None, text: str | None) -> tuple[str, str, str, str]:
    """Names and texts of both: with unsaved changes, from the version to them where no other one is there."""
    version, name = choice.version, f"{choice.prompt} {choice.version.version}"
    after, goes_to = (version.text, name) if text is None else (text, f"{name}, edited")
    begins, before = (name, version.text) if first is None else (f"{first.name} {first.version}", first.text)
    return begins, before, goes_to, after


def _rendered(choice: PromptsChoice, first: tuple[str, str], second: tuple[str, str], around: int | None) -> None:
    try:
        sent = [_messages(choice, text) for _, text in (first, second)]
    except PromptError as error:
        empty.problem(str(error))
        return
    for role, pieces in message_differences(*sent, around=around):
        prompts_difference.difference(role, pieces, "The same words are sent.")


def _messages(choice: PromptsChoice, text: str) -> tuple[Message, ...]:
    prompt: Prompt = read_prompt(text.encode(), where=choice.prompt)
    return rendering.messages(prompt, prompts_reading.set_named(choice.others).library(), choice.seen)
