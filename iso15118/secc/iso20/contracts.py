"""ISO 15118-20, the charger's answers to Plug & Charge: contracts that are shown, and contracts that are asked for.

What is judged here, before the host hears of it: the challenge is this session's, the signature is that of the contract's certificate over it, and, where
the host wants so, the chain. Whether somebody pays, the host says (`Facts.contract`). Clauses are quoted from public implementations:

| what is wrong | answer | clause |
|---|---|---|
| the challenge is not this session's | WARNING_ChallengeInvalid | [V2G20-2216], [V2G20-2565] |
| the signature, or a certificate | WARNING_CertificateValidationError | [V2G20-2215], [V2G20-2564] |
| expired, not yet valid, revoked | WARNING_CertificateExpired, ...NotYetValid, ...Revoked | [V2G20-2212] to -2214 |
| a provider or a root that is not known | WARNING_eMSPUnknown | [V2G20-2211] |
| no contract for this vehicle | WARNING_NoContractMatchingPCIDFound | [V2G20-2206] |
| nobody answers in time, or with what is no answer | WARNING_NoCertificateAvailable | [V2G20-2207], [V2G20-2225] |
| the signature of the provisioning certificate | FAILED_SignatureError | [V2G20-461] |

After a warning the vehicle shows another contract, asks for one, or goes on with EIM ([V2G20-1583]).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from hashlib import sha256

from certs.reading import CertificateError
from iso15118 import exi
from iso15118.connection import Now
from iso15118.exi import ExiError
from iso15118.iso20.certificates import PEER_SIGNATURES, Judged, Leaf, chain_of, judge, leaf_of, plain, unreadable, wrong_key
from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.iso20.talk import Installing, Result, Shown, Talk, failed, header, ok, warned
from iso15118.signature import verify
from iso15118.terms import ContractRefused, ContractShown, InstallationAsked, InstallationRefused, Payment, Progress
from iso15118.trust import Refusal

PNC_S = 55.0
INSTALLATION_S = 55.0
"""V2G_SECC timeout of what may be ongoing [K]: for one answer, however often another is asked for meanwhile."""
STAGE_S = 4 * PNC_S
"""How long a vehicle may go on to show contracts, or to ask for some, from the first on (ours): all of it passes through the CSMS."""
SOON = dt.timedelta(days=14)
"""A contract that ends within this is said to expire soon ([V2G20-2218])."""
MOST_REFUSED = 8
"""Contracts that a vehicle may show in vain, and requests for some (ours): one that is stuck would go on for ever."""
CODES: dict[Refusal, ct.responseCodeType] = {
    Refusal.EXPIRED: "WARNING_CertificateExpired",
    Refusal.NOT_YET_VALID: "WARNING_CertificateNotYetValid",
    Refusal.REVOKED: "WARNING_CertificateRevoked",
    Refusal.INVALID: "WARNING_CertificateValidationError",
    Refusal.CHALLENGE: "WARNING_ChallengeInvalid",
    Refusal.UNKNOWN_PROVIDER: "WARNING_eMSPUnknown",
    Refusal.CANCELLED: "WARNING_GeneralPnCAuthorizationError",
    Refusal.NOT_ACCEPTED: "WARNING_GeneralPnCAuthorizationError",
    Refusal.SELECTION: "WARNING_AuthorizationSelectionInvalid",
    Refusal.NO_CERTIFICATE: "WARNING_NoCertificateAvailable",
    Refusal.NO_CONTRACT: "WARNING_NoContractMatchingPCIDFound",
}
CONTRACT, INSTALLATION = "contract", "installation"
"""What is waited for."""
SHOWING, ASKING = "contracts", "installations"
"""How long it has been going on."""


def payments(talk: Talk) -> tuple[Payment, ...]:
    """The ways that the host allows; Plug & Charge only over TLS with a verified vehicle."""
    return tuple(each for each in talk.facts.payments if each is Payment.EIM or talk.pnc) or (Payment.EIM,)


def installable(talk: Talk) -> bool:
    """Whether contracts can be asked for."""
    return Payment.PNC in payments(talk) and talk.facts.certificate_installation


# ---- contracts that are shown


def contract(talk: Talk, now: Now, request: cm.AuthorizationReq) -> Result:
    """Ongoing while the host looks at it. The first answer always is: the host hears of the contract, and sets its facts anew."""
    mode, facts = request.PnC_AReqAuthorizationMode, talk.facts
    talk.done(INSTALLATION)
    if Payment.PNC not in payments(talk) or mode is None:
        return _refused(talk, now, request, "", Judged(Refusal.SELECTION, "Plug & Charge is not offered, or nothing was shown"))
    same = _hash("PnC_AReqAuthorizationMode", mode, request.Header.Signature)
    before = talk.shown
    if before is None or before.same != same:
        leaf, judged = _judged(talk, now, request, mode)
        if judged.refusal is not None or leaf is None:
            return _refused(talk, now, request, _emaid(leaf), judged)
        another = before is None or before.leaf != leaf.der
        if another and (why := _enough(talk, now)):
            return _refused(talk, now, request, _emaid(leaf), Judged(Refusal.NOT_ACCEPTED, why))
        talk.shown = Shown(leaf.der, same, "OK_CertificateExpiresSoon" if _ends_soon(talk, now, leaf) else "OK")
        if another:
            talk.looked_at += 1
            told = ContractShown(_emaid(leaf), chain_of(mode.ContractCertificateChain), judged.path, judged.why)
            return Result(ok(talk, now, cm.AuthorizationRes, EVSEProcessing="Ongoing"), (told,), stay=True)
    if facts.contract is Progress.DONE and talk.shown is not None:
        talk.shown = replace(talk.shown, accepted=True)
        talk.done(CONTRACT)
        return Result(ok(talk, now, cm.AuthorizationRes, ResponseCode=talk.shown.code, EVSEProcessing="Finished"))
    waits = facts.contract is not Progress.FAILED and talk.ongoing(CONTRACT, now, PNC_S)
    if waits:
        return Result(ok(talk, now, cm.AuthorizationRes, EVSEProcessing="Ongoing"), stay=True)
    emaid = _emaid(leaf_of(mode.ContractCertificateChain.Certificate))
    if facts.contract is Progress.FAILED:
        return _refused(talk, now, request, emaid, Judged(facts.contract_refusal, "the host does not accept it"), counted=True)
    return _refused(talk, now, request, emaid, Judged(Refusal.NOT_ACCEPTED, "nobody has said in time whether it is accepted"), counted=True)


def _enough(talk: Talk, now: Now) -> str:
    """Why no other contract is looked at. One that is shown while another is waited for waits no longer than that one."""
    if talk.looked_at > MOST_REFUSED:
        return "so many contracts in vain"
    if not talk.ongoing(SHOWING, now, STAGE_S):
        return f"contracts have been shown for more than {STAGE_S:g} s"
    return "" if talk.ongoing(CONTRACT, now, PNC_S) else "nobody has said in time whether the one before is accepted"


def _judged(talk: Talk, now: Now, request: cm.AuthorizationReq, mode: cm.PnC_AReqAuthorizationModeType) -> tuple[Leaf | None, Judged]:
    """What of it is judged here."""
    trust, chain = talk.facts.trust, chain_of(mode.ContractCertificateChain)
    try:
        leaf = leaf_of(chain[0])
    except CertificateError as error:
        return None, Judged(Refusal.INVALID, f"the contract's certificate cannot be read: {error}")
    if unreadable(chain):  # nobody's to judge, the host's neither
        return leaf, judge(chain, "contract20", (), None, key=leaf.key)
    if wrong := wrong_key(leaf, peer=trust.peer_profile):
        return leaf, Judged(Refusal.INVALID, f"the contract's certificate: {wrong}")
    if mode.GenChallenge != talk.challenge:
        return leaf, Judged(Refusal.CHALLENGE, "it was signed for another session")
    part = (mode.Id, "PnC_AReqAuthorizationMode", mode)
    if wrong := verify(request.Header.Signature, [part], leaf.key, lax=PEER_SIGNATURES if trust.peer_profile else ()):
        return leaf, Judged(Refusal.INVALID, wrong)
    provider = _emaid(leaf)[:5]
    if talk.facts.providers and provider not in map(plain, talk.facts.providers):
        return leaf, Judged(Refusal.UNKNOWN_PROVIDER, f"contracts of {provider} are not taken here")
    at = now if trust.clock_known else None
    judged = judge(chain, "contract20", trust.contract_roots, at, key=leaf.key, revoked=trust.revoked, peer=trust.peer_profile)
    for_the_host = not trust.local or (trust.central and judged.refusal is Refusal.UNKNOWN_PROVIDER)
    return leaf, judged._replace(refusal=None) if for_the_host else judged


def _ends_soon(talk: Talk, now: Now, leaf: Leaf) -> bool:
    return talk.facts.trust.clock_known and leaf.ends - dt.datetime.fromtimestamp(now.utc, dt.UTC) < SOON


def _refused(talk: Talk, now: Now, request: cm.AuthorizationReq, emaid: str, judged: Judged, *, counted: bool = False) -> Result:
    """This contract is not looked at any more. Another may be shown, or none."""
    refusal = judged.refusal or Refusal.NOT_ACCEPTED
    talk.shown, talk.looked_at = None, talk.looked_at + (not counted)
    talk.done(CONTRACT)
    told = ContractRefused(emaid, refusal, judged.why, judged.sentence)
    if talk.looked_at > MOST_REFUSED:
        return failed(talk, now, request, "FAILED", "so many contracts in vain")._replace(told=(told,))
    return warned(talk, now, request, CODES[refusal], told)


def _emaid(leaf: Leaf | None) -> str:
    return plain(leaf.common_name) if leaf is not None else ""


def _hash(name: str, part: Message, signature: ds.SignatureType | None, *more: object) -> bytes:
    """Of all that a request is judged by."""
    octets = exi.encode_fragment(name, part, cm.NAMESPACE)
    signed = exi.encode_fragment("Signature", signature, ds.NAMESPACE) if signature is not None else b""
    return sha256(b"".join(len(each).to_bytes(4, "big") + each for each in (octets, signed, repr(more).encode()))).digest()


# ---- contracts that are asked for


def certificate_installation(talk: Talk, now: Now, request: cm.CertificateInstallationReq, *, octets: bytes) -> Result:
    """One contract for each request that is granted; ongoing until the host has what the provisioning service answers. The first answer always is."""
    if not installable(talk):
        return failed(talk, now, request, "FAILED", "certificate installation is not offered")
    state = talk.installing or Installing()
    if state.ended or CONTRACT in talk.since:  # [V2G20-1975]
        why = "a contract is being looked at" if CONTRACT in talk.since else "there are no more contracts"
        return failed(talk, now, request, "FAILED_SequenceError", f"CertificateInstallationReq, and {why}")
    chain, emaids = request.OEMProvisioningCertificateChain, request.PrioritizedEMAIDs
    wanted = tuple(emaids.EMAID) if emaids else ()
    same = _hash("OEMProvisioningCertificateChain", chain, None, request.MaximumContractCertificateChains, wanted)
    if state.same != same or INSTALLATION not in talk.since:
        return _ask(talk, now, request, same, octets)
    if wrong := _wrongly_signed(talk, request, leaf_of(chain.Certificate)):  # one that is signed anew each time asks for the same
        return _signature_error(talk, now, request, wrong)
    match talk.facts.installation:
        case Progress.DONE:
            return _handed_on(talk, now, request)
        case Progress.FAILED:
            return _not_given(talk, now, request, talk.facts.installation_refusal, "the host has none")
    if not talk.ongoing(INSTALLATION, now, INSTALLATION_S):
        return _not_given(talk, now, request, Refusal.NO_CERTIFICATE, "nobody has answered in time")
    return _ongoing(talk, now, request)


def _ask(talk: Talk, now: Now, request: cm.CertificateInstallationReq, same: bytes, octets: bytes) -> Result:
    """Who asks is who it says, as far as that is judged here; then the host hears of it."""
    trust, chain, state = talk.facts.trust, request.OEMProvisioningCertificateChain, talk.installing or Installing()
    state = talk.installing = replace(state, asked=state.asked + 1)
    if state.asked - state.given > MOST_REFUSED or not talk.ongoing(ASKING, now, STAGE_S):
        return _not_given(talk, now, request, Refusal.NO_CERTIFICATE, "contracts have been asked for so often, or so long, in vain")
    if not talk.ongoing(INSTALLATION, now, INSTALLATION_S):
        return _not_given(talk, now, request, Refusal.NO_CERTIFICATE, "nobody has answered in time")
    try:
        leaf = leaf_of(chain.Certificate)
    except CertificateError as error:
        return _not_given(talk, now, request, Refusal.INVALID, f"the provisioning certificate cannot be read: {error}")
    if wrong := wrong_key(leaf, peer=trust.peer_profile):
        return _not_given(talk, now, request, Refusal.INVALID, f"the provisioning certificate: {wrong}")
    if wrong := _wrongly_signed(talk, request, leaf):
        return _signature_error(talk, now, request, wrong)
    judged = judge(
        chain_of(chain),
        "oem20",
        trust.oem_roots,
        now if trust.clock_known else None,
        key=leaf.key,
        revoked=trust.revoked,
        peer=trust.peer_profile,
        only=None if trust.installation else ("expired", "not_yet_valid", "revoked", "key_mismatch"),
    )
    if judged.refusal is not None:
        unknown = judged.refusal is Refusal.UNKNOWN_PROVIDER
        return _not_given(talk, now, request, Refusal.INVALID if unknown else judged.refusal, judged.why)
    talk.installing = replace(state, same=same)
    emaids = tuple(request.PrioritizedEMAIDs.EMAID) if request.PrioritizedEMAIDs else ()
    document, most = octets or exi.encode(request, cm.NAMESPACE), request.MaximumContractCertificateChains
    asked = InstallationAsked(document, most, emaids, state.given + 1, leaf.common_name, certificate=leaf.der)
    return _ongoing(talk, now, request, asked)


def _wrongly_signed(talk: Talk, request: cm.CertificateInstallationReq, leaf: Leaf) -> str:
    chain = request.OEMProvisioningCertificateChain
    lax = PEER_SIGNATURES if talk.facts.trust.peer_profile else ()
    return verify(request.Header.Signature, [(chain.Id, "OEMProvisioningCertificateChain", chain)], leaf.key, lax=lax)


def _signature_error(talk: Talk, now: Now, request: cm.CertificateInstallationReq, why: str) -> Result:
    told = InstallationRefused(why, Refusal.INVALID)
    return failed(talk, now, request, "FAILED_SignatureError", why)._replace(told=(told,))


def _ongoing(talk: Talk, now: Now, request: cm.CertificateInstallationReq, *told: InstallationAsked) -> Result:
    return warned(talk, now, request, "OK", *told, EVSEProcessing="Ongoing")


def _handed_on(talk: Talk, now: Now, request: cm.CertificateInstallationReq) -> Result:
    """What the provisioning service has made, with our header around its signature."""
    facts, state = talk.facts, talk.installing or Installing()
    try:
        made = exi.decode(facts.installation_res, cm.NAMESPACE)
    except ExiError as error:
        return _not_given(talk, now, request, Refusal.NO_CERTIFICATE, f"what the service has answered cannot be read: {error}")
    if not isinstance(made, cm.CertificateInstallationRes):
        return _not_given(talk, now, request, Refusal.NO_CERTIFICATE, f"the service has answered with a {type(made).__name__}")
    granted = made.ResponseCode.startswith("OK")
    if made.ResponseCode.startswith("FAILED") or (granted and made.Header.Signature is None):
        why = made.ResponseCode if not granted else "a contract that is not signed"
        return _not_given(talk, now, request, Refusal.NO_CERTIFICATE, f"the service has answered {why}")
    if not granted:
        refusal = next((each for each, code in CODES.items() if code == made.ResponseCode), Refusal.NO_CERTIFICATE)
        return _not_given(talk, now, request, refusal, f"the service has answered {made.ResponseCode}")
    left = made.RemainingContractCertificateChains if facts.installation_remaining is None else facts.installation_remaining
    left, given = min(max(0, left), 255), state.given + 1
    talk.done(INSTALLATION)
    talk.installing = replace(state, given=given, same=b"", ended=left == 0 or given >= request.MaximumContractCertificateChains)
    response = cm.CertificateInstallationRes(
        Header=header(talk, now, made.Header.Signature),
        ResponseCode=made.ResponseCode,
        EVSEProcessing="Finished",
        CPSCertificateChain=made.CPSCertificateChain,
        SignedInstallationData=made.SignedInstallationData,
        RemainingContractCertificateChains=left,
    )
    return Result(response, stay=True)


def _not_given(talk: Talk, now: Now, request: cm.CertificateInstallationReq, refusal: Refusal, why: str) -> Result:
    """Only where a provider was not known may be asked once more, for whatever contract ([V2G20-2224], [V2G20-1580])."""
    talk.done(INSTALLATION)
    state = talk.installing or Installing()
    talk.installing = replace(state, same=b"", ended=refusal is not Refusal.UNKNOWN_PROVIDER)
    return warned(talk, now, request, CODES[refusal], InstallationRefused(why, refusal))
