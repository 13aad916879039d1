"""What the CSMS is asked about the certificates of a vehicle's chain, and what is kept of its answers (OCPP 2.1 M07)."""

from __future__ import annotations

from collections.abc import Container, Mapping
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from certs import crl, hash_data
from certs.chain import Status
from certs.hash_data import Algorithm, HashData, HashDataError
from certs.reading import TBS, readable, tbs_fingerprint
from chargepoint import codec
from chargepoint.commands import Delete, Put
from chargepoint.ocpp.timestamps import TimestampError, parse_timestamp
from iso15118.frozen import dataclass

TABLE = "vehicle_status"
MOST_ROWS = 500
"""Certificates that are remembered (ours)."""
MOST_QUESTIONS = 4
"""certificateStatusRequests, maxItems."""
MOST_URLS, LONGEST_URL = 5, 2_000
WEEK_S = 7 * 86_400.0
"""So long an answer holds at most (M07.FR.09)."""
RETRY_FIRST_S, RETRY_MOST_S = 300.0, 6 * 3_600.0
"""After an answer that says nothing: the pause doubles from the first to the most (ours)."""
Source: TypeAlias = Literal["CRL", "OCSP"]
SOURCES: tuple[Source, ...] = ("OCSP", "CRL")
"""The first one that a certificate names is asked: an OCSP response is about this one alone, and newer."""


@dataclass(frozen=True, slots=True)
class Question:
    """About one certificate: CertificateStatusRequestInfoType."""

    fingerprint: str
    """`tbs_fingerprint`."""
    algorithm: Algorithm
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str
    source: Source
    urls: tuple[str, ...]

    @property
    def data(self) -> HashData:
        """As answers name it."""
        return HashData(self.algorithm, self.issuer_name_hash, self.issuer_key_hash, self.serial_number)

    def wire(self) -> dict[str, Any]:
        """CertificateStatusRequestInfoType."""
        hashed = {
            "hashAlgorithm": self.algorithm,
            "issuerNameHash": self.issuer_name_hash,
            "issuerKeyHash": self.issuer_key_hash,
            "serialNumber": self.serial_number,
        }
        return {"source": self.source, "urls": list(self.urls), "certificateHashData": hashed}


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one certificate. Times are POSIX seconds as the station tells them."""

    question: Question
    status: Status = "unknown"
    until_utc: float = 0.0
    """It is not asked about again before this."""
    failures: int = 0
    told_utc: float = 0.0
    """When it was asked about last."""

    def holds(self, utc: float) -> bool:
        """What lies more than a week ahead was heard under a clock that was ahead itself."""
        return utc < self.until_utc <= utc + WEEK_S


@dataclass(frozen=True, slots=True)
class Told:
    """What the CSMS says of one certificate."""

    status: str
    """CertificateStatusEnumType."""
    until_utc: float = 0.0


def questions(chain_pem: str, sources: Container[str]) -> tuple[Question, ...]:
    """Of a chain from the leaf to the root, about which nobody asks. Certificates that name none of these sources are left out."""
    found: list[Question] = []
    for certificate, issuer in pairwise(readable(chain_pem.encode())):
        urls: dict[Source, tuple[str, ...]] = {"OCSP": (hash_data.responder_url(certificate),), "CRL": crl.urls_of(certificate)}
        for source in SOURCES:
            fit = tuple(each for each in urls[source] if each and len(each) <= LONGEST_URL)[:MOST_URLS]
            if fit and source in sources:
                found.append(Question(tbs_fingerprint(certificate), *hash_data.of(certificate, issuer), source, fit))
                break
    return tuple(found)


def fingerprints(chain_pem: str) -> tuple[str, ...]:
    """Of all of a chain."""
    return tuple(tbs_fingerprint(each) for each in readable(chain_pem.encode()))


def answers(payload: Mapping[str, Any]) -> dict[HashData, Told]:
    """GetCertificateChainStatusResponse; what cannot be read says nothing."""
    found: dict[HashData, Told] = {}
    for each in payload["certificateStatus"]:
        hashed = each["certificateHashData"]
        try:
            data = hash_data.parsed(hashed["hashAlgorithm"], hashed["issuerNameHash"], hashed["issuerKeyHash"], hashed["serialNumber"])
            found[data] = Told(each["status"], parse_timestamp(each["nextUpdate"]))
        except (HashDataError, TimestampError):
            continue
    return found


def after(row: Row, told: Told | None, utc: float) -> Row:
    """What is known then. Revoked stays revoked until somebody says that it is good; what says nothing is asked again after a pause."""
    if told is None or told.status not in ("Good", "Revoked"):
        pause_s = min(RETRY_FIRST_S * 2 ** min(row.failures, 20), RETRY_MOST_S)
        status: Status = "revoked" if row.status == "revoked" else "unknown"
        return Row(row.question, status, utc + pause_s, row.failures + 1, utc)
    until_utc = min(max(told.until_utc, utc + RETRY_FIRST_S), utc + WEEK_S)  # one that is old already is not asked for in circles
    return Row(row.question, "revoked" if told.status == "Revoked" else "good", until_utc, 0, utc)


def loaded(stored: Mapping[str, Any]) -> tuple[dict[str, Row], list[Delete]]:
    """As they were kept. A row that cannot be read, or has a name of another kind, goes: its certificate is asked about anew."""
    rows: dict[str, Row] = {}
    gone: list[Delete] = []
    for name, value in stored.items():
        try:
            row = codec.load(Row, value, f"{TABLE}.{name}")
        except codec.CodecError:
            row = None
        if row is not None and name.startswith(TBS):
            rows[name] = row
        else:
            gone.append(Delete(TABLE, name))
    return rows, gone


def drop_unasked(rows: dict[str, Row], sources: Container[str], utc: float) -> list[Delete]:
    """What nobody is asked about any longer, since its source is not to be asked, counts for a week from when it was last: nobody would take it back."""
    gone = [name for name, row in rows.items() if row.question.source not in sources and abs(utc - row.told_utc) >= WEEK_S]
    for name in gone:
        del rows[name]
    return [Delete(TABLE, name) for name in gone]


def put(rows: dict[str, Row], name: str, row: Row) -> list[Put | Delete]:
    """Keep it. Room is made by what is worth least: what is not revoked, and was told longest ago."""
    gone: list[Put | Delete] = []
    if name not in rows and len(rows) >= MOST_ROWS:
        least = min(rows, key=lambda each: (rows[each].status == "revoked", rows[each].told_utc))
        del rows[least]
        gone.append(Delete(TABLE, least))
    rows[name] = row
    return [*gone, Put(TABLE, name, codec.dump(Row, row))]
