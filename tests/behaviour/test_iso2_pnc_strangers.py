"""Plug & Charge of ISO 15118-2 among vehicles that do wrong in any way, and with every bad certificate that there is a rule for."""

from __future__ import annotations

from typing import Any

import pytest

from bench.v2g import pki_older
from bench.v2g.misbehave import CATALOGUE, misbehaving
from bench.v2g.pki import NOW, der
from certs import broken
from certs.reading import CertificateError
from chargepoint.tick import Tick
from iso15118 import exi
from iso15118.connection import Close
from iso15118.evcc import speak
from iso15118.evcc.iso2 import contracts as vehicle
from iso15118.evcc.session import Session
from iso15118.evcc.terms import ContractInstalled, InstallationFailed, Wants
from iso15118.evcc.v2gmsg.talk import Talk as EvTalk
from iso15118.iso2.certificates import chain_type
from iso15118.iso20.certificates import leaf_of, plain
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_header as mh
from iso15118.secc.iso2 import contracts
from iso15118.secc.iso2.spelling import SPELLING
from iso15118.secc.v2gmsg.talk import Talk
from iso15118.signature import Part, sign, signer_of
from iso15118.terms import Energy, Facts, InstallationAsked, Payment, SessionOver, Wish
from iso15118.trust import Trust
from tests.behaviour.iso2_pnc_rig import EMAID, WORLD, pnc
from tests.behaviour.iso20_rig import told

AT = ["PaymentDetailsReq", "AuthorizationReq", "CertificateInstallationReq", "CertificateUpdateReq", "MeteringReceiptReq"]
AT_NOW = Tick(100.0, NOW.timestamp())


@pytest.mark.req("S-2", "S-4", "S-11")
@pytest.mark.parametrize("at", AT)
@pytest.mark.parametrize("name", CATALOGUE)
def test_whatever_a_vehicle_does_that_pays_by_contract_its_session_ends(name: str, at: str) -> None:
    """`Guard` looks on all the time."""
    pair = pnc(contracts=() if "Installation" in at else None, update="Update" in at, loops=20)
    pair.watches = pair.watches[:1]
    pair.when(lambda: pair.loops() >= 3, lambda: setattr(pair.charger.facts, "wish", Wish.CONFIRM_METERING))
    wrong = misbehaving(name, Session(speak.spoken(pair.vehicle.wants)), 7, at)
    pair.connect(wrong)
    pair.run(600.0)
    assert wrong.struck
    assert len(told(pair, SessionOver)) == 1
    assert ("evse", Close()) in pair.story
    assert pair.charger.facts.current_A == 0.0


UNSAID = ("empty", "endless", "oem2-leaf_too_big")
"""Chains that no message of this protocol can hold."""


def named(profile: str) -> list[str]:
    return [each for each in broken.NAMES if each.startswith(f"{profile}-") and not each.endswith(UNSAID)]


def refuses(it: broken.Case) -> bool:
    """What signs stands first in a message; what hangs on who asks (a policy, a key that is known) is not asked here."""
    return it.name.endswith("leaf_last") or (it.refused and it.policy is None and it.own is None)


def case(name: str) -> broken.Case:
    """Those that hang on what only a caller knows are asked about without it."""
    return broken.make(name, seed=b"strangers", now=NOW)


def talk_of(it: broken.Case) -> Talk:
    revoked = frozenset(each for each, status in it.revocation.items() if status == "revoked")
    roots = der(it.trust)
    facts = Facts(
        payments=(Payment.PNC,), certificate_installation=True, trust=Trust(contract_roots=roots, oem_roots=roots, revoked=revoked)
    )
    return Talk(SPELLING, facts, b"12345678", b"c" * 16, secure=True, session_id=b"12345678", by_contract=True, installable=True)


def name_of(it: broken.Case) -> str:
    try:
        return plain(leaf_of(it.chain[0]).common_name)
    except CertificateError:
        return EMAID


@pytest.mark.parametrize("name", named("contract2"))
def test_a_bad_contract(name: str) -> None:
    """Refused where its rule refuses it, and with a code that is one."""
    it = case(name)
    request = mb.PaymentDetailsReq(eMAID=name_of(it), ContractSignatureCertChain=chain_type(it.chain))
    talk = talk_of(it)
    result = contracts.payment_details(talk, AT_NOW, request)
    response: Any = result.response
    assert response.ResponseCode.startswith("FAILED") is refuses(it), result
    assert bool(result.failed) is response.ResponseCode.startswith("FAILED")
    assert (talk.shown is None) is bool(result.failed)


def car(**wants: Any) -> EvTalk:
    """A vehicle's end."""
    spelling: Any = None
    return EvTalk(Wants(**wants), (Energy.DC,), spelling)


def signed(it: broken.Case, *parts: Part) -> Any:
    """With the key of this chain's leaf; None: no signature of ISO 15118-2 is by such a one."""
    key: Any = it.key
    return sign(signer_of(key), "iso2", parts) if getattr(getattr(key, "curve", None), "name", "") == "secp256r1" else None


OF_THE_LEAF = ("oem2-leaf_expired", "oem2-leaf_not_yet_valid", "oem2-leaf_revoked")


@pytest.mark.parametrize("name", named("oem2"))
def test_a_bad_provisioning_certificate(name: str) -> None:
    """It comes without its CAs: its own key and dates are judged here, the rest is the provisioning service's work."""
    it = case(name)
    request = mb.CertificateInstallationReq(Id="id1", OEMProvisioningCert=it.chain[0], ListOfRootCertificateIDs=vehicle._roots(car()))
    signature = signed(it, ("id1", "CertificateInstallationReq", request))
    header = mh.MessageHeaderType(SessionID=b"12345678", Signature=signature)
    result = contracts.certificate_installation(talk_of(it), AT_NOW, request, header=header, octets=b"x", late=False)
    asked = any(isinstance(each, InstallationAsked) for each in result.told)
    assert asked is not bool(result.failed)
    if name in OF_THE_LEAF or signature is None:
        assert result.failed


@pytest.mark.parametrize("name", named("cps2"))
def test_a_bad_sender_of_contracts(name: str) -> None:
    """As a vehicle judges him, to whom nobody tells what has been revoked."""
    it = case(name)
    talk = car(**WORLD.wants(v2g_roots=der(it.trust)))
    request = vehicle.certificate_installation(talk, AT_NOW)
    asked = exi.encode(SPELLING.document(b"12345678", request, talk.signature), SPELLING.namespace)
    made: Any = exi.decode(pki_older.made(WORLD, WORLD, "cpsLeaf", asked, EMAID), SPELLING.namespace)
    response = made.Body.BodyElement
    response.SAProvisioningCertificateChain = chain_type(it.chain)
    talk.given_signature = signed(it, *vehicle.signed_parts(response))
    (told_,) = vehicle.installation(talk, AT_NOW, response).told
    assert isinstance(told_, InstallationFailed if refuses(it) and not it.revocation else ContractInstalled), told_
