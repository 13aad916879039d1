"""What Authorize says of a contract that a vehicle has shown, and what its answer is worth (OCPP 2.1 C07)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chargepoint.authorize_contract import certificate_key
from chargepoint.events import CertificateHash, Contract
from chargepoint.ocpp.id_tokens import Entry

MOST_HASHES = 4
"""Of iso15118CertificateHashData."""
LONGEST_CHAIN = 10_000
"""Characters of `certificate` (in OCPP 2.0.1: 5,500)."""
ACCEPTED, INVALID, CANCELLED = "Accepted", "Invalid", "ContractCancelled"
OF_THE_EMAID = "eMAID"


def certificate_of(contract: Contract, *, central: bool) -> dict[str, Any] | None:
    """The fields that go with the token; None: the CSMS cannot be asked about this one.

    The hashes are enough of a contract that was judged here (C07.FR.01). Without them the CSMS gets the chain, where that is allowed (C07.FR.06); of a
    contract that is right, and names nobody who would tell its state, the token alone says enough.
    """
    if contract.hashes:
        return {"iso15118CertificateHashData": [hash_row(each) for each in contract.hashes[:MOST_HASHES]]}
    if central and len(contract.chain_pem) <= LONGEST_CHAIN:
        return {"certificate": contract.chain_pem}
    return {} if contract.rooted else None


def hash_row(data: CertificateHash) -> dict[str, Any]:
    """OCSPRequestDataType."""
    return {
        "hashAlgorithm": data.algorithm,
        "issuerNameHash": data.issuer_name_hash,
        "issuerKeyHash": data.issuer_key_hash,
        "serialNumber": data.serial_number,
        "responderURL": data.responder_url,
    }


def counts(entry: Entry, certificate: str, *, rooted: bool) -> Entry:
    """Both have to accept: an eMAID that is known is not taken where the certificate is refused. Without a word about the certificate the token counts alone
    where the chain was found right by a root that is known here; else nobody has judged it, and anybody can write somebody's eMAID into a chain of their own.
    """
    refused = certificate != ACCEPTED and (certificate != "" or not rooted)
    return replace(entry, status=INVALID) if refused and entry.status == ACCEPTED else entry


def kept(contract: Contract, entry: Entry, certificate: str) -> dict[str, Entry | None]:
    """What is kept of an answer that came to `entry`: by `OF_THE_EMAID`, by `certificate_key` of the certificate alone; None: what was kept is forgotten.

    Nothing where no root is known here: whoever made that chain would say what is known of another's eMAID. Of a certificate that was refused likewise
    nothing about the eMAID, which may have another, unless its own status says more.
    """
    if not contract.rooted:
        return {}
    key = certificate_key(contract)
    if certificate in ("", ACCEPTED):
        return {OF_THE_EMAID: entry, key: None}
    alone = entry.status == INVALID and certificate != CANCELLED
    return {key: Entry(certificate, used=entry.used), **({} if alone else {OF_THE_EMAID: entry})}
