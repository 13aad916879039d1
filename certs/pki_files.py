"""Reads the folder of unencrypted PEM files that `--pki` names: what is there, what stands in for what is not.

-2's files lie in the folder itself, -20's in `iso20/`; an optional second set for -20, with Ed448, in `iso20/ed448/`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from certs import reading

MOST_OCTETS = 256 * 1024
"""Of one file (ours)."""


class PkiError(Exception):
    """A file cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What one side shows of itself: certificates as PEM, leaf first and without the root, and the leaf's key.

    `kind` is p256, p521, ed448, or what else it is. `roots` are those that the chain may end at, for who asks by root.
    `staples` are OCSP responses as PEM blocks (OCSP RESPONSE), leaf's first: none is in a folder, they are for the host that asks for them.
    """

    certificates: bytes = field(repr=False)
    key: bytes = field(repr=False)
    kind: str
    roots: tuple[Root, ...] = ()
    staples: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Root:
    """A root certificate, and what TLS calls it by: its name, and SHA-1 of it and of its public key (RFC 6066, section 6)."""

    pem: bytes = field(repr=False)
    name: bytes
    sha1: bytes
    key_sha1: bytes


@dataclass(frozen=True, slots=True)
class Side:
    """The files of one edition; None and () where there are none."""

    secc: Chain | None = None
    oem: Chain | None = None
    contract: Chain | None = None
    vehicle: Chain | None = None
    v2g_roots: tuple[Root, ...] = ()
    mo_roots: tuple[Root, ...] = ()
    oem_roots: tuple[Root, ...] = ()


@dataclass(frozen=True, slots=True)
class Pki:
    """All of a folder. `iso20` borrows the files of -2 where there is no `iso20/`; `warnings` say in words what stands in for what."""

    iso2: Side
    iso20: Side
    iso20_ed448: Side
    borrowed: bool
    warnings: tuple[str, ...]


def read(folder: Path) -> Pki:
    """Raises PkiError where a file that is there cannot be used, or a chain has no key."""
    if not folder.is_dir():
        raise PkiError(f"{folder}: there is no such folder")
    warnings: list[str] = []
    iso2 = _side(folder, warnings)
    borrowed = not (folder / "iso20").is_dir()
    if borrowed:
        warnings.append(f"{folder}: no iso20/: the certificates of ISO 15118-2 serve ISO 15118-20, too")
        return Pki(iso2, iso2, Side(), borrowed, tuple(warnings))
    return Pki(iso2, _side(folder / "iso20", warnings), _side(folder / "iso20" / "ed448", []), borrowed, tuple(warnings))


def chain_of(certificates: bytes, key: bytes, *, where: str, roots: tuple[Root, ...] = ()) -> Chain:
    """A chain from PEM; the key must be the leaf's. Raises PkiError, which begins with `where`."""
    try:
        leaf = x509.load_pem_x509_certificates(certificates)[0]
        public = leaf.public_key()
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PkiError(f"{where}: {error}") from None
    if private.public_key() != public:
        raise PkiError(f"{where}: the key is not the one of the first certificate")
    return Chain(certificates, key, kind_of(leaf), roots)


def kind_of(certificate: x509.Certificate) -> str:
    """Of its public key, as `reading.kind_of` says it."""
    return reading.kind_of(certificate.public_key())


def roots_of(pem: bytes, *, where: str) -> tuple[Root, ...]:
    """All certificates in it. Raises PkiError, which begins with `where`."""
    try:
        return tuple(_root(each) for each in x509.load_pem_x509_certificates(pem))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PkiError(f"{where}: {error}") from None


def _root(certificate: x509.Certificate) -> Root:
    bits = certificate.public_key().public_bytes(*_ENCODING[isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)])
    der = certificate.public_bytes(Encoding.DER)
    return Root(certificate.public_bytes(Encoding.PEM), certificate.subject.public_bytes(), _sha1(der), _sha1(bits))


_ENCODING = {True: (Encoding.X962, PublicFormat.UncompressedPoint), False: (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}


def _sha1(octets: bytes) -> bytes:
    return hashlib.sha1(octets, usedforsecurity=False).digest()


def _side(folder: Path, warnings: list[str]) -> Side:
    v2g, mo, oem = (_roots(folder / f"{name}RootCACert.pem") for name in ("v2g", "mo", "oem"))
    own = _chain(folder, "oemCertChain.pem", "oemLeaf.key", oem)
    vehicle = _chain(folder, "vehicleCertChain.pem", "vehicleLeaf.key", oem)
    if vehicle is None and own is not None:
        warnings.append(f"{folder}: no vehicleCertChain.pem: the OEM provisioning certificate counts as the vehicle's")
        vehicle = own
    return Side(
        secc=_chain(folder, "cpoCertChain.pem", "seccLeaf.key", v2g),
        oem=own,
        contract=_chain(folder, "contractCertChain.pem", "contractLeaf.key", mo),
        vehicle=vehicle,
        v2g_roots=v2g,
        mo_roots=mo,
        oem_roots=oem,
    )


def _chain(folder: Path, certificates: str, key: str, roots: tuple[Root, ...]) -> Chain | None:
    chain, secret = _octets(folder / certificates), _octets(folder / key)
    if chain is None:
        return None
    if secret is None:
        raise PkiError(f"{folder / key}: not there, though {certificates} is")
    return chain_of(chain, secret, where=f"{folder / certificates}", roots=roots)


def _roots(path: Path) -> tuple[Root, ...]:
    octets = _octets(path)
    return () if octets is None else roots_of(octets, where=str(path))


def octets_of(path: Path) -> bytes:
    """What stands in a file, within bounds. Raises PkiError."""
    try:
        if path.stat().st_size > MOST_OCTETS:
            raise PkiError(f"{path}: more than {MOST_OCTETS} octets")
        return path.read_bytes()
    except OSError as error:
        raise PkiError(f"{path}: {error.strerror or error}") from None


def _octets(path: Path) -> bytes | None:
    """None where there is no such file."""
    try:
        path.stat()
    except FileNotFoundError:
        return None
    except OSError:
        pass  # said below
    return octets_of(path)
