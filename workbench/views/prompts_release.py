"""Release, on the Prompts page: where sets stand, what the gate says of one, and into production or back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from engine.errors import QBSError
from engine.releases import Release, Stage
from evals.tuning.must_not_break import ProtectedTurn
from workbench.background import JobStatus, background
from workbench.components import details, empty, prompts_gate, prompts_releases
from workbench.jobs import one_by_one, replaying
from workbench.presenters import prompts_releases as releases
from workbench.presenters import prompts_versions as listing
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.prompts_releases import EVERYBODY_NAME, SHIPPED_NAME, TurnLine
from workbench.promoting import Weighed
from workbench.session import Place, offer
from workbench.text import count
from workbench.views import compare, prompts_reading, prompts_turn, reading
from workbench.views import prompts_place as place
from workbench.views import prompts_releasing as releasing
from workbench.views.prompts_choice import PromptsChoice
from workbench.views.prompts_place import CANDIDATE, NEUTRAL, TENANT, PromptsPlace

if TYPE_CHECKING:
    from workbench.replays import ReplayRequest

_SAID, _PROBLEM = "prompts.released", "prompts.release problem"
_STAGES = {Stage.DRAFT: "a draft", Stage.CANDIDATE: "a candidate", Stage.PRODUCTION: "in production"}
_MISSING = (
    "Finished runs are missing, so there is nothing to compare yet. The button makes them, and so do the commands:"
)
_RUNS = "runs for the gate"  # the job that makes them
_BY, _NOTE, _WHY = "prompts released by", "prompts release note", "prompts override"


def release(choice: PromptsChoice) -> None:
    """Everything about putting a set to work, for one tenant or for everybody."""
    with st.spinner("Opening the database"):
        releasing.database()
    _told()
    tenants = (*reading.live().tenants(), EVERYBODY_NAME)
    offer(TENANT, tenants, st.session_state.get(TENANT))
    candidates = _candidates(choice)
    offer(CANDIDATE, list(candidates), st.session_state.get(CANDIDATE), _first(choice, candidates))
    bar = st.grid(2, min_column_width=320, vertical_alignment="bottom")
    with bar.cell():
        prompts_releases.candidates(candidates, CANDIDATE)
    with bar.cell():
        prompts_releases.whose(tenants, TENANT)
    tenant, candidate = st.session_state[TENANT], st.session_state[CANDIDATE]
    history = releasing.history(tenant)
    _standing(tenant, history)
    _gate(tenant, candidate)
    details.heading("Must never break again")
    _protected()
    details.heading("Releases")
    names = prompts_reading.names_by_hash()
    back = partial(_roll_back, tenant, history[0].number if history else 0)
    if releases.can_roll_back(history):
        st.button("Roll back", icon=":material/undo:", key="roll back", on_click=back, args=(None,))
    prompts_releases.history(releases.release_lines(history, names), back)


def _told() -> None:
    """What the last click did, or why it did not."""
    if said := st.session_state.pop(_SAID, None):
        st.success(said, icon=":material/check_circle:")
    if problem := st.session_state.pop(_PROBLEM, None):
        empty.problem(problem)


def _candidates(choice: PromptsChoice) -> dict[str, str]:
    """Every set by its name, newest first; the version that is chosen, on its own; the shipped one last."""
    shipped, *own = prompts_reading.sets()
    names = prompts_reading.version_names()
    found = {each.name: listing.set_label(each, shipped, names) for each in reversed(own)}
    version = choice.version
    if version.hash != shipped.prompts.get(version.name):
        found.setdefault(f"{version.name}@{version.version}", f"{version.name} {version.version} on its own")
    return {**found, SHIPPED_NAME: SHIPPED_NAME}


def _first(choice: PromptsChoice, candidates: Mapping[str, str]) -> str:
    """The newest set with the version that is chosen, else the version on its own."""
    of_version = [own.name for own in prompts_reading.sets() if own.prompts.get(choice.prompt) == choice.version.hash]
    return next((name for name in reversed(of_version) if name in candidates), next(iter(candidates)))


def _standing(tenant: str, history: tuple[Release, ...]) -> None:
    names = prompts_reading.names_by_hash()
    everybody = history if tenant == EVERYBODY_NAME else releasing.history(EVERYBODY_NAME)
    of_all = releases.standing(EVERYBODY_NAME, everybody, names, SHIPPED_NAME)
    own = [] if tenant == EVERYBODY_NAME else [releases.standing(tenant, history, names, of_all.production)]
    prompts_releases.standing([*own, of_all])


def _gate(tenant: str, candidate: str) -> None:
    details.heading("The gate")
    neutral = st.toggle(
        "Meant to make no difference",
        key=NEUTRAL,
        help="Then tied is what is wanted, and passes. It is recorded with the release.",
    )
    try:
        found = releasing.weighed(tenant, candidate, prompts_reading.set_named(candidate), neutral=neutral)
    except QBSError as error:
        empty.problem(str(error))
        return
    decision, production = found.decision, found.standing.prompts.name
    with st.container(border=True, key="gate"):
        headline = releases.headline(decision)
        sets = f"{candidate} against {production}, which is in production for {tenant}"
        prompts_gate.decision(headline, sets, releases.rests_on(decision), passed=decision.passed)
        prompts_gate.findings(releases.finding_lines(decision))
        _missing(found)
        _why(found)
    _promoting(tenant, candidate, found)


def _missing(found: Weighed) -> None:
    """The runs that a decision needs, made in the background."""
    missing = found.decision.missing
    if not missing:
        return
    st.markdown(_MISSING)
    for own in missing:
        st.code(own.command, language=None, wrap_lines=True)
    job = background().job(_RUNS)
    label = "Make the missing run" if len(missing) == 1 else f"Make the {len(missing)} missing runs"
    st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        key="make missing",
        disabled=job is not None and not job.ended,
        on_click=_make,
        args=(tuple((own.dataset, own.prompts) for own in missing),),
    )
    if job is not None and job.ended and job.outcome:
        (empty.problem if job.status is JobStatus.FAILED else st.caption)(on_one_line(job.outcome))


def _why(found: Weighed) -> None:
    decision, work_on = found.decision, partial(_work_on, found)
    prompts_gate.turns(
        "Turns that must not break, and did", releases.broken_lines(decision), partial(_links, found), work_on
    )
    title = "Turns that lost most" if decision.passed else "Turns that say why"
    prompts_gate.turns(title, releases.turn_lines(decision.turns), partial(_links, found), work_on)


def _links(found: Weighed, line: TurnLine) -> list[tuple[StreamlitPage, str, dict[str, str | list[str]]]]:
    """Where to look at the turn closely."""
    from workbench.views import replay

    runs = releases.runs_of(found.decision, line.dataset)
    if runs is None:
        return []
    first, second = runs
    replayed = Place(line.dataset, line.conversation, first, second, line.turn).address()
    return [
        (compare.as_page(), "Compare", {"run": [first, second], "at": f"{line.conversation}:{line.turn}"}),
        (replay.as_page(), "Replay", dict(replayed)),
    ]


def _work_on(found: Weighed, line: TurnLine) -> None:
    """Change the prompt for a turn, as the candidate answered it."""
    runs = releases.runs_of(found.decision, line.dataset)
    run = runs[1] if runs else None
    place.go(
        PromptsPlace(dataset=line.dataset, run=run, conversation=line.conversation, turn=line.turn, tab=place.WRITE)
    )


def _promoting(tenant: str, candidate: str, found: Weighed) -> None:
    """Who, why, and the steps that are open."""
    passed, missing = found.decision.passed, bool(found.decision.missing)
    boxes = st.grid(3, min_column_width=200, vertical_alignment="bottom")
    with boxes.cell():
        st.text_input("Who decides", value=prompts_turn.author(), key=_BY)
    with boxes.cell(column_span=2):
        st.text_input("Note", key=_NOTE, placeholder="what is new, for whoever reads the list")
    same = found.standing.prompts.prompts.hash == found.candidate.prompts.hash
    stage = releases.stage_of(found.candidate.prompts.hash, releasing.history(tenant))
    st.caption(on_one_line(f"{candidate} is {_STAGES[Stage.PRODUCTION if same else stage]} for {tenant}."))
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Put into production",
            type="primary",
            icon=":material/rocket_launch:",
            key="promote",
            disabled=not passed or same,
            on_click=_promote,
            args=(tenant, found, None),
            help="Running engines take it up within a minute.",
        )
        if stage is Stage.CANDIDATE:
            st.button("Back to draft", key="draft", on_click=_move, args=(tenant, candidate, Stage.DRAFT))
        elif not same:
            st.button("Make it a candidate", key="candidate", on_click=_move, args=(tenant, candidate, Stage.CANDIDATE))
        if not passed and not same:
            with st.popover("Override the gate", icon=":material/gavel:"):
                st.caption(
                    "The reason stays with the release, and with every rollback that brings it back."
                    + (" Nothing was compared yet." if missing else "")
                )
                why = st.text_input("Why it is to be there nevertheless", key=_WHY)
                st.button(
                    "Release nevertheless",
                    key="override",
                    disabled=not (why or "").strip(),
                    on_click=_promote_overriding,
                    args=(tenant, found),
                )


def _protected() -> None:
    prompts_releases.protected(prompts_reading.protected(), _unprotect, _open)


def _promote_overriding(tenant: str, found: Weighed) -> None:
    _promote(tenant, found, str(st.session_state.get(_WHY) or "").strip())


def _promote(tenant: str, found: Weighed, override: str | None) -> None:
    by, note = _by(), str(st.session_state.get(_NOTE) or "")
    _do(lambda: releasing.promote(tenant, found, by=by, note=note, override=override), tenant)


def _move(tenant: str, candidate: str, stage: Stage) -> None:
    by, note = _by(), str(st.session_state.get(_NOTE) or "")
    _do(lambda: releasing.move(tenant, candidate, stage, by=by, note=note), tenant)


def _roll_back(tenant: str, seen: int, to: int | None) -> None:
    """`seen` is the newest number that the page showed: nobody overrules what they have not seen."""
    _do(lambda: releasing.roll_back(tenant, by=_by(), to=to, since=seen), tenant)


def _do(work: object, tenant: str) -> None:
    """A step, and a word on what came of it."""
    try:
        done: Release = work()  # type: ignore[operator]
    except QBSError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    st.session_state[_SAID] = releases.done_words(done, tenant, prompts_reading.names_by_hash())
    st.session_state[_NOTE] = ""


def _by() -> str:
    by = str(st.session_state.get(_BY) or "").strip() or prompts_turn.author()
    st.session_state[place.AUTHOR] = by
    return by


def _make(runs: tuple[tuple[str, str], ...]) -> None:
    """One after the other, so that neither slows the other down: how long they take is compared."""
    from workbench.promoting import rules

    services = reading.services()
    try:
        variant = rules(services).variant
        requests = [_request(dataset, variant, prompts) for dataset, prompts in runs]
    except QBSError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    title = f"For the gate: {', '.join(f'{dataset} with {prompts}' for dataset, prompts in runs)}"
    background().submit(_RUNS, title, one_by_one([replaying(services, request) for request in requests]))
    st.session_state[_SAID] = f"{count(len(runs), 'run')} began in the background. You may leave meanwhile."


def _request(dataset: str, variant: str, prompts: str) -> ReplayRequest:
    from workbench.replays import ReplayRequest

    return ReplayRequest(dataset, variant=variant, prompts=reading.services().prompts(prompts))


def _unprotect(turn: ProtectedTurn) -> None:
    from workbench.promoting import must_not_break

    try:
        must_not_break(reading.services()).remove(turn.dataset, turn.conversation_id, turn.turn, by=_by())
    except QBSError as error:
        st.session_state[_PROBLEM] = str(error)


def _open(turn: ProtectedTurn) -> None:
    place.go(PromptsPlace(dataset=turn.dataset, conversation=turn.conversation_id, turn=turn.turn, tab=place.WRITE))
