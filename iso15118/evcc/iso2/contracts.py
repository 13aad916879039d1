"""ISO 15118-2, a vehicle that pays by contract: what it asks, and what it makes of the answers. A refusal ends the session: there is no other way within it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from certs import contract as envelopes
from certs.chain import CertificateError, Code
from certs.contract import ContractError, Envelope
from iso15118.connection import Now
from iso15118.evcc.terms import Contract, ContractInstalled, InstallationFailed, PricesJudged, Provisioning, SignatureNoted, Wants
from iso15118.evcc.v2gmsg import hear
from iso15118.evcc.v2gmsg.hear_loop import heeding, parting
from iso15118.evcc.v2gmsg.table import Said
from iso15118.evcc.v2gmsg.talk import Heard, Judged, Offer, Talk, leave, leaving, round_due_s
from iso15118.iso2.certificates import chain_of, chain_type, same_emaid, wrong_key
from iso15118.iso20.certificates import certificates, judge, leaf_of, plain
from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import Message
from iso15118.messages.iso2 import data_certificates as ce
from iso15118.messages.iso2 import msg_body as mb
from iso15118.signature import UNUSED, Part, sign, signer_of, unused, verify
from iso15118.terms import ParameterSet, Payment, Told

CERTIFICATE = 2
"""ServiceID by which contracts are asked for; its parameter sets, where the charger does not name them [K]."""
SETS = {"Installation": 1, "Update": 2}
MOST_ROOTS = 20
_DATES: tuple[Code, ...] = ("expired", "not_yet_valid", "key_mismatch", "unreadable")


def signs(chain: tuple[bytes, ...]) -> bool:
    """Whether ISO 15118-2 has signatures by the key of this chain's leaf."""
    try:
        return not wrong_key(leaf_of(chain[0]))
    except (CertificateError, IndexError):
        return False


# ---- what there is to pay with


def showable(wants: Wants, now: Now) -> list[Contract]:
    """Those that may pay here, best first: neither over by their own dates, nor refused since the vehicle was plugged in."""
    return [each for each in wants.contracts if signs(each.chain) and each.emaid not in wants.refused and not _over(each, now)]


def _over(contract: Contract, now: Now) -> bool:
    return leaf_of(contract.chain[0]).ends < dt.datetime.fromtimestamp(now.utc, dt.UTC)


def asking(wants: Wants, contracts: Sequence[Contract]) -> Literal["", "Installation", "Update"]:
    """How a contract is asked for, by a vehicle that could show these; each way once as long as it is plugged in."""
    if wants.update and "Update" not in wants.asked and contracts and contracts[0].agreement is not None:
        return "Update"
    given = _provisioning(wants)
    may = "Installation" not in wants.asked and given is not None and signs(given.chain)
    return "Installation" if may and (wants.install or not contracts) else ""


def by_contract(talk: Talk, now: Now, offer: Offer) -> bool:
    """With those that we have, or one that is asked for first."""
    talk.contracts = showable(talk.wants, now)
    talk.ask_for = asking(talk.wants, talk.contracts) if CERTIFICATE in offer.added_services else ""
    if talk.ask_for:
        talk.to_ask, talk.ask_by = [CERTIFICATE, *(each for each in talk.to_ask if each != CERTIFICATE)], SETS[talk.ask_for]
    return bool(talk.contracts or talk.ask_for)


def described(talk: Talk, sets: tuple[ParameterSet, ...]) -> None:
    """The parameter set by which the charger does it; it may not do all."""
    ways = {each.value: one.id for one in sets for each in one.parameters if each.name == "Service"}
    if talk.ask_for in ways:
        talk.ask_by = ways[talk.ask_for]
    elif ways and talk.contracts:
        talk.ask_for = ""


def selection(talk: Talk, now: Now, response: mb.PaymentServiceSelectionRes) -> Heard:
    """The choice is taken."""
    heard = hear.selection(talk, now, response)
    if heard.said is not Said.GO or talk.payment is Payment.EIM:
        return heard
    said = {"Installation": Said.INSTALL, "Update": Said.UPDATE, "": Said.PAY}[talk.ask_for]
    return Heard(said, heard.told)


# ---- contracts that come


def certificate_installation(talk: Talk, now: Now) -> mb.CertificateInstallationReq:
    """Asked for by what the maker has given us."""
    given = _provisioning(talk.wants)
    if given is None:
        raise AssertionError("contracts are asked for without a provisioning certificate")
    request = mb.CertificateInstallationReq(Id="id1", OEMProvisioningCert=given.chain[0], ListOfRootCertificateIDs=_roots(talk))
    talk.signature = sign(given.signer, "iso2", [("id1", "CertificateInstallationReq", request)])
    return request


def certificate_update(talk: Talk, now: Now) -> mb.CertificateUpdateReq:
    """Asked for by the contract that we have."""
    contract = talk.contracts[0]
    request = mb.CertificateUpdateReq(
        Id="id1",
        ContractSignatureCertChain=chain_type(contract.chain),
        eMAID=plain(contract.emaid),
        ListOfRootCertificateIDs=_roots(talk),
    )
    talk.signature = sign(contract.signer, "iso2", [("id1", "CertificateUpdateReq", request)])
    return request


def _provisioning(wants: Wants) -> Provisioning | None:
    return wants.provisioning_iso2 or wants.provisioning


def _roots(talk: Talk) -> ce.ListOfRootCertificateIDsType:
    """Those that we judge a sender by; the schema wants one at least."""
    found = tuple(
        ds.X509IssuerSerialType(X509IssuerName=each.issuer.rfc4514_string(), X509SerialNumber=each.serial_number)
        for each in certificates(talk.wants.v2g_roots)[:MOST_ROOTS]
    )
    return ce.ListOfRootCertificateIDsType(RootCertificateID=found or (ds.X509IssuerSerialType(X509IssuerName="", X509SerialNumber=0),))


def installation(talk: Talk, now: Now, response: mb.CertificateInstallationRes | mb.CertificateUpdateRes) -> Heard:
    """It pays at once, where it is good; else what we have does."""
    told = replace(_taken(talk, now, response), update=isinstance(response, mb.CertificateUpdateRes))
    if gone := leaving(talk, told, off=False):
        return gone
    if isinstance(told, ContractInstalled):
        talk.contracts.insert(0, told.contract)
    if not talk.contracts:
        return leave(talk, "no contract, and no other way to pay", told, off=False)
    return Heard(Said.PAY, _with_unused(talk, told))


def _with_unused(talk: Talk, told: ContractInstalled | InstallationFailed) -> tuple[Told, ...]:
    noted = unused(talk.given_signature) if isinstance(told, ContractInstalled) else ""
    return (told, SignatureNoted(noted)) if noted else (told,)


def _taken(
    talk: Talk, now: Now, response: mb.CertificateInstallationRes | mb.CertificateUpdateRes
) -> ContractInstalled | InstallationFailed:
    given = talk.contracts[0] if isinstance(response, mb.CertificateUpdateRes) else _provisioning(talk.wants)
    if given is None:
        return InstallationFailed("a contract that was not asked for")
    try:
        if why := _sender(talk, now, response):
            return InstallationFailed(why)
        chain = chain_of(response.ContractSignatureCertChain)
        leaf = leaf_of(chain[0])
        if not same_emaid(leaf.common_name, response.eMAID.value):
            return InstallationFailed(f"the contract's certificate is not that of {response.eMAID.value}")
        roots = talk.wants.mo_roots
        judged = judge(chain, "contract2", roots, now, key=leaf.key, only=None if roots else _DATES)
        if judged.refusal is not None:
            return InstallationFailed(judged.why)
        sealed = Envelope("iso2", response.DHpublickey.value, response.ContractSignatureEncryptedPrivateKey.value)
        key = envelopes.open_(sealed, given.agreement, contract=certificates(chain[:1])[0])
    except (CertificateError, ContractError) as error:
        return InstallationFailed(str(error))
    return ContractInstalled(Contract(plain(leaf.common_name), chain, signer_of(key), key), key)


def _sender(talk: Talk, now: Now, response: mb.CertificateInstallationRes | mb.CertificateUpdateRes) -> str:
    """Why it is not from a provisioning service that we trust; "" where it is. Raises CertificateError."""
    chain = chain_of(response.SAProvisioningCertificateChain)
    leaf = leaf_of(chain[0])
    judged = judge(chain, "cps2", talk.wants.v2g_roots, now, key=leaf.key)
    if judged.refusal is not None:
        return judged.why
    return verify(talk.given_signature, signed_parts(response), leaf.key, lax=UNUSED)


def signed_parts(response: mb.CertificateInstallationRes | mb.CertificateUpdateRes) -> list[Part]:
    """What the provisioning service signs ([V2G2-909])."""
    names = ("ContractSignatureCertChain", "ContractSignatureEncryptedPrivateKey", "DHpublickey", "eMAID")
    elements: list[Any] = [getattr(response, name) for name in names]
    return [(each.Id or "", name, each) for name, each in zip(names, elements, strict=True)]


# ---- paying


def payment_details(talk: Talk, now: Now) -> mb.PaymentDetailsReq:
    """The contract is shown."""
    contract = talk.contracts[0]
    return mb.PaymentDetailsReq(eMAID=plain(contract.emaid), ContractSignatureCertChain=chain_type(contract.chain))


def payment_details_heard(talk: Talk, now: Now, response: mb.PaymentDetailsRes) -> Heard:
    """Its key has to sign this."""
    talk.challenge, talk.ends_soon = response.GenChallenge, response.ResponseCode == "OK_CertificateExpiresSoon"
    return leaving(talk, off=False) or Heard(Said.GO)


def authorization(talk: Talk) -> Message:
    """By contract the first one is signed, and the others are not ([V2G2-684])."""
    if talk.payment is Payment.EIM or talk.signed:
        return mb.AuthorizationReq()
    request = mb.AuthorizationReq(Id="id1", GenChallenge=talk.challenge)
    talk.signature = sign(talk.contracts[0].signer, "iso2", [("id1", "AuthorizationReq", request)])
    talk.signed = True
    return request


def judged(talk: Talk, found: Any) -> Judged:
    """Tariffs are signed with the key of the second sub-CA of the mobility operator, which stands above our contract [K]; who pays otherwise asks nobody.
    One without Id is nobody's word, and takes nothing from those that are signed.
    """
    priced = [each for each in found.SAScheduleTuple if each.SalesTariff is not None]
    if talk.payment is Payment.EIM or not priced:
        return Judged()
    signed = [each for each in priced if each.SalesTariff.Id]
    bare = frozenset(each.SAScheduleTupleID for each in priced if not each.SalesTariff.Id)
    told = []
    if signed:
        why = _not_theirs(talk, [(each.SalesTariff.Id, "SalesTariff", each.SalesTariff) for each in signed])
        told.append(PricesJudged(verified=not why, why=why))
        if why:
            return Judged(tuple(told), bare | {each.SAScheduleTupleID for each in signed})
    if bare:
        told.append(PricesJudged(verified=False, why=f"not signed: the prices of {', '.join(f'schedule {each}' for each in sorted(bare))}"))
    return Judged(tuple(told), bare)


def _not_theirs(talk: Talk, parts: list[Part]) -> str:
    """Why these are not signed by who stands above our contract; "" where they are."""
    chain = talk.contracts[0].chain
    if len(chain) < 2:
        return "nobody stands above our contract whose signature it could be"
    try:
        return verify(talk.given_signature, parts, leaf_of(chain[1]).key)
    except CertificateError as error:
        return str(error)


# ---- receipts


def metering_receipt(talk: Talk, now: Now) -> mb.MeteringReceiptReq:
    """The reading that the charger has told last."""
    seen = talk.receipt
    request = mb.MeteringReceiptReq(Id="id1", SessionID=talk.session_id, SAScheduleTupleID=seen.SAScheduleTupleID, MeterInfo=seen.MeterInfo)
    talk.signature = sign(talk.contracts[0].signer, "iso2", [("id1", "MeteringReceiptReq", request)])
    return request


def receipt_heard(talk: Talk, now: Now, response: mb.MeteringReceiptRes) -> Heard:
    """Back to the loop, unless somebody wanted to leave when the reading came, or does now."""
    gone, told = heeding(talk, response.EVSEStatus, off=True)
    if gone is None:
        gone, more = parting(talk, talk.parting, *told)
        told += more
    return gone or Heard(Said.GO, tuple(dict.fromkeys(told)), round_due_s(talk, now))
