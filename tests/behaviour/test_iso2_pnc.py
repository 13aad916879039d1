"""Plug & Charge of ISO 15118-2, our vehicle at our charger: contracts that pay, that come, and that are renewed; tariffs and readings with signatures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench.v2g.pair import Pair
from bench.v2g.pki import NOW, Cps, World
from bench.v2g.wrong import again
from chargepoint import codec
from iso15118 import exi
from iso15118.connection import Connected
from iso15118.evcc.iso2.contracts import CERTIFICATE, signed_parts
from iso15118.evcc.terms import (
    Authorized,
    ContractInstalled,
    EvWish,
    InstallationFailed,
    SignatureNoted,
)
from iso15118.messages import xmldsig as ds
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_def as md
from iso15118.secc.v2gmsg.talk import Shown
from iso15118.signature import sign
from iso15118.terms import (
    AuthorizationWanted,
    ContractShown,
    Ending,
    InstallationAsked,
    InstallationRefused,
    Payment,
)
from iso15118.trust import Refusal
from tests.behaviour.iso2_pnc_rig import EMAID, SPEECHES, WORLD, coded, pnc, restarted, said
from tests.behaviour.iso20_rig import ended_well, told
from tests.behaviour.v2gmsg_rig import requests


@pytest.mark.parametrize("speech", SPEECHES)
def test_a_contract_pays(speech: str) -> None:
    pair = pnc(speech).session()
    ended_well(pair)
    assert requests(pair)[3:7] == ["PaymentServiceSelection", "PaymentDetails", "Authorization", "ChargeParameterDiscovery"]
    (shown,) = told(pair, ContractShown)
    assert (shown.emaid, shown.chain, len(shown.path)) == (EMAID, WORLD.contract().chain, 4)
    assert told(pair, AuthorizationWanted) == []
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID)]


def test_only_the_first_request_is_signed() -> None:
    """[V2G2-684]"""
    pair = pnc().session()
    first, *others = said(pair, mb.AuthorizationReq)
    assert (first.Id, first.GenChallenge) == ("id1", pair.any_dialect.talk.challenge)  # type: ignore[union-attr]
    assert others
    assert set(map(repr, others)) == {repr(mb.AuthorizationReq())}


def test_a_card_pays_where_a_contract_is_not_offered() -> None:
    """In plain no contract is: somebody could listen."""
    pair = pnc()
    pair.connection = Connected()
    pair.session()
    ended_well(pair)
    (offer,) = said(pair, mb.ServiceDiscoveryRes, "evse")
    assert offer.PaymentOptionList.PaymentOption == ("ExternalPayment",)
    assert CERTIFICATE not in [each.ServiceID for each in offer.ServiceList.Service]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]
    pair = pnc(fall_back=False)
    pair.connection = Connected()
    pair.session()
    assert said(pair, mb.PaymentServiceSelectionReq) == []


def test_a_contract_that_is_chosen_in_plain_all_the_same() -> None:
    pair = pnc()
    pair.when(lambda: bool(said(pair, mb.ServiceDiscoveryRes, "evse")), lambda: setattr(pair.any_dialect.talk, "payments", (Payment.EIM,)))  # type: ignore[union-attr]
    pair.session()
    assert coded(pair, "PaymentServiceSelectionRes") == ["FAILED_PaymentSelectionInvalid"]


def test_a_vehicle_without_contract_pays_by_card() -> None:
    pair = pnc(contracts=(), facts={"certificate_installation": False}).session()
    ended_well(pair)
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]


def test_contracts_of_the_other_edition_are_not_shown() -> None:
    pair = pnc(contracts=(World.of("p521").contract(), WORLD.contract())).session()
    ended_well(pair)
    (shown,) = told(pair, ContractShown)
    assert shown.chain == WORLD.contract().chain


def test_a_contract_that_ends_soon() -> None:
    soon = WORLD.contract(change=lambda spec: replace(spec, ends=NOW + timedelta(days=9)))
    pair = pnc(contracts=(soon,)).session()
    ended_well(pair)
    assert coded(pair, "PaymentDetailsRes") == ["OK_CertificateExpiresSoon"]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID, ends_soon=True)]


def test_what_was_offered_holds() -> None:
    """Whatever the host offers by then."""
    pair = pnc()
    pair.when(lambda: bool(said(pair, mb.ServiceDiscoveryRes, "evse")), lambda: setattr(pair.charger.facts, "payments", (Payment.EIM,)))
    ended_well(pair.session())


@pytest.mark.parametrize("speech", SPEECHES)
def test_after_a_pause_another_challenge_is_signed(speech: str) -> None:
    pair = pnc(speech, loops=1000)
    pair.when(lambda: pair.loops() >= 5, lambda: setattr(pair.vehicle.wants, "wish", EvWish.PAUSE))
    pair.session()
    ended_well(pair, Ending.PAUSED)
    pair.vehicle.wants.resume, pair.vehicle.wants.loops = pair.vehicle.session_id, 5
    pair.session()
    ended_well(pair)
    challenges = [each.GenChallenge for each in said(pair, mb.AuthorizationReq) if each.GenChallenge]
    assert len(set(challenges)) == 2
    assert len(told(pair, ContractShown)) == 2


# ---- contracts that come


@pytest.mark.parametrize("speech", SPEECHES)
def test_a_contract_is_installed_and_pays_at_once(speech: str) -> None:
    pair = pnc(speech, contracts=()).session()
    ended_well(pair)
    assert requests(pair)[3:7] == ["ServiceDetail", "PaymentServiceSelection", "CertificateInstallation", "PaymentDetails"]
    (asked,) = told(pair, InstallationAsked)
    sent: Any = exi.decode(asked.octets, md.NAMESPACE)
    assert sent.Body.BodyElement == said(pair, mb.CertificateInstallationReq)[0]
    assert (asked.namespace, asked.update, asked.pcid) == (md.NAMESPACE, False, "TSTPCID0000000001")
    (came,) = told(pair, ContractInstalled, "ev")
    assert came.contract.emaid == EMAID
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID)]
    (detail,) = said(pair, mb.ServiceDetailRes, "evse")
    ways = [(each.ParameterSetID, each.Parameter[0].stringValue) for each in detail.ServiceParameterList.ParameterSet]
    assert ways == [(1, "Installation"), (2, "Update")]
    (chosen,) = said(pair, mb.PaymentServiceSelectionReq)
    assert [(each.ServiceID, each.ParameterSetID) for each in chosen.SelectedServiceList.SelectedService] == [(1, None), (2, 1)]


@pytest.mark.parametrize("speech", SPEECHES)
def test_a_contract_is_had_anew_and_pays_at_once(speech: str) -> None:
    pair = pnc(speech, update=True).session()
    ended_well(pair)
    assert "CertificateUpdate" in requests(pair)
    (asked,) = told(pair, InstallationAsked)
    assert (asked.update, asked.pcid) == (True, EMAID)
    assert len(told(pair, ContractInstalled, "ev")) == 1
    assert len(pair.vehicle.wants.contracts) == 1
    assert pair.vehicle.wants.update is False


def test_a_contract_that_came_can_be_had_anew() -> None:
    pair = pnc(contracts=()).session()
    ended_well(pair)
    pair.vehicle.wants.update = True
    ended_well(pair.session())
    assert [each.update for each in told(pair, InstallationAsked)] == [False, True]


def test_the_answer_waits_for_the_service_and_no_longer_than_the_vehicle_does() -> None:
    pair = pnc(contracts=())
    pair.charger.pace = replace(pair.charger.pace, installation_s=4.0)
    ended_well(pair.session())
    pair = pnc(contracts=())
    pair.charger.pace = replace(pair.charger.pace, installation_s=60.0)
    pair.session()
    assert coded(pair, "CertificateInstallationRes") == ["FAILED_NoCertificateAvailable"]
    (refused,) = told(pair, InstallationRefused)
    assert refused.why == "nobody has answered in time"
    at = {type(message).__name__: when for when, _, message in pair.messages}
    assert at["CertificateInstallationRes"] - at["CertificateInstallationReq"] == pytest.approx(4.5, abs=0.1)


def test_there_is_none_for_this_vehicle() -> None:
    pair = pnc(contracts=())
    pair.charger.provides = lambda _: Refusal.NO_CONTRACT
    pair.session()
    assert coded(pair, "CertificateInstallationRes") == ["FAILED_NoCertificateAvailable"]
    assert told(pair, InstallationFailed, "ev")[0].code == "FAILED_NoCertificateAvailable"
    assert told(pair, InstallationRefused)[0].why == "the host has none"


def test_installation_is_not_offered() -> None:
    pair = pnc(contracts=(), facts={"certificate_installation": False})
    pair.session()
    (offer,) = said(pair, mb.ServiceDiscoveryRes, "evse")
    assert CERTIFICATE not in [each.ServiceID for each in offer.ServiceList.Service]
    pair = pnc(contracts=())
    pair.when(lambda: bool(said(pair, mb.PaymentServiceSelectionRes, "evse")), lambda: setattr(pair.any_dialect.talk, "installable", False))  # type: ignore[union-attr]
    pair.session()
    assert coded(pair, "CertificateInstallationRes") == ["FAILED_NoCertificateAvailable"]
    assert told(pair, InstallationRefused)[0].why == "certificate installation is not offered"


def answering(pair: Pair, change: Any) -> Pair:
    """The service's answer, changed."""
    service = Cps(WORLD).answer

    def given(asked: InstallationAsked) -> Any:
        right = service(asked)
        assert not isinstance(right, Refusal)
        document: Any = exi.decode(right.octets, md.NAMESPACE)
        change(document)
        return right._replace(octets=exi.encode(document, md.NAMESPACE))

    pair.charger.provides = given
    return pair


def _unsigned(document: Any) -> None:
    document.Header.Signature = None


def _refused(document: Any) -> None:
    document.Body.BodyElement.ResponseCode = "FAILED_ContractCanceled"


def _another(document: Any) -> None:
    document.Body.BodyElement = mb.SessionStopReq(ChargingSession="Terminate")


@pytest.mark.parametrize(
    ("change", "code"),
    [(_unsigned, "FAILED_NoCertificateAvailable"), (_refused, "FAILED_ContractCanceled"), (_another, "FAILED_NoCertificateAvailable")],
)
@pytest.mark.parametrize("update", [False, True])
def test_what_the_service_answers_wrong(change: Any, code: str, update: bool) -> None:
    pair = answering(pnc(contracts=None if update else (), update=update), change).session()
    assert coded(pair, "CertificateUpdateRes" if update else "CertificateInstallationRes") == [code]
    assert len(told(pair, InstallationRefused)) == 1
    assert told(pair, ContractInstalled, "ev") == []


def test_an_answer_without_a_header() -> None:
    """Nobody could have signed it."""
    pair = pnc(contracts=())
    service = Cps(WORLD).answer

    def bare(asked: InstallationAsked) -> Any:
        given: Any = service(asked)
        document: Any = exi.decode(given.octets, md.NAMESPACE)
        return given._replace(octets=exi.encode(document.Body.BodyElement, md.NAMESPACE))

    pair.charger.provides = bare
    pair.session()
    assert coded(pair, "CertificateInstallationRes") == ["FAILED_NoCertificateAvailable"]


def test_octets_that_are_no_answer() -> None:
    pair = pnc(contracts=())
    pair.charger.provides = lambda _: Cps(WORLD).answer(_)._replace(octets=b"\x80\xff\x00")  # type: ignore[union-attr]
    pair.session()
    assert coded(pair, "CertificateInstallationRes") == ["FAILED_NoCertificateAvailable"]
    assert "cannot be read" in told(pair, InstallationRefused)[0].why


def _other_key(document: Any) -> None:
    document.Body.BodyElement.DHpublickey.value = document.Body.BodyElement.DHpublickey.value[:-1] + b"\0"


@pytest.mark.parametrize(
    ("service", "why"),
    [
        (Cps(WORLD, sender=World.of("p256", b"somebody else")), "is neither with it nor a root that is known here"),
        (Cps(WORLD, by="seccLeaf"), "its DC is CPO, not CPS"),
    ],
)
def test_a_sender_that_the_vehicle_does_not_trust(service: Cps, why: str) -> None:
    pair = pnc(contracts=())
    pair.charger.provides = service.answer
    pair.session()
    (failed,) = told(pair, InstallationFailed, "ev")
    assert why in failed.why
    assert told(pair, ContractShown) == []


def test_an_envelope_that_was_changed_on_its_way() -> None:
    pair = answering(pnc(contracts=()), _other_key).session()
    (failed,) = told(pair, InstallationFailed, "ev")
    assert failed.why == "DHpublickey is not what was signed: its digest differs"
    assert requests(pair)[-1] == "SessionStop Terminate"


def test_an_update_that_is_not_taken_in_leaves_the_contract_that_there_is() -> None:
    pair = answering(pnc(update=True), _other_key).session()
    ended_well(pair)
    assert len(told(pair, InstallationFailed, "ev")) == 1
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID)]


def _signed_anew(document: Any, **more: Any) -> None:
    signature = sign(WORLD.signer("cpsLeaf"), "iso2", signed_parts(document.Body.BodyElement))
    document.Header.Signature = again(signature, **more)


def _of_somebody_else(document: Any) -> None:
    document.Body.BodyElement.eMAID.value = "FRXYZC00000009"
    _signed_anew(document)


def _with_a_check_digit(document: Any) -> None:
    document.Body.BodyElement.eMAID.value = "DETSTC000000019"
    _signed_anew(document)


def _with_the_name_of_the_key(document: Any) -> None:
    _signed_anew(document, KeyInfo=ds.KeyInfoType(KeyName=("x",)))


def test_a_contract_whose_name_is_not_that_of_its_certificate() -> None:
    pair = answering(pnc(contracts=()), _of_somebody_else).session()
    assert [each.why for each in told(pair, InstallationFailed, "ev")] == ["the contract's certificate is not that of FRXYZC00000009"]
    pair = answering(pnc(contracts=()), _with_a_check_digit).session()
    ended_well(pair)
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID)]


def test_what_the_signature_of_a_service_has_beside_it_is_not_looked_at() -> None:
    pair = answering(pnc(contracts=()), _with_the_name_of_the_key).session()
    ended_well(pair)
    assert told(pair, SignatureNoted, "ev") == [SignatureNoted("with the signature there is what ISO 15118 leaves out: KeyInfo")]
    assert told(pnc(contracts=()).session(), SignatureNoted, "ev") == []


def test_no_key_is_in_what_is_told_or_saved() -> None:
    pair = pnc(contracts=()).session()
    ended_well(pair)
    told_all = repr([thing for end, thing in pair.story if end == "evse"]) + repr(pair.vehicle.log)
    key: Any = WORLD.issued(EMAID).key
    value = key.private_numbers().private_value
    assert str(value) not in told_all
    assert value.to_bytes(32, "big").hex() not in told_all
    assert repr(value.to_bytes(32, "big"))[2:-1] not in told_all


# ---- a charger that begins anew


@pytest.mark.parametrize("kind", [ContractShown, InstallationAsked])
def test_a_charger_that_begins_anew_goes_on_where_it_was(kind: type[Any]) -> None:
    pair = pnc(contracts=() if kind is InstallationAsked else None)
    pair.when(lambda: bool(told(pair, kind)), lambda: restarted(pair))
    ended_well(pair.session())
    assert [each.emaid for each in told(pair, ContractShown)] == [EMAID]
    assert len(told(pair, InstallationAsked)) == (kind is InstallationAsked)


def test_what_is_saved_of_it() -> None:
    value = Shown((b"leaf", b"ca"), EMAID, (b"leaf",), "right", signed=True, accepted=True)
    assert codec.load(Shown, codec.dump(Shown, value)) == value
