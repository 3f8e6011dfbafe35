"""Trying the text that is being written: on this turn, from it on, on more turns; and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from engine.errors import InputError, QBSError
from engine.prompts import ANALYSIS_PROMPTS, Prompt
from evals.runs.rows import RunRow
from evals.tuning.trials import Trial, TrialStatus, metrics_of_change
from workbench.background import Job, JobStatus, background
from workbench.components import details, empty, prompts_trials, replaying
from workbench.jobs import JobLimits
from workbench.presenters import prompts_trials as trials
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.prompts_trials import TrialLine
from workbench.presenters.runs import variant_to_add
from workbench.presenters.sides import Side, variant_words
from workbench.text import count
from workbench.tuning import TrialRequest, start_trial, turns_to_try
from workbench.views import compare, prompts_reading, reading
from workbench.views import prompts_place as place
from workbench.views.prompts_choice import PromptsChoice

_SECONDS = 1.0
_NOTES, _KEYS = "prompts.trial notes", "prompts.trial keys"
_NO_RUN = "A prompt is tried on turns that a run has answered. Make one first:"
_NO_MODEL = (
    "No model is configured (QBS_REASONING_MODEL), so nothing new can be answered. Trying looks for recorded answers "
    "to exactly these prompts."
)
_WOVEN = (
    "This prompt is not asked when a message is read, so there is no answer to try it on. The Live page drafts replies "
    "with it once it is in production."
)


def offer(choice: PromptsChoice, draft: Prompt | None, further: Callable[[], None]) -> None:
    """The buttons, with `further` ones beside them, and what began once one was pressed."""
    if choice.prompt not in ANALYSIS_PROMPTS:
        st.caption(_WOVEN)
    elif choice.run is None:
        _no_run(choice)
    else:
        _offered(choice, draft, choice.run, further)
        return
    further()


def _offered(choice: PromptsChoice, draft: Prompt | None, run: RunRow, further: Callable[[], None]) -> None:
    if prompts_reading.models() is None:
        st.caption(f":material/cloud_off: {_NO_MODEL}")
    answered = choice.turn in choice.side.records
    why_not = "" if draft is not None else "Put right what is wrong with the text first."
    asked = prompts_trials.offer(disabled=draft is None or not answered, why_not=why_not, further=further)
    if asked is not None and draft is not None:
        try:
            with st.spinner("Looking at what is there"):
                _begin(choice, draft, run, asked)
        except QBSError as error:
            empty.problem(str(error))
            return
        st.rerun()
    for note in st.session_state.get(_NOTES, ()):
        st.info(on_one_line(note), icon=":material/info:")
    _whole_run(choice, run)


def _whole_run(choice: PromptsChoice, run: RunRow) -> None:
    """A way to the newest run of everything by this version, if there is one beside the run that is looked at."""
    whole = {row.run_id for row in prompts_reading.answering_runs(choice.dataset.name)} - {run.run_id}
    found = next((run_id for run_id in prompts_reading.runs_with(choice.version) if run_id in whole), None)
    if found is not None:
        query = {"run": [run.run_id, found], "at": f"{choice.conversation.id}:{choice.turn}"}
        label = f"The whole run by {choice.prompt} {choice.version.version} beside this one"
        st.page_link(compare.as_page(), label=label, icon=":material/balance:", query_params=query)


def side(choice: PromptsChoice) -> Side | None:
    """The trial's answers in the conversation that is looked at; None where it has none at this turn."""
    row = _row()
    if row is None:
        return None
    found = Side.of(_name(choice), row.run_id, reading.records(row, choice.conversation.id))
    return found if choice.turn in found.records else None


def tried(choice: PromptsChoice, draft: Prompt | None) -> None:
    """What was tried last, followed while it is under way."""
    run_id = place.trial()
    if run_id is None:
        return
    job = _job(run_id)
    running = job is not None and not job.ended
    st.fragment(run_every=_SECONDS if running else None)(_tried)(choice, draft, run_id, running=running)


def _tried(choice: PromptsChoice, draft: Prompt | None, run_id: str, *, running: bool) -> None:
    job = _job(run_id)
    if running and (job is None or job.ended):
        st.rerun()
    try:
        found = prompts_reading.trial(run_id)
    except InputError as error:
        empty.problem(str(error))
        return
    if job is not None and job.status is JobStatus.FAILED:
        empty.problem(job.outcome)
    if found is None:
        if running:
            st.caption("The first answers are on their way.")
        return
    _drawn(choice, draft, found)


def _drawn(choice: PromptsChoice, draft: Prompt | None, found: Trial) -> None:
    lines = trials.lines(found, choice.prompt, {own.id: own for own in choice.dataset.conversations})
    details.heading("Tried")
    with st.container(border=True, key="tried"):
        far = f"{found.answered:,} of {count(found.of, 'turn')} answered"
        stopped = " (stopped; trying again goes on)" if found.status is TrialStatus.PARTLY and not _runs(found) else ""
        about = f"{far}{stopped}, beside {found.base_id}"
        words = found.verdict.words if found.verdict else None
        title = f"{_name(choice)}{_earlier(draft, found)}"
        prompts_trials.head(title, about, words, found.notes, trials.tally(lines))
    page_key = f"prompts tried page {found.run_id}"
    prompts_trials.lines(lines, _open, compare.as_page(), partial(_query, found), page_key)


def _begin(choice: PromptsChoice, draft: Prompt, run: RunRow, asked: str) -> None:
    """Plan the trial and begin it, or say why nothing can be answered."""
    services = reading.services()
    prompts = prompts_reading.set_named(choice.others).with_prompts(draft)
    here = ((choice.conversation.id, choice.turn),)
    turns = _many(choice, run) if asked == "many" else here
    request = TrialRequest(run.run_id, prompts, turns, onwards=asked == "onwards")
    planned = start_trial(background(), services, request, JobLimits())
    st.session_state[_NOTES] = planned.notes
    place.look_at_trial(planned.run_id)
    if planned.run_id is not None:
        st.session_state[_KEYS] = {**st.session_state.get(_KEYS, {}), planned.run_id: planned.key}


def _many(choice: PromptsChoice, run: RunRow) -> tuple[tuple[str, int], ...]:
    which, most = prompts_trials.chosen_many()
    if which == "must not break":
        answered = {(id_, turn) for id_, turn in _answered(run)}
        own = [turn for turn in prompts_reading.protected() if turn.dataset == choice.dataset.name]
        found = tuple(
            (turn.conversation_id, turn.turn) for turn in own if (turn.conversation_id, turn.turn) in answered
        )
        if not found:
            raise InputError(f"no turn of {choice.dataset.name} that this run answered is on the list")
        return found[:most]
    changed = metrics_of_change({choice.prompt: "before"}, {choice.prompt: "after"})
    shares = [metric for metric in changed if metric.unit == "share"]
    return turns_to_try(reading.services(), run.run_id, shares, most, by=which)


def _answered(run: RunRow) -> list[tuple[str, int]]:
    folder = reading.services().run(run.run_id)
    return [(record.conversation_id, record.turn) for record in folder.records() if record.sample == 0]


def _row() -> RunRow | None:
    return prompts_reading.run_row(place.trial())


def _job(run_id: str) -> Job | None:
    key = st.session_state.get(_KEYS, {}).get(run_id, f"trial {run_id}")
    return background().job(key)


def _runs(found: Trial) -> bool:
    job = _job(found.run_id)
    return job is not None and not job.ended


def _name(choice: PromptsChoice) -> str:
    """What was tried: a version, or a text that is not saved."""
    variant = prompts_reading.variant_of(place.trial() or "")
    digest = variant.prompts.get(choice.prompt) if variant else None
    if digest is None:
        return "Tried"
    saved = prompts_reading.version_names().get((choice.prompt, digest))
    return f"With {saved}" if saved else f"With the edited {choice.prompt} prompt"


def _earlier(draft: Prompt | None, found: Trial) -> str:
    """Whether the text has been changed since."""
    variant = prompts_reading.variant_of(found.run_id)
    if draft is None or variant is None or variant.prompts.get(draft.name) == draft.hash:
        return ""
    return " (another text than the one in the editor now)"


def _query(found: Trial, line: TrialLine) -> dict[str, str | list[str]]:
    return {"run": [found.base_id, found.run_id], "at": f"{line.conversation}:{line.turn}"}


def _open(conversation: str, turn: int) -> None:
    place.go(place.PromptsPlace(conversation=conversation, turn=turn))


def _no_run(choice: PromptsChoice) -> None:
    services = reading.services()
    recorded = services.has_recordings(choice.dataset.name)
    variant = variant_to_add((), recorded=recorded, labelled=False) if not recorded else "recorded"
    st.markdown(_NO_RUN)
    if variant is not None:
        label = f"Replay {choice.dataset.name} by {variant_words(variant)}"
        replaying.offer(services, choice.dataset.name, variant, label)
