"""The envelope of a contract's key: sealed and opened, taken apart by others' means, refused with reasons."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x448
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from certs.contract import (
    AgreementKey,
    ContractError,
    ContractKey,
    Envelope,
    Form,
    agrees_by,
    authenticated,
    ed448_of,
    filled,
    form_of,
    open_,
    seal,
    x448_private,
    x448_public,
)

FORMS: tuple[Form, ...] = ("iso2", "iso20", "iso20_x448")
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PCID = "DE8-p-AA00003C4D58Y-2"
P256, P521 = ec.SECP256R1(), ec.SECP521R1()


def contract_key(form: Form, number: int = 11) -> ContractKey:
    match form:
        case "iso2":
            return ec.derive_private_key(number, P256)
        case "iso20":
            return ec.derive_private_key(number, P521)
        case _:
            return ed448_of(bytes([number] * 56))


def agreement_key(form: Form, number: int) -> AgreementKey:
    if form == "iso20_x448":
        return x448.X448PrivateKey.from_private_bytes(bytes([number] * 56))
    return ec.derive_private_key(number, P256 if form == "iso2" else P521)


def certificate_of(key: Any, *, identifier: bool = True) -> x509.Certificate:
    signer = ec.derive_private_key(5, P256)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "DETSTC00000001")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW, NOW + dt.timedelta(days=1))
    if identifier:
        builder = builder.add_extension(x509.SubjectKeyIdentifier(bytes.fromhex("4123456789abcdef")), critical=False)
    return builder.sign(signer, hashes.SHA256())


CERTIFICATES = {form: certificate_of(contract_key(form)) for form in FORMS}
IVS = {"iso2": bytes(range(16)), "iso20": bytes(range(12)), "iso20_x448": bytes(range(12))}


def sealed(form: Form, **other: Any) -> Envelope:
    how: dict[str, Any] = {
        "key": contract_key(form),
        "receiver": agreement_key(form, 21).public_key(),
        "contract": CERTIFICATES[form],
        "ephemeral": agreement_key(form, 31),
        "iv": IVS[form],
        "pcid": PCID,
    } | other
    return seal(form, how.pop("key"), how.pop("receiver"), **how)


def opened(envelope: Envelope, **other: Any) -> ContractKey:
    how: dict[str, Any] = {"receiver": agreement_key(envelope.form, 21), "contract": CERTIFICATES[envelope.form], "pcid": PCID} | other
    return open_(envelope, how.pop("receiver"), **how)


def secret(key: ContractKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


# ---- right


@pytest.mark.parametrize("form", FORMS)
def test_what_was_sealed_is_opened(form: Form) -> None:
    envelope = sealed(form)
    assert secret(opened(envelope)) == secret(contract_key(form))
    lengths = {"iso2": (65, 48), "iso20": (133, 94), "iso20_x448": (57, 84)}
    assert (len(envelope.dh_public_key), len(envelope.encrypted)) == lengths[form]
    assert envelope.encrypted.startswith(IVS[form])
    assert envelope.dh_public_key[0] == 4
    assert form_of(octets=len(envelope.encrypted)) == form


@pytest.mark.parametrize("form", FORMS)
def test_a_key_in_a_token_agrees_for_the_receiver(form: Form) -> None:
    asked = []

    def agree(other: Any) -> bytes:
        asked.append(other)
        own = agreement_key(form, 21)
        return own.exchange(other) if isinstance(own, x448.X448PrivateKey) else own.exchange(ec.ECDH(), other)

    assert secret(opened(sealed(form), receiver=agree)) == secret(contract_key(form))
    assert asked[0].public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == agreement_key(form, 31).public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize("form", ["iso20", "iso20_x448"])
def test_an_envelope_of_iso20_opens_by_other_means(form: Form) -> None:
    """`cryptography` by itself, after the words of [V2G20-2492], -2499 and -2535."""
    envelope, own = sealed(form), agreement_key(form, 21)
    if isinstance(own, x448.X448PrivateKey):
        shared = own.exchange(x448.X448PublicKey.from_public_bytes(envelope.dh_public_key[1:]))
    else:
        shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(P521, envelope.dh_public_key))
    key = ConcatKDFHash(hashes.SHA512(), 32, b"\x01UV").derive(shared)
    assert key == hashlib.sha512(b"\0\0\0\1" + shared + b"\x01UV").digest()[:32]
    plain = AESGCM(key).decrypt(envelope.encrypted[:12], envelope.encrypted[12:], b"DE8PAA00003C4D58Y2" + b"4123456789ABCDEF")
    assert plain == (b"\x0b" * 56 if form == "iso20_x448" else (11).to_bytes(66, "big"))


def test_an_envelope_of_iso2_opens_by_openssl(tmp_path: Path) -> None:
    """The agreement, the derivation and the cipher, each by the command line."""
    envelope, own = sealed("iso2"), agreement_key("iso2", 21)
    assert isinstance(own, ec.EllipticCurvePrivateKey)
    sender = ec.EllipticCurvePublicKey.from_encoded_point(P256, envelope.dh_public_key)
    (tmp_path / "own.pem").write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "sender.pem").write_bytes(sender.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "encrypted").write_bytes(envelope.encrypted[16:])

    def run(*words: str, given: bytes = b"") -> bytes:
        return subprocess.run(["openssl", *words], cwd=tmp_path, input=given, capture_output=True, check=True).stdout

    shared = run("pkeyutl", "-derive", "-inkey", "own.pem", "-peerkey", "sender.pem")
    key = run("dgst", "-sha256", "-binary", given=b"\0\0\0\1" + shared + b"\x01UV")[:16]
    plain = run("enc", "-d", "-aes-128-cbc", "-nopad", "-K", key.hex(), "-iv", envelope.encrypted[:16].hex(), "-in", "encrypted")
    assert plain == (11).to_bytes(32, "big")


def test_the_same_inputs_give_the_same_envelope() -> None:
    assert sealed("iso20") == sealed("iso20")
    assert sealed("iso20") != sealed("iso20", ephemeral=agreement_key("iso20", 32))


def test_what_is_authenticated() -> None:
    assert authenticated(PCID, CERTIFICATES["iso20"]) == b"DE8PAA00003C4D58Y24123456789ABCDEF"
    assert len(authenticated(PCID, CERTIFICATES["iso20"])) == 18 + 16


def test_a_key_of_x448_is_read_with_the_filler_that_the_schema_wants() -> None:
    envelope = sealed("iso20_x448")
    long = dataclasses.replace(envelope, dh_public_key=filled(envelope.dh_public_key))
    assert len(long.dh_public_key) == 133
    assert secret(opened(long)) == secret(contract_key("iso20_x448"))
    assert filled(sealed("iso20").dh_public_key) == sealed("iso20").dh_public_key
    with pytest.raises(ContractError, match="DHPublicKey of 133 octets"):
        opened(dataclasses.replace(envelope, dh_public_key=long.dh_public_key[:-1] + b"\1"))


def test_nothing_secret_is_shown() -> None:
    envelope = sealed("iso20")
    assert envelope.encrypted.hex() not in repr(envelope)
    assert repr(envelope.encrypted) not in repr(envelope)


# ---- the form of a TPM


def test_the_form_of_a_tpm_is_recognised_and_not_opened() -> None:
    assert form_of(octets=206) == "iso20_tpm"
    own, contract = agreement_key("iso20", 21), CERTIFICATES["iso20"]
    with pytest.raises(ContractError, match=r"sealed for the vehicle's TPM 2\.0"):
        open_(Envelope("iso20_tpm", bytes(133), bytes(206)), own, contract=contract, pcid=PCID)
    with pytest.raises(ContractError, match=r"sealed for the vehicle's TPM 2\.0"):
        seal("iso20_tpm", contract_key("iso20"), own.public_key(), contract=contract, ephemeral=own, iv=bytes(12), pcid=PCID)
    for octets in (0, 47, 95, 207):
        with pytest.raises(ContractError, match=f"an encrypted key of {octets} octets: there is none of that length"):
            form_of(octets=octets)


# ---- refused when opening

CHANGED = "it was sealed for another key, another PCID or another certificate, or was changed"


@pytest.mark.parametrize("form", ["iso20", "iso20_x448"])
@pytest.mark.parametrize("at", [0, 11, 12, 40, -17, -16, -1])
def test_an_octet_that_was_changed_in_iso20(form: Form, at: int) -> None:
    envelope = sealed(form)
    octets = bytearray(envelope.encrypted)
    octets[at] ^= 1
    with pytest.raises(ContractError, match=CHANGED):
        opened(dataclasses.replace(envelope, encrypted=bytes(octets)))


@pytest.mark.parametrize("at", [0, 15, 16, 47])
def test_an_octet_that_was_changed_in_iso2_shows_in_the_key(at: int) -> None:
    envelope = sealed("iso2")
    octets = bytearray(envelope.encrypted)
    octets[at] ^= 1
    with pytest.raises(ContractError, match=r"the key in it is not the contract certificate's|what is in it is no private key"):
        opened(dataclasses.replace(envelope, encrypted=bytes(octets)))


@pytest.mark.parametrize("form", ["iso20", "iso20_x448"])
def test_another_pcid_certificate_or_receiver(form: Form) -> None:
    envelope = sealed(form)
    other = certificate_of(contract_key(form, 12))
    assert authenticated(PCID, other) == authenticated(PCID, CERTIFICATES[form])
    for how, why in (
        ({"pcid": "DE8-P-AA00003C4D58X-2"}, CHANGED),
        ({"pcid": ""}, "there is no PCID"),
        ({"pcid": "\u00e9"}, "there is no PCID"),
        ({"receiver": agreement_key(form, 22)}, CHANGED),
        ({"contract": other}, "the key in it is not the contract certificate's"),
        ({"contract": certificate_of(contract_key(form), identifier=False)}, "the contract certificate has no subject key identifier"),
    ):
        with pytest.raises(ContractError, match=why):
            opened(envelope, **how)
    assert secret(opened(envelope, pcid="de8paa00003c4d58y2")) == secret(contract_key(form))


def test_another_certificate_or_receiver_in_iso2() -> None:
    with pytest.raises(ContractError, match="the key in it is not the contract certificate's"):
        opened(sealed("iso2"), contract=certificate_of(contract_key("iso2", 12)))
    with pytest.raises(ContractError, match=r"the key in it is not|what is in it is no private key"):
        opened(sealed("iso2"), receiver=agreement_key("iso2", 22))
    assert secret(opened(sealed("iso2"), pcid="")) == secret(contract_key("iso2"))


@pytest.mark.parametrize("form", FORMS)
def test_lengths_and_keys_that_cannot_be_right(form: Form) -> None:
    envelope = sealed(form)
    point = len(envelope.dh_public_key)
    changes: list[tuple[dict[str, Any], str]] = [
        ({"encrypted": envelope.encrypted[:-1]}, f"an encrypted key of {len(envelope.encrypted) - 1} octets: {form} has"),
        ({"encrypted": b""}, "an encrypted key of 0 octets"),
        ({"dh_public_key": envelope.dh_public_key[:-1]}, f"DHPublicKey of {point - 1} octets"),
        ({"dh_public_key": b""}, "DHPublicKey of 0 octets"),
        ({"dh_public_key": b"\2" + envelope.dh_public_key[1:]}, f"DHPublicKey of {point} octets: it is 04"),
    ]
    for how, why in changes:
        with pytest.raises(ContractError, match=why):
            opened(dataclasses.replace(envelope, **how))
    nowhere = dataclasses.replace(envelope, dh_public_key=b"\4" + bytes(point - 1))
    with pytest.raises(
        ContractError, match="these two keys agree on nothing" if form == "iso20_x448" else "DHPublicKey is no point of the curve"
    ):
        opened(nowhere)
    wrong = agreement_key("iso20" if form == "iso2" else "iso2", 21)
    with pytest.raises(ContractError, match="the receiver's key is on secp"):
        opened(envelope, receiver=wrong)


@pytest.mark.parametrize(("form", "curve", "octets"), [("iso2", P256, 32), ("iso20", P521, 66)])
def test_a_number_that_is_no_private_key(form: Form, curve: ec.EllipticCurve, octets: int) -> None:
    """Sealed by hand: zero, the order, and, for P-521, one of the seven bits that have to be zero."""
    own, sender = agreement_key(form, 21), agreement_key(form, 31)
    assert isinstance(own, ec.EllipticCurvePrivateKey)
    assert isinstance(sender, ec.EllipticCurvePrivateKey)
    shared = sender.exchange(ec.ECDH(), own.public_key())
    order = ORDER[form]
    for number in (0, order, order + 11, (1 << 8 * octets) - 1):
        plain = number.to_bytes(octets, "big")
        if form == "iso2":
            from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

            encryptor = Cipher(
                algorithms.AES128(ConcatKDFHash(hashes.SHA256(), 16, b"\x01UV").derive(shared)), modes.CBC(IVS[form])
            ).encryptor()
            encrypted = encryptor.update(plain)
        else:
            key = ConcatKDFHash(hashes.SHA512(), 32, b"\x01UV").derive(shared)
            encrypted = AESGCM(key).encrypt(IVS[form], plain, authenticated(PCID, CERTIFICATES[form]))
        with pytest.raises(ContractError, match="what is in it is no private key"):
            opened(dataclasses.replace(sealed(form), encrypted=IVS[form] + encrypted))


ORDER = {
    "iso2": int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16),
    "iso20": int("1" + "F" * 65 + "A51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409", 16),
}


@pytest.mark.parametrize("form", ["iso2", "iso20"])
def test_the_greatest_private_key_is_one(form: Form) -> None:
    key = contract_key(form, ORDER[form] - 1)
    contract = certificate_of(key)
    assert secret(opened(sealed(form, key=key, contract=contract), contract=contract)) == secret(key)


# ---- refused when sealing


@pytest.mark.parametrize("form", FORMS)
def test_what_cannot_be_sealed(form: Form) -> None:
    other: Form = "iso20" if form == "iso2" else "iso2"
    for how, why in (
        ({"iv": b""}, f"an IV of 0 octets: {form} has"),
        ({"key": contract_key(form, 12)}, "the key is not the contract certificate's"),
        ({"key": contract_key(other), "contract": CERTIFICATES[other]}, "the contract's key is of another kind"),
        ({"receiver": agreement_key(other, 21).public_key()}, "the receiver's key is on"),
        ({"ephemeral": agreement_key(other, 31)}, "the ephemeral key is on"),
    ):
        with pytest.raises(ContractError, match=why):
            sealed(form, **how)
    if form != "iso2":
        with pytest.raises(ContractError, match="there is no PCID"):
            sealed(form, pcid="")


def test_a_key_of_ed448_that_does_not_fit() -> None:
    key = ed448.Ed448PrivateKey.from_private_bytes(bytes([1] * 57))
    with pytest.raises(ContractError, match="this key of Ed448 does not fit"):
        sealed("iso20_x448", key=key, contract=certificate_of(key))
    with pytest.raises(ContractError, match="57 octets for a key of Ed448: an envelope holds 56"):
        ed448_of(bytes(57))


def test_a_certificate_of_another_kind_of_key() -> None:
    key = rsa.generate_private_key(65537, 1024)
    with pytest.raises(ContractError, match="the key in it is not the contract certificate's"):
        opened(sealed("iso2"), contract=certificate_of(key))


# ---- Ed448 that agrees by X448


@pytest.mark.parametrize("number", [1, 2, 99])
def test_a_key_of_ed448_is_the_same_number_on_curve448(number: int) -> None:
    """Whoever knows the certificate only, and whoever has its key, come to one secret."""
    own, other = ed448_of(bytes([number] * 56)), x448.X448PrivateKey.from_private_bytes(bytes([7] * 56))
    assert x448_private(own).public_key().public_bytes_raw() == x448_public(own.public_key()).public_bytes_raw()
    assert x448_private(own).exchange(other.public_key()) == other.exchange(x448_public(own.public_key()))


def test_a_point_of_ed448_that_nobody_agrees_by() -> None:
    one = ed448.Ed448PublicKey.from_public_bytes((1).to_bytes(57, "little"))
    with pytest.raises(ContractError, match="no point that anybody agrees by"):
        x448_public(one)


def test_the_key_of_a_certificate_that_agrees() -> None:
    for key in (ec.derive_private_key(7, ec.SECP521R1()), ed448_of(bytes([7] * 56))):
        found = agrees_by(certificate_of(key))
        assert isinstance(found, ec.EllipticCurvePublicKey if isinstance(key, ec.EllipticCurvePrivateKey) else x448.X448PublicKey)
