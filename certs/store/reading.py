"""PEM to what the store tells of it. Bounded, and nothing here raises but StoreError."""

from __future__ import annotations

from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from certs.reading import fingerprint
from certs.store import InstalledRoot, RootUse, StoreError

MOST_OCTETS = 64 * 1024
"""Of a PEM text (ours)."""
MOST_CERTIFICATES = 64
"""In one file of the configuration (ours)."""
MOST_IN_CHAIN = 10
"""Of an own chain (ours; the standards have 4)."""
CURVES: dict[str, type[ec.EllipticCurve]] = {"p256": ec.SECP256R1, "p521": ec.SECP521R1}
_DIGESTS: dict[str, hashes.SHA256 | hashes.SHA512] = {"p256": hashes.SHA256(), "p521": hashes.SHA512()}
PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey
Certificates: TypeAlias = tuple[x509.Certificate, ...]


def certificates(pem: bytes, *, most: int = MOST_CERTIFICATES) -> Certificates:
    """All that stand in it; one at least."""
    if len(pem) > MOST_OCTETS:
        raise StoreError("Invalid", f"more than {MOST_OCTETS} octets")
    try:
        found = tuple(x509.load_pem_x509_certificates(pem))
        for each in found:
            # What is looked at later is looked at here once: cryptography parses these when they are asked for.
            _ = each.subject, each.public_key(), each.not_valid_after_utc
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise StoreError("Invalid", f"no certificate: {str(error).partition(chr(10))[0][:120]}") from None
    if len(found) > most:
        raise StoreError("Invalid", f"{len(found)} certificates, where at most {most} are taken")
    return found


def one_line(certificate: x509.Certificate) -> str:
    """Its subject."""
    return certificate.subject.rfc4514_string()[:200]


def pem_of(chain: Certificates) -> str:
    """As this store writes it."""
    return "".join(each.public_bytes(Encoding.PEM).decode("ascii") for each in chain)


def root_of(use: RootUse, certificate: x509.Certificate, *, configured: bool = False) -> InstalledRoot:
    """What is told of it."""
    begins, ends = validity((certificate,))
    return InstalledRoot(use, pem_of((certificate,)), fingerprint(certificate), one_line(certificate), begins, ends, configured)


def validity(chain: Certificates) -> tuple[float, float]:
    """From when until when all of them are valid, POSIX seconds."""
    return max(each.not_valid_before_utc.timestamp() for each in chain), min(each.not_valid_after_utc.timestamp() for each in chain)


def spki_of(public_key: object) -> bytes:
    """To tell two apart; empty for what is no public key of a certificate."""
    write = getattr(public_key, "public_bytes", None)
    return bytes(write(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)) if write else b""


def private_key(pem: bytes) -> object:
    """Raises StoreError, which says nothing of what stands in it."""
    try:
        return load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise StoreError("Invalid", f"no unencrypted private key ({type(error).__name__})") from None


def digest_of(kind: str) -> hashes.SHA256 | hashes.SHA512 | None:
    """What a key of this kind signs over; None where the algorithm has its own."""
    return _DIGESTS.get(kind)
