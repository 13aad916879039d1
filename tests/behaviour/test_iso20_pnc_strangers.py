"""Plug & Charge among vehicles that do wrong in any way, and chargers that begin anew in the middle of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.v2g.misbehave import CATALOGUE, CONTRACTS, misbehaving
from bench.v2g.pair import Pair
from bench.v2g.pki import NOW, World
from chargepoint import codec, tick
from iso15118.connection import Close
from iso15118.evcc.iso20.ask_contracts import signed
from iso15118.evcc.iso20.dialect import spoken
from iso15118.evcc.session import Session as Evcc
from iso15118.iso20.certificates import sub_certificates
from iso15118.messages.iso20 import common_certificates as cc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.iso20 import contracts, setup
from iso15118.secc.iso20.dialect import Iso20, SavedIso20
from iso15118.secc.iso20.talk import Installing, Result, Shown, Talk
from iso15118.secc.session import Session
from iso15118.terms import ContractRefused, ContractShown, Energy, InstallationAsked, Payment, Progress, SessionOver
from iso15118.trust import Refusal
from tests.behaviour.iso20_pnc_rig import EMAID, EMAIDS, pnc
from tests.behaviour.iso20_rig import charger, ended_well, told

AT = ["AuthorizationReq", "CertificateInstallationReq", ""]


@pytest.mark.parametrize("at", AT)
@pytest.mark.parametrize("name", CATALOGUE | CONTRACTS)
def test_whatever_a_vehicle_does_that_pays_by_contract_its_session_ends(name: str, at: str) -> None:
    """`Guard` looks on all the time."""
    for seed in range(3):
        pair = pnc(contracts=() if at.startswith("Certificate") else None, most_contracts=3, facts={})
        pair.watches = pair.watches[:1]
        pair.connect(misbehaving(name, Evcc(spoken(pair.vehicle.wants)), seed, at))
        pair.run(600.0)
        assert len(told(pair, SessionOver)) == 1
        assert ("evse", Close()) in pair.story
        assert pair.charger.facts.current_A == 0.0


def restarted(pair: Pair) -> None:
    """The charger's session goes on from what was saved of it, as JSON."""
    session, dialect = pair.secc, pair.secc.dialect
    assert isinstance(dialect, Iso20)
    plain = codec.load(SavedIso20, codec.dump(SavedIso20, dialect.saved()))
    pair.dialect = Iso20.restored(plain, pair.charger.facts)
    pair.secc = Session.restored(session.protocols, session.saved(), pair.dialect)


@pytest.mark.parametrize("kind", [ContractShown, InstallationAsked])
def test_a_charger_that_begins_anew_goes_on_where_it_was(kind: type[Any]) -> None:
    """Nothing is told twice, and what was asked for is given."""
    pair = pnc(contracts=() if kind is InstallationAsked else None, most_contracts=2)
    pair.when(lambda: bool(told(pair, kind)), lambda: restarted(pair))
    pair.session()
    ended_well(pair)
    assert [each.emaid for each in told(pair, ContractShown)] == [EMAID]
    assert len(told(pair, InstallationAsked)) == (2 if kind is InstallationAsked else 0)


def test_who_pays_is_known_when_it_has_begun_anew() -> None:
    """A reading is judged by the contract that was accepted before."""
    pair = pnc(loops=10)
    pair.when(lambda: pair.loops() >= 3, lambda: restarted(pair))
    pair.session()
    ended_well(pair)
    assert pair.dialect is not None
    shown = pair.dialect.talk.shown
    assert shown is not None
    assert (shown.accepted, shown.leaf) == (True, World.of().contract().chain[0])


def test_what_is_saved_of_it() -> None:
    for value in (Shown(b"leaf", b"hash", "OK_CertificateExpiresSoon", accepted=True), Installing(2, b"hash", ended=True, asked=3)):
        assert codec.load(type(value), codec.dump(type(value), value)) == value


def test_no_key_is_in_what_is_told_or_saved() -> None:
    """Of a contract that came with its key, over the whole session."""
    pair = pnc(contracts=(), most_contracts=3).session()
    ended_well(pair)
    told_all = repr([thing for end, thing in pair.story if end == "evse"]) + repr(pair.vehicle.log)
    for emaid in EMAIDS:
        key: Any = World.of().issued(emaid).key
        value = key.private_numbers().private_value
        octets = value.to_bytes(66, "big")
        assert str(value) not in told_all
        assert octets.hex() not in told_all
        assert repr(octets)[2:-1] not in told_all


# ---- who never comes to an end


class Desk:
    """The charger's end of one session, asked over and over; the host never answers."""

    def __init__(self) -> None:
        self.world, self.thief = World.of(), World.of(seed=b"thief")
        self.charger = charger(
            payments=(Payment.PNC, Payment.EIM), certificate_installation=True, trust=self.world.trust(central=True, installation=False)
        )
        self.talk = Talk(self.charger.facts, (Energy.DC,), b"12345678", b"c" * 16, pnc=True, session_id=b"12345678")
        self.told: list[object] = []

    def header(self, at: float, chain: tuple[bytes, ...], signer: Any, part: Any) -> tick.Tick:
        self.now = tick.Tick(at, NOW.timestamp() + at)
        self.head = ct.MessageHeaderType(SessionID=b"12345678", TimeStamp=int(self.now.utc), Signature=signed(chain, signer, part))
        return self.now

    def show(self, at: float, emaid: str) -> str:
        it = self.thief.contract(emaid)
        subs = cc.SubCertificatesType(Certificate=it.chain[1:])
        shown = cc.ContractCertificateChainType(Certificate=it.chain[0], SubCertificates=subs)
        mode = cm.PnC_AReqAuthorizationModeType(Id="id1", GenChallenge=b"c" * 16, ContractCertificateChain=shown)
        now = self.header(at, it.chain, it.signer, ("id1", "PnC_AReqAuthorizationMode", mode))
        request = cm.AuthorizationReq(Header=self.head, SelectedAuthorizationService="PnC", PnC_AReqAuthorizationMode=mode)
        return self.heard(contracts.contract(self.talk, now, request))

    def ask(self, at: float, most: int, *, by: bytes = b"thief") -> str:
        """Signed anew each time, as ECDSA makes another signature; `by` somebody whose key it is, or is not."""
        it = replace(self.thief.provisioning(), signer=World.of(seed=by).provisioning().signer)
        chain = cc.SignedCertificateChainType(Id="id1", Certificate=it.chain[0], SubCertificates=sub_certificates(it.chain))
        now = self.header(at, it.chain, it.signer, ("id1", "OEMProvisioningCertificateChain", chain))
        request = cm.CertificateInstallationReq(
            Header=self.head,
            OEMProvisioningCertificateChain=chain,
            ListOfRootCertificateIDs=ct.ListOfRootCertificateIDsType(RootCertificateID=()),
            MaximumContractCertificateChains=most,
        )
        return self.heard(contracts.certificate_installation(self.talk, now, request, octets=b"x"))

    def heard(self, result: Result) -> str:
        self.told += result.told
        response: Any = result.response
        return "Ongoing" if response.EVSEProcessing == "Ongoing" else response.ResponseCode

    def by_card(self, at: float) -> None:
        now = tick.Tick(at, NOW.timestamp() + at)
        header = ct.MessageHeaderType(SessionID=b"12345678", TimeStamp=int(now.utc))
        mode = cm.EIM_AReqAuthorizationModeType()
        setup.authorization(
            self.talk, now, cm.AuthorizationReq(Header=header, SelectedAuthorizationService="EIM", EIM_AReqAuthorizationMode=mode)
        )

    def passed_on(self) -> int:
        return sum(isinstance(each, ContractShown | InstallationAsked) for each in self.told)


TWO = ("DETSTC00000001", "DETSTC00000002")


@pytest.mark.req("S-21")
@pytest.mark.parametrize("by_card", [False, True])
def test_contracts_that_take_turns_come_to_an_end(by_card: bool) -> None:
    """Each of them is asked about; the tenth is not."""
    desk = Desk()
    said = []
    for number in range(20):
        if by_card:
            desk.by_card(number)
        said.append(desk.show(number, TWO[0 if by_card else number % 2]))
    assert said == ["Ongoing"] * 9 + ["FAILED"] * 11
    assert desk.passed_on() == 9


def test_another_contract_waits_no_longer_than_the_one_before() -> None:
    desk = Desk()
    assert [desk.show(at, TWO[at > 0]) for at in (0, 50, 54)] == ["Ongoing"] * 3
    assert desk.show(55, TWO[1]) == "WARNING_GeneralPnCAuthorizationError"
    assert desk.show(56, TWO[0]) == "Ongoing", "a new one, a new wait"
    assert desk.show(112, TWO[1]) == "WARNING_GeneralPnCAuthorizationError"
    assert desk.passed_on() == 3


def test_contracts_are_shown_for_so_long_and_no_longer() -> None:
    desk = Desk()
    desk.show(0, TWO[0])
    desk.by_card(10)
    assert desk.show(219, TWO[1]) == "Ongoing"
    desk.by_card(219.5)
    assert desk.show(220, TWO[1]) == "WARNING_GeneralPnCAuthorizationError"
    assert [each.why for each in desk.told if isinstance(each, ContractRefused)] == ["contracts have been shown for more than 220 s"]


@pytest.mark.req("S-21")
def test_requests_for_contracts_that_take_turns_come_to_an_end() -> None:
    desk = Desk()
    said = [desk.ask(number, 1 + number % 2) for number in range(20)]
    assert said == ["Ongoing"] * 8 + ["WARNING_NoCertificateAvailable"] + ["FAILED_SequenceError"] * 11
    assert desk.passed_on() == 8


def test_another_request_waits_no_longer_than_the_one_before() -> None:
    desk = Desk()
    assert [desk.ask(at, most) for at, most in ((0, 1), (50, 2), (54, 2))] == ["Ongoing"] * 3
    assert desk.ask(56, 1) == "WARNING_NoCertificateAvailable"
    assert desk.passed_on() == 2


def test_a_request_that_is_signed_anew_is_the_same_one_and_its_signature_is_looked_at() -> None:
    desk = Desk()
    assert [desk.ask(at, 1) for at in range(20)] == ["Ongoing"] * 20
    assert desk.passed_on() == 1
    assert desk.ask(20, 1, by=b"somebody else") == "FAILED_SignatureError"


def test_providers_that_are_not_known_are_not_asked_for_ever() -> None:
    """Of these alone a vehicle may ask again ([V2G20-2224])."""
    desk = Desk()
    for at in range(0, 40, 2):
        desk.charger.facts.installation = Progress.UNDER_WAY
        desk.ask(at, 1)
        desk.charger.facts.installation, desk.charger.facts.installation_refusal = Progress.FAILED, Refusal.UNKNOWN_PROVIDER
        desk.ask(at + 1, 1)
    assert desk.passed_on() == 8


def test_contracts_are_asked_for_so_long_and_no_longer() -> None:
    desk = Desk()
    desk.charger.facts.installation_refusal = Refusal.UNKNOWN_PROVIDER
    for at in (0, 100, 219):
        desk.charger.facts.installation = Progress.UNDER_WAY
        assert desk.ask(at, 1) == "Ongoing"
        desk.charger.facts.installation = Progress.FAILED
        assert desk.ask(at + 0.5, 1) == "WARNING_eMSPUnknown"
    assert desk.ask(221, 1) == "WARNING_NoCertificateAvailable"
    assert desk.passed_on() == 3
