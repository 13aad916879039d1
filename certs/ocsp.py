"""OCSP (RFC 6960): what is asked, what an answer says and whether it may be believed, and for how long.

    answer = judge(octets, certificate=leaf, issuer=sub_ca, now=now)
    answer.status       # "good", "revoked" or "unknown"; `why` says in words what it rests on, or what is wrong with the response

An answer that cannot be believed is "unknown": not "good", and no proof against the certificate. `Watch` keeps answers: until their nextUpdate and for a week
at most (OCPP 2.x, M06.FR.10; -20 names the same week for staples, [V2G20-1021]), and says when to ask again.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.hash_data import ALGORITHMS, HashData, cert_id
from certs.reading import UNREADABLE, is_signed

Status: TypeAlias = Literal["good", "revoked", "unknown"]

MOST_OCTETS = 64 * 1024
"""Of a response (ours): OCPP 2.1 wants 18,000 characters of base64 at least."""
MOST_CERTIFICATES = 4
"""In a response (ours): one is enough."""
SKEW = dt.timedelta(minutes=5)
"""How much later than here a responder's clock may be (ours)."""
WEEK = dt.timedelta(days=7)
_STRONG = ("sha256", "sha384", "sha512")
_CERT_IDS = ("sha1", *_STRONG)
"""Hashes of a CertID: it names a certificate, and proves nothing; RFC 5019 has SHA-1."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of one certificate, and why."""

    status: Status
    why: str
    this_update: dt.datetime | None = None
    next_update: dt.datetime | None = None
    revoked_at: dt.datetime | None = None


class _Unbelievable(Exception):
    pass


# ---- asking


def request(hash_data: HashData, *, nonce: bytes = b"") -> bytes:
    """The request about a certificate that is known by its hashes, in DER. `nonce` is random, 1 to 32 octets (RFC 9654), or left out."""
    name, key = bytes.fromhex(hash_data.issuer_name_hash), bytes.fromhex(hash_data.issuer_key_hash)
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        name, key, int(hash_data.serial_number, 16), ALGORITHMS[hash_data.algorithm]
    )
    return _built(builder, nonce)


def request_for(certificate: x509.Certificate, issuer: x509.Certificate, *, nonce: bytes = b"") -> bytes:
    """The request about a certificate that is there."""
    return _built(ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256()), nonce)


def _built(builder: ocsp.OCSPRequestBuilder, nonce: bytes) -> bytes:
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def octets_of(text: str) -> bytes:
    """The response in OCPP's ocspResult, base64 of DER; b"" where it is none, which `judge` cannot read."""
    if len(text) > 2 * MOST_OCTETS:
        return b""
    try:
        return b64decode("".join(text.split()), validate=True)
    except (Base64Error, ValueError):
        return b""


# ---- judging


def judge(octets: bytes, *, certificate: x509.Certificate, issuer: x509.Certificate, now: dt.datetime, nonce: bytes = b"") -> Answer:
    """What a response in DER says of `certificate`, whose issuer is `issuer`. With `nonce` it has to be the answer to that very request."""
    try:
        response = _read(octets)
        single = _about(response, certificate, issuer)
        _signed(response, issuer, now)
        _nonce(response, nonce)
        return _said(single, now)
    except _Unbelievable as error:
        return Answer("unknown", str(error))
    except UNREADABLE:
        return Answer("unknown", "the OCSP response cannot be read")


def _read(octets: bytes) -> ocsp.OCSPResponse:
    if len(octets) > MOST_OCTETS:
        raise _Unbelievable(f"an OCSP response of {len(octets)} octets: at most {MOST_OCTETS} are read")
    response = ocsp.load_der_ocsp_response(octets)
    status = response.response_status
    if status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise _Unbelievable(f"the OCSP responder says {status.name.lower()}")
    return response


def _about(response: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> ocsp.OCSPSingleResponse:
    for each in response.responses:
        if each.serial_number != certificate.serial_number or each.hash_algorithm.name not in _CERT_IDS:
            continue
        own = cert_id(certificate, issuer, each.hash_algorithm)
        if (own.issuer_name_hash, own.issuer_key_hash) == (each.issuer_name_hash, each.issuer_key_hash):
            return each
    raise _Unbelievable("the OCSP response is about another certificate")


def _signed(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: dt.datetime) -> None:
    signer, algorithm = _signer(response, issuer, now), response.signature_hash_algorithm
    if algorithm is not None and algorithm.name not in _STRONG:
        raise _Unbelievable(f"the OCSP response is signed by {algorithm.name}: that proves nothing any more")
    try:
        _verify(signer, response, algorithm)
    except (InvalidSignature, *UNREADABLE):
        raise _Unbelievable("the signature of the OCSP response does not hold") from None


def _verify(signer: x509.Certificate, response: ocsp.OCSPResponse, algorithm: hashes.HashAlgorithm | None) -> None:
    key, signature, octets = signer.public_key(), response.signature, response.tbs_response_bytes
    match key:
        case ec.EllipticCurvePublicKey() if algorithm is not None:
            key.verify(signature, octets, ec.ECDSA(algorithm))
        case rsa.RSAPublicKey() if algorithm is not None:
            key.verify(signature, octets, padding.PKCS1v15(), algorithm)
        case ed448.Ed448PublicKey() | ed25519.Ed25519PublicKey() if algorithm is None:
            key.verify(signature, octets)
        case _:
            raise InvalidSignature


def _signer(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: dt.datetime) -> x509.Certificate:
    """The issuer itself, or who may answer for it (RFC 6960, 4.2.2.2)."""
    if _is_responder(response, issuer):
        return issuer
    there = response.certificates[:MOST_CERTIFICATES]
    for each in there:
        if _is_responder(response, each):
            _may_answer(each, issuer, now)
            return each
    raise _Unbelievable("the OCSP response is signed by a stranger: neither by the issuer, nor is its responder's certificate there")


def _is_responder(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == certificate.subject
    return response.responder_key_hash == cert_id(certificate, certificate, hashes.SHA1()).issuer_key_hash  # noqa: S303 RFC 6960: KeyHash is SHA-1


def _may_answer(responder: x509.Certificate, issuer: x509.Certificate, now: dt.datetime) -> None:
    if not is_signed(responder, issuer):
        raise _Unbelievable("the OCSP responder's certificate is not by the issuer that it answers for")
    usages: list[x509.ObjectIdentifier] = []
    with suppress(x509.ExtensionNotFound):
        usages = list(responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    if ExtendedKeyUsageOID.OCSP_SIGNING not in usages:
        raise _Unbelievable("the OCSP responder's certificate is not for OCSP: it lacks the extended key usage OCSPSigning")
    with suppress(x509.ExtensionNotFound):
        if not responder.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature:
            raise _Unbelievable("the OCSP responder's certificate is not for signatures: it lacks the key usage digitalSignature")
    if not responder.not_valid_before_utc - SKEW <= now <= responder.not_valid_after_utc:
        raise _Unbelievable("the OCSP responder's certificate is not valid at this time")


def _nonce(response: ocsp.OCSPResponse, nonce: bytes) -> None:
    if not nonce:
        return
    try:
        given = response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        raise _Unbelievable("the OCSP response has no nonce: it may be an old one") from None
    if given != nonce:
        raise _Unbelievable("the OCSP response has another nonce: it answers another request")


def _said(single: ocsp.OCSPSingleResponse, now: dt.datetime) -> Answer:
    since, until = single.this_update_utc, single.next_update_utc
    status, at, reason = single.certificate_status, single.revocation_time_utc, single.revocation_reason
    if since > now + SKEW:
        raise _Unbelievable("the OCSP response is of the future: one of the two clocks is wrong")
    stale = _stale(since, until, now)
    if status is ocsp.OCSPCertStatus.REVOKED and (reason is not x509.ReasonFlags.certificate_hold or not stale):
        # A revocation does not grow old; what is on hold may come back.
        return Answer("revoked", _revoked(at, reason), since, until, at)
    if stale:
        raise _Unbelievable(f"the OCSP response is too old: it held until {_shown(until or since + WEEK)}")
    if status is ocsp.OCSPCertStatus.GOOD:
        return Answer("good", "the OCSP responder says good", since, until)
    return Answer("unknown", "the OCSP responder does not know this certificate", since, until)


def _stale(since: dt.datetime, until: dt.datetime | None, now: dt.datetime) -> bool:
    """Without nextUpdate newer answers are always to be had (RFC 6960, 2.4): then it is the week that counts."""
    return now >= (until if until is not None else since + WEEK)


def _revoked(at: dt.datetime | None, reason: x509.ReasonFlags | None) -> str:
    since = f" since {_shown(at)}" if at is not None else ""
    return f"it is revoked{since}{f' ({reason.value})' if reason is not None else ''}"


def _shown(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


# ---- keeping

ASK_AHEAD = 0.75
"""The part of its time after which a kept answer is asked for anew (ours)."""
RETRY_FIRST, RETRY_MOST = dt.timedelta(minutes=5), dt.timedelta(hours=6)
"""After an answer that says nothing: the pause doubles from the first to the most (ours)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one certificate, by its fingerprint."""

    answer: Answer | None = None
    until: dt.datetime | None = None
    """The answer holds before this."""
    ask_at: dt.datetime | None = None
    """None: at once."""
    failures: int = 0


@dataclass(slots=True)
class Watch:
    """The answers about the certificates that are watched. `revocation` is what `certs.chain.validate` takes."""

    kept: dict[str, Kept] = field(default_factory=dict)

    def follow(self, *fingerprints: str) -> None:
        """These and no others are watched from now on; what is known of them stays."""
        self.kept = {each: self.kept.get(each, Kept()) for each in fingerprints}

    def told(self, fingerprint: str, answer: Answer, now: dt.datetime) -> None:
        """An answer came. One that says nothing leaves what was known, as long as that holds; of a certificate that is not watched none is kept."""
        before = self.kept.get(fingerprint)
        if before is None:
            return
        if answer.status == "unknown":
            pause = min(RETRY_FIRST * 2 ** min(before.failures, 20), RETRY_MOST)
            self.kept[fingerprint] = Kept(before.answer, before.until, now + pause, before.failures + 1)
        else:
            until = min(answer.next_update or (answer.this_update or now) + WEEK, now + WEEK)
            self.kept[fingerprint] = Kept(answer, until, now + (until - now) * ASK_AHEAD)

    def status(self, fingerprint: str, now: dt.datetime) -> Status:
        """Revoked stays revoked; good is good as long as the answer holds."""
        kept = self.kept.get(fingerprint)
        if kept is None or kept.answer is None or kept.until is None:
            return "unknown"
        # Nothing holds for more than a week: what seems to was heard under a clock that was ahead.
        return kept.answer.status if kept.answer.status == "revoked" or now < kept.until <= now + WEEK else "unknown"

    def revocation(self, now: dt.datetime) -> dict[str, Status]:
        """What is known now of all that are watched."""
        return {each: self.status(each, now) for each in self.kept}

    def due(self, now: dt.datetime) -> tuple[str, ...]:
        """What to ask about now."""
        return tuple(each for each, kept in self.kept.items() if kept.ask_at is None or not now < kept.ask_at <= now + WEEK)

    def deadline(self, after: dt.datetime | None = None) -> dt.datetime | None:
        """When something is due or ceases to hold, at the earliest; None where nothing is watched, or something is due at once (see `due`).
        With `after`: the earliest of what comes after that; what is due, or holds no more, already has been.
        """
        return min((at for at in self._times() if after is None or at > after), default=None)

    def _times(self) -> Iterator[dt.datetime]:
        for kept in self.kept.values():
            if kept.ask_at is not None:
                yield kept.ask_at
            if kept.until is not None and kept.answer is not None and kept.answer.status == "good":
                yield kept.until
