"""The envelope in which a contract's private key travels from the provider to the vehicle (CertificateInstallationRes, CertificateUpdateRes).

    sealed = seal("iso20", contract_key, receiver_public, ephemeral=key, iv=twelve_octets, pcid=pcid, contract=certificate)     # the provider
    key = open_(sealed, receiver_private, pcid=pcid, contract=certificate)                                                      # the vehicle

The receiver's key is that of its OEM provisioning certificate; for -2's CertificateUpdate that of the contract before. Who may have sealed it, the
signature around it shows: judge that first.

| form | agreement | session key | envelope |
|---|---|---|---|
| `iso2` [V2G2-814 to -823] | ECDH, P-256 | 128 bits by SHA-256 | IV 16, AES-128-CBC of 32 octets without padding |
| `iso20` [V2G20-2497 to -2507], [V2G20-2535], [V2G20-2678] | ECDH, P-521 | 256 bits by SHA-512 | IV 12, AES-256-GCM of 66 octets, tag 16 |
| `iso20_x448` [V2G20-2500 to -2510], [V2G20-2710] | X448 | 256 bits by SHA-512 | IV 12, AES-256-GCM of 56 octets, tag 16 |

- Session key: the concatenation KDF of NIST SP 800-56A, one round: the hash over 00000001, the shared secret, and as OtherInfo 01 (algorithm), "U"
  (sender), "V" (receiver); its leftmost bits ([V2G2-818], [V2G20-2535]).
- What GCM authenticates beside the key ([V2G20-2492]): the PCID in capitals without separators, then the contract certificate's subject key
  identifier as capital hexadecimal digits.
- DHPublicKey is 04 and the ephemeral key's octets ([V2G20-2489]): 133 of P-521, 57 of X448. The schema wants 133 always, the text forbids filler
  ([V2G20-2495]): zeros behind the 57 are read, and `filled` adds them.
- An Ed448 key is 57 octets (RFC 8032, 5.2.5), the envelope has room for 56, and no text says more. Here the last octet is zero [K]: `ed448_of` makes such
  keys, others cannot be sealed, and what comes out has to be the certificate's key in any case.

Clauses are quoted from public texts; hupe1980/iso15118 (Rust), EVerest and RISE-V2G derive the key of -2 the same way. OpenChargingCloud leaves OtherInfo and
the authenticated data of -20 out, and says itself that it knows no peer to compare with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256, sha512, shake_256
from typing import Literal, NamedTuple, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, x448
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Form: TypeAlias = Literal["iso2", "iso20", "iso20_x448", "iso20_tpm"]
"""`iso20_tpm` ([V2G20-2518] to -2523): wrapped for the vehicle's TPM 2.0, which imports it. It is recognised, never opened."""
ContractKey: TypeAlias = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey
AgreementKey: TypeAlias = ec.EllipticCurvePrivateKey | x448.X448PrivateKey
AgreementPublicKey: TypeAlias = ec.EllipticCurvePublicKey | x448.X448PublicKey
Agreement: TypeAlias = Callable[[AgreementPublicKey], bytes]
"""The shared secret with somebody's public key, where the private key is in a token."""

OTHER_INFO = bytes.fromhex("01") + b"UV"
TPM_OCTETS = 206
ORDERS = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp521r1": (1 << 521) - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
}
"""Of the base points (FIPS 186-5): a private key is smaller ([V2G2-823], [V2G20-2507])."""


class ContractError(Exception):
    """It cannot be sealed, or was not opened; the message says why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What goes over the wire: DHpublickey and ContractSignatureEncryptedPrivateKey of -2, DHPublicKey and one of the three encrypted keys of -20."""

    form: Form
    dh_public_key: bytes
    encrypted: bytes = field(repr=False)


class _Way(NamedTuple):
    iv: int
    key: int
    """Octets of the contract's private key."""
    all: int
    point: int
    """Octets of DHPublicKey."""
    curve: ec.EllipticCurve | None
    """None: Curve448."""


_WAYS: dict[Form, _Way] = {
    "iso2": _Way(16, 32, 48, 65, ec.SECP256R1()),
    "iso20": _Way(12, 66, 94, 133, ec.SECP521R1()),
    "iso20_x448": _Way(12, 56, 84, 57, None),
}


# ---- both sides


def seal(
    form: Form,
    key: ContractKey,
    receiver: AgreementPublicKey,
    *,
    contract: x509.Certificate,
    ephemeral: AgreementKey,
    iv: bytes,
    pcid: str = "",
) -> Envelope:
    """The contract's key, for the owner of `receiver`. `ephemeral` and `iv` are random, and used once. `pcid` is for -20. Raises ContractError."""
    way = _way(form)
    if len(iv) != way.iv:
        raise ContractError(f"an IV of {len(iv)} octets: {form} has {way.iv}")
    _must_be_on(way, receiver, "the receiver's key")
    _must_be_on(way, ephemeral.public_key(), "the ephemeral key")
    if key.public_key() != _public_key(contract):
        raise ContractError("the key is not the contract certificate's")
    plain = _octets_of(key, way)
    session_key = _session_key(form, _shared(ephemeral, receiver))
    if form == "iso2":
        encryptor = Cipher(algorithms.AES128(session_key), modes.CBC(iv)).encryptor()
        encrypted = encryptor.update(plain) + encryptor.finalize()
    else:
        encrypted = AESGCM(session_key).encrypt(iv, plain, authenticated(pcid, contract))
    return Envelope(form, _point(ephemeral.public_key()), iv + encrypted)


def open_(envelope: Envelope, receiver: AgreementKey | Agreement, *, contract: x509.Certificate, pcid: str = "") -> ContractKey:
    """The contract's key, which is the one of its certificate. Raises ContractError."""
    form, way = envelope.form, _way(envelope.form)
    if len(envelope.encrypted) != way.all:
        raise ContractError(f"an encrypted key of {len(envelope.encrypted)} octets: {form} has {way.all}")
    sender = _sender(way, envelope.dh_public_key)
    if not callable(receiver):
        _must_be_on(way, receiver.public_key(), "the receiver's key")
    session_key = _session_key(form, receiver(sender) if callable(receiver) else _shared(receiver, sender))
    iv, encrypted = envelope.encrypted[: way.iv], envelope.encrypted[way.iv :]
    if form == "iso2":
        decryptor = Cipher(algorithms.AES128(session_key), modes.CBC(iv)).decryptor()
        plain = decryptor.update(encrypted) + decryptor.finalize()
    else:
        try:
            plain = AESGCM(session_key).decrypt(iv, encrypted, authenticated(pcid, contract))
        except InvalidTag:
            raise ContractError("it was sealed for another key, another PCID or another certificate, or was changed") from None
    key = _key_of(plain, way)
    if key.public_key() != _public_key(contract):
        raise ContractError("the key in it is not the contract certificate's")
    return key


def form_of(*, octets: int) -> Form:
    """The form of an encrypted key of this length. Raises ContractError."""
    if octets == TPM_OCTETS:
        return "iso20_tpm"
    for form, way in _WAYS.items():
        if way.all == octets:
            return form
    raise ContractError(f"an encrypted key of {octets} octets: there is none of that length")


def authenticated(pcid: str, contract: x509.Certificate) -> bytes:
    """The additional authenticated data of -20 ([V2G20-2492]). Raises ContractError."""
    name = pcid.upper().replace("-", "")  # brought to one form, and not judged: what matters is that both ends write the same
    if not name.isalnum() or not name.isascii():
        raise ContractError("there is no PCID: without it, the key of ISO 15118-20 cannot be sealed or opened")
    try:
        identifier = contract.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        raise ContractError("the contract certificate has no subject key identifier") from None
    return name.encode() + identifier.hex().upper().encode()


def filled(dh_public_key: bytes) -> bytes:
    """DHPublicKey as the schema of -20 wants it: zeros behind one of X448, up to 133 octets."""
    return dh_public_key.ljust(_WAYS["iso20"].point, b"\0")


def ed448_of(octets: bytes) -> ed448.Ed448PrivateKey:
    """The Ed448 key that fits into an envelope, of 56 random octets. Raises ContractError."""
    if len(octets) != _WAYS["iso20_x448"].key:
        raise ContractError(f"{len(octets)} octets for a key of Ed448: an envelope holds {_WAYS['iso20_x448'].key}")
    return ed448.Ed448PrivateKey.from_private_bytes(octets + b"\0")


def agrees_by(certificate: x509.Certificate) -> AgreementPublicKey:
    """The key by which a secret is agreed on with the owner of an OEM provisioning certificate. Raises ContractError."""
    key = _public_key(certificate)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key
    if isinstance(key, ed448.Ed448PublicKey):
        return x448_public(key)
    raise ContractError("nobody agrees on a secret with such a key")


def x448_public(key: ed448.Ed448PublicKey) -> x448.X448PublicKey:
    """The same point on Curve448: u = y^2 / x^2 (RFC 7748, 4.2). No text at hand says how a certificate with an Ed448 key agrees by X448 [K]. Raises
    ContractError for a point that is none.
    """
    y = int.from_bytes(key.public_bytes_raw()[:56], "little") % _P
    if y * y % _P == 1:
        raise ContractError("this key of Ed448 is no point that anybody agrees by")
    u = y * y * (1 - _D * y * y) * pow(1 - y * y, -1, _P) % _P
    return x448.X448PublicKey.from_public_bytes(u.to_bytes(56, "little"))


def x448_private(key: ed448.Ed448PrivateKey) -> x448.X448PrivateKey:
    """The number that the key of Ed448 signs with (RFC 8032, 5.2.5), as a key of X448."""
    return x448.X448PrivateKey.from_private_bytes(shake_256(key.private_bytes_raw()).digest(56))


_P, _D = 2**448 - 2**224 - 1, -39081
"""Of edwards448 (RFC 7748)."""


# ---- steps


def _way(form: Form) -> _Way:
    if form == "iso20_tpm":
        raise ContractError("it is sealed for the vehicle's TPM 2.0: that imports it, nothing else opens it")
    return _WAYS[form]


def _session_key(form: Form, shared: bytes) -> bytes:
    octets = b"\0\0\0\1" + shared + OTHER_INFO
    return sha256(octets).digest()[:16] if form == "iso2" else sha512(octets).digest()[:32]


def _shared(own: AgreementKey, other: AgreementPublicKey) -> bytes:
    try:
        if isinstance(own, x448.X448PrivateKey) and isinstance(other, x448.X448PublicKey):
            return own.exchange(other)
        if isinstance(own, ec.EllipticCurvePrivateKey) and isinstance(other, ec.EllipticCurvePublicKey):
            return own.exchange(ec.ECDH(), other)
    except ValueError:
        pass
    raise ContractError("these two keys agree on nothing")


def _must_be_on(way: _Way, key: AgreementPublicKey, whose: str) -> None:
    wanted = "Curve448" if way.curve is None else way.curve.name
    there = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else "Curve448"
    if wanted != there:
        raise ContractError(f"{whose} is on {there}: it has to be on {wanted}")


def _point(key: AgreementPublicKey) -> bytes:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return b"\4" + key.public_bytes_raw()


def _sender(way: _Way, octets: bytes) -> AgreementPublicKey:
    if way.curve is None and len(octets) > way.point and not any(octets[way.point :]):
        octets = octets[: way.point]
    if len(octets) != way.point or octets[0] != 4:
        raise ContractError(f"DHPublicKey of {len(octets)} octets: it is 04 and a public key, {way.point} octets")
    try:
        if way.curve is None:
            return x448.X448PublicKey.from_public_bytes(octets[1:])
        return ec.EllipticCurvePublicKey.from_encoded_point(way.curve, octets)
    except ValueError:
        raise ContractError("DHPublicKey is no point of the curve") from None


def _octets_of(key: ContractKey, way: _Way) -> bytes:
    if way.curve is None and isinstance(key, ed448.Ed448PrivateKey):
        octets = key.private_bytes_raw()
        if octets[-1]:
            raise ContractError("this key of Ed448 does not fit: an envelope holds 56 octets, and the last of its 57 is not zero")
        return octets[: way.key]
    if way.curve is not None and isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == way.curve.name:
        return key.private_numbers().private_value.to_bytes(way.key, "big")
    raise ContractError("the contract's key is of another kind than the envelope's form")


def _key_of(plain: bytes, way: _Way) -> ContractKey:
    if way.curve is None:
        return ed448_of(plain)
    value = int.from_bytes(plain, "big")
    if not 0 < value < ORDERS[way.curve.name]:  # [V2G20-2678], the seven leading zeros, in it
        raise ContractError("what is in it is no private key: it was sealed for another key, or was changed")
    return ec.derive_private_key(value, way.curve)


def _public_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise ContractError("the contract certificate's key cannot be read") from None
