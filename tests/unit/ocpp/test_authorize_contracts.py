"""Contracts beside cards: the authorize machine with its blocks; the test is the session with the vehicle and the CSMS (OCPP 2.1 C07)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargepoint.authorize_contract import certificate_key
from chargepoint.commands import Log
from chargepoint.config import EvseConfig, V2gConfig
from chargepoint.events import (
    CertificateHash,
    Contract,
    ContractJudged,
    ContractPresented,
    IdToken,
    OperationalChanged,
    SessionChanged,
    SessionStage,
    StopRequested,
)
from chargepoint.ocpp import auth_cache
from iso15118.trust import Refusal
from tests.unit.ocpp.authorize_rig import CARD, AuthRig
from tests.unit.ocpp.block_rig import CONFIG

EMAID = "DETSTC00000001"
TOKEN = IdToken(EMAID, "eMAID")
SITE = replace(CONFIG, evses=(EvseConfig(id=1, v2g=V2gConfig("eth1")), EvseConfig(id=2, v2g=V2gConfig("eth2"))))
PEM, ANOTHER_PEM = (f"-----BEGIN CERTIFICATE-----\n{each}\n-----END CERTIFICATE-----\nsub-CAs\n" for each in ("leaf", "another leaf"))
LEAF = certificate_key(Contract(1, 1, PEM))
HASH = CertificateHash("SHA256", "a" * 64, "b" * 64, "1", "http://ocsp.example")


class Rig(AuthRig):
    def show(self, emaid: str = EMAID, number: int = 1, **more: Any) -> list[ContractJudged]:
        given: dict[str, Any] = {"chain_pem": PEM, "hashes": (HASH,), "rooted": True} | more
        contract = Contract(1, number, **given)
        return [each for each in self.hear(ContractPresented(1, emaid, contract)) if isinstance(each, ContractJudged)]

    def started(self) -> None:
        """By the CSMS, which is not asked about it once more."""
        self.set("AuthCtrlr.AuthorizeRemoteStart", "false")
        self.start_remotely(TOKEN)

    def judged(self) -> list[tuple[int, Refusal | None]]:
        return [(each.number, each.refusal) for each in self.said(ContractJudged)]


@pytest.fixture
def rig() -> Rig:
    rig = Rig(config=SITE)
    rig.plug()
    return rig


def test_a_card_of_the_same_group_that_was_looked_up_meanwhile_stops_nothing(rig: Rig) -> None:
    rig.show()
    rig.swipe()
    rig.allow(group="family")
    rig.allow(group="family")
    assert rig.token_of() == TOKEN
    assert rig.ends() == []
    rig.swipe()  # presented while it charges, by one that is known by now: that stops it
    assert rig.token_of() is None


def test_a_card_that_was_accepted_first_leaves_the_contract_out(rig: Rig) -> None:
    rig.swipe()
    rig.show()
    rig.allow()
    rig.allow()
    assert rig.token_of() == CARD
    assert rig.judged() == [(1, Refusal.NOT_ACCEPTED)]


def test_the_same_contract_again_is_not_looked_up_again_and_stops_nothing(rig: Rig) -> None:
    rig.show()
    rig.allow()
    assert rig.show("DE-TST-C00000001", number=2) == [ContractJudged(1, 2, None, leaf=LEAF)]
    assert rig.calls == []
    assert rig.token_of() == TOKEN


@pytest.mark.req("C16.FR.02", "C16.FR.03")
def test_a_contract_of_the_master_pass_group_neither_starts_nor_stops(rig: Rig) -> None:
    rig.set("AuthCtrlr.MasterPassGroupId", "masters")
    rig.plug(2)
    rig.swipe(CARD, 2)
    rig.allow()
    rig.show()
    rig.allow(group="masters")
    assert rig.judged() == [(1, Refusal.NOT_ACCEPTED)]
    assert rig.token_of(2) == CARD


def test_where_it_may_not_charge(rig: Rig) -> None:
    rig.show()
    rig.allow(evseId=[2])
    assert rig.token_of() is None
    assert rig.judged() == [(1, Refusal.NOT_ACCEPTED)]


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("SignatureError", Refusal.INVALID),
        ("CertificateExpired", Refusal.EXPIRED),
        ("CertificateRevoked", Refusal.REVOKED),
        ("NoCertificateAvailable", Refusal.INVALID),
        ("CertChainError", Refusal.INVALID),
        ("ContractCancelled", Refusal.CANCELLED),
    ],
)
def test_each_status_of_a_certificate(rig: Rig, status: str, refusal: Refusal) -> None:
    rig.show()
    rig.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": status})
    assert rig.judged() == [(1, refusal)]
    assert rig.token_of() is None
    assert rig.said(ContractJudged)[-1].sentence.endswith("Please pay by card or app.")


def test_a_card_is_not_refused_by_a_word_about_certificates(rig: Rig) -> None:
    rig.swipe()
    rig.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "CertChainError"})
    assert rig.token_of() == CARD


@pytest.mark.req("C07.FR.09", "C07.FR.10")
@pytest.mark.parametrize("written", ["DE-TST-C00000001", "DETSTC000000011", "detstc00000001"])
def test_however_the_list_writes_it(rig: Rig, written: str) -> None:
    rig.send_list(1, (IdToken(written, "eMAID"), {"status": "Accepted"}))
    rig.disconnect()
    rig.show()
    assert rig.token_of() == TOKEN
    assert [each.how for each in rig.authorised()] == ["list"]


def test_never_asked_where_the_csms_is_never_to_be(rig: Rig) -> None:
    rig.set("AuthCtrlr.DisableRemoteAuthorization", "true")
    rig.show()
    assert rig.calls == []
    assert rig.judged() == [(1, Refusal.NOT_ACCEPTED)]


def test_a_chain_that_goes_into_no_message_is_refused(rig: Rig) -> None:
    rig.set("ISO15118Ctrlr@1.CentralContractValidationAllowed", "true")
    rig.hear(ContractPresented(1, EMAID, Contract(1, 1, "x" * 10_001)))
    assert rig.calls == []
    assert rig.judged() == [(1, Refusal.INVALID)]


def test_the_owner_s_contract_needs_no_csms_but_a_root() -> None:
    rig = Rig(config=replace(SITE, local_tokens=(f"eMAID:{EMAID}",)))
    rig.plug()
    rig.set("ISO15118Ctrlr@1.CentralContractValidationAllowed", "true")
    rig.show(hashes=(), rooted=False)
    assert rig.actions() == ["Authorize"]
    rig.hear(SessionChanged(1, SessionStage.ABORTED))
    rig.show(number=2)
    assert rig.judged() == [(2, None)]
    assert rig.token_of() == TOKEN


# ---- a chain that no root here is known for, and what is kept of answers


def strange(rig: Rig, number: int = 1) -> None:
    """A contract that only the CSMS can judge."""
    rig.set("ISO15118Ctrlr@1.CentralContractValidationAllowed", "true")
    rig.show(number=number, chain_pem=ANOTHER_PEM, hashes=(), rooted=False)
    assert rig.actions() == ["Authorize"]


@pytest.mark.req("C07.FR.06", "S-16")
def test_a_chain_that_nobody_has_judged_does_not_pay_whoever_s_name_stands_in_it(rig: Rig) -> None:
    """A CSMS that passes over the `certificate` looks at the eMAID alone: anybody can write that into a chain of their own."""
    strange(rig)
    rig.allow()
    assert rig.judged() == [(1, Refusal.NOT_ACCEPTED)]
    assert rig.token_of() is None
    assert [each.values for each in rig.said(Log) if each.key == "auth.contract_not_judged"] == [{"evse": 1}]


def test_one_that_the_csms_has_judged_pays(rig: Rig) -> None:
    strange(rig)
    rig.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"})
    assert rig.judged() == [(1, None)]
    assert rig.token_of() == TOKEN


def comes_back(rig: Rig, number: int, **more: Any) -> Refusal | None:
    """Another session, offline; what is said of the contract."""
    rig.hear(SessionChanged(1, SessionStage.ABORTED))
    rig.unplug()
    rig.disconnect()
    rig.plug()
    rig.show(number=number, **more)
    (judged,) = [refusal for of, refusal in rig.judged() if of == number]
    return judged


@pytest.mark.req("C10.FR.01", "S-16")
@pytest.mark.parametrize("status", ["Accepted", "Invalid", "Blocked", "Unknown"])
@pytest.mark.parametrize("certificate", ["", "CertChainError", "ContractCancelled"])
def test_a_forged_chain_locks_nobody_out(rig: Rig, status: str, certificate: str) -> None:
    rig.show()
    rig.allow()
    rig.hear(SessionChanged(1, SessionStage.ABORTED))
    rig.unplug()
    rig.plug()
    strange(rig, 2)
    rig.answer("Authorize", {"idTokenInfo": {"status": status}, **({"certificateStatus": certificate} if certificate else {})})
    assert rig.judged()[-1][1] is not None
    assert comes_back(rig, 3) is None


@pytest.mark.parametrize("status", ["Accepted", "Invalid"])
def test_an_old_certificate_is_not_taken_offline_and_the_new_one_is(rig: Rig, status: str) -> None:
    rig.show()
    rig.allow()
    rig.hear(SessionChanged(1, SessionStage.ABORTED))
    rig.unplug()
    rig.plug()
    rig.show(number=2, chain_pem=ANOTHER_PEM)
    rig.answer("Authorize", {"idTokenInfo": {"status": status}, "certificateStatus": "CertificateRevoked"})
    assert comes_back(rig, 3, chain_pem=ANOTHER_PEM) is Refusal.REVOKED
    assert comes_back(rig, 4) is None


@pytest.mark.parametrize("answer", [{"status": "Blocked"}, {"status": "Accepted"}], ids=["blocked", "cancelled"])
def test_a_contract_that_has_ended_is_not_taken_offline_with_whatever_certificate(rig: Rig, answer: dict[str, str]) -> None:
    rig.show()
    certificate = "ContractCancelled" if answer["status"] == "Accepted" else "CertificateRevoked"
    rig.answer("Authorize", {"idTokenInfo": answer, "certificateStatus": certificate})
    assert comes_back(rig, 2, chain_pem=ANOTHER_PEM) is Refusal.NOT_ACCEPTED


def test_a_certificate_that_was_refused_by_mistake_is_taken_again(rig: Rig) -> None:
    rig.show()
    rig.answer("Authorize", {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "CertChainError"})
    rig.show(number=2)
    rig.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"})
    assert comes_back(rig, 3) is None


def test_no_cache_keeps_nothing_of_certificates(rig: Rig) -> None:
    rig.set("AuthCacheCtrlr.Enabled", "false")
    rig.show()
    rig.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "CertificateRevoked"})
    assert rig.store.get(auth_cache.TABLE, {}) == {}


def test_nobody_is_plugged_in() -> None:
    rig = Rig(config=SITE)
    assert rig.show() == [ContractJudged(1, 1, Refusal.NOT_ACCEPTED, "Your contract is not accepted here. Please pay by card or app.")]


def test_a_flood_of_contracts_is_answered(rig: Rig) -> None:
    for number in range(1, 12):
        rig.show(f"DETSTC0000000{number:02d}", number)
    assert [refusal for _, refusal in rig.judged()] == [Refusal.NOT_ACCEPTED] * 3


# ---- a start that is there already


def test_the_start_of_an_emaid_says_nothing_of_a_certificate(rig: Rig) -> None:
    rig.started()
    assert rig.show() == []
    (asked,) = rig.calls
    assert asked.payload["iso15118CertificateHashData"]
    rig.allow()
    assert rig.judged() == [(1, None)]
    assert [each.how for each in rig.authorised()] == ["remote"], "nothing has begun a second time"
    assert rig.show(number=2) == [ContractJudged(1, 2, None, leaf=LEAF)]
    assert rig.calls == []


@pytest.mark.parametrize("first", ["remote", "contract"])
def test_another_certificate_is_judged_for_itself_and_the_start_stands(rig: Rig, first: str) -> None:
    if first == "remote":
        rig.started()
    else:
        rig.show(chain_pem=ANOTHER_PEM)
        rig.allow()
    rig.show(number=2)
    rig.allow("Blocked")
    assert rig.judged()[-1] == (2, Refusal.NOT_ACCEPTED)
    assert rig.token_of() == TOKEN
    assert rig.ends() == []
    rig.show(number=3)
    assert len(rig.calls) == 1, "what was refused has not become its certificate"


def test_of_two_certificates_the_one_that_was_accepted_last_is_known(rig: Rig) -> None:
    for number, pem in enumerate((PEM, ANOTHER_PEM, PEM), 1):
        rig.show(chain_pem=pem, number=number)
        rig.allow()
    assert rig.judged() == [(1, None), (2, None), (3, None)]
    assert rig.show(number=4) == [ContractJudged(1, 4, None, leaf=LEAF)]


def test_a_start_that_comes_while_the_contract_is_looked_up_is_its_start(rig: Rig) -> None:
    rig.show()
    rig.started()
    rig.allow()
    assert rig.judged() == [(1, None)]
    assert [each.how for each in rig.authorised()] == ["remote"]


def test_what_was_shown_counts_in_its_session_only_though_there_is_a_start(rig: Rig) -> None:
    rig.started()
    rig.show()
    rig.hear(SessionChanged(1, SessionStage.ABORTED))
    rig.allow()
    assert rig.judged() == [(1, Refusal.NOT_ACCEPTED)]
    assert rig.token_of() == TOKEN
    rig.show(number=2)
    assert len(rig.calls) == 1


@pytest.mark.req("C07.FR.12")
@pytest.mark.parametrize("allowed", [True, False])
def test_offline_a_start_says_nothing_of_a_certificate_either(rig: Rig, *, allowed: bool) -> None:
    rig.set("AuthCtrlr.OfflineTxForUnknownIdEnabled", "true" if allowed else "false")
    rig.started()
    rig.disconnect()
    assert [each.refusal for each in rig.show()] == [None if allowed else Refusal.NOT_ACCEPTED]
    assert rig.token_of() == TOKEN


@pytest.mark.parametrize(("certificate", "rooted", "refused"), [("", True, False), ("Accepted", False, False), ("", False, True)])
def test_that_the_token_is_in_our_own_transaction_is_no_reason_where_the_certificate_was_judged(
    rig: Rig, certificate: str, *, rooted: bool, refused: bool
) -> None:
    rig.started()
    rig.show(rooted=rooted)
    said = {"certificateStatus": certificate} if certificate else {}
    rig.answer("Authorize", {"idTokenInfo": {"status": "ConcurrentTx"}, **said})
    assert rig.judged() == [(1, Refusal.NOT_ACCEPTED if refused else None)]
    assert rig.token_of() == TOKEN


# ---- for good, or for the moment


def test_what_the_csms_refuses_lasts_and_what_is_of_the_moment_does_not(rig: Rig) -> None:
    lasting: list[bool] = []
    for answer in ("", "Blocked", "gone", "ConcurrentTx", "NotAtThisTime"):
        rig.show()
        if answer == "gone":
            rig.hear(OperationalChanged(1, operative=False))
            rig.allow()
            rig.hear(OperationalChanged(1, operative=True))
        elif answer:
            rig.allow(answer)
        else:
            rig.disconnect()
            rig.connect()
        lasting.append(rig.said(ContractJudged)[-1].lasting)
    assert lasting == [False, True, False, False, False]


@pytest.mark.req("S-11")
def test_who_was_stopped_is_refused_as_long_as_it_is_plugged_in(rig: Rig) -> None:
    rig.show()
    rig.allow()
    rig.hear(StopRequested(1, "Remote"))
    assert [(each.refusal, each.lasting) for each in rig.show(number=2)] == [(Refusal.NOT_ACCEPTED, True)]
