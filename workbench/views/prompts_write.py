"""Write and try, on the Prompts page: the text, the turn with its answer, and what the text makes of it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.errors import PromptError, QBSError
from engine.prompts import Prompt, PromptLibrary, read_prompt
from engine.replies import reply_fields
from evals.tuning.checking import Problem, ReplyField, check, fields_of_reply
from evals.tuning.tokens import tokens
from workbench.components import answer, details, empty, prompts_editor, prompts_rendered, transcript
from workbench.components.prompts_editor import Saving
from workbench.presenters import prompts_rendered as rendering
from workbench.presenters import provenance, question
from workbench.presenters import transcript as transcripts
from workbench.presenters.changes import changes_between
from workbench.presenters.figures import spent
from workbench.presenters.labels import against_label
from workbench.presenters.prompts_rendered import Size
from workbench.presenters.runs import command_of
from workbench.presenters.sides import Side
from workbench.text import count
from workbench.views import prompts_place as place
from workbench.views import prompts_reading, prompts_trials, prompts_turn
from workbench.views.prompts_choice import PromptsChoice
from workbench.views.prompts_place import PromptsPlace

_COLUMN_PIXELS = 430  # below this the columns go below each other
_ROUND = "prompts.round"  # how often a text was discarded
_NOT_TRIED = "Try the text on this turn, and the new answer shows here."


def write(choice: PromptsChoice) -> None:
    """The editor and beside it the turn; below them what was tried, and what is sent."""
    columns = st.grid(2, min_column_width=_COLUMN_PIXELS)
    with columns.cell():
        text, problems = _editor(choice)
    draft = _draft(text, problems, choice)
    with columns.cell():
        _turn(choice, draft)
    _answers(choice)
    prompts_trials.tried(choice, draft)
    _sent(choice, draft)


def _editor(choice: PromptsChoice) -> tuple[str, tuple[Problem, ...]]:
    ref, saved = choice.version.ref, choice.version.text.replace("\r\n", "\n")
    key = f"prompts text {ref} {st.session_state.get(_ROUND, 0)}"
    text = prompts_editor.editor(place.draft(ref) or saved, key, partial(_keep, key, ref, saved))
    problems = check(text, choice.prompt)
    sound = not any(problem.severity == "error" for problem in problems)
    changed = text != saved
    prompts_editor.state(changed=changed, sound=sound, words=f"about {count(tokens(text), 'token')} (an estimate)")
    with st.container(horizontal=True, gap="small"):
        _saving(choice, text, changed=changed, sound=sound)
        if changed:
            st.button("Discard", icon=":material/undo:", type="tertiary", on_click=_discard, args=(ref,))
    prompts_editor.problems(problems, text)
    return text, problems


def _keep(key: str, ref: str, saved: str) -> None:
    """What was typed is there again after another version, page or tab was looked at."""
    text = st.session_state.get(key)
    place.keep_draft(ref, None if text == saved else text)


def _discard(ref: str) -> None:
    """Another editor, with the text as it is saved."""
    place.keep_draft(ref, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _saving(choice: PromptsChoice, text: str, *, changed: bool, sound: bool) -> None:
    why_not = "" if changed and sound else "Put right what is wrong first." if changed else "Nothing has changed."
    asked = prompts_editor.saving(can_save=changed and sound, author=prompts_turn.author(), why_not=why_not)
    if asked is not None:
        try:
            goal = _saved(choice, text, asked)
        except QBSError as error:
            empty.problem(str(error))
            return
        place.go(goal)
        st.rerun()


def _saved(choice: PromptsChoice, text: str, asked: Saving) -> PromptsPlace:
    """Keep the version, and the set if one is wanted; where to go then."""
    workspace, ref = prompts_reading.workspace(), choice.version.ref
    if asked.label:
        prompts_reading.check_label(asked.label)
    saved = workspace.save(choice.prompt, text, parent=ref, author=asked.author, note=asked.note)
    named = None
    if asked.label:
        kept = workspace.save_set(
            [saved.ref], parent=choice.others, label=asked.label, author=asked.author, note=asked.note
        )
        named = kept.name
    st.session_state[place.AUTHOR] = asked.author
    _discard(ref)
    st.toast(f"Saved as {saved.name} {saved.version}", icon=":material/save:")
    return PromptsPlace(prompt=saved.name, version=saved.hash[:8], candidate=named, tab=place.WRITE)


def _draft(text: str, problems: tuple[Problem, ...], choice: PromptsChoice) -> Prompt | None:
    """The text as a prompt; None while it is not sound."""
    if any(problem.severity == "error" for problem in problems):
        return None
    if text == choice.version.text.replace("\r\n", "\n"):
        return choice.version.prompt
    try:
        return read_prompt(text.encode(), where=choice.prompt)
    except PromptError:
        return None


def _turn(choice: PromptsChoice, draft: Prompt | None) -> None:
    """What the customer says there, and what can be done about it."""
    with st.container(border=True, key="turn"):
        sides = [choice.side] if choice.side.records else []
        highlighted = transcripts.highlight_choices(sides, choice.turn)[0]
        transcript.transcript(transcripts.transcript(choice.conversation, sides, choice.turn, highlighted))
        guard = partial(prompts_turn.never_again, choice.dataset.name, choice.conversation.id, choice.turn)
        prompts_trials.offer(choice, draft, guard)


def _answers(choice: PromptsChoice) -> None:
    """What the run answered, beside it what the text that was tried has it answer, and who is right."""
    if choice.run is None:
        return
    after = prompts_trials.side(choice)
    cards = st.grid(2, min_column_width=_COLUMN_PIXELS, border=True)
    with cards.cell(), st.container(key="old answer"):
        _answer(choice, choice.side)
    with cards.cell():
        if after is None:
            st.markdown(f":gray[{_NOT_TRIED}]")
        else:
            with st.container(key="new answer"):
                _answer(choice, after)
    _label(choice, [own for own in (choice.side, after) if own is not None and own.records])


def _answer(choice: PromptsChoice, own: Side) -> None:
    turn = choice.turn
    answer.heading(own.name, provenance.origins(own, turn), spent(own.analysis(turn)))
    asked, before, after = question.asked(own, turn), own.before(turn), own.after(turn)
    if asked is not None:
        answer.question(asked)
    elif own.problem is not None:
        empty.problem(own.problem)
    elif choice.run is not None:
        answer.missing(own.failure(turn), command_of(choice.run))
    if before is not None and after is not None:
        answer.changes(changes_between(before, after))
    answer.corrections(question.corrections(own, turn))


def _label(choice: PromptsChoice, sides: list[Side]) -> None:
    label = choice.dataset.labels.get(choice.conversation.id, {}).get(choice.turn)
    if label is not None and sides:
        with st.expander("Against the label", icon=":material/rule:"):
            details.against_label(against_label(label, sides), [own.name for own in sides])


def _sent(choice: PromptsChoice, draft: Prompt | None) -> None:
    library = prompts_reading.set_named(choice.others).library()
    details.heading("What the model is sent")
    sent, variables, schema = st.tabs(["Messages at this turn", "Variables", "Reply schema"])
    with sent:
        _messages(choice, draft, library)
    with variables:
        prompts_rendered.variables(rendering.variable_rows(choice.prompt, draft, library, choice.seen))
    with schema:
        prompts_rendered.schema(_fields(choice, draft))


def _messages(choice: PromptsChoice, draft: Prompt | None, library: PromptLibrary) -> None:
    if draft is None:
        st.caption("As soon as the text is sound, the messages show here.")
        return
    try:
        found = rendering.messages(draft, library, choice.seen)
    except PromptError as error:
        empty.problem(str(error))
        return
    about = rendering.size(draft, found)
    state = "as the run had it there" if choice.side.records.get(choice.turn) else "as before anything was said"
    prompts_rendered.messages(found, f"State: {state} · {about.words}{_price(draft, about)}")


def _price(draft: Prompt, about: Size) -> str:
    """What it costs by the configured model; nothing where none is configured."""
    models, role = prompts_reading.models(), draft.head.model_role
    if models is None or role is None:
        return ""
    model = models[0] if role == "reasoning" else models[1]
    found = prompts_reading.prices(model)
    return f" · {rendering.price_words(about, *found, model)}" if found else " · its price is being looked up"


def _fields(choice: PromptsChoice, draft: Prompt | None) -> tuple[ReplyField, ...]:
    """The reply as this text describes it; as the saved version does, while it is not sound."""
    return fields_of_reply(draft or choice.version.prompt) if reply_fields(choice.prompt) else ()
