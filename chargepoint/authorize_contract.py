"""Why a contract does not pay: for the vehicle that has shown it, and for its driver (OCPP 2.1 C07)."""

from __future__ import annotations

from chargepoint.authorize_rules import Lookup
from chargepoint.commands import Indicate
from chargepoint.events import AuthorisationRefused, ContractJudged
from iso15118.trust import Refusal

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


def refusal_of(certificate: str) -> Refusal:
    """What the session with the vehicle says; `certificate` is "" where it is the token, or the EVSE, that is the matter."""
    return _OF_CERTIFICATE.get(certificate, Refusal.NOT_ACCEPTED)


def refused(lookup: Lookup, status: str, certificate: str = "") -> list[object]:
    """For whoever waits for this token. `status` is "" when nobody could tell; the driver of a vehicle that has left meanwhile reads nothing."""
    out: list[object] = [AuthorisationRefused(lookup.at, lookup.id_token, status or "Unknown")]
    if lookup.contract is not None:
        refusal = refusal_of(certificate)
        words = sentence_of(refusal) if status else _NOBODY
        out.append(ContractJudged(lookup.at, lookup.contract.number, refusal, words if lookup.evse_ids else ""))
    return out


def sentence_of(refusal: Refusal) -> str:
    """For the driver, by the reason alone."""
    return f"{_WORDS.get(refusal, _OTHERWISE)} {_ADVICE}"


def indicated(evse_id: int, refusal: Refusal, sentence: str) -> Indicate:
    """Shown to the driver."""
    return Indicate(evse_id, "contract.refused", {"why": refusal.value, "sentence": sentence})
