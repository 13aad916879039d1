"""Private keys in a PKCS#11 token, where they are made and which they never leave. By the system's GnuTLS, as the TLS of ISO 15118 is.

A TPM 2.0 is such a token by tpm2-pkcs11, for P-256 only. A token that is away costs signatures, and nothing that was stored: it is
touched when a key is made, used or dropped, and not when the store is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from certs.store import KeyKind, StoreError, gnutls
from certs.store.disk import Disk
from certs.store.keys import Keys
from certs.store.reading import PrivateKey

ANY_CURVE: tuple[KeyKind, ...] = ("p256", "p521")
P256_ONLY: tuple[KeyKind, ...] = ("p256",)
"""Of a TPM 2.0: P-521 fails with tpm2-pkcs11 1.9."""


@dataclass(frozen=True, slots=True)
class Token:
    """Where it is. The PIN is in a file that GnuTLS reads: it is in no memory of ours."""

    module: str
    uri: str
    pin_file: str

    @property
    def url(self) -> str:
        """With the file of its PIN."""
        return f"{self._begin}pin-source={quote(self.pin_file)}"

    def of(self, slot: str) -> str:
        """The URI of a slot's key."""
        return f"{self._begin}object={slot};pin-source={quote(self.pin_file)}"

    @property
    def _begin(self) -> str:
        return self.uri if self.uri.endswith((":", ";")) else f"{self.uri};"


class TokenKeys:
    """By their label, which is the slot's name."""

    def __init__(self, token: Token, kinds: tuple[KeyKind, ...]) -> None:
        self._token, self.kinds = token, kinds

    def make(self, slot: str, kind: KeyKind) -> PrivateKey:
        """One of the same name, which a change that failed has left, is dropped before."""
        gnutls.use(self._token.module)
        gnutls.delete(self._token.of(slot))
        public = load_pem_public_key(gnutls.generate(self._token.url, slot, kind))
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise StoreError("Failed", "the token made a key of another kind")
        return TokenKey(self._token.of(slot), kind, public)

    def load(self, slot: str) -> PrivateKey:
        gnutls.use(self._token.module)
        public = load_pem_public_key(gnutls.public_key(self._token.of(slot)))
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise StoreError("Failed", f"{slot}: the token has a key of another kind")
        return TokenKey(self._token.of(slot), "p521" if public.curve.key_size == 521 else "p256", public)

    def broken(self, slot: str, public: object) -> str:
        return ""

    def reference(self, slot: str) -> bytes:
        return f"{self._token.of(slot)};type=private".encode()

    def drop(self, slot: str) -> None:
        gnutls.use(self._token.module)
        gnutls.delete(self._token.of(slot))


def token_keys(token: Token, kinds: tuple[KeyKind, ...] = ANY_CURVE) -> Callable[[Path, Disk], Keys]:
    """For a FileStore."""
    return lambda _folder, _disk: TokenKeys(token, kinds)


class TokenKey(ec.EllipticCurvePrivateKey):
    """Signs in the token; `cryptography` takes it where it makes requests and certificates."""

    def __init__(self, url: str, kind: KeyKind, public: ec.EllipticCurvePublicKey) -> None:
        self._url, self._kind, self._public = url, kind, public

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        digest = signature_algorithm.algorithm
        return gnutls.sign(self._url, getattr(digest, "name", ""), bytes(data))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve

    @property
    def key_size(self) -> int:
        return self._public.curve.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        raise StoreError("Unsupported", "keys in a token sign, and do nothing else here")

    def private_numbers(self) -> NoReturn:
        raise StoreError("Unsupported", "this key does not leave its token")

    def private_bytes(self, encoding: object, format: object, encryption_algorithm: object) -> NoReturn:
        raise StoreError("Unsupported", "this key does not leave its token")

    def __copy__(self) -> TokenKey:
        return self

    def __deepcopy__(self, memo: object) -> TokenKey:
        return self

    def __repr__(self) -> str:
        return f"TokenKey({self._kind})"
