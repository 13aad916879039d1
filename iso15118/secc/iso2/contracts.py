"""ISO 15118-2, the charger's answers to Plug & Charge: contracts that are shown, contracts that are asked for, and readings that are signed.

What is judged here, before the host hears of it: the chain where the host wants so (PaymentDetails), that the challenge is this session's, and that the
contract's key has signed it (Authorization; S-21). Whether somebody pays, the host says (`Facts.contract`). Every refusal ends the session: this protocol
has no warnings. Clauses are quoted from public implementations:

| what is wrong | answer | clause |
|---|---|---|
| the challenge is not this session's | FAILED_ChallengeInvalid | [V2G2-475] |
| the signature | FAILED_SignatureError | [K] |
| expired, not yet valid | FAILED_CertificateExpired | [V2G2-824] |
| revoked | FAILED_CertificateRevoked | [K] |
| the chain, or a root that is not known | FAILED_CertChainError | [K] |
| the contract has ended | FAILED_ContractCanceled | [K] |
| a provider that is not taken, or nobody pays | FAILED_CertificateNotAllowedAtThisEVSE | [K] |
| no contract for this vehicle, or none in time | FAILED_NoCertificateAvailable | [K] |
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from certs.reading import CertificateError
from iso15118 import exi
from iso15118.connection import Now
from iso15118.exi import ExiError
from iso15118.iso2.certificates import chain_of, same_emaid, wrong_key
from iso15118.iso20.certificates import Judged, Leaf, judge, leaf_of, plain, unreadable
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_def as md
from iso15118.secc.iso2.spelling import meter_info, schedule_told
from iso15118.secc.v2gmsg import setup
from iso15118.secc.v2gmsg.refuse import failed
from iso15118.secc.v2gmsg.talk import Result, Shown, Talk, status
from iso15118.signature import UNUSED, unused, verify
from iso15118.terms import ContractRefused, ContractShown, InstallationAsked, InstallationRefused, MeteringConfirmed, Progress
from iso15118.trust import Refusal

PNC_S = 55.0
"""V2G_SECC timeout of what may be ongoing [K]."""
SOON = dt.timedelta(days=14)
"""A contract that ends within this is said to expire soon (ours)."""
MOST_ASKED = 3
"""Requests for contracts in one session (ours): there is one to install, and one to update."""
CODES: dict[Refusal, str] = {
    Refusal.EXPIRED: "FAILED_CertificateExpired",
    Refusal.NOT_YET_VALID: "FAILED_CertificateExpired",
    Refusal.REVOKED: "FAILED_CertificateRevoked",
    Refusal.INVALID: "FAILED_CertChainError",
    Refusal.CHALLENGE: "FAILED_ChallengeInvalid",
    Refusal.UNKNOWN_PROVIDER: "FAILED_CertChainError",
    Refusal.CANCELLED: "FAILED_ContractCanceled",
    Refusal.NOT_ACCEPTED: "FAILED_CertificateNotAllowedAtThisEVSE",
    Refusal.SELECTION: "FAILED_PaymentSelectionInvalid",
    Refusal.NO_CERTIFICATE: "FAILED_NoCertificateAvailable",
    Refusal.NO_CONTRACT: "FAILED_NoCertificateAvailable",
}
SIGNATURE = "FAILED_SignatureError"
CONTRACT = "contract"
"""What is waited for."""


# ---- contracts that are shown


def payment_details(talk: Talk, now: Now, request: mb.PaymentDetailsReq) -> Result:
    """The chain is judged, and the challenge is given out. The host hears of the contract when its key has signed that."""
    chain = chain_of(request.ContractSignatureCertChain)
    leaf, judged, code = _judged(talk, now, chain, plain(request.eMAID))
    if judged.refusal is not None or leaf is None:
        return _refused(talk, request, plain(request.eMAID), judged, code)
    talk.shown = Shown(chain, plain(leaf.common_name), judged.path, judged.why)
    response = mb.PaymentDetailsRes(
        ResponseCode="OK_CertificateExpiresSoon" if _ends_soon(talk, now, leaf) else "OK",
        GenChallenge=talk.challenge,
        EVSETimeStamp=max(0, int(now.utc)),
    )
    return Result(response)


def _judged(talk: Talk, now: Now, chain: tuple[bytes, ...], emaid: str) -> tuple[Leaf | None, Judged, str]:
    """What of it is judged here; with the response code where the reason has no word of its own."""
    trust = talk.facts.trust
    try:
        leaf = leaf_of(chain[0])
    except CertificateError as error:
        return None, Judged(Refusal.INVALID, f"the contract's certificate cannot be read: {error}"), ""
    if unreadable(chain):  # nobody's to judge, the host's neither
        return leaf, judge(chain, "contract2", (), None, key=leaf.key), ""
    if wrong := wrong_key(leaf):
        return leaf, Judged(Refusal.INVALID, f"the contract's certificate: {wrong}"), ""
    if not same_emaid(leaf.common_name, emaid):
        return leaf, Judged(Refusal.INVALID, f"the contract's certificate is not that of {emaid}"), ""
    provider = plain(leaf.common_name)[:5]
    if talk.facts.providers and provider not in map(plain, talk.facts.providers):
        why = f"contracts of {provider} are not taken here"
        return leaf, Judged(Refusal.UNKNOWN_PROVIDER, why), "FAILED_CertificateNotAllowedAtThisEVSE"
    at = now if trust.clock_known else None
    judged = judge(chain, "contract2", trust.contract_roots, at, key=leaf.key, revoked=trust.revoked)
    for_the_host = not trust.local or (trust.central and judged.refusal is Refusal.UNKNOWN_PROVIDER)
    return leaf, judged._replace(refusal=None) if for_the_host else judged, ""


def _ends_soon(talk: Talk, now: Now, leaf: Leaf) -> bool:
    return talk.facts.trust.clock_known and leaf.ends - dt.datetime.fromtimestamp(now.utc, dt.UTC) < SOON


def authorization(talk: Talk, now: Now, request: mb.AuthorizationReq, *, header: Any) -> Result:
    """Ongoing while the host looks at the contract. The first request is signed, and the first answer always is: the host hears of the contract, and sets its
    facts anew; those that follow need no signature ([V2G2-684]).
    """
    if not talk.by_contract:
        return setup.authorization(talk, now, request)
    shown, facts = talk.shown, talk.facts
    if shown is None:
        return failed(talk, request, SIGNATURE, "no contract was shown")
    if request.GenChallenge != talk.challenge and (request.GenChallenge is not None or not shown.signed):
        return _refused(talk, request, shown.emaid, Judged(Refusal.CHALLENGE, "it was signed for another session"))
    if not shown.signed or header.Signature is not None:
        part = (request.Id or "", "AuthorizationReq", request)
        if wrong := verify(header.Signature, [part], leaf_of(shown.chain[0]).key, lax=UNUSED):
            return _refused(talk, request, shown.emaid, Judged(Refusal.INVALID, wrong), SIGNATURE)
    if not shown.signed:
        talk.shown = replace(shown, signed=True)
        talk.ongoing(CONTRACT, now, PNC_S)
        told = ContractShown(shown.emaid, shown.chain, shown.path, "; ".join(filter(None, (shown.why, unused(header.Signature)))))
        return Result(mb.AuthorizationRes(ResponseCode="OK", EVSEProcessing="Ongoing"), (told,), stay=True)
    if facts.contract is Progress.DONE:
        talk.shown = replace(shown, accepted=True)
        talk.done(CONTRACT)
        return Result(mb.AuthorizationRes(ResponseCode="OK", EVSEProcessing="Finished"))
    if facts.contract is Progress.FAILED:
        return _refused(talk, request, shown.emaid, Judged(facts.contract_refusal, "the host does not accept it"))
    if not talk.ongoing(CONTRACT, now, PNC_S):
        return _refused(talk, request, shown.emaid, Judged(Refusal.NOT_ACCEPTED, "nobody has said in time whether it is accepted"))
    return Result(mb.AuthorizationRes(ResponseCode="OK", EVSEProcessing="Ongoing"), stay=True)


def _refused(talk: Talk, request: Any, emaid: str, judged: Judged, code: str = "") -> Result:
    refusal = judged.refusal or Refusal.NOT_ACCEPTED
    talk.shown = None
    talk.done(CONTRACT)
    told = ContractRefused(emaid, refusal, judged.why, judged.sentence)
    return failed(talk, request, code or CODES[refusal], judged.why)._replace(told=(told,))


# ---- contracts that are asked for


def certificate_installation(
    talk: Talk, now: Now, request: mb.CertificateInstallationReq, *, header: Any, octets: bytes, late: bool
) -> Result:
    """Who asks is who it says, as far as that can be seen: the CAs above its certificate are not in this request, and the provisioning service judges them."""
    if talk.asking:
        return _given(talk, request, late=late)
    return _ask(talk, now, request, (request.OEMProvisioningCert,), header, octets)


def certificate_update(talk: Talk, now: Now, request: mb.CertificateUpdateReq, *, header: Any, octets: bytes, late: bool) -> Result:
    """Asked for by the contract that there is."""
    if talk.asking:
        return _given(talk, request, late=late)
    return _ask(talk, now, request, chain_of(request.ContractSignatureCertChain), header, octets)


def _ask(talk: Talk, now: Now, request: Any, chain: tuple[bytes, ...], header: Any, octets: bytes) -> Result:
    """The host hears of it, and this is answered when it has what the provisioning service says."""
    update, trust = isinstance(request, mb.CertificateUpdateReq), talk.facts.trust
    talk.asked += 1
    if not talk.installable:
        return _not_given(talk, request, Refusal.NO_CERTIFICATE, "certificate installation is not offered")
    if talk.asked > MOST_ASKED:
        return _not_given(talk, request, Refusal.NO_CERTIFICATE, "contracts have been asked for so often")
    whose = "contract's" if update else "provisioning"
    try:
        leaf = leaf_of(chain[0])
    except CertificateError as error:
        return _not_given(talk, request, Refusal.INVALID, f"the {whose} certificate cannot be read: {error}")
    if wrong := wrong_key(leaf):
        return _not_given(talk, request, Refusal.INVALID, f"the {whose} certificate: {wrong}")
    if wrong := verify(header.Signature, [(request.Id, type(request).__name__, request)], leaf.key, lax=UNUSED):
        return _not_given(talk, request, Refusal.INVALID, wrong, SIGNATURE)
    if update and not same_emaid(leaf.common_name, request.eMAID):
        return _not_given(talk, request, Refusal.INVALID, f"the contract's certificate is not that of {request.eMAID}")
    judged = judge(
        chain,
        "contract2" if update else "oem2",
        trust.contract_roots if update else trust.oem_roots,
        now if trust.clock_known else None,
        key=leaf.key,
        revoked=trust.revoked,
        only=("expired", "not_yet_valid", "revoked", "key_mismatch", "unreadable"),
    )
    if judged.refusal is not None:
        return _not_given(talk, request, judged.refusal, judged.why)
    talk.asking = True
    asked = InstallationAsked(octets, pcid=plain(leaf.common_name), namespace=md.NAMESPACE, update=update, certificate=leaf.der)
    return Result(None, (asked,))


def _given(talk: Talk, request: Any, *, late: bool) -> Result:
    match talk.facts.installation:
        case Progress.DONE:
            talk.asking = False
            return _handed_on(talk, request)
        case Progress.FAILED:
            return _not_given(talk, request, talk.facts.installation_refusal, "the host has none")
    return _not_given(talk, request, Refusal.NO_CERTIFICATE, "nobody has answered in time") if late else Result(None)


def _handed_on(talk: Talk, request: Any) -> Result:
    """What the provisioning service has made, good or not, with our header around its signature."""
    kind: Any = talk.spelling.responses[type(request)]
    try:
        made: Any = exi.decode(talk.facts.installation_res, md.NAMESPACE)
    except ExiError as error:
        return _not_given(talk, request, Refusal.NO_CERTIFICATE, f"what the service has answered cannot be read: {error}")
    body: Any = made.Body.BodyElement if isinstance(made, md.V2G_Message) else None
    if type(body) is not kind:
        what = type(body if body is not None else made).__name__
        return _not_given(
            talk, request, Refusal.NO_CERTIFICATE, f"the service has answered with a {what}, and not with a {kind.__name__} in its message"
        )
    if str(body.ResponseCode).startswith("FAILED"):
        why = f"the service has answered {body.ResponseCode}"
        news = (InstallationRefused(why, Refusal.NO_CERTIFICATE),)
        return Result(body, failed=why, signature=made.Header.Signature, news=news)
    if made.Header.Signature is None:
        return _not_given(talk, request, Refusal.NO_CERTIFICATE, "the service has answered with a contract that is not signed")
    return Result(body, signature=made.Header.Signature)


def _not_given(talk: Talk, request: Any, refusal: Refusal, why: str, code: str = "") -> Result:
    talk.asking = False
    return failed(talk, request, code or CODES[refusal], why)._replace(news=(InstallationRefused(why, refusal),))


# ---- readings


def metering_receipt(talk: Talk, now: Now, request: mb.MeteringReceiptReq, *, header: Any) -> Result:
    """The vehicle signs the reading that it was asked for, with the key of the contract that pays."""
    shown, reading = talk.shown, talk.metered
    if shown is None or not shown.accepted or reading is None:
        return failed(talk, request, "FAILED_MeteringSignatureNotValid", "no receipt was asked for")
    if request.SessionID != talk.session_id:
        wrong = "a reading of another session was signed"
    elif request.SAScheduleTupleID not in (None, schedule_told(talk)):
        wrong = f"a reading under schedule {request.SAScheduleTupleID} was signed, and {schedule_told(talk)} was told"
    elif request.MeterInfo != meter_info(reading):
        wrong = "another reading was signed than was told"
    else:
        wrong = verify(header.Signature, [(request.Id or "", "MeteringReceiptReq", request)], leaf_of(shown.chain[0]).key, lax=UNUSED)
    told = MeteringConfirmed(reading, verified=not wrong, why=wrong or unused(header.Signature))
    if wrong:
        return failed(talk, request, "FAILED_MeteringSignatureNotValid", wrong)._replace(told=(told,))
    talk.metered = None
    return Result(mb.MeteringReceiptRes(ResponseCode="OK", EVSEStatus=status(talk)), (told,))
