"""ISO 15118-20, what a vehicle makes of the responses about who pays: the ways that there are, contracts that are installed, and what was decided."""

from __future__ import annotations

from certs import contract as envelopes
from certs.chain import CertificateError, Code
from certs.contract import ContractError, Envelope
from iso15118.connection import Now
from iso15118.evcc.iso20.ask_contracts import signs
from iso15118.evcc.iso20.table import Said
from iso15118.evcc.iso20.talk import ONGOING_S, Heard, Talk, again, failed, leave, leaving
from iso15118.evcc.terms import AuthorizationRefused, Authorized, Contract, ContractInstalled, InstallationFailed, Provisioning
from iso15118.iso20.certificates import PEER_SIGNATURES, certificates, chain_of, judge, leaf_of, plain
from iso15118.messages.iso20 import common_certificates as cc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.signature import signer_of, verify
from iso15118.terms import Payment, Told

_DATES: tuple[Code, ...] = ("expired", "not_yet_valid", "key_mismatch", "unreadable")


def authorization_setup(talk: Talk, now: Now, response: cm.AuthorizationSetupRes) -> Heard:
    """Which ways there are; first comes the one that we want."""
    wants, mode = talk.wants, response.PnC_ASResAuthorizationMode
    talk.offered = tuple(Payment(each) for each in response.AuthorizationServices if each == "EIM" or mode is not None)
    if mode is not None:
        talk.challenge = mode.GenChallenge
        talk.providers = tuple(map(plain, mode.SupportedProviders.ProviderID)) if mode.SupportedProviders else ()
    talk.installable = _pnc(talk) and response.CertificateInstallationService and _can_ask(talk)
    if gone := leaving(talk, off=False):
        return gone
    talk.to_try = _suiting(talk) if _pnc(talk) else []
    if talk.installable and wants.install:
        return Heard(Said.INSTALL)
    return _next(talk) or failed(f"the charger does not offer {wants.payment.value}")


def _pnc(talk: Talk) -> bool:
    return talk.wants.payment is Payment.PNC and Payment.PNC in talk.offered


def _can_ask(talk: Talk) -> bool:
    given = talk.wants.provisioning
    return given is not None and signs(given.chain, peer=talk.wants.peer_profile)


def _suiting(talk: Talk) -> list[Contract]:
    """What has just come stands first; without those that this charger does not take, or that nothing of -20 can be signed with."""
    found = [each for each in (*talk.installed, *talk.wants.contracts) if signs(each.chain, peer=talk.wants.peer_profile)]
    return [each for each in found if not talk.providers or plain(each.emaid)[:5] in talk.providers]


def _next(talk: Talk, *told: Told) -> Heard | None:
    """The next contract; one that is to come; or EIM. None: there is nothing left."""
    talk.contract, talk.shown = None, None
    talk.done("authorization")
    if talk.to_try:
        talk.payment, talk.contract = Payment.PNC, talk.to_try.pop(0)
        return Heard(Said.PAY, told)
    if talk.installable and not talk.asked:
        return Heard(Said.INSTALL, told)
    may = talk.wants.payment is Payment.EIM or talk.wants.fall_back
    if Payment.EIM in talk.offered and may:
        talk.payment = Payment.EIM
        return Heard(Said.PAY, told)
    return None


def authorization(talk: Talk, now: Now, response: cm.AuthorizationRes) -> Heard:
    """As long as somebody looks for the card, or the charger asks elsewhere: again. After a warning otherwise ([V2G20-1583])."""
    if gone := leaving(talk, off=False):
        return gone
    emaid = talk.contract.emaid if talk.contract else ""
    if response.ResponseCode.startswith("WARNING"):
        told, code = AuthorizationRefused(talk.payment, response.ResponseCode, emaid), response.ResponseCode
        other = _next(talk, told) if talk.payment is Payment.PNC else None
        return other or leave(talk, f"not authorised: {code}", told, off=False)
    if response.EVSEProcessing == "Finished":
        return Heard(Said.GO, (Authorized(talk.payment, emaid, response.ResponseCode == "OK_CertificateExpiresSoon"),))
    customer = response.EVSEProcessing == "Ongoing_WaitingForCustomerInteraction"
    if not talk.ongoing("authorization", now, talk.wants.customer_s if customer else ONGOING_S):
        return failed("no authorisation in time")
    return again(talk)


# ---- contracts that come


def certificate_installation(talk: Talk, now: Now, response: cm.CertificateInstallationRes) -> Heard:
    """One contract for each answer; on to the next as long as there are more, and room for them ([V2G20-1550], [V2G20-2571])."""
    if gone := leaving(talk, off=False):
        return gone
    code = response.ResponseCode
    if code.startswith("WARNING"):
        told = InstallationFailed("the charger brings no contract", code)
        talk.done("installation")
        if code == "WARNING_eMSPUnknown" and talk.wants.emaids and not talk.unlisted:  # [V2G20-1580]
            talk.unlisted, talk.request = True, None
            return again(talk, told)
        return _paid(talk, told)
    if response.EVSEProcessing != "Finished":
        if not talk.ongoing("installation", now, ONGOING_S):
            return failed("no contract in time")
        return again(talk)
    talk.done("installation")
    talk.got += 1
    told_one = _taken(talk, now, response)
    if response.RemainingContractCertificateChains > 0 and talk.got < talk.wants.most_contracts:
        return Heard(Said.AGAIN, (told_one,))
    return _paid(talk, told_one)


def _paid(talk: Talk, told: Told) -> Heard:
    talk.asked, talk.to_try = True, _suiting(talk)
    return _next(talk, told) or leave(talk, "no contract, and no other way to pay", told, off=False)


def _taken(talk: Talk, now: Now, response: cm.CertificateInstallationRes) -> ContractInstalled | InstallationFailed:
    given, data = talk.wants.provisioning, response.SignedInstallationData
    if given is None:
        return InstallationFailed("a contract that was not asked for")
    try:
        if why := _sender(talk, now, response):
            return InstallationFailed(why)
        chain = chain_of(data.ContractCertificateChain)
        leaf = leaf_of(chain[0])
        roots = talk.wants.mo_roots
        judged = judge(chain, "contract20", roots, now, key=leaf.key, peer=talk.wants.peer_profile, only=None if roots else _DATES)
        if judged.refusal is not None:
            return InstallationFailed(judged.why)
        key = _opened(data, chain, given)
    except (CertificateError, ContractError) as error:
        return InstallationFailed(str(error))
    contract = Contract(plain(leaf.common_name), chain, signer_of(key))
    talk.installed.append(contract)
    return ContractInstalled(contract, key, response.RemainingContractCertificateChains)


def _sender(talk: Talk, now: Now, response: cm.CertificateInstallationRes) -> str:
    """Why it is not from a provisioning service that we trust; "" where it is. Raises CertificateError."""
    chain, data = chain_of(response.CPSCertificateChain), response.SignedInstallationData
    leaf = leaf_of(chain[0])
    judged = judge(chain, "cps20", talk.wants.v2g_roots, now, key=leaf.key, peer=talk.wants.peer_profile)
    if judged.refusal is not None:
        return judged.why
    lax = PEER_SIGNATURES if talk.wants.peer_profile else ()
    return verify(response.Header.Signature, [(data.Id, "SignedInstallationData", data)], leaf.key, lax=lax)


def _opened(data: cc.SignedInstallationDataType, chain: tuple[bytes, ...], given: Provisioning) -> envelopes.ContractKey:
    """Raises ContractError."""
    encrypted = data.SECP521_EncryptedPrivateKey or data.X448_EncryptedPrivateKey or data.TPM_EncryptedPrivateKey or b""
    form = envelopes.form_of(octets=len(encrypted))
    if form != "iso20_tpm" and (form == "iso20") != (data.ECDHCurve == "SECP521"):
        raise ContractError(f"an encrypted key of {form}, and the curve {data.ECDHCurve}")
    return envelopes.open_(
        Envelope(form, data.DHPublicKey, encrypted), given.agreement, contract=certificates(chain[:1])[0], pcid=given.pcid
    )
