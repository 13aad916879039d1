"""Keys in a PKCS#11 token (softhsm2, and tpm2-pkcs11 over a software TPM): made there, used there, never seen here."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certs.store import StoreError, Subject, gnutls
from certs.store.files import FileStore
from certs.store.pkcs11 import ANY_CURVE, P256_ONLY, Token, TokenKeys, token_keys
from tests.unit.certs.store_rig import Ca, QuickDisk

pytestmark = pytest.mark.xdist_group("token")
USE: Any = "V2G20Certificate"
SUBJECT = Subject("DE*ICE*E1")
ca = Ca()


def opened(folder: Path, token: Token, kinds: Any = ANY_CURVE) -> FileStore:
    return FileStore(folder, keys=token_keys(token, kinds), disk=QuickDisk())


def life(folder: Path, token: Token, kind: Any, kinds: Any) -> FileStore:
    """A key is made, certified, used by a store that is opened anew, renewed, given up; gives the store, in which one is left."""
    store = opened(folder, token, kinds)
    slot, csr = store.make_request(USE, kind, SUBJECT)
    assert x509.load_pem_x509_csr(csr.encode()).is_signature_valid
    chain = ca.chain_for(csr)
    store.adopt(slot, chain)
    again = opened(folder, token, kinds)
    public: Any = x509.load_pem_x509_certificate(chain.encode()).public_key()
    digest = hashes.SHA256() if kind == "p256" else hashes.SHA512()
    public.verify(again.signer(slot)(b"octets"), b"octets", ec.ECDSA(digest))
    identity = again.identity(slot)
    assert identity.in_token
    assert identity.key == f"{token.uri};object={slot};pin-source={token.pin_file};type=private".encode()
    assert "1234" not in repr(identity) + repr(store._keys) + repr(store._keys.load(slot))
    renewed, csr = again.make_request(USE, kind, SUBJECT)
    again.adopt(renewed, ca.chain_for(csr))
    again.roll_back(USE)
    assert [(each.slot, each.state) for each in again.contents().own] == [(slot, "active")]
    with pytest.raises(StoreError, match="not available"):
        again._keys.load(renewed)
    assert not [each for each in folder.rglob("*") if each.is_file() and b"PRIVATE" in each.read_bytes()]
    assert not list(folder.rglob("*.key"))
    return again


@pytest.mark.parametrize("kind", ANY_CURVE)
def test_a_life_in_a_token(softhsm: Token, tmp_path: Path, kind: Any) -> None:
    store = life(tmp_path / "store", softhsm, kind, ANY_CURVE)
    with pytest.raises(StoreError, match="p256, p521 here, not ed448"):
        store.make_request(USE, "ed448", SUBJECT)


def test_a_life_in_a_tpm(tpm: Token, tmp_path: Path) -> None:
    store = life(tmp_path / "store", tpm, "p256", P256_ONLY)
    for _ in range(5):
        store.signer(store.contents().own[0].slot)(b"no handle is left open in it")
    with pytest.raises(StoreError, match="p256 here, not p521"):
        store.make_request(USE, "p521", SUBJECT)


def test_a_key_that_a_failed_change_has_left_is_replaced(softhsm: Token, tmp_path: Path) -> None:
    keys = TokenKeys(softhsm, ANY_CURVE)
    first, second = (keys.make("V2GCertificate-p256-000001", "p256").public_key() for _ in range(2))
    assert first != second
    assert keys.load("V2GCertificate-p256-000001").public_key() == second
    keys.drop("V2GCertificate-p256-000001")
    keys.drop("V2GCertificate-p256-000001")


def test_a_key_in_a_token_does_nothing_but_sign(softhsm: Token) -> None:
    keys = TokenKeys(softhsm, ANY_CURVE)
    key: Any = keys.make("V2GCertificate-p256-000002", "p256")
    assert copy.deepcopy(key) is copy.copy(key) is key
    assert (key.curve.name, key.key_size) == ("secp256r1", 256)
    for call in (
        key.private_numbers,
        lambda: key.private_bytes(1, 2, 3),
        lambda: key.exchange(1, 2),
        lambda: key.sign(b"x", ec.ECDSA(hashes.SHA384())),
    ):
        with pytest.raises(StoreError) as raised:
            call()
        assert raised.value.problem == "Unsupported"
    keys.drop("V2GCertificate-p256-000002")


@pytest.mark.req("F-2")
def test_a_token_that_is_away_costs_no_certificate(softhsm: Token, tmp_path: Path) -> None:
    store = opened(tmp_path / "store", softhsm)
    slot, csr = store.make_request(USE, "p256", SUBJECT)
    store.adopt(slot, ca.chain_for(csr))
    away = opened(tmp_path / "store", Token(softhsm.module, "pkcs11:token=away", softhsm.pin_file))
    assert away.contents() == store.contents()
    assert away.notes == ()
    for call in (lambda: away.signer(slot), lambda: away.make_request(USE, "p256", SUBJECT)):
        with pytest.raises(StoreError) as raised:
            call()
        assert raised.value.problem == "Failed"
    assert away.contents() == store.contents()
    store.delete_own(slot)


def test_a_wrong_pin_is_told_without_it(softhsm: Token, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("9999")
    store = opened(tmp_path / "store", Token(softhsm.module, softhsm.uri, str(tmp_path / "wrong")))
    with pytest.raises(StoreError, match="PIN") as raised:
        store.make_request(USE, "p256", SUBJECT)
    assert "9999" not in str(raised.value)


def test_what_is_not_installed_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path / "store", Token("/nowhere/libsofthsm2.so", "pkcs11:token=t", "/pin"))
    with pytest.raises(StoreError, match=r"libsofthsm2.so: there is no such PKCS#11 library \(Debian: softhsm2"):
        store.make_request(USE, "p256", SUBJECT)
    gnutls._library.cache_clear()
    monkeypatch.setattr(gnutls, "LIBRARY", "libnowhere.so")
    with pytest.raises(StoreError, match="need libgnutls30"):
        gnutls._library()
    monkeypatch.undo()
