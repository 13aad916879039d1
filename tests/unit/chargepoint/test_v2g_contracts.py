"""What a session may read of contracts, by what was shown, what was answered, and who may charge."""

from __future__ import annotations

import pytest

from chargepoint import v2g_contracts
from chargepoint.commands import Indicate
from chargepoint.events import ContractJudged, ContractsAllowed, IdToken, InstallationAnswered
from chargepoint.facts import CertificateFacts, EvseFacts
from chargepoint.v2g_state import Contracts
from iso15118.terms import ContractRefused, ContractShown, Facts, InstallationAsked, Payment, Progress
from iso15118.trust import Refusal

EMAID = "DETSTC00000001"
CARD = IdToken("04A1", "ISO14443")
MINE = IdToken(EMAID, "eMAID")


class Site:
    def __init__(self) -> None:
        self.facts, self.s, self.evse = Facts(), Contracts(), EvseFacts(1)
        v2g_contracts.heard(self.s, self.evse, ContractsAllowed(1, pnc=True, installation=True))

    def show(self, emaid: str = EMAID) -> int:
        v2g_contracts.shown(self.s, self.evse, ContractShown(emaid, ()))
        return self.s.number

    def judged(self, number: int, refusal: Refusal | None = None, sentence: str = "") -> list[object]:
        return v2g_contracts.heard(self.s, self.evse, ContractJudged(1, number, refusal, sentence))

    def said(self) -> list[str]:
        return [each.values["sentence"] for each in v2g_contracts.say(self.s, self.evse) if isinstance(each, Indicate)]

    def read(self, *, offered: bool = False) -> Facts:
        v2g_contracts.refresh(self.facts, self.s, self.evse, CertificateFacts(), clock_known=True, offered=offered)
        return self.facts


def test_it_pays_when_it_is_the_one_that_may_charge() -> None:
    site = Site()
    assert site.read().contract is Progress.NOT_ASKED
    number = site.show()
    assert site.read().contract is Progress.UNDER_WAY
    site.evse.id_token = CARD
    assert site.read().contract is Progress.UNDER_WAY
    site.judged(number)
    assert site.read().contract is Progress.UNDER_WAY
    site.evse.id_token = MINE
    assert site.read().contract is Progress.DONE
    site.evse.settled = False
    assert site.read().contract is Progress.UNDER_WAY


def test_what_was_said_of_another_contract_counts_nothing() -> None:
    site = Site()
    first = site.show("DETSTC00000002")
    second = site.show()
    site.judged(first, Refusal.REVOKED)
    assert site.read().contract is Progress.UNDER_WAY
    site.judged(second, Refusal.EXPIRED)
    assert (site.read().contract, site.read().contract_refusal) == (Progress.FAILED, Refusal.EXPIRED)
    v2g_contracts.forget(site.s)
    site.judged(second)
    assert site.read().contract is Progress.NOT_ASKED


def test_the_driver_reads_one_sentence_when_no_other_contract_is_shown() -> None:
    site = Site()
    assert site.judged(site.show(), Refusal.EXPIRED, "the first") == []
    site.show("DETSTC00000002")
    v2g_contracts.refused(site.s, site.evse, ContractRefused("DETSTC00000002", Refusal.INVALID, "why", "the second"))
    assert (site.said(), site.said()) == (["the first"], [])


def test_nothing_of_those_that_were_refused_when_another_one_pays() -> None:
    site = Site()
    site.judged(site.show(), Refusal.EXPIRED, "the first")
    site.judged(site.show("DETSTC00000002"))
    assert site.said() == []


def test_whose_session_is_over_reads_at_once_why() -> None:
    site = Site()
    number = site.show()
    v2g_contracts.forget(site.s)
    (said,) = site.judged(number, Refusal.NOT_ACCEPTED, "nobody answers")
    assert isinstance(said, Indicate)
    assert said.values == {"why": "not accepted", "sentence": "nobody answers"}
    assert site.said() == []


def test_what_comes_twice_or_late_is_not_installed() -> None:
    site = Site()
    v2g_contracts.asked(site.s, site.evse, InstallationAsked(b"req"))
    v2g_contracts.heard(site.s, site.evse, InstallationAnswered(1, 1, b"one", 2))
    v2g_contracts.heard(site.s, site.evse, InstallationAnswered(1, 1, b"two"))
    facts = site.read()
    assert (facts.installation, facts.installation_res, facts.installation_remaining) == (Progress.DONE, b"one", 2)
    v2g_contracts.forget(site.s)
    v2g_contracts.heard(site.s, site.evse, InstallationAnswered(1, 1, b"three"))
    assert site.read().installation_res == b""


@pytest.mark.parametrize(("id_token", "owner", "pnc"), [(None, None, True), (MINE, MINE, True), (CARD, CARD, False), (None, CARD, False)])
def test_contracts_are_asked_for_while_nobody_else_pays(id_token: IdToken | None, owner: IdToken | None, *, pnc: bool) -> None:
    site = Site()
    site.evse.id_token, site.evse.owner = id_token, owner
    facts = site.read()
    assert (Payment.PNC in facts.payments, facts.certificate_installation) == (pnc, pnc)


def test_what_was_offered_holds() -> None:
    site = Site()
    site.read()
    v2g_contracts.heard(site.s, site.evse, ContractsAllowed(1))
    assert Payment.PNC in site.read(offered=True).payments
    assert site.facts.certificate_installation
    assert Payment.PNC not in site.read().payments
    assert not site.facts.certificate_installation
