"""Whom the Live page talks to: a scripted customer, a contact kept in the database, or a new one; as which tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from engine.errors import QBSError
from engine.model.conversation import Conversation, Persona
from engine.model.state import ConversationState
from evals.dataset_manifest import RECORDINGS
from evals.library import Dataset
from workbench.components import live_choosing
from workbench.live import LiveContact, LiveConversations
from workbench.presenters.live_answers import answer_choices
from workbench.presenters.live_contacts import ListedContact, default_script, new_contact, option_of, options
from workbench.presenters.live_script import next_take, opening, script_of
from workbench.services import DEFAULT_DATASET
from workbench.session import offer
from workbench.variants import configured_models
from workbench.views import live_place, live_seen, reading
from workbench.views.live_place import ANSWERS, CUSTOMER, LEVEL, TENANT, LivePlace


@dataclass(frozen=True, slots=True)
class LiveChoice:
    """A contact as one tenant knows them, and another tenant to compare with.

    `opening` is the state before anything was said, `answers` who is to answer, `models` whether any is configured.
    `recorded` is the conversation that a scripted customer follows, `recordings` the folder of models' answers to it.
    """

    contact: LiveContact
    other: str
    opening: ConversationState
    answers: str
    models: bool
    recorded: Conversation | None = None
    recordings: Path | None = None

    @property
    def place(self) -> LivePlace:
        return LivePlace(self.contact.tenant, self.contact.account, self.contact.contact)


def choose(goal: LivePlace | None, live: LiveConversations) -> LiveChoice:
    """Draw what there is to choose from, set to `goal` where one is given."""
    to = goal or LivePlace()
    tenants = live.tenants(to.tenant or st.session_state.get(TENANT))
    offer(TENANT, tenants, to.tenant)
    tenant = st.session_state[TENANT]
    dataset = _dataset()
    scripts = {} if dataset is None else {item.id: item for item in dataset.conversations}
    listed = live_seen.seen("contacts", tenant, live.contacts(tenant))
    wanted = _wanted(to, scripts, tenant) or st.session_state.get(CUSTOMER)
    customers = options(scripts.values(), listed, wanted)
    offer(CUSTOMER, list(customers), wanted, default_script(dataset) if dataset else None)
    script = scripts.get(st.session_state[CUSTOMER] or "")
    models, recordings = _models(), _recordings(dataset) if script else None
    answers = answer_choices(recorded=recordings is not None, models=models)
    offer(ANSWERS, list(answers), None)
    live_choosing.bar(customers, answers, tenants, keys=(CUSTOMER, ANSWERS, TENANT, LEVEL), begin=_begin)
    state = _opening(st.session_state[CUSTOMER], script, tenant, [item.contact for item in listed])
    return LiveChoice(
        LiveContact(tenant, state.account_id, state.contact_id),
        next(each for each in tenants if each != tenant),
        state,
        st.session_state[ANSWERS],
        models is not None,
        script,
        recordings,
    )


def _opening(
    option: str | None, script: Conversation | None, tenant: str, contacts: Sequence[str]
) -> ConversationState:
    """The state before anything was said. `contacts` are those that are kept."""
    if script is not None:
        return opening(script, _take(script, tenant, contacts))
    contact = ListedContact.of_option(option or "")
    return new_contact(contact.account, contact.contact, st.session_state.get(LEVEL) or Persona.MANAGER)


def _take(script: Conversation, tenant: str, contacts: Sequence[str]) -> int:
    """The take of a script that is shown here, else the newest that is kept; after a restart one that is neither."""
    shown = live_place.take(tenant, script.id)
    if shown == live_place.NEXT_TAKE:
        shown = next_take(script, [*contacts, live_place.left_at().contact or ""])
        live_place.begin_take(tenant, script.id, shown)
    return shown or max(next_take(script, contacts) - 1, 1)


def _wanted(to: LivePlace, scripts: Mapping[str, Conversation], tenant: str) -> str | None:
    """The option that a place means; the take that it names is remembered."""
    if to.contact is None or to.account is None:
        return None
    found = script_of(to.contact)
    script = scripts.get(found[0]) if found else None
    if found is not None and script is not None:
        state = opening(script, found[1])
        if (state.account_id, state.contact_id) == (to.account, to.contact):
            live_place.begin_take(tenant, script.id, found[1])
            return script.id
    return option_of(to.account, to.contact)


def _dataset() -> Dataset | None:
    """The data set that comes with recordings before any other; None where there is none that can be read."""
    services = reading.services()
    names = sorted(
        services.dataset_names(), key=lambda name: (not services.has_recordings(name), name != DEFAULT_DATASET)
    )
    for name in names:
        try:
            return reading.dataset(name)
        except QBSError:
            continue
    return None


def _recordings(dataset: Dataset | None) -> Path | None:
    folder = dataset.folder / RECORDINGS if dataset else None
    return folder if folder is not None and folder.is_dir() else None


def _models() -> str | None:
    """The configured models, as people know them; None if there are none."""
    try:
        return " + ".join(dict.fromkeys(configured_models(reading.services().settings)))
    except QBSError:
        return None


def _begin(name: str, company: str) -> None:
    """Talk to a new contact. Callback of a form."""
    if name.strip() and company.strip():
        st.session_state[CUSTOMER] = option_of(company.strip(), name.strip())
