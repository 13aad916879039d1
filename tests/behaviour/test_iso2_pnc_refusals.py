"""ISO 15118-2: contracts, requests for contracts and readings that are not what they have to be. Each is answered with its code, and ends its session; the
vehicle that comes next charges.
"""

from __future__ import annotations

from typing import Any

import pytest

from bench.v2g.misbehave import OLDER_CONTRACTS, misbehaving
from bench.v2g.misbehave_pnc_older import PNC_OLDER, OfContracts
from bench.v2g.pair import Pair
from bench.v2g.pki import World
from bench.v2g.wrong import again
from certs.chain import load, tbs_fingerprint
from iso15118.evcc import speak
from iso15118.evcc.refusals import unplugged
from iso15118.evcc.session import Session
from iso15118.evcc.terms import AuthorizationRefused, InstallationFailed
from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import Message
from iso15118.messages.iso2 import msg_body as mb
from iso15118.terms import (
    ContractRefused,
    ContractShown,
    Ending,
    InstallationAsked,
    InstallationRefused,
    MeteringConfirmed,
    Payment,
    PowerOff,
    Wish,
)
from iso15118.trust import Refusal
from tests.behaviour.iso2_pnc_rig import EMAID, coded, pnc
from tests.behaviour.iso20_rig import ended_well, told


def of(*kinds: type[Message]) -> list[str]:
    return [name for name, kind in PNC_OLDER.items() if kind.kind in kinds]


def played(name: str, pair: Pair, seed: int = 1) -> Pair:
    pair.connect(misbehaving(name, Session(speak.spoken(pair.vehicle.wants)), seed))
    return pair.run()


def response(kind: type[OfContracts]) -> str:
    return kind.kind.__name__.removesuffix("Req") + "Res"


def then_an_honest_one(pair: Pair) -> None:
    unplugged(pair.vehicle.wants)
    pair.vehicle.wants.contracts = (World.of("p256").contract(),)
    pair.charger.facts.wish = None
    pair.story.clear()
    pair.notes.clear()
    pair.session()
    ended_well(pair)


@pytest.mark.req("S-21")
@pytest.mark.parametrize("name", of(mb.PaymentDetailsReq, mb.AuthorizationReq))
def test_a_contract_that_is_not_taken_is_refused_with_its_code(name: str) -> None:
    kind = PNC_OLDER[name]
    pair = played(name, pnc())
    assert coded(pair, response(kind)) == [kind.code]
    assert told(pair, ContractShown) == [], "the host hears of none that is refused here"
    (refused,) = told(pair, ContractRefused)
    assert refused.why
    assert "\n" not in refused.why
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.ABORTED
    assert told(pair, AuthorizationRefused, "ev") == [AuthorizationRefused(Payment.PNC, kind.code, EMAID)]
    then_an_honest_one(pair)


WHY = {
    "iso2_stranger": "is neither with it nor a root that is known here",
    "iso2_forged": "its signature is not by MO Sub-CA 2",
    "iso2_expired": "it expired 2027-01-14",
    "iso2_not_yet_valid": "it is not valid before 2028-01-15",
    "iso2_no_certificate": "the contract's certificate cannot be read",
    "iso2_pem": "a certificate of its chain cannot be read: no DER",
    "iso2_another_emaid": "the contract's certificate is not that of DETSTC00000099",
    "iso2_new_key": "its key is p521, not p256",
    "iso2_replayed_challenge": "it was signed for another session",
    "iso2_no_challenge": "it was signed for another session",
    "iso2_replayed_signature": "AuthorizationReq is not what was signed: its digest differs",
    "iso2_another_body": "AuthorizationReq is not what was signed: its digest differs",
    "iso2_other_key": "the signature is not the key's, or something in SignedInfo was changed",
    "iso2_unsigned": "the message is not signed",
    "iso2_signed_elsewhere": "a reference to '#id2': that is none of what has to be signed, AuthorizationReq",
}


@pytest.mark.parametrize("name", WHY)
def test_why_stands_in_the_log(name: str) -> None:
    assert WHY[name] in told(played(name, pnc()), ContractRefused)[0].why


@pytest.mark.parametrize("name", of(mb.CertificateInstallationReq, mb.CertificateUpdateReq))
def test_who_asks_for_a_contract_is_looked_at(name: str) -> None:
    kind = PNC_OLDER[name]
    updates = kind.kind is mb.CertificateUpdateReq
    pair = played(name, pnc(update=True) if updates else pnc(contracts=()))
    assert coded(pair, response(kind)) == [kind.code]
    assert told(pair, InstallationAsked) == [], "the host hears of none that is refused here"
    assert len(told(pair, InstallationRefused)) == 1
    assert told(pair, InstallationFailed, "ev") == [InstallationFailed("the charger brings no contract", kind.code, update=updates)]
    then_an_honest_one(pair)


@pytest.mark.req("S-21", "F-11")
@pytest.mark.parametrize("speech", ["iso2-dc", "iso2-ac"])
@pytest.mark.parametrize("name", of(mb.MeteringReceiptReq))
def test_a_reading_that_was_not_signed_ends_the_session_energy_first(name: str, speech: str) -> None:
    pair = pnc(speech, loops=20)
    pair.when(lambda: pair.loops() >= 6, lambda: setattr(pair.charger.facts, "wish", Wish.CONFIRM_METERING))
    played(name, pair)
    assert coded(pair, "MeteringReceiptRes") == ["FAILED_MeteringSignatureNotValid"]
    (confirmed,) = told(pair, MeteringConfirmed)
    assert (confirmed.verified, bool(confirmed.why)) == (False, True)
    answered = next(at for at, (end, thing) in enumerate(pair.story) if end == "evse" and isinstance(thing, mb.MeteringReceiptRes))
    off = next(at for at, (end, thing) in enumerate(pair.story) if end == "evse" and isinstance(thing, PowerOff))
    assert off < answered
    assert pair.charger.facts.current_A == 0.0
    then_an_honest_one(pair)


def test_a_receipt_that_nobody_has_asked_for() -> None:
    """Nor one after the one that was."""
    pair = pnc(loops=20)
    pair.when(lambda: pair.loops() >= 6, lambda: setattr(pair.charger.facts, "wish", Wish.CONFIRM_METERING))
    pair.session()
    assert coded(pair, "MeteringReceiptRes") == ["OK"]
    assert pair.any_dialect is not None
    talk = pair.any_dialect.talk
    assert talk.metered is None  # type: ignore[union-attr]


def test_every_wrong_has_its_words() -> None:
    assert all(each.words for each in OLDER_CONTRACTS.values())


# ---- what the charger goes by


def test_a_revoked_contract() -> None:
    world = World.of("p256")
    (leaf,) = load(world.contract().chain[0])
    pair = pnc(trust={"revoked": frozenset({tbs_fingerprint(leaf)})}).session()
    assert coded(pair, "PaymentDetailsRes") == ["FAILED_CertificateRevoked"]
    assert told(pair, ContractRefused)[0].refusal is Refusal.REVOKED


def test_a_provider_that_is_not_taken() -> None:
    pair = pnc(facts={"providers": ("FR-XYZ",)}).session()
    assert coded(pair, "PaymentDetailsRes") == ["FAILED_CertificateNotAllowedAtThisEVSE"]
    assert told(pair, ContractRefused)[0].refusal is Refusal.UNKNOWN_PROVIDER


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refusal.CANCELLED, "FAILED_ContractCanceled"),
        (Refusal.NOT_ACCEPTED, "FAILED_CertificateNotAllowedAtThisEVSE"),
        (Refusal.EXPIRED, "FAILED_CertificateExpired"),
        (Refusal.REVOKED, "FAILED_CertificateRevoked"),
        (Refusal.INVALID, "FAILED_CertChainError"),
    ],
)
def test_what_the_host_says(refusal: Refusal, code: str) -> None:
    pair = pnc()
    pair.charger.pays = lambda _: refusal
    pair.session()
    assert coded(pair, "AuthorizationRes") == ["OK", code]
    assert [each.refusal for each in told(pair, ContractRefused)] == [refusal]
    assert pair.charger.facts.current_A == 0.0


def test_a_host_that_says_nothing() -> None:
    pair = pnc()
    pair.charger.pace = type(pair.charger.pace)(contract_s=600.0)
    pair.session()
    assert coded(pair, "AuthorizationRes") == ["OK", "FAILED_CertificateNotAllowedAtThisEVSE"]
    assert told(pair, ContractRefused)[0].why == "nobody has said in time whether it is accepted"


@pytest.mark.parametrize("name", ["iso2_new_key", "iso2_pem", "iso2_oversized", "iso2_no_certificate", "iso2_another_emaid"])
def test_what_goes_to_nobody_though_the_host_judges_chains(name: str) -> None:
    """What is no chain of this protocol, or not this contract's."""
    pair = played(name, pnc(trust={"local": False}))
    assert coded(pair, "PaymentDetailsRes") == ["FAILED_CertChainError"]
    assert told(pair, ContractShown) == []


def test_a_clock_that_nobody_has_set_judges_no_dates() -> None:
    """F-3."""
    pair = played("iso2_expired", pnc(trust={"clock_known": False}))
    assert coded(pair, "PaymentDetailsRes") == ["OK"]


def test_a_root_that_is_the_hosts_to_judge() -> None:
    pair = pnc(trust={"contract_roots": (), "central": True}).session()
    ended_well(pair)
    (shown,) = told(pair, ContractShown)
    assert (shown.emaid, shown.path) == (EMAID, ())
    assert coded(pnc(trust={"contract_roots": ()}).session(), "PaymentDetailsRes") == ["FAILED_CertChainError"]


# ---- what lies outside of what is signed


class Unused(OfContracts):
    """A vehicle that adds to its signature what this protocol leaves out."""

    words = "a name of the key"

    def made(self, request: Any, signature: Any) -> Any:
        return request, again(signature, KeyInfo=ds.KeyInfoType(KeyName=("x",)), Id="sig1")


NOTED = "with the signature there is what ISO 15118 leaves out: Id of Signature, KeyInfo"


@pytest.mark.parametrize("kind", [mb.AuthorizationReq, mb.CertificateInstallationReq, mb.CertificateUpdateReq, mb.MeteringReceiptReq])
def test_what_a_signature_has_beside_it_is_not_looked_at(kind: type[Message]) -> None:
    """There are vehicles whose library adds it; nothing of it is believed."""
    installs, updates = kind is mb.CertificateInstallationReq, kind is mb.CertificateUpdateReq
    pair = pnc(contracts=() if installs else None, update=updates, loops=20)
    pair.when(lambda: pair.loops() >= 6, lambda: setattr(pair.charger.facts, "wish", Wish.CONFIRM_METERING))
    at_this: Any = type(Unused.__name__, (Unused,), {"kind": kind})
    wrong = at_this(Session(speak.spoken(pair.vehicle.wants)), 1)
    pair.connect(wrong)
    pair.run()
    assert wrong.struck
    ended_well(pair)
    (confirmed,) = told(pair, MeteringConfirmed)
    assert confirmed.verified
    assert (NOTED in told(pair, ContractShown)[0].why) is (kind is mb.AuthorizationReq)
    assert confirmed.why == (NOTED if kind is mb.MeteringReceiptReq else "")
