"""What Authorize says of a contract that a vehicle has shown, and what its answer is worth (OCPP 2.1 C07)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chargepoint.events import CertificateHash, Contract
from chargepoint.ocpp.id_tokens import Entry

MOST_HASHES = 4
"""Of iso15118CertificateHashData."""
LONGEST_CHAIN = 10_000
"""Characters of `certificate` (in OCPP 2.0.1: 5,500)."""
ACCEPTED = "Accepted"


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


def counts(entry: Entry, certificate: str) -> Entry:
    """Both have to accept: an eMAID that is known is not taken, nor kept as one that is, where the certificate is refused. Without a word about the
    certificate the token counts alone: to judge it is the matter of the CSMS.
    """
    refused = certificate not in ("", ACCEPTED)
    return replace(entry, status="Invalid") if refused and entry.status == ACCEPTED else entry
