"""The system's GnuTLS by ctypes, as far as keys in PKCS#11 tokens are concerned: made, used, dropped. URIs are those of RFC 7512."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_ubyte, c_uint, c_void_p
from functools import cache
from pathlib import Path
from typing import Final

from certs.store import KeyKind, StoreError

LIBRARY: Final = "libgnutls.so.30"
PACKAGES: Final = "libgnutls30 (Debian 12) or libgnutls30t64 (Debian 13, Ubuntu 24.04)"

# From gnutls.h and pkcs11.h
PK_ECDSA, PEM = 4, 1
CURVES: dict[str, int] = {"p256": 2, "p521": 4}
DIGESTS: dict[str, int] = {"sha256": 6, "sha512": 8}
LOGIN, SENSITIVE, PRIVATE = 1, 1 << 2, 1 << 4
NOT_AVAILABLE = -56
NO_SUCH_OBJECT = -323
"""GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE"""
BITS_OF_CURVE = 1 << 31
"""GNUTLS_CURVE_TO_BITS"""


class Datum(ctypes.Structure):
    """gnutls_datum_t"""

    _fields_ = (("data", POINTER(c_ubyte)), ("size", c_uint))

    @property
    def octets(self) -> bytes:
        return ctypes.string_at(self.data, self.size) if self.size else b""


def _datum(octets: bytes) -> Datum:
    return Datum((c_ubyte * len(octets)).from_buffer_copy(octets), len(octets))


_FUNCTIONS: dict[str, tuple[object, ...]] = {
    "gnutls_pkcs11_init": (c_uint, c_char_p),
    "gnutls_pkcs11_add_provider": (c_char_p, c_char_p),
    "gnutls_pkcs11_privkey_generate3": (c_char_p, c_int, c_uint, c_char_p, POINTER(Datum), c_int, POINTER(Datum), c_uint, c_uint),
    "gnutls_pkcs11_delete_url": (c_char_p, c_uint),
    "gnutls_privkey_init": (POINTER(c_void_p),),
    "gnutls_privkey_import_url": (c_void_p, c_char_p, c_uint),
    "gnutls_privkey_sign_data": (c_void_p, c_int, c_uint, POINTER(Datum), POINTER(Datum)),
    "gnutls_pubkey_init": (POINTER(c_void_p),),
    "gnutls_pubkey_import_url": (c_void_p, c_char_p, c_uint),
    "gnutls_pubkey_export2": (c_void_p, c_int, POINTER(Datum)),
}


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        raise StoreError("Unsupported", f"{LIBRARY} is not there; keys in a token need {PACKAGES}") from None
    for name, arguments in _FUNCTIONS.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, c_int
    library.gnutls_strerror.argtypes, library.gnutls_strerror.restype = (c_int,), c_char_p
    for name in ("gnutls_privkey_deinit", "gnutls_pubkey_deinit"):
        getattr(library, name).argtypes, getattr(library, name).restype = (c_void_p,), None
    return library


def missing() -> str:
    """Why there can be no keys in a token here, whatever the token; "" where nothing is missing."""
    try:
        _library()
    except StoreError as error:
        return str(error)
    return ""


@cache
def use(module: str) -> None:
    """This PKCS#11 library, and no other one that the system may know of (p11-kit would load them all)."""
    if not Path(module).exists():
        raise StoreError("Unsupported", f"{module}: there is no such PKCS#11 library (Debian: softhsm2; for a TPM 2.0 libtpm2-pkcs11-1)")
    _checked(_library().gnutls_pkcs11_init(0, None), "PKCS#11")
    _checked(_library().gnutls_pkcs11_add_provider(module.encode(), None), module)


def _checked(code: int, what: str) -> int:
    if code < 0:
        raise StoreError("Failed", f"{what}: {_library().gnutls_strerror(code).decode()}")
    return code


def generate(url: str, label: str, kind: KeyKind) -> bytes:
    """A key in the token, which does not let go of it; gives its public key as PEM."""
    public, flags = Datum(), LOGIN | SENSITIVE | PRIVATE
    bits = BITS_OF_CURVE | CURVES[kind]
    code = _library().gnutls_pkcs11_privkey_generate3(url.encode(), PK_ECDSA, bits, label.encode(), None, PEM, byref(public), 0, flags)
    _checked(code, f"a key of kind {kind} in the token")
    return _taken(public)


def delete(url: str) -> None:
    """Private and public key; none is no error."""
    code = _library().gnutls_pkcs11_delete_url(url.encode(), LOGIN)
    if code not in (NOT_AVAILABLE, NO_SUCH_OBJECT):
        _checked(code, "the token")


def public_key(url: str) -> bytes:
    """PEM."""
    handle, out = c_void_p(), Datum()
    _checked(_library().gnutls_pubkey_init(byref(handle)), "GnuTLS")
    try:
        _checked(_library().gnutls_pubkey_import_url(handle, f"{url};type=public".encode(), LOGIN), "the token")
        _checked(_library().gnutls_pubkey_export2(handle, PEM, byref(out)), "the token")
        return _taken(out)
    finally:
        _library().gnutls_pubkey_deinit(handle)


def sign(url: str, digest: str, octets: bytes) -> bytes:
    """ECDSA, DER."""
    if digest not in DIGESTS:
        raise StoreError("Unsupported", f"no signatures over {digest or 'that'} with a key in a token")
    data, out = _datum(octets), Datum()
    with _private(url) as handle:
        _checked(_library().gnutls_privkey_sign_data(handle, DIGESTS[digest], 0, byref(data), byref(out)), "the token")
        return _taken(out)


@contextmanager
def _private(url: str) -> Iterator[c_void_p]:
    """A TPM has room for a few keys at once: none is kept."""
    handle = c_void_p()
    _checked(_library().gnutls_privkey_init(byref(handle)), "GnuTLS")
    try:
        _checked(_library().gnutls_privkey_import_url(handle, f"{url};type=private".encode(), 0), "the token")
        yield handle
    finally:
        _library().gnutls_privkey_deinit(handle)


def _taken(datum: Datum) -> bytes:
    """What GnuTLS has allocated, given back to it."""
    octets = datum.octets
    free = ctypes.cast(c_void_p.in_dll(_library(), "gnutls_free"), ctypes.CFUNCTYPE(None, c_void_p))
    free(ctypes.cast(datum.data, c_void_p))
    return octets
