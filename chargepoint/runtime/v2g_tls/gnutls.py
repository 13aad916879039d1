"""The system's GnuTLS by ctypes: what we call of it, its error numbers, and credentials made once per plan.

Not thread-safe in one point: what is read goes through one buffer, so that all engines read on one thread; a handshake may be in one of its own.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_ssize_t, c_ubyte, c_uint, c_void_p
from functools import cache
from typing import Final

from chargepoint.runtime.tls import in_memory
from chargepoint.runtime.v2g_tls.hello import TLS_1_2, TLS_1_3
from chargepoint.runtime.v2g_tls.plan import (
    AES_128_GCM,
    AES_256_GCM,
    CHACHA20,
    ECDHE_AES_128_CBC,
    ECDHE_AES_128_GCM,
    ECDHE_AES_256_GCM,
    ECDHE_RSA_AES_128_GCM,
    ECDHE_RSA_AES_256_GCM,
    ECDSA_P256,
    ECDSA_P384,
    ECDSA_P521,
    ED448,
    ED25519,
    P256,
    P384,
    P521,
    PSS_SHA256,
    PSS_SHA384,
    PSS_SHA512,
    RSA_AES_128_GCM,
    RSA_AES_256_GCM,
    RSA_SHA256,
    RSA_SHA384,
    RSA_SHA512,
    X448,
    X25519,
    Plan,
    TlsFailed,
    TlsMissing,
)

LIBRARY: Final = "libgnutls.so.30"
PACKAGES: Final = "libgnutls30 (Debian 12) or libgnutls30t64 (Debian 13, Ubuntu 24.04)"

# From gnutls.h
E_FATAL_ALERT_RECEIVED, E_WARNING_ALERT_RECEIVED, E_DECRYPTION_FAILED, E_AGAIN, E_REHANDSHAKE, E_GOT_APPLICATION_DATA = (
    -12,
    -16,
    -24,
    -28,
    -37,
    -38,
)
E_CERTIFICATE_ERROR, E_KEY_USAGE_VIOLATION, E_INTERRUPTED, E_PREMATURE_TERMINATION = -43, -48, -52, -110
E_ASN1 = range(-76, -66)
NAME_DNS = 1
SERVER, CLIENT, NONBLOCK, FORCE_CLIENT_CERT, NO_TICKETS = 1, 1 << 1, 1 << 3, 1 << 9, 1 << 10
CRD_CERTIFICATE, PEM, CERT_REQUEST, SHUT_WR, ALERT_FATAL = 1, 1, 1, 1, 2
CERTIFICATE_API_V2 = 1 << 1
VERIFY_DISABLE_TIME_CHECKS, VERIFY_DISABLE_TRUSTED_TIME_CHECKS, VERIFY_DISABLE_CRL_CHECKS = 1 << 6, 1 << 7, 1 << 9
EXT_TLS, EXT_CLIENT_HELLO, EXT_TLS12_SERVER_HELLO, EXT_FLAG_TLS, EMPTY_EXTENSION = 2, 1 << 1, 1 << 2, 1 << 7, -1251
EAGAIN = 11

NAMES: dict[int, tuple[str, ...]] = {
    TLS_1_2: ("VERS-TLS1.2",), TLS_1_3: ("VERS-TLS1.3",),
    AES_256_GCM: ("AES-256-GCM", "AEAD"), CHACHA20: ("CHACHA20-POLY1305", "AEAD"), AES_128_GCM: ("AES-128-GCM", "AEAD"),
    ECDHE_AES_128_CBC: ("AES-128-CBC", "SHA256"), ECDHE_AES_128_GCM: ("AES-128-GCM", "AEAD"),
    P256: ("GROUP-SECP256R1",), P384: ("GROUP-SECP384R1",), P521: ("GROUP-SECP521R1",), X25519: ("GROUP-X25519",), X448: ("GROUP-X448",),
    ED448: ("SIGN-EDDSA-ED448",), ED25519: ("SIGN-EDDSA-ED25519",),
    ECDHE_AES_256_GCM: ("AES-256-GCM", "AEAD", "ECDHE-ECDSA"),
    ECDHE_RSA_AES_128_GCM: ("AES-128-GCM", "AEAD", "ECDHE-RSA"), ECDHE_RSA_AES_256_GCM: ("AES-256-GCM", "AEAD", "ECDHE-RSA"),
    RSA_AES_128_GCM: ("AES-128-GCM", "AEAD", "RSA"), RSA_AES_256_GCM: ("AES-256-GCM", "AEAD", "RSA"),
    RSA_SHA256: ("SIGN-RSA-SHA256",), RSA_SHA384: ("SIGN-RSA-SHA384",), RSA_SHA512: ("SIGN-RSA-SHA512",),
    PSS_SHA256: ("SIGN-RSA-PSS-RSAE-SHA256",), PSS_SHA384: ("SIGN-RSA-PSS-RSAE-SHA384",), PSS_SHA512: ("SIGN-RSA-PSS-RSAE-SHA512",),
}  # fmt: skip
SIGNATURES = {  # TLS 1.3 binds the curve, 1.2 does not; GnuTLS has a name for each
    TLS_1_3: {ECDSA_P256: "SIGN-ECDSA-SECP256R1-SHA256", ECDSA_P384: "SIGN-ECDSA-SECP384R1-SHA384", ECDSA_P521: "SIGN-ECDSA-SECP521R1-SHA512"},
    TLS_1_2: {ECDSA_P256: "SIGN-ECDSA-SHA256", ECDSA_P384: "SIGN-ECDSA-SHA384", ECDSA_P521: "SIGN-ECDSA-SHA512"},
}  # fmt: skip

PUSH = ctypes.CFUNCTYPE(c_ssize_t, c_void_p, c_void_p, c_size_t)
PULL = ctypes.CFUNCTYPE(c_ssize_t, c_void_p, c_void_p, c_size_t)
PULL_TIMEOUT = ctypes.CFUNCTYPE(c_int, c_void_p, c_uint)
EXT_RECEIVE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)
EXT_SEND = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
VERIFY = ctypes.CFUNCTYPE(c_int, c_void_p)


class Datum(ctypes.Structure):
    """gnutls_datum_t"""

    _fields_ = (("data", POINTER(c_ubyte)), ("size", c_uint))

    @property
    def octets(self) -> bytes:
        return ctypes.string_at(self.data, self.size) if self.size else b""


KEY_LOG = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, POINTER(Datum))

SIGNATURES_OF_CALLS: dict[str, tuple[object, ...]] = {
    # name: what it returns, what it takes
    "gnutls_init": (c_int, POINTER(c_void_p), c_uint),
    "gnutls_deinit": (None, c_void_p),
    "gnutls_handshake": (c_int, c_void_p),
    "gnutls_handshake_set_timeout": (None, c_void_p, c_uint),
    "gnutls_handshake_set_max_packet_length": (None, c_void_p, c_size_t),
    "gnutls_record_recv": (c_ssize_t, c_void_p, c_void_p, c_size_t),
    "gnutls_record_check_pending": (c_size_t, c_void_p),
    "gnutls_record_send": (c_ssize_t, c_void_p, c_void_p, c_size_t),
    "gnutls_bye": (c_int, c_void_p, c_int),
    "gnutls_alert_get": (c_int, c_void_p),
    "gnutls_alert_get_name": (c_char_p, c_int),
    "gnutls_alert_send": (c_int, c_void_p, c_int, c_int),
    "gnutls_error_to_alert": (c_int, c_int, POINTER(c_int)),
    "gnutls_error_is_fatal": (c_int, c_int),
    "gnutls_strerror": (c_char_p, c_int),
    "gnutls_priority_init": (c_int, POINTER(c_void_p), c_char_p, POINTER(c_char_p)),
    "gnutls_priority_deinit": (None, c_void_p),
    "gnutls_priority_set": (c_int, c_void_p, c_void_p),
    "gnutls_credentials_set": (c_int, c_void_p, c_int, c_void_p),
    "gnutls_certificate_allocate_credentials": (c_int, POINTER(c_void_p)),
    "gnutls_certificate_free_credentials": (None, c_void_p),
    "gnutls_certificate_free_keys": (None, c_void_p),
    "gnutls_certificate_set_flags": (None, c_void_p, c_uint),
    "gnutls_certificate_set_x509_key_mem2": (c_int, c_void_p, POINTER(Datum), POINTER(Datum), c_int, c_char_p, c_uint),
    "gnutls_certificate_set_x509_key_file2": (c_int, c_void_p, c_char_p, c_char_p, c_int, c_char_p, c_uint),
    "gnutls_certificate_set_x509_trust_mem": (c_int, c_void_p, POINTER(Datum), c_int),
    "gnutls_certificate_set_ocsp_status_request_mem": (c_int, c_void_p, POINTER(Datum), c_uint, c_int),
    "gnutls_certificate_set_verify_flags": (None, c_void_p, c_uint),
    "gnutls_certificate_set_verify_function": (None, c_void_p, VERIFY),
    "gnutls_certificate_verify_peers2": (c_int, c_void_p, POINTER(c_uint)),
    "gnutls_certificate_get_peers": (POINTER(Datum), c_void_p, POINTER(c_uint)),
    "gnutls_certificate_server_set_request": (None, c_void_p, c_int),
    "gnutls_transport_set_ptr": (None, c_void_p, c_void_p),
    "gnutls_transport_set_errno": (None, c_void_p, c_int),
    "gnutls_transport_set_push_function": (None, c_void_p, PUSH),
    "gnutls_transport_set_pull_function": (None, c_void_p, PULL),
    "gnutls_transport_set_pull_timeout_function": (None, c_void_p, PULL_TIMEOUT),
    "gnutls_session_set_ptr": (None, c_void_p, c_void_p),
    "gnutls_server_name_set": (c_int, c_void_p, c_int, c_char_p, c_size_t),
    "gnutls_session_get_ptr": (c_void_p, c_void_p),
    "gnutls_session_set_keylog_function": (None, c_void_p, KEY_LOG),
    "gnutls_session_get_random": (None, c_void_p, POINTER(Datum), POINTER(Datum)),
    "gnutls_session_get_desc": (c_void_p, c_void_p),
    "gnutls_session_ext_register": (
        c_int, c_void_p, c_char_p, c_int, c_int, EXT_RECEIVE, EXT_SEND, c_void_p, c_void_p, c_void_p, c_uint,
    ),
    "gnutls_buffer_append_data": (c_int, c_void_p, c_char_p, c_size_t),
    "gnutls_ocsp_status_request_get2": (c_int, c_void_p, c_uint, POINTER(Datum)),
    "gnutls_protocol_get_version": (c_int, c_void_p),
}  # fmt: skip
VERSIONS = {4: "1.2", 5: "1.3"}
"""gnutls_protocol_t"""


@cache
def library() -> ctypes.CDLL:
    """Loaded once. Raises TlsMissing."""
    try:
        found = ctypes.CDLL(LIBRARY)
        for name, (returns, *takes) in SIGNATURES_OF_CALLS.items():
            call = getattr(found, name)
            call.restype, call.argtypes = returns, takes
    except (OSError, AttributeError) as error:
        raise TlsMissing(
            f"TLS towards vehicles, and with keys in a token, needs GnuTLS 3.7 or newer: install the package {PACKAGES} ({error})"
        ) from None
    pkcs11 = getattr(found, "gnutls_pkcs11_init", None)
    if pkcs11 is not None:
        pkcs11(0, None)  # by hand, before anything else: otherwise every PKCS#11 module of the system is loaded
    return found


def words_of(code: int) -> str:
    """What GnuTLS says about one of its errors, without the full stop."""
    return str(library().gnutls_strerror(code).decode()).rstrip(".")


def alert_words(alert: int) -> str:
    """`48 (Unknown certificate authority)`, say."""
    name = library().gnutls_alert_get_name(alert)
    return f"{alert} ({name.decode()})" if name else str(alert)


def datum(octets: bytes) -> Datum:
    """Points into `octets`, which must outlive the call."""
    return Datum(ctypes.cast(c_char_p(octets), POINTER(c_ubyte)), len(octets))


class Credentials:
    """A chain with its key, the roots of the other side, and the priorities, as GnuTLS holds them."""

    def __init__(self, plan: Plan, verify: ctypes._FuncPointer) -> None:
        lib = self._lib = library()
        self.pointer, self.priority = c_void_p(), c_void_p()
        checked(lib.gnutls_certificate_allocate_credentials(byref(self.pointer)), "no memory")
        lib.gnutls_certificate_set_flags(self.pointer, CERTIFICATE_API_V2)
        if plan.chain is not None:
            self._show(plan)
        for root in plan.roots:
            given = datum(root.pem)
            checked(lib.gnutls_certificate_set_x509_trust_mem(self.pointer, byref(given), PEM), "a root")
        # A staple whose issuer is the root, which is never sent, would count as invalid: revocation is judged elsewhere.
        flags = VERIFY_DISABLE_CRL_CHECKS
        if not plan.check_time:
            flags |= VERIFY_DISABLE_TIME_CHECKS | VERIFY_DISABLE_TRUSTED_TIME_CHECKS
        lib.gnutls_certificate_set_verify_flags(self.pointer, flags)
        lib.gnutls_certificate_set_verify_function(self.pointer, verify)
        words = priorities(plan)
        checked(lib.gnutls_priority_init(byref(self.priority), words.encode(), None), words)

    def _show(self, plan: Plan) -> None:
        if plan.chain is None:
            return
        if plan.chain.key.startswith(b"pkcs11:"):
            with in_memory(plan.chain.certificates) as path:
                index = self._lib.gnutls_certificate_set_x509_key_file2(self.pointer, path.encode(), plan.chain.key, PEM, None, 0)
            checked(index, "our certificate, or its key in the token")
        else:
            certificates, key = datum(plan.chain.certificates), datum(plan.chain.key)
            index = self._lib.gnutls_certificate_set_x509_key_mem2(self.pointer, byref(certificates), byref(key), PEM, None, 0)
            checked(index, "our certificate and key")
        if plan.chain.staples:
            staples = datum(plan.chain.staples)
            # What GnuTLS does not take (too old by the host's clock, say) is not sent: without it vehicles charge as well.
            self._lib.gnutls_certificate_set_ocsp_status_request_mem(self.pointer, byref(staples), index, PEM)

    def forget_keys(self) -> None:
        """Gives them back, and with them what a token holds open for them: for who has no other handshake before them."""
        self._lib.gnutls_certificate_free_keys(self.pointer)

    def __del__(self) -> None:
        if self.priority.value:
            self._lib.gnutls_priority_deinit(self.priority)
        if self.pointer.value:
            self._lib.gnutls_certificate_free_credentials(self.pointer)


def checked(code: int, what: str) -> None:
    """Raises TlsFailed for a negative code of a call that only we can have made wrong."""
    if code < 0:
        raise TlsFailed(f"GnuTLS refuses {what}: {words_of(code)}")


def priorities(plan: Plan) -> str:
    """GnuTLS's words for exactly what the plan allows."""
    names = [name for number in (*plan.versions, *plan.ciphers, *plan.groups) for name in NAMES[number]]
    names += [SIGNATURES[version].get(number) or NAMES[number][0] for version in plan.versions for number in plan.signatures]
    wanted = dict.fromkeys((*names, "ECDHE-ECDSA", "CTYPE-X509", "COMP-NULL"))
    return "NONE:" + ":".join(f"+{name}" for name in wanted) + (":%SERVER_PRECEDENCE" if plan.role == "server" else "")
