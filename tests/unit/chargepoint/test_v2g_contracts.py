"""What a session may read of contracts, by what was shown, what was answered, and who may charge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chargepoint import v2g_contracts
from chargepoint.commands import Indicate
from chargepoint.events import ContractJudged, ContractsAllowed, IdToken, InstallationAnswered, InstallationWanted
from chargepoint.facts import CertificateFacts, EvseFacts
from chargepoint.tick import Tick
from chargepoint.v2g_contracts import ASKED_S, MOST_VAIN
from chargepoint.v2g_state import Contracts
from iso15118.terms import ContractRefused, ContractShown, Facts, InstallationAsked, InstallationRefused, Payment, Progress
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

    def judged(self, number: int, refusal: Refusal | None = None, sentence: str = "", *, lasting: bool = False) -> list[object]:
        return v2g_contracts.heard(self.s, self.evse, ContractJudged(1, number, refusal, sentence, lasting))

    def ask(self, told: InstallationAsked, at: float = 0.0) -> list[object]:
        """The numbers of what the CSMS is asked, and answers that are there already; those are heard."""
        out: list[object] = []
        for each in v2g_contracts.asked(self.s, Tick(at, at), self.evse, told):
            if isinstance(each, InstallationWanted):
                out.append(each.number)
            elif isinstance(each, InstallationAnswered):
                out.append(each)
                v2g_contracts.heard(self.s, self.evse, each)
        return out

    def answer(self, number: int, octets: bytes = b"", remaining: int | None = None) -> None:
        v2g_contracts.heard(self.s, self.evse, InstallationAnswered(1, number, octets, remaining))

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
    v2g_contracts.asked(site.s, Tick(0.0, 0.0), site.evse, InstallationAsked(b"req"))
    v2g_contracts.heard(site.s, site.evse, InstallationAnswered(1, 1, b"one", 2))
    v2g_contracts.heard(site.s, site.evse, InstallationAnswered(1, 1, b"two"))
    facts = site.read()
    assert (facts.installation, facts.installation_res, facts.installation_remaining) == (Progress.DONE, b"one", 2)
    v2g_contracts.forget(site.s)
    v2g_contracts.heard(site.s, site.evse, InstallationAnswered(1, 1, b"three"))
    assert site.read().installation_res == b""


# ---- a question outlives its session

ASKED = InstallationAsked(b"req", certificate=b"leaf")


def test_who_asks_again_waits_for_the_same_answer() -> None:
    site = Site()
    assert site.ask(ASKED) == [1]
    v2g_contracts.forget(site.s)
    assert site.ask(replace(ASKED, octets=b"signed anew"), at=20.0) == []
    site.answer(1, b"one", 2)
    facts = site.read()
    assert (facts.installation, facts.installation_res, facts.installation_remaining) == (Progress.DONE, b"one", 2)


@pytest.mark.parametrize("how", ["the session is over", "nobody waits any longer"])
def test_who_asks_again_has_what_came_late_and_has_it_once(how: str) -> None:
    site = Site()
    site.ask(ASKED)
    if how == "the session is over":
        v2g_contracts.forget(site.s)
    else:
        v2g_contracts.not_installed(site.s, site.evse, InstallationRefused("in time", Refusal.NO_CERTIFICATE))
    site.answer(1, b"one", 2)
    assert site.read().installation is Progress.NOT_ASKED
    assert site.ask(ASKED, at=ASKED_S - 1.0) == [InstallationAnswered(1, 1, b"one", 2)]
    site.answer(1, b"one", 2)
    assert site.read().installation_res == b"one"
    assert site.ask(ASKED, at=ASKED_S - 0.5) == [2]


@pytest.mark.parametrize(
    ("again", "at"),
    [
        (replace(ASKED, certificate=b"another"), 1.0),
        (replace(ASKED, update=True), 1.0),
        (replace(ASKED, namespace="another"), 1.0),
        (replace(ASKED, maximum=2), 1.0),
        (replace(ASKED, emaids=(EMAID,)), 1.0),
        (ASKED, ASKED_S),
    ],
)
@pytest.mark.parametrize("late", [True, False])
def test_another_question_has_another_answer(again: InstallationAsked, at: float, *, late: bool) -> None:
    site = Site()
    site.ask(ASKED)
    v2g_contracts.forget(site.s)
    if late:
        site.answer(1, b"one")
    assert site.ask(again, at=at) == [2]
    site.answer(1, b"one")
    assert site.read().installation is Progress.UNDER_WAY
    site.answer(2, b"two")
    assert site.read().installation_res == b"two"


@pytest.mark.parametrize("when", ["before the answer", "after it"])
def test_of_a_vehicle_that_has_left_nothing_is_kept(when: str) -> None:
    site = Site()
    site.ask(ASKED)
    v2g_contracts.forget(site.s)
    if when == "after it":
        site.answer(1, b"one")
    v2g_contracts.left(site.s)
    site.answer(1, b"one")
    assert site.ask(ASKED) == [2]


def test_a_late_no_is_asked_about_anew() -> None:
    site = Site()
    site.ask(ASKED)
    v2g_contracts.forget(site.s)
    site.answer(1)
    assert site.ask(ASKED) == [2]


def test_who_does_not_say_who_it_is_has_nobodys_answer() -> None:
    site = Site()
    nobody = replace(ASKED, certificate=b"")
    site.ask(nobody)
    v2g_contracts.forget(site.s)
    site.answer(1, b"one")
    assert site.ask(nobody) == [2]


# ---- refused again and again

BLOCKED = "Your contract is not accepted here."


def refused_session(site: Site, emaid: str = EMAID, *, lasting: bool = True, says: str = BLOCKED) -> list[str]:
    """One in which the host refuses the contract, and which ends by that; what its driver reads."""
    site.judged(site.show(emaid), Refusal.NOT_ACCEPTED, says, lasting=lasting)
    told = ContractRefused(emaid, Refusal.NOT_ACCEPTED, "the host does not accept it")
    v2g_contracts.refused(site.s, site.evse, told)
    v2g_contracts.over(site.s, [told])
    read = site.said()
    v2g_contracts.forget(site.s)
    return read


def test_the_same_contract_in_vain_a_second_time_is_not_asked_for_again() -> None:
    site = Site()
    assert refused_session(site) == [BLOCKED]
    assert Payment.PNC in site.read().payments
    assert refused_session(site, "DE-TST-C00000001") == [], "read it has its driver already"
    assert site.read().payments == (Payment.EIM,)
    assert not site.facts.certificate_installation
    v2g_contracts.left(site.s)
    assert Payment.PNC in site.read().payments
    assert refused_session(site) == [BLOCKED]


def test_another_contract_may_yet_pay() -> None:
    site = Site()
    for nth in range(MOST_VAIN):
        assert refused_session(site, f"DETSTC0000001{nth}") == [BLOCKED]
        assert Payment.PNC in site.read().payments
    assert refused_session(site, "DETSTC00000020") == []
    assert site.read().payments == (Payment.EIM,), "a vehicle without end has spent them all"


def test_what_nobody_could_tell_does_not_count() -> None:
    site = Site()
    for _ in range(4):
        refused_session(site, lasting=False)
    assert Payment.PNC in site.read().payments


def test_that_nobody_has_said_in_time_does_not_count() -> None:
    site = Site()
    for _ in range(4):
        site.show()
        v2g_contracts.over(site.s, [ContractRefused(EMAID, Refusal.NOT_ACCEPTED, "nobody has said in time")])
        v2g_contracts.forget(site.s)
    assert Payment.PNC in site.read().payments


def test_what_the_session_has_found_counts() -> None:
    """It is never shown to the host."""
    site = Site()
    for _ in range(2):
        assert Payment.PNC in site.read().payments
        v2g_contracts.over(site.s, [ContractRefused(EMAID, Refusal.EXPIRED, "why")])
        v2g_contracts.forget(site.s)
    assert site.read().payments == (Payment.EIM,)


def test_a_refusal_that_ends_no_session_costs_none() -> None:
    """ISO 15118-20 has warnings."""
    site = Site()
    for _ in range(3):
        v2g_contracts.refused(site.s, site.evse, ContractRefused(EMAID, Refusal.EXPIRED, "why"))
        v2g_contracts.over(site.s, [])
    assert Payment.PNC in site.read().payments


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
