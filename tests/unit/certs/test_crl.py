"""Revocation lists: believed where they may be, "unknown" with a reason where not."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from certs.crl import judge, urls_of
from certs.ocsp import Answer
from tests.unit.certs.revocation_parts import (
    CA,
    DAY,
    LEAF,
    LIST,
    MINUTE,
    NOW,
    OTHER_KEY,
    ROOT,
    ROOT_KEY,
    RSA_KEY,
    SUB,
    SUB_KEY,
    algorithm_of,
    certificate,
    usage,
)


def scope(**how: Any) -> tuple[x509.IssuingDistributionPoint, bool]:
    names = ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs")
    given = dict.fromkeys(names, False) | {"full_name": None, "relative_name": None, "only_some_reasons": None} | how
    return x509.IssuingDistributionPoint(**given), True


def crl(*serials: int, **other: Any) -> bytes:
    how: dict[str, Any] = {"issuer": SUB, "key": SUB_KEY, "since": NOW - MINUTE, "until": NOW + DAY, "reason": None, "extensions": [], "form": Encoding.DER, "digest": None} | other  # fmt: skip
    builder = x509.CertificateRevocationListBuilder(how["issuer"].subject, how["since"], how["until"])
    for serial in serials:
        entry = x509.RevokedCertificateBuilder(serial, NOW - DAY)
        builder = builder.add_revoked_certificate(
            (entry.add_extension(x509.CRLReason(how["reason"]), False) if how["reason"] else entry).build()
        )
    for value, critical in how["extensions"]:
        builder = builder.add_extension(value, critical)
    return builder.sign(how["key"], how["digest"] or algorithm_of(how["key"])).public_bytes(how["form"])


def said(octets: bytes, **how: Any) -> Answer:
    given: dict[str, Any] = {"certificate": LEAF, "issuer": SUB, "now": NOW} | how
    return judge(octets, **given)


# ---- believed


@pytest.mark.parametrize("form", [Encoding.DER, Encoding.PEM])
def test_a_certificate_that_is_not_on_it(form: Encoding) -> None:
    assert said(crl(1, 2, 3, form=form)) == Answer("good", "it is not on its issuer's revocation list", NOW - MINUTE, NOW + DAY)
    assert said(crl(form=form)).status == "good"


def test_a_certificate_that_is_on_it() -> None:
    told = said(crl(1, LEAF.serial_number, reason=x509.ReasonFlags.superseded))
    assert told == Answer("revoked", "it is revoked since 2026-05-31 12:00 UTC (superseded)", NOW - MINUTE, NOW + DAY, NOW - DAY)
    assert said(crl(LEAF.serial_number)).why == "it is revoked since 2026-05-31 12:00 UTC"


def test_a_revocation_does_not_grow_old_but_a_hold_does() -> None:
    assert said(crl(LEAF.serial_number), now=NOW + 30 * DAY).status == "revoked"
    hold = crl(LEAF.serial_number, reason=x509.ReasonFlags.certificate_hold)
    assert said(hold).status == "revoked"
    assert said(hold, now=NOW + 30 * DAY).status == "unknown"


def test_a_list_of_the_right_kind_of_certificates_and_place() -> None:
    here = [x509.UniformResourceIdentifier(LIST)]
    for each in (scope(only_contains_user_certs=True), scope(full_name=here)):
        assert said(crl(extensions=[each])).status == "good"
    of_cas = crl(issuer=ROOT, key=ROOT_KEY, extensions=[scope(only_contains_ca_certs=True, full_name=here)])
    assert said(of_cas, certificate=SUB, issuer=ROOT).status == "good"


def test_another_kind_of_key() -> None:
    ca = certificate("sub", RSA_KEY, "root", ROOT_KEY, CA, usage("crl_sign"))
    assert said(crl(key=RSA_KEY), issuer=ca).status == "good"


# ---- not believed

ELSEWHERE = [x509.UniformResourceIdentifier("http://crl.example/other.crl")]
STRANGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")

NOT_BELIEVED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "the revocation list cannot be read"),
    "noise": (b"0\x03\n\x01", "the revocation list cannot be read"),
    "half of a PEM": (crl(form=Encoding.PEM)[:80], "the revocation list cannot be read"),
    "too much": (bytes((1 << 20) + 1), "a revocation list of 1048577 octets: at most 1048576 are read"),
    "another issuer": (crl(LEAF.serial_number, issuer=ROOT, key=ROOT_KEY), "the revocation list is not of the certificate's issuer"),
    "another key": (crl(LEAF.serial_number, key=OTHER_KEY), "the signature of the revocation list does not hold"),
    "another kind of key": (crl(key=RSA_KEY), "the signature of the revocation list does not hold"),
    "a weak hash": (crl(digest=hashes.SHA224()), "the revocation list is signed by sha224"),
    "too old": (crl(until=NOW), "the revocation list is too old: it held until 2026-06-01 12:00 UTC"),
    "too young": (crl(since=NOW + 6 * MINUTE), "the revocation list is of the future"),
    "changes only": (crl(extensions=[(x509.DeltaCRLIndicator(1), True)]), "the revocation list holds changes only"),
    "in another's name": (crl(extensions=[scope(indirect_crl=True)]), "the revocation list is in another's name"),
    "for some reasons": (crl(extensions=[scope(only_some_reasons=frozenset([x509.ReasonFlags.key_compromise]))]), "for some reasons only"),
    "of CAs": (crl(extensions=[scope(only_contains_ca_certs=True)]), "the revocation list is for other kinds of certificates"),
    "of attributes": (crl(extensions=[scope(only_contains_attribute_certs=True)]), "the revocation list is for other kinds"),
    "of elsewhere": (crl(extensions=[scope(full_name=ELSEWHERE)]), "the revocation list is of another distribution point"),
    "not understood": (crl(extensions=[(STRANGE, True)]), "a critical extension that is not understood, 1.2.3.4"),
}


@pytest.mark.parametrize("name", NOT_BELIEVED)
def test_what_is_not_believed_is_unknown_and_says_why(name: str) -> None:
    octets, why = NOT_BELIEVED[name]
    told = said(octets)
    assert told.status == "unknown"
    assert why in told.why


def test_a_list_that_was_changed() -> None:
    """But for the octet before the signature that counts its unused bits: it is outside of what is signed, and says nothing."""
    octets = crl(1, LEAF.serial_number)
    unused = octets.index(x509.load_der_x509_crl(octets).signature) - 1
    for at in range(len(octets)):
        told = said(octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :])
        assert told.status == "unknown" or at == unused, (at, told)


def test_an_issuer_that_may_sign_no_lists() -> None:
    ca = certificate("sub", SUB_KEY, "root", ROOT_KEY, CA, usage("key_cert_sign"))
    assert "lacks the key usage cRLSign" in said(crl(), issuer=ca).why


def test_a_list_of_leafs_says_nothing_of_a_ca() -> None:
    of_leafs = crl(issuer=ROOT, key=ROOT_KEY, extensions=[scope(only_contains_user_certs=True)])
    assert "for other kinds of certificates" in said(of_leafs, certificate=SUB, issuer=ROOT).why


def test_an_extension_that_is_not_critical_need_not_be_understood() -> None:
    assert said(crl(extensions=[(STRANGE, False)])).status == "good"


def test_where_lists_are() -> None:
    assert urls_of(LEAF) == (LIST,)
    assert urls_of(SUB) == ()
