"""Contracts, requests for contracts and readings that are not what they have to be: each answered as the clause wants, and none costs more than its session
(S-21; [V2G20-2211] to -2216, [V2G20-2564], [V2G20-2565], [V2G20-461]).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bench.v2g.misbehave import CONTRACTS, misbehaving
from bench.v2g.misbehave_pnc import PNC, OfContracts, OfInstallation, OtherReading
from bench.v2g.pair import Pair
from bench.v2g.pki import Cps, World
from bench.v2g.wrong import Then, Wrong, again, changed
from certs.chain import load, tbs_fingerprint
from certs.testpki_make import Kind
from iso15118.connection import Command, Now, Send
from iso15118.evcc.iso20.ask_contracts import authorization, certificate_installation
from iso15118.evcc.iso20.dialect import spoken
from iso15118.evcc.session import Session
from iso15118.evcc.terms import Authorized, EvWish
from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import ContractRefused, ContractShown, Ending, InstallationAsked, InstallationRefused, MeteringConfirmed, Payment
from iso15118.trust import Refusal
from tests.behaviour.iso20_pnc_rig import EMAID, KINDS, codes, pnc
from tests.behaviour.iso20_rig import after, ended_well, requests, told

SHOWN = [name for name, kind in PNC.items() if issubclass(kind, OfContracts)]
ASKED = [name for name, kind in PNC.items() if issubclass(kind, OfInstallation)]
READ = [name for name, kind in PNC.items() if issubclass(kind, OtherReading)]


def played(name: str, pair: Pair, seed: int = 1) -> Pair:
    pair.connect(misbehaving(name, Session(spoken(pair.vehicle.wants)), seed))
    return pair.run()


@pytest.mark.req("S-21")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SHOWN)
def test_a_contract_that_is_not_taken_is_refused_with_its_reason_and_a_card_pays(name: str, kind: Kind) -> None:
    pair = played(name, pnc(kind, facts={"certificate_installation": False}))
    assert codes(pair, cm.AuthorizationRes) == [PNC[name].code, "OK"]
    assert told(pair, ContractShown) == [], "the host hears of none that is refused here"
    refused = told(pair, ContractRefused)
    assert len(refused) == 1
    assert refused[0].why
    assert CONTRACTS[name].then is Then.SERVED
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.TERMINATED
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]


WHY = {
    "replayed_challenge": "it was signed for another session",
    "replayed_signature": "PnC_AReqAuthorizationMode is not what was signed: its digest differs",
    "other_key": "the signature is not the key's, or something in SignedInfo was changed",
    "unsigned": "the message is not signed",
    "signed_elsewhere": "a reference to '#id2': that is none of what has to be signed, PnC_AReqAuthorizationMode",
    "upside_down": "leaf: it is by MO Sub-CA 2, whose certificate is neither with it nor a root",
    "stranger": "is neither with it nor a root that is known here",
    "forged": "its signature is not by MO Sub-CA 2",
    "expired": "it expired 2027-01-14",
    "not_yet_valid": "it is not valid before 2028-01-15",
    "no_certificate": "the contract's certificate cannot be read",
    "pem": "a certificate of its chain cannot be read: no DER",
}


@pytest.mark.parametrize("name", WHY)
def test_why_stands_in_one_line(name: str) -> None:
    why = told(played(name, pnc()), ContractRefused)[0].why
    assert WHY[name] in why
    assert "\n" not in why


def test_the_driver_gets_a_sentence() -> None:
    assert told(played("expired", pnc()), ContractRefused)[0].sentence == "Your contract has expired. Please pay by card or app."


def test_whatever_a_seed_makes_of_it_nothing_breaks() -> None:
    for seed in range(5):
        for name in ("oversized", "no_certificate"):
            pair = played(name, pnc(facts={"certificate_installation": False}), seed)
            assert codes(pair, cm.AuthorizationRes) == ["WARNING_CertificateValidationError", "OK"]


@pytest.mark.parametrize("name", ASKED)
def test_who_asks_for_contracts_is_looked_at(name: str) -> None:
    pair = played(name, pnc(contracts=()))
    assert codes(pair, cm.CertificateInstallationRes) == [PNC[name].code]
    assert told(pair, InstallationAsked) == [], "the host hears of none that is refused here"
    assert [each.refusal for each in told(pair, InstallationRefused)] == [Refusal.INVALID]
    assert pair.evse_over is not None
    ends = Ending.TERMINATED if CONTRACTS[name].then is Then.SERVED else Ending.ABORTED
    assert pair.evse_over.ending is ends


@pytest.mark.parametrize("name", READ)
def test_a_reading_that_was_not_signed_is_refused(name: str) -> None:
    pair = pnc(loops=20)
    after(pair, 8, lambda: setattr(pair.vehicle.wants, "wish", EvWish.CONFIRM_METERING))
    played(name, pair)
    assert codes(pair, cm.MeteringConfirmationRes) == ["FAILED_MeteringSignatureNotValid"]
    assert [each.verified for each in told(pair, MeteringConfirmed)] == [False]
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.ABORTED
    assert pair.charger.facts.current_A == 0.0


# ---- what the charger goes by


def test_a_revoked_contract() -> None:
    world = World.of()
    revoked = frozenset({tbs_fingerprint(load(world.contract().chain[1])[0])})
    pair = pnc(trust={"revoked": revoked}, facts={"certificate_installation": False}).session()
    assert codes(pair, cm.AuthorizationRes) == ["WARNING_CertificateRevoked", "OK"]


@pytest.mark.parametrize(("trust", "path"), [({"central": True}, False), ({"local": False}, False)], ids=["central", "not here"])
def test_a_root_that_is_not_known_here_may_be_the_hosts_to_know(trust: dict[str, Any], path: bool) -> None:
    """CentralContractValidationAllowed; and where nothing is judged here at all."""
    pair = pnc(trust=trust | {"contract_roots": ()}).session()
    ended_well(pair)
    shown = told(pair, ContractShown)
    assert [(each.emaid, bool(each.path)) for each in shown] == [(EMAID, path)]
    assert "MO Root CA" in shown[0].why
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID)]


@pytest.mark.parametrize("name", ["other_key", "pem", "oversized"])
def test_what_the_host_judges_is_signed_and_readable_all_the_same(name: str) -> None:
    pair = played(name, pnc(trust={"local": False}, facts={"certificate_installation": False}))
    assert codes(pair, cm.AuthorizationRes) == ["WARNING_CertificateValidationError", "OK"]


def test_a_contract_below_a_v2g_root_where_that_is_allowed() -> None:
    world = World.of()
    pair = pnc(trust={"contract_roots": (*world.roots("v2gRoot"), *world.roots("moRoot"))}).session()
    ended_well(pair)


@pytest.mark.req("F-3")
@pytest.mark.parametrize("name", ["expired", "not_yet_valid"])
def test_without_a_clock_no_dates_are_judged(name: str) -> None:
    pair = played(name, pnc(trust={"clock_known": False}))
    assert codes(pair, cm.AuthorizationRes) == ["OK"]
    assert "the clock is not set yet" in told(pair, ContractShown)[0].why


def test_a_provider_that_the_charger_does_not_take() -> None:
    """A vehicle that shows it all the same."""
    pair = pnc(facts={"certificate_installation": False})
    pair.when(lambda: any(isinstance(each, cm.AuthorizationSetupRes) for _, _, each in pair.messages), lambda: _only(pair, "NLABC"))
    pair.session()
    assert codes(pair, cm.AuthorizationRes) == ["WARNING_eMSPUnknown", "OK"]
    assert told(pair, ContractRefused)[0].why == "contracts of DETST are not taken here"


def _only(pair: Pair, provider: str) -> None:
    pair.charger.facts.providers = (provider,)


def test_nobody_says_in_time_whether_it_is_accepted() -> None:
    pair = pnc(facts={"certificate_installation": False})
    pair.charger.pace = type(pair.charger.pace)(contract_s=1e9)
    pair.session()
    assert codes(pair, cm.AuthorizationRes) == ["WARNING_GeneralPnCAuthorizationError", "OK"]
    at = [at for at, _, each in pair.messages if isinstance(each, cm.AuthorizationRes)]
    assert 54.0 < at[-1] - at[0] < 58.0


def test_nobody_answers_for_the_service_in_time() -> None:
    pair = pnc(contracts=())
    pair.charger.pace = type(pair.charger.pace)(installation_s=1e9)
    pair.session()
    assert codes(pair, cm.CertificateInstallationRes) == ["WARNING_NoCertificateAvailable"]
    assert [each.why for each in told(pair, InstallationRefused)] == ["nobody has answered in time"]


def test_a_vehicle_that_is_stuck_is_sent_away() -> None:
    """Nine contracts in vain."""
    world = World.of()
    pair = pnc(contracts=tuple(world.contract(f"DETSTC000000{number:02}") for number in range(12)), facts={"payments": (Payment.PNC,)})
    pair.charger.pays = lambda _: Refusal.NOT_ACCEPTED
    pair.session()
    found = codes(pair, cm.AuthorizationRes)
    assert found == ["WARNING_GeneralPnCAuthorizationError"] * 8 + ["FAILED"]
    assert requests(pair)[-1] == "Authorization"


def test_where_only_contracts_pay_a_card_is_turned_down() -> None:
    pair = pnc(facts={"payments": (Payment.PNC,)})
    pair.charger.pays = lambda _: Refusal.NOT_ACCEPTED
    pair.vehicle.wants.payment = Payment.EIM
    pair.session()
    assert codes(pair, cm.AuthorizationRes) == []
    assert pair.ev_over is not None
    assert pair.ev_over.why == "the charger does not offer EIM"


# ---- order


class AsksAgain(Wrong):
    """Asks for contracts where it has to say who pays: instead of its AuthorizationReq of this number."""

    number = 1

    def _strikes(self, message: Message) -> bool:
        self.number -= isinstance(message, cm.AuthorizationReq)
        return isinstance(message, cm.AuthorizationReq) and self.number == 0

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        talk: Any = self.inner.dialect.talk  # type: ignore[attr-defined]
        talk.request = None
        yield 0.0, changed(send, certificate_installation(talk, now))


def test_the_last_contract_has_come_and_none_can_be_asked_for() -> None:
    """[V2G20-1975]: only AuthorizationReq may follow."""
    pair = pnc(contracts=())
    pair.connect(AsksAgain(Session(spoken(pair.vehicle.wants)), 1))
    pair.run()
    assert codes(pair, cm.CertificateInstallationRes) == ["OK", "FAILED_SequenceError"]
    assert pair.evse_over is not None
    assert pair.evse_over.why == "CertificateInstallationReq, and there are no more contracts"


def test_none_can_be_asked_for_where_the_service_has_no_more() -> None:
    """Though there was room for three."""
    pair = pnc(contracts=(), most_contracts=3)
    pair.charger.provides = Cps(World.of(), (EMAID,)).answer
    pair.connect(AsksAgain(Session(spoken(pair.vehicle.wants)), 1))
    pair.run()
    assert codes(pair, cm.CertificateInstallationRes) == ["OK", "FAILED_SequenceError"]


def test_contracts_are_not_asked_for_while_one_is_looked_at() -> None:
    pair = pnc()
    wrong = AsksAgain(Session(spoken(pair.vehicle.wants)), 1)
    wrong.number = 3
    pair.connect(wrong)
    pair.run()
    assert codes(pair, cm.CertificateInstallationRes) == ["FAILED_SequenceError"]
    assert pair.evse_over is not None
    assert pair.evse_over.why == "CertificateInstallationReq, and a contract is being looked at"


def test_after_a_contract_was_refused_another_can_be_asked_for() -> None:
    """[V2G20-2228]."""
    others = World.of(seed=b"somebody else's")
    pair = pnc(contracts=(others.contract(),)).session()
    ended_well(pair)
    assert codes(pair, cm.AuthorizationRes) == ["WARNING_eMSPUnknown", "OK"]
    assert codes(pair, cm.CertificateInstallationRes) == ["OK"]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID)]


def test_what_is_not_offered_is_not_asked_for() -> None:
    pair = pnc(contracts=(), facts={"certificate_installation": False}).session()
    ended_well(pair)
    assert "CertificateInstallation" not in requests(pair)
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]


# ---- requests that differ from one another


class Otherwise(Wrong):
    """Says another thing in the place of its AuthorizationReq of these numbers."""

    numbers: tuple[int, ...] = ()
    count = 0

    def _strikes(self, message: Message) -> bool:
        self.count += isinstance(message, cm.AuthorizationReq)
        return isinstance(message, cm.AuthorizationReq) and self.count in self.numbers

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, changed(send, self.instead(now, send.message))

    def instead(self, now: Now, request: Any) -> Any:
        talk: Any = self.inner.dialect.talk  # type: ignore[attr-defined]
        return authorization(replace(talk, payment=Payment.EIM), now)


class SignsAnew(Otherwise):
    """The same contract and challenge, and another signature, as ECDSA makes one each time."""

    def instead(self, now: Now, request: Any) -> Any:
        talk: Any = self.inner.dialect.talk  # type: ignore[attr-defined]
        return authorization(replace(talk, shown=None), now)


class SignsWronglyThen(Otherwise):
    """The same contract and challenge, and a signature that is none."""

    def instead(self, now: Now, request: Any) -> Any:
        value = ds.SignatureValueType(value=bytes(132))
        signature = again(request.Header.Signature, SignatureValue=value)
        return again(request, Header=again(request.Header, Signature=signature))


def differing(kind: type[Otherwise], pair: Pair, *numbers: int) -> Pair:
    wrong = kind(Session(spoken(pair.vehicle.wants)), 1)
    wrong.numbers = numbers
    pair.connect(wrong)
    return pair.run()


def test_a_vehicle_that_signs_anew_each_time_shows_one_contract() -> None:
    pair = differing(SignsAnew, pnc(), *range(2, 30))
    ended_well(pair)
    assert [each.emaid for each in told(pair, ContractShown)] == [EMAID]
    assert codes(pair, cm.AuthorizationRes) == ["OK"]


@pytest.mark.req("S-21")
def test_each_signature_is_judged() -> None:
    """Not the first one only."""
    pair = differing(SignsWronglyThen, pnc(facts={"certificate_installation": False}), 3)
    assert codes(pair, cm.AuthorizationRes) == ["WARNING_CertificateValidationError", "OK"]
    assert [each.why for each in told(pair, ContractRefused)] == ["the signature is not the key's, or something in SignedInfo was changed"]


def test_a_card_is_turned_down_where_only_contracts_pay() -> None:
    """A vehicle that shows one all the same; then its contract counts."""
    pair = differing(Otherwise, pnc(facts={"payments": (Payment.PNC,)}), 1)
    found = codes(pair, cm.AuthorizationRes)
    assert found[0] == "WARNING_AuthorizationSelectionInvalid"


def test_a_vehicle_that_changes_its_mind_shows_its_contract_anew() -> None:
    pair = differing(Otherwise, pnc(), 3)
    ended_well(pair)
    assert [each.emaid for each in told(pair, ContractShown)] == [EMAID, EMAID]


def test_a_vehicle_that_asks_for_other_contracts_meanwhile_is_heard_anew() -> None:
    """What the service answers has to be for what was asked last."""
    pair = pnc(contracts=())

    def more() -> None:
        evcc: Any = pair.evcc
        evcc.dialect.talk.request, pair.vehicle.wants.most_contracts = None, 2

    pair.when(lambda: bool(told(pair, InstallationAsked)), more)
    pair.session()
    ended_well(pair)
    assert [(each.maximum, each.number) for each in told(pair, InstallationAsked)] == [(1, 1), (2, 1), (2, 2)]
