"""Private keys of slots: what the store asks of them, and those that lie in files. `certs.store.pkcs11` has those in a token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Protocol

from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs.reading import kind_of
from certs.store import KeyKind, StoreError
from certs.store.disk import Disk
from certs.store.layout import KEY
from certs.store.reading import CURVES, MOST_OCTETS, PrivateKey, digest_of, private_key


class Keys(Protocol):
    """By the name of their slot. All raise StoreError, OSError."""

    @property
    def kinds(self) -> tuple[KeyKind, ...]:
        """That can be made."""

    def make(self, slot: str, kind: KeyKind) -> PrivateKey:
        """A new one, safe from a power cut when this returns."""

    def load(self, slot: str) -> PrivateKey:
        """To sign with."""

    def broken(self, slot: str, public: object) -> str:
        """Why there is no use of the slot any more, whose public key this is; "" also where nobody can tell now (a token that is away)."""

    def reference(self, slot: str) -> bytes:
        """For a TLS library: PEM, or a URI."""

    def drop(self, slot: str) -> None:
        """For good; one that is not there is no error."""


class FileKeys:
    """Each in a file of its own, unencrypted, for the owner's eyes: whoever reads the disk has them."""

    kinds: ClassVar[tuple[KeyKind, ...]] = ("p256", "p521", "ed448")

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder, self._disk = folder, disk

    def make(self, slot: str, kind: KeyKind) -> PrivateKey:
        key: PrivateKey = ed448.Ed448PrivateKey.generate() if kind == "ed448" else ec.generate_private_key(CURVES[kind]())
        self._disk.place(self._path(slot), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return key

    def load(self, slot: str) -> PrivateKey:
        key = private_key(self.reference(slot))
        if not isinstance(key, ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey):
            raise StoreError("Invalid", f"{self._path(slot)}: not a key of this store")
        return key

    def broken(self, slot: str, public: object) -> str:
        try:
            return "" if self.load(slot).public_key() == public else "key and request do not belong together"
        except StoreError as error:
            return str(error)

    def reference(self, slot: str) -> bytes:
        path = self._path(slot)
        try:
            if path.stat().st_size > MOST_OCTETS:
                raise StoreError("Invalid", f"{path}: more than {MOST_OCTETS} octets")
            return path.read_bytes()
        except FileNotFoundError:
            raise StoreError("NotFound", f"{path}: is not there") from None

    def drop(self, slot: str) -> None:
        self._disk.remove(self._path(slot))

    def _path(self, slot: str) -> Path:
        return self._folder / f"{slot}{KEY}"


def signer(key: object) -> Callable[[bytes], bytes]:
    """Signs as the key's kind has it; the signature of ECDSA is DER."""
    if isinstance(key, ed448.Ed448PrivateKey):
        return key.sign
    if isinstance(key, ec.EllipticCurvePrivateKey) and (digest := digest_of(kind_of(key.public_key()))) is not None:
        return lambda octets: key.sign(octets, ec.ECDSA(digest))
    raise StoreError("Unsupported", "no signatures with a key of this kind")
