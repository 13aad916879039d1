"""A whole PKI for benches and tests: roots, sub-CAs and leafs for ISO 15118-2 and -20, drawn from a seed.

Anybody who knows the seed has every private key: nothing here is for a station that earns money.
Profiles [K]: validity, path lengths and key usages as the certificate annexes of the two editions have them, from memory.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs.pki_files import PkiError

Kind: TypeAlias = Literal["p256", "p521", "ed448"]
Key: TypeAlias = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey
Wrong: TypeAlias = Literal["", "expired", "not_yet_valid", "wrong_root", "leaf_is_ca", "no_digital_signature"]
WRONGS: tuple[Wrong, ...] = ("expired", "not_yet_valid", "wrong_root", "leaf_is_ca", "no_digital_signature")
"""What may be wrong with the leafs of a PKI that is made for negative tests."""

FOLDERS: tuple[tuple[str, Kind], ...] = (("", "p256"), ("iso20", "p521"), ("iso20/ed448", "ed448"))
YEAR = 365
SKEW = dt.timedelta(days=1)
"""Certificates begin a day ago: clocks on a bench differ."""
LONG_AGO, FAR_AHEAD = dt.timedelta(days=61), dt.timedelta(days=400)

USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
OF_CA = ("key_cert_sign", "crl_sign")
OF_LEAF = {"p256": ("digital_signature", "key_agreement"), "p521": ("digital_signature",), "ed448": ("digital_signature",)}
OF_CONTRACT = {**OF_LEAF, "p256": ("digital_signature", "content_commitment", "key_encipherment", "key_agreement")}
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


class Line(NamedTuple):
    """One certificate of the tree. `path` is the path length of a CA, -1 for one without a limit, None for a leaf."""

    issuer: str
    common_name: str
    domain: str
    path: int | None
    days: int
    purpose: x509.ObjectIdentifier | None = None


TREE: Mapping[str, Line] = {
    "v2gRoot": Line("v2gRoot", "V2G Root CA", "V2G", -1, 40 * YEAR),
    "cpoSub1": Line("v2gRoot", "CPO Sub-CA 1", "V2G", 1, 4 * YEAR),
    "cpoSub2": Line("cpoSub1", "CPO Sub-CA 2", "V2G", 0, 2 * YEAR),
    "seccLeaf": Line("cpoSub2", "DETSTE000001", "CPO", None, 90, SERVER),
    "moRoot": Line("moRoot", "MO Root CA", "MO", -1, 40 * YEAR),
    "moSub1": Line("moRoot", "MO Sub-CA 1", "MO", 1, 4 * YEAR),
    "moSub2": Line("moSub1", "MO Sub-CA 2", "MO", 0, 4 * YEAR),
    "contractLeaf": Line("moSub2", "DETSTC00000001", "MO", None, 2 * YEAR),
    "oemRoot": Line("oemRoot", "OEM Root CA", "OEM", -1, 40 * YEAR),
    "oemSub1": Line("oemRoot", "OEM Sub-CA 1", "OEM", 1, 30 * YEAR),
    "oemSub2": Line("oemSub1", "OEM Sub-CA 2", "OEM", 0, 30 * YEAR),
    "oemLeaf": Line("oemSub2", "TSTPCID0000000001", "OEM", None, 25 * YEAR),
    "vehicleLeaf": Line("oemSub2", "TSTVEHICLE0000001", "OEM", None, 25 * YEAR, CLIENT),
}

CHAINS = {"cpoCertChain": "seccLeaf", "oemCertChain": "oemLeaf", "contractCertChain": "contractLeaf", "vehicleCertChain": "vehicleLeaf"}
ROOTS = {"v2gRootCACert": "v2gRoot", "moRootCACert": "moRoot", "oemRootCACert": "oemRoot"}


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate, its key, and the certificates that are sent with it: leaf first, no root."""

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...]

    @property
    def chain_pem(self) -> bytes:
        return b"".join(each.public_bytes(Encoding.PEM) for each in self.chain)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def build(kind: Kind, *, seed: bytes, now: dt.datetime, wrong: Wrong = "") -> dict[str, Identity]:
    """The tree of one kind of key, by the names of TREE."""
    made: dict[str, Identity] = {}
    for name, line in TREE.items():
        key = _key(kind, seed, name)
        is_root = line.issuer == name
        issuer_key = key if is_root else made[line.issuer].key
        if wrong == "wrong_root" and not is_root and TREE[line.issuer].path == -1:
            issuer_key = _key(kind, seed, f"{line.issuer} of somebody else")  # of the same name, so that only the signature shows it
        certificate = _certificate(name, kind, key, issuer_key, seed=seed, now=now, wrong=wrong)
        made[name] = Identity(certificate, key, () if is_root else (certificate, *made[line.issuer].chain))
    return made


def write(folder: Path, *, seed: bytes, now: dt.datetime, wrong: Wrong = "") -> None:
    """The folder that `--pki` takes: P-256 for -2 in it, P-521 for -20 in iso20/, Ed448 in iso20/ed448/. Keys are readable by the owner only."""
    for below, kind in FOLDERS:
        target = folder / below
        target.mkdir(parents=True, exist_ok=True)
        made = build(kind, seed=seed, now=now, wrong=wrong)
        for name, of in ROOTS.items():
            (target / f"{name}.pem").write_bytes(made[of].certificate_pem)
        for name, of in CHAINS.items():
            (target / f"{name}.pem").write_bytes(made[of].chain_pem)
            key_file = target / f"{of}.key"
            key_file.touch(mode=0o600)
            key_file.chmod(0o600)
            key_file.write_bytes(made[of].key_pem)


def wrong_of(word: str) -> Wrong:
    """One of WRONGS, or "". Raises PkiError."""
    for each in ("", *WRONGS):
        if word == each:
            return each
    raise PkiError(f"{word}: not one of {', '.join(WRONGS)}")


def _drawn(seed: bytes, *what: str, octets: int) -> bytes:
    return hashlib.shake_256(b"/".join([seed, *(each.encode() for each in what)])).digest(octets)


def _key(kind: Kind, seed: bytes, name: str) -> Key:
    if kind == "ed448":
        return ed448.Ed448PrivateKey.from_private_bytes(_drawn(seed, kind, name, octets=57))
    curve, octets = (ec.SECP256R1(), 31) if kind == "p256" else (ec.SECP521R1(), 65)  # an octet short: always below the group's order
    return ec.derive_private_key(int.from_bytes(_drawn(seed, kind, name, octets=octets), "big") or 1, curve)


def _certificate(name: str, kind: Kind, key: Key, issuer_key: Key, *, seed: bytes, now: dt.datetime, wrong: Wrong) -> x509.Certificate:
    line = TREE[name]
    is_ca = line.path is not None
    begins, ends = now - SKEW, now + dt.timedelta(days=line.days)
    usages = OF_CA if is_ca else (OF_CONTRACT if name == "contractLeaf" else OF_LEAF)[kind]
    says_ca, path = is_ca, line.path
    if not is_ca:
        match wrong:
            case "expired":
                begins, ends = now - LONG_AGO, now - SKEW
            case "not_yet_valid":
                begins, ends = now + FAR_AHEAD, now + FAR_AHEAD + LONG_AGO
            case "leaf_is_ca":
                says_ca, path = True, 0
            case "no_digital_signature":
                usages = ("key_agreement",)
            case _:
                pass
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name, kind, seed))
        .issuer_name(_name(line.issuer, kind, seed))
        .public_key(key.public_key())
        .serial_number(int.from_bytes(_drawn(seed, kind, name, wrong, "serial", octets=8), "big") | 1)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(says_ca, path if path is not None and path >= 0 else None), critical=True)
        .add_extension(x509.KeyUsage(**{each: each in usages for each in USAGES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if line.purpose is not None and kind != "p256":  # -2 names no extended key usage
        builder = builder.add_extension(x509.ExtendedKeyUsage([line.purpose]), critical=False)
    digest = {"p256": hashes.SHA256(), "p521": hashes.SHA512(), "ed448": None}[kind]
    return builder.sign(issuer_key, digest)


def _name(of: str, kind: Kind, seed: bytes) -> x509.Name:
    """Different for each PKI: a vehicle may ask for a root by its name."""
    line = TREE[of]
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, line.common_name),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"{kind} {_drawn(seed, 'name', octets=4).hex()}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "chargepoint test PKI"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, line.domain),
        ]
    )
