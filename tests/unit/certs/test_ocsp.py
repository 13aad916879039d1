"""Answers about certificates: believed where they may be, "unknown" with a reason where not, and kept for their time."""

from __future__ import annotations

import base64
import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.hash_data import of
from certs.ocsp import RETRY_FIRST, RETRY_MOST, WEEK, Answer, Watch, judge, octets_of, request, request_for
from tests.unit.certs.revocation_parts import (
    CA,
    DAY,
    ED448_KEY,
    LEAF,
    LEAF_KEY,
    MINUTE,
    NOW,
    OTHER_KEY,
    RESPONDER,
    RESPONDER_KEY,
    ROOT,
    ROOT_KEY,
    RSA_KEY,
    SIGNING,
    SUB,
    SUB_KEY,
    certificate,
    response,
    usage,
)

NAME, HASH = ocsp.OCSPResponderEncoding.NAME, ocsp.OCSPResponderEncoding.HASH
REVOKED, UNKNOWN = ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN
DELEGATED = {"responder": RESPONDER, "key": RESPONDER_KEY, "sent": [RESPONDER]}


def said(octets: bytes, **how: Any) -> Answer:
    given: dict[str, Any] = {"certificate": LEAF, "issuer": SUB, "now": NOW} | how
    return judge(octets, **given)


# ---- asking


def test_a_request_has_the_nonce_that_it_is_given() -> None:
    for asked in (request(of(LEAF, SUB), nonce=b"0123456789abcdef"), request_for(LEAF, SUB, nonce=b"0123456789abcdef")):
        nonce = ocsp.load_der_ocsp_request(asked).extensions.get_extension_for_class(x509.OCSPNonce)
        assert nonce.value.nonce == b"0123456789abcdef"
    assert len(ocsp.load_der_ocsp_request(request(of(LEAF, SUB))).extensions) == 0


def test_openssl_answers_our_request(tmp_path: Path) -> None:
    """`openssl ocsp` as the responder, with a delegated certificate."""
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    begins, ends = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2049, 1, 1, tzinfo=dt.UTC)
    responder = certificate("responder", RESPONDER_KEY, "sub", SUB_KEY, SIGNING, begins=begins, ends=ends)
    for name, each in (("sub", SUB), ("responder", responder)):
        (tmp_path / name).write_bytes(each.public_bytes(Encoding.PEM))
    (tmp_path / "key").write_bytes(RESPONDER_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "request").write_bytes(request(of(LEAF, SUB), nonce=bytes(range(16))))
    (tmp_path / "index").write_text(f"R\t360101000000Z\t260501000000Z,keyCompromise\t{LEAF.serial_number:016X}\tunknown\t/CN=leaf\n")
    command = ["openssl", "ocsp", "-index", "index", "-CA", "sub", "-rsigner", "responder", "-rkey", "key", "-reqin", "request", "-respout", "response", "-ndays", "1"]  # fmt: skip
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    octets = (tmp_path / "response").read_bytes()
    since = next(iter(ocsp.load_der_ocsp_response(octets).responses)).this_update_utc  # OpenSSL tells its own time
    told = said(octets, now=since, nonce=bytes(range(16)))
    assert told.why == "it is revoked since 2026-05-01 00:00 UTC (keyCompromise)"


# ---- believed


@pytest.mark.parametrize("by", [NAME, HASH])
@pytest.mark.parametrize("how", [{}, DELEGATED], ids=["issuer", "delegated"])
def test_a_good_answer(by: ocsp.OCSPResponderEncoding, how: dict[str, Any]) -> None:
    assert said(response(by=by, **how)) == Answer("good", "the OCSP responder says good", NOW - MINUTE, NOW + DAY)


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_a_certificate_may_be_named_by_any_hash(algorithm: hashes.HashAlgorithm) -> None:
    assert said(response(hash=algorithm)).status == "good"


@pytest.mark.parametrize("key", [ED448_KEY, RSA_KEY], ids=["Ed448", "RSA"])
def test_other_kinds_of_keys(key: Any) -> None:
    responder = certificate("responder", key, "sub", SUB_KEY, SIGNING)
    assert said(response(responder=responder, key=key, sent=[responder])).status == "good"


def test_a_revoked_certificate() -> None:
    told = said(response(status=REVOKED, at=NOW - DAY, reason=x509.ReasonFlags.key_compromise))
    assert told == Answer("revoked", "it is revoked since 2026-05-31 12:00 UTC (keyCompromise)", NOW - MINUTE, NOW + DAY, NOW - DAY)
    assert said(response(status=REVOKED, at=NOW - DAY)).why == "it is revoked since 2026-05-31 12:00 UTC"


def test_a_revocation_does_not_grow_old_but_a_hold_does() -> None:
    assert said(response(status=REVOKED, at=NOW - DAY), now=NOW + 30 * DAY).status == "revoked"
    hold = response(status=REVOKED, at=NOW - DAY, reason=x509.ReasonFlags.certificate_hold)
    assert said(hold).status == "revoked"
    assert said(hold, now=NOW + 30 * DAY).status == "unknown"


def test_a_nonce_that_is_the_requests() -> None:
    assert said(response(nonce=b"12345678"), nonce=b"12345678").status == "good"
    assert said(response(nonce=b"12345678")).status == "good"


def test_an_answer_without_an_end_holds_a_week() -> None:
    assert said(response(until=None)).status == "good"
    assert said(response(until=None, since=NOW - WEEK)).why == "the OCSP response is too old: it held until 2026-06-01 12:00 UTC"


def test_a_responders_clock_may_be_a_little_ahead() -> None:
    assert said(response(since=NOW + 4 * MINUTE)).status == "good"


# ---- not believed


def forged(name: str, key: Any) -> dict[str, Any]:
    """By somebody of that name."""
    return {"responder": certificate(name, key, "x", key), "key": key, "by": NAME}


def other_responder(*extensions: Any, key: Any = RESPONDER_KEY, issuer: str = "sub", by: Any = SUB_KEY, **dates: Any) -> dict[str, Any]:
    made = certificate("responder", key, issuer, by, *extensions, **dates)
    return {"responder": made, "key": key, "sent": [made]}


NOT_BELIEVED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "the OCSP response cannot be read"),
    "noise": (b"0\x03\n\x01", "the OCSP response cannot be read"),
    "too much": (bytes(65537), "an OCSP response of 65537 octets: at most 65536 are read"),
    "later": (
        ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER),
        "the OCSP responder says try_later",
    ),
    "another certificate": (response(about=SUB, issuer=ROOT), "the OCSP response is about another certificate"),
    "another serial number": (
        response(about=certificate("leaf", LEAF_KEY, "sub", SUB_KEY, serial=5)),
        "the OCSP response is about another certificate",
    ),
    "another issuer": (
        response(about=certificate("leaf", LEAF_KEY, "root", ROOT_KEY, serial=LEAF.serial_number), issuer=ROOT),
        "the OCSP response is about another certificate",
    ),
    "too old": (response(since=NOW - 2 * DAY, until=NOW), "the OCSP response is too old: it held until 2026-06-01 12:00 UTC"),
    "too young": (response(since=NOW + 6 * MINUTE), "the OCSP response is of the future: one of the two clocks is wrong"),
    "unknown": (response(status=UNKNOWN), "the OCSP responder does not know this certificate"),
    "the root answers": (response(responder=ROOT, key=ROOT_KEY), "the OCSP response is signed by a stranger"),
    "a stranger": (response(responder=RESPONDER, key=RESPONDER_KEY), "the OCSP response is signed by a stranger"),
    "another key": (response(**forged("sub", OTHER_KEY)), "the signature of the OCSP response does not hold"),
    "another kind of key": (response(**forged("sub", RSA_KEY)), "the signature of the OCSP response does not hold"),
    "another delegated key": (
        response(**forged("responder", OTHER_KEY), sent=[RESPONDER]),
        "the signature of the OCSP response does not hold",
    ),
    "a weak hash": (response(**other_responder(SIGNING, key=RSA_KEY), digest=hashes.SHA224()), "the OCSP response is signed by sha224"),
    "a responder of the root": (
        response(**other_responder(SIGNING, issuer="root", by=ROOT_KEY)),
        "the OCSP responder's certificate is not by the issuer",
    ),
    "a responder of another of that name": (
        response(**other_responder(SIGNING, by=OTHER_KEY)),
        "the OCSP responder's certificate is not by the issuer",
    ),
    "a responder that is none": (response(**other_responder()), "the OCSP responder's certificate is not for OCSP"),
    "a server": (
        response(**other_responder((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False))),
        "the OCSP responder's certificate is not for OCSP",
    ),
    "the leaf itself": (response(responder=LEAF, key=LEAF_KEY, sent=[LEAF]), "the OCSP responder's certificate is not for OCSP"),
    "a CA below": (response(**other_responder(CA)), "the OCSP responder's certificate is not for OCSP"),
    "without the usage": (
        response(**other_responder(SIGNING, usage("key_agreement"))),
        "the OCSP responder's certificate is not for signatures",
    ),
    "an expired responder": (
        response(**other_responder(SIGNING, ends=NOW - MINUTE)),
        "the OCSP responder's certificate is not valid at this time",
    ),
    "a responder of tomorrow": (
        response(**other_responder(SIGNING, begins=NOW + DAY)),
        "the OCSP responder's certificate is not valid at this time",
    ),
}


@pytest.mark.parametrize("name", NOT_BELIEVED)
def test_what_is_not_believed_is_unknown_and_says_why(name: str) -> None:
    octets, why = NOT_BELIEVED[name]
    told = said(octets)
    assert told.status == "unknown"
    assert why in told.why


def test_a_response_that_was_changed() -> None:
    """But for the octet before the signature that counts its unused bits: it is outside of what is signed, and says nothing."""
    octets = response()
    unused = octets.index(ocsp.load_der_ocsp_response(octets).signature) - 1
    for at in range(len(octets)):
        told = said(octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :])
        assert told.status == "unknown" or at == unused, (at, told)
    assert said(octets[:-1]).status == "unknown"


def test_a_nonce_that_is_not_the_requests() -> None:
    assert said(response(nonce=b"12345678"), nonce=b"87654321").why == "the OCSP response has another nonce: it answers another request"
    assert said(response(), nonce=b"87654321").why == "the OCSP response has no nonce: it may be an old one"


def test_what_ocpp_carries() -> None:
    octets = response()
    text = base64.b64encode(octets).decode()
    assert octets_of(text) == octets_of(text[:64] + "\r\n" + text[64:]) == octets
    for wrong in ("", "!", text[:-3], "\u00e9", "A" * 200_000):
        assert said(octets_of(wrong)).why == "the OCSP response cannot be read"


# ---- kept

GOOD = Answer("good", "", NOW, NOW + 4 * DAY)
LONG = Answer("good", "", NOW, NOW + 30 * DAY)
NOTHING = Answer("unknown", "no answer")
GONE = Answer("revoked", "", NOW, NOW + DAY)


def watching(*answers: Answer) -> Watch:
    watch = Watch()
    watch.follow("a", "b")
    for each in answers:
        watch.told("a", each, NOW)
    return watch


def test_what_is_not_known_is_due_at_once() -> None:
    watch = watching()
    assert watch.due(NOW) == ("a", "b")
    assert watch.status("a", NOW) == "unknown"
    assert watch.deadline() is None


@pytest.mark.parametrize(
    ("answer", "days"), [(GOOD, 4), (LONG, 7), (Answer("good", "", NOW - 2 * DAY), 5)], ids=["nextUpdate", "a week", "no end"]
)
def test_an_answer_holds_until_its_end_and_a_week_at_most(answer: Answer, days: int) -> None:
    watch, ends = watching(answer), NOW + days * DAY
    assert watch.due(NOW) == ("b",)
    assert watch.deadline() == NOW + days * DAY * 0.75
    assert watch.deadline(NOW + days * DAY * 0.75) == NOW + days * DAY
    assert watch.deadline(NOW + days * DAY) is None
    assert watch.due(NOW + days * DAY * 0.75) == ("a", "b")
    assert watch.status("a", ends - MINUTE) == "good"
    assert watch.status("a", ends) == "unknown"
    assert watch.revocation(NOW) == {"a": "good", "b": "unknown"}


def test_no_answer_leaves_what_was_known_and_is_asked_for_again_more_and_more_seldom() -> None:
    watch = watching(GOOD, NOTHING)
    assert watch.status("a", NOW) == "good"
    assert watch.due(NOW + RETRY_FIRST) == ("a", "b")
    assert watch.due(NOW + RETRY_FIRST - dt.timedelta(seconds=1)) == ("b",)
    pauses = []
    for _ in range(40):
        watch.told("a", NOTHING, NOW)
        pauses.append(watch.kept["a"].ask_at or NOW)
    assert pauses[0] == NOW + 2 * RETRY_FIRST
    assert pauses[-1] == NOW + RETRY_MOST
    watch.told("a", GOOD, NOW)
    assert watch.kept["a"].failures == 0


def test_revoked_stays_revoked_until_somebody_says_good() -> None:
    watch = watching(GONE, NOTHING)
    assert watch.status("a", NOW + 900 * DAY) == "revoked"
    watch.told("a", GOOD, NOW)
    assert watch.status("a", NOW) == "good"


def test_other_certificates() -> None:
    watch = watching(GOOD)
    watch.told("c", GOOD, NOW)
    assert set(watch.kept) == {"a", "b"}
    watch.follow("a", "c")
    assert watch.revocation(NOW) == {"a": "good", "c": "unknown"}
    assert watch.status("b", NOW) == "unknown"


def test_a_clock_that_was_ahead_keeps_nothing() -> None:
    """Set right by ten years, nothing would be asked until then."""
    watch = watching(GOOD, LONG)
    before = NOW - 3650 * DAY
    assert watch.status("a", before) == "unknown"
    assert watch.due(before) == ("a", "b")
