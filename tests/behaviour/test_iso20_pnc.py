"""Plug & Charge in whole sessions of ISO 15118-20 (8.3.4.3.2, 8.3.4.3.3, 8.3.4.3.9): contracts shown, contracts installed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from bench.v2g.pki import NOW, Cps, World
from certs.testpki_make import Kind
from iso15118.connection import Connected
from iso15118.evcc.terms import AuthorizationRefused, Authorized, ContractInstalled, InstallationFailed
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import (
    AuthorizationWanted,
    ContractRefused,
    ContractShown,
    Control,
    Energy,
    InstallationAsked,
    InstallationRefused,
    MeteringConfirmed,
    Payment,
    Wish,
)
from iso15118.trust import Refusal
from tests.behaviour.iso20_pnc_rig import EMAID, EMAIDS, KINDS, codes, pnc
from tests.behaviour.iso20_rig import after, ended_well, requests, told


@pytest.mark.parametrize("control", Control)
@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC])
@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_session_by_contract(kind: Kind, energy: Energy, control: Control) -> None:
    pair = pnc(kind, energy, control).session()
    ended_well(pair)
    assert [(each.emaid, each.why) for each in told(pair, ContractShown)] == [
        (EMAID, f"the contract's certificate (ISO 15118-20), {EMAID}: right")
    ]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID)]
    assert told(pair, AuthorizationWanted) == []
    assert codes(pair, cm.AuthorizationRes) == ["OK"]


def test_what_the_host_is_told_of_a_contract() -> None:
    """The chain as it was sent, and the way up to the root: who is asked about it can be had from that."""
    world, pair = World.of(), pnc().session()
    shown = told(pair, ContractShown)[0]
    assert shown.chain == world.contract().chain
    assert shown.path == (*shown.chain, *world.roots("moRoot"))
    assert [x509.load_der_x509_certificate(each).subject.rfc4514_string().count("MO") > 0 for each in shown.path] == [True] * 4


def test_the_request_is_repeated_as_it_was() -> None:
    """[V2G20-1582]; and it is answered "ongoing" while the host looks."""
    pair = pnc().session()
    asked = [each for _, end, each in pair.messages if end == "ev" and isinstance(each, cm.AuthorizationReq)]
    assert len(asked) > 3
    assert all(each.PnC_AReqAuthorizationMode == asked[0].PnC_AReqAuthorizationMode for each in asked)
    assert all(each.Header.Signature == asked[0].Header.Signature for each in asked)


def test_a_paused_session_is_paid_for_anew() -> None:
    """Another connection has another challenge."""
    pair = pnc(loops=30)
    after(pair, 5, lambda: setattr(pair.charger.facts, "wish", Wish.PAUSE))
    pair.session()
    assert pair.paused is not None
    pair.vehicle.wants.resume = pair.paused.session_id
    pair.session()
    modes = [each.PnC_ASResAuthorizationMode for _, _, each in pair.messages if isinstance(each, cm.AuthorizationSetupRes)]
    challenges = [each.GenChallenge for each in modes if each is not None]
    assert len(set(challenges)) == 2
    assert [each.emaid for each in told(pair, ContractShown)] == [EMAID, EMAID]
    assert pair.evse_over is not None
    assert pair.evse_over.why == "SessionStop"


def test_without_a_verified_vehicle_nothing_of_it_is_offered() -> None:
    pair = pnc()
    pair.connection, pair.unverified = Connected(), True
    pair.session()
    offered = next(each for _, _, each in pair.messages if isinstance(each, cm.AuthorizationSetupRes))
    assert offered.AuthorizationServices == ("EIM",)
    assert not offered.CertificateInstallationService
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]


def test_a_contract_that_ends_soon_is_taken_and_it_is_said() -> None:
    """[V2G20-2218]."""
    world = World.of()
    pair = pnc(contracts=(world.contract(change=lambda spec: replace(spec, ends=NOW + timedelta(days=13))),)).session()
    ended_well(pair)
    assert codes(pair, cm.AuthorizationRes) == ["OK_CertificateExpiresSoon"]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID, ends_soon=True)]


def test_providers_are_chosen_by_both_sides() -> None:
    """The vehicle shows the contract that the charger takes; a charger that says whose it takes takes no other."""
    world = World.of()
    contracts = (world.contract("NLABCC00000009"), world.contract())
    pair = pnc(contracts=contracts, facts={"providers": ("DE*TST",)}).session()
    ended_well(pair)
    assert [each.emaid for each in told(pair, ContractShown)] == [EMAID]
    assert told(pair, ContractRefused) == []


def test_of_several_contracts_the_next_is_shown_and_at_last_the_card() -> None:
    world = World.of()
    pair = pnc(contracts=tuple(map(world.contract, EMAIDS)), facts={"certificate_installation": False})
    pair.charger.pays = {EMAIDS[0]: Refusal.REVOKED, EMAIDS[1]: Refusal.NOT_ACCEPTED, EMAIDS[2]: Refusal.EXPIRED}.get
    pair.session()
    ended_well(pair)
    wrong = ["WARNING_CertificateRevoked", "WARNING_GeneralPnCAuthorizationError", "WARNING_CertificateExpired"]
    assert codes(pair, cm.AuthorizationRes) == [*wrong, "OK"]
    assert told(pair, AuthorizationRefused, "ev") == [
        AuthorizationRefused(Payment.PNC, code, emaid) for code, emaid in zip(wrong, EMAIDS, strict=True)
    ]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]


def test_where_there_is_no_card_the_session_ends_in_order() -> None:
    pair = pnc(facts={"payments": (Payment.PNC,), "certificate_installation": False})
    pair.charger.pays = lambda _: Refusal.NOT_ACCEPTED
    pair.session()
    ended_well(pair)
    assert requests(pair)[-2:] == ["Authorization", "SessionStop Terminate"]


# ---- contracts that are installed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("many", [1, 3])
@pytest.mark.parametrize("beside", [True, False], ids=["remaining beside", "remaining in it"])
def test_contracts_are_installed_and_one_pays(kind: Kind, many: int, beside: bool) -> None:
    """[V2G20-1550], [V2G20-2571], [V2G20-1579]: the request is repeated for each; no more than there is room for."""
    world = World.of(kind)
    pair = pnc(kind, contracts=(), most_contracts=many)
    pair.charger.provides = Cps(world, EMAIDS, says_remaining=beside).answer
    pair.session()
    ended_well(pair)
    came = told(pair, ContractInstalled, "ev")
    assert [each.contract.emaid for each in came] == list(EMAIDS[:many])
    assert [each.remaining for each in came] == [2, 1, 0][:many]
    assert [each.number for each in told(pair, InstallationAsked)] == list(range(1, many + 1))
    assert codes(pair, cm.CertificateInstallationRes) == ["OK"] * many
    assert requests(pair)[2:5] == ["AuthorizationSetup", "CertificateInstallation", "Authorization"]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAIDS[0])]
    assert pair.vehicle.wants.contracts[0].emaid in EMAIDS[:many]


def test_what_is_asked_for_goes_to_the_service_as_it_came() -> None:
    pair = pnc(contracts=(), most_contracts=3, emaids=(EMAIDS[2],)).session()
    asked = told(pair, InstallationAsked)
    sent = [octets[8:] for _, end, octets in pair.octets if end == "ev"]
    assert all(each.octets in sent for each in asked)
    assert [(each.maximum, each.emaids, each.pcid) for each in asked] == [(3, (EMAIDS[2],), "TSTP00000000000016")] * 3
    assert [each.contract.emaid for each in told(pair, ContractInstalled, "ev")] == [EMAIDS[2], EMAIDS[0], EMAIDS[1]]
    given = [each for _, _, each in pair.messages if isinstance(each, cm.CertificateInstallationRes) and each.EVSEProcessing == "Finished"]
    assert {each.Header.SessionID for each in given} == {pair.dialect.talk.session_id if pair.dialect else b""}


def test_a_contract_is_renewed_though_there_is_one() -> None:
    pair = pnc(install=True).session()
    ended_well(pair)
    assert len(told(pair, ContractInstalled, "ev")) == 1


def test_an_unknown_provider_is_asked_for_once_more_without_the_list() -> None:
    """[V2G20-1580]."""
    pair = pnc(contracts=(), emaids=("NLABCC00000009",)).session()
    ended_well(pair)
    assert codes(pair, cm.CertificateInstallationRes) == ["WARNING_eMSPUnknown", "OK"]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID)]


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refusal.NO_CERTIFICATE, "WARNING_NoCertificateAvailable"),
        (Refusal.NO_CONTRACT, "WARNING_NoContractMatchingPCIDFound"),
        (Refusal.REVOKED, "WARNING_CertificateRevoked"),
    ],
)
def test_where_there_is_no_contract_the_card_is_left(refusal: Refusal, code: str) -> None:
    pair = pnc(contracts=())
    pair.charger.provides = lambda _: refusal
    pair.session()
    ended_well(pair)
    assert codes(pair, cm.CertificateInstallationRes) == [code]
    assert [(each.refusal, each.why) for each in told(pair, InstallationRefused)] == [(refusal, "the host has none")]
    assert [each.code for each in told(pair, InstallationFailed, "ev")] == [code]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]


# ---- readings


@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC])
@pytest.mark.parametrize("kind", KINDS)
def test_a_reading_is_signed_with_the_contract(kind: Kind, energy: Energy) -> None:
    pair = pnc(kind, energy, loops=20)
    after(pair, 8, lambda: setattr(pair.charger.facts, "wish", Wish.CONFIRM_METERING))
    pair.session()
    ended_well(pair)
    assert [(each.verified, each.why) for each in told(pair, MeteringConfirmed)] == [(True, "")]


def test_a_reading_of_a_session_that_a_card_pays_is_not_signed() -> None:
    pair = pnc(loops=20, contracts=(), facts={"payments": (Payment.EIM,)})
    after(pair, 8, lambda: setattr(pair.charger.facts, "wish", Wish.CONFIRM_METERING))
    pair.session()
    ended_well(pair)
    assert [(each.verified, each.why) for each in told(pair, MeteringConfirmed)] == [(False, "no contract pays")]
