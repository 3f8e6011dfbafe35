"""Decision process: the steps from here to a signature, and who takes part in them."""

from __future__ import annotations

from collections.abc import Iterator

from engine.model.qualification import Dimension
from engine.rules.heard import Finding, Heard, finding
from engine.rules.hedges import hedged
from engine.rules.phrases import Phrases, holding

_STAGE = Phrases("""
    committee/committees | board ~meeting | tender/tenders/tendering | rfp/rfi/rfq/itt | procurement | purchasing
    legal/lawyers/counsel | due_diligence | questionnaire/questionnaires
    security review/check/assessment/team/stuff | evaluat* | shortlist* | short_list
    pilot/poc/proof_of_concept/trial | works_council | union | sign-off/sign_off | approval/approvals/approved
    purchase_order | po_number | score/scores/scored/scoring | panel | checklist | binder | reference/references
    quote/quotes | offer/offers | contract review | redlin* | msa/dpa/nda | pen_test | soc_2/soc2
    vendor form/onboarding/assessment/due | standstill | moderation | business_case/business_owner_form | memo
    papers are/go/due | board_paper/board_papers | budget_round | supplier review/register | register | compliance
    third-party/third_party | signature | countersign* | steering | next/board sitting | bid/bids | lenders
    risk_committee | data_protection | dpo | finance
""")
_STEP = Phrases("""
    go/goes [up] to | go/goes through | has/have to go/be/sign/approve/see/check/get/ask
    needs/need to/a/an/the/at_least/two | must be/go/ask/decide/come/sign | take/takes it to
    takes [about/around/*] weeks/months | then | next/final step | once | after that/which/it
    before that/it/anything/we/you/the | first ~time | until | meet/meets | decide/decides | sign/signs
    approve/approves | review/reviews | score/scores | check/checks | want/wants at_least/to_see/a | nothing gets
    will want/need/ask/send/review/sign/decide | gets signed | due | is scheduled | closed | received | submitted
    submission | deadline | without her/his/their | excludes/excluded | rejected | weighting* | individually
    disclosed | issued | published | notified | should be raised | above/over/under # | write a | send you a
    does the | in writing | be asked | countersigned | no open_points/comments | had their
""")
_WEIGHTY = Phrases("""
    committee | board | tender* | rfp | works_council | due_diligence | procurement | evaluat* | shortlist*
    standstill | supervisory | sign-off | panel | approval | three_quotes | other_quote | scoring | moderation
    checklist
""")
_ORDER = Phrases("first ~time | then | after that | finally | once | before | afterwards | next | followed by | step")


def find_decision_process(heard: Heard) -> Iterator[Finding]:
    """Sentences that name a stage of the decision and what happens in it.

    0.4, with 0.2 more for a weighty stage, 0.1 for an order of steps, 0.1 if it was asked, 0.1 less when unsure.
    """
    asked = Dimension.DECISION_PROCESS in heard.asked or Dimension.AUTHORITY in heard.asked
    for sentence in holding(heard.sentences, _STAGE):
        stage = _STAGE.find(sentence) if sentence.told else None
        if stage is not None and _STEP.are_in(sentence):
            confidence = 0.4 + 0.2 * _WEIGHTY.are_in(sentence) + 0.1 * _ORDER.are_in(sentence) + 0.1 * asked
            yield finding(sentence, stage.start(), confidence - 0.1 * hedged(sentence))
