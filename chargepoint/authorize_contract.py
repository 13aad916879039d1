"""A contract is its eMAID and its certificate: which one an authorisation was had with; and why one does not pay, for its vehicle and its driver (OCPP 2.1 C07)."""

from __future__ import annotations

from hashlib import sha256

from chargepoint.authorize_rules import AuthorizeState, Grant, Lookup, same_token
from chargepoint.commands import Indicate
from chargepoint.events import AuthorisationRefused, Contract, ContractJudged, TokenVerdict
from iso15118.trust import Refusal

_END = "-----END CERTIFICATE-----"
OF_THE_MOMENT = ("ConcurrentTx", "NotAtThisTime")
"""Answers of a CSMS that may be others in a minute."""
TBS, TEXT = "tbs:", "text:"
"""How a `certificate_key` begins, and how that of what cannot be read does."""

BY_ITSELF = ("Other", "EVDisconnected", "Timeout", "StoppedByEV")
"""Reasons for an end that nobody wanted to last: a vehicle whose charge has ended so may begin another one by the same contract."""
_OF_CERTIFICATE = {
    "SignatureError": Refusal.INVALID,
    "CertificateExpired": Refusal.EXPIRED,
    "CertificateRevoked": Refusal.REVOKED,
    "NoCertificateAvailable": Refusal.INVALID,
    "CertChainError": Refusal.INVALID,
    "ContractCancelled": Refusal.CANCELLED,
}
"""AuthorizeCertificateStatusEnumType."""
_WORDS = {
    Refusal.EXPIRED: "Your contract has expired.",
    Refusal.REVOKED: "Your contract has been blocked.",
    Refusal.CANCELLED: "Your contract has been cancelled.",
    Refusal.INVALID: "Your contract is not as it has to be.",
    Refusal.NOT_YET_VALID: "Your contract is not valid yet.",
    Refusal.UNKNOWN_PROVIDER: "Your contract comes from somebody whom this station does not know.",
}
_OTHERWISE = "Your contract is not accepted here."
_ADVICE = "Please pay by card or app."
_NOBODY = f"Your contract cannot be checked at the moment. {_ADVICE}"


def certificate_key(contract: Contract) -> str:
    """Where one certificate stands in what is kept: it is the first of its chain, by what its issuer signed, since anybody can write down the rest otherwise."""
    from certs.reading import readable, tbs_fingerprint  # noqa: PLC0415 a station that does not talk needs none of it

    leaf = contract.chain_pem.partition(_END)[0]
    certificates = readable(f"{leaf}{_END}\n".encode())
    return tbs_fingerprint(certificates[0]) if certificates else TEXT + sha256(leaf.encode()).hexdigest()


def already(state: AuthorizeState, lookup: Lookup) -> Grant | None:
    """What its EVSE is authorised by, where that is the same token: the certificate is judged none the less, since anybody can write an eMAID into one."""
    grant = state.spots[lookup.at].grant
    ours = lookup.contract is not None and lookup.evse_ids and grant is not None and same_token(grant.id_token, lookup.id_token)
    return grant if ours else None


def own(state: AuthorizeState, lookup: Lookup, verdict: TokenVerdict) -> Grant | None:
    """The CSMS says of a token that it is in a transaction, and it is ours: nothing is wrong with its contract, as far as its certificate was judged."""
    if verdict.status != "ConcurrentTx" or lookup.contract is None:
        return None
    judged = verdict.certificate == "Accepted" or (not verdict.certificate and lookup.contract.rooted)
    return already(state, lookup) if judged else None


def accepted(grant: Grant, lookup: Lookup) -> list[object]:
    """From now on the certificate that was shown is the one of this authorisation."""
    if (contract := lookup.contract) is None:
        return []
    grant.leaf = certificate_key(contract)
    return [ContractJudged(contract.evse_id, contract.number, None, leaf=grant.leaf)]


def refusal_of(certificate: str) -> Refusal:
    """What the session with the vehicle says; `certificate` is "" where it is the token, or the EVSE, that is the matter."""
    return _OF_CERTIFICATE.get(certificate, Refusal.NOT_ACCEPTED)


def refused(lookup: Lookup, status: str, certificate: str = "", *, lasting: bool = False) -> list[object]:
    """For whoever waits for this token. `status` is "" when nobody could tell; the driver of a vehicle that has left meanwhile reads nothing.

    `lasting`: as in `ContractJudged`.
    """
    out: list[object] = [AuthorisationRefused(lookup.at, lookup.id_token, status or "Unknown")]
    if lookup.contract is not None:
        refusal = refusal_of(certificate)
        words = sentence_of(refusal) if status else _NOBODY
        out.append(ContractJudged(lookup.at, lookup.contract.number, refusal, words if lookup.evse_ids else "", lasting and status != ""))
    return out


def sentence_of(refusal: Refusal) -> str:
    """For the driver, by the reason alone."""
    return f"{_WORDS.get(refusal, _OTHERWISE)} {_ADVICE}"


def indicated(evse_id: int, refusal: Refusal, sentence: str) -> Indicate:
    """Shown to the driver."""
    return Indicate(evse_id, "contract.refused", {"why": refusal.value, "sentence": sentence})
