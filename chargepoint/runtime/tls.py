"""TLS towards the CSMS (OCPP security profiles 2 and 3; S-29): what is offered, what is checked, and what went wrong in words.

Security level 2 of OpenSSL refuses RSA and DH keys below 2048 bits, EC keys below 224 bits and SHA-1 in the whole chain; TLS 1.2 is
the least. The name of the host has to stand in the certificate.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from iso15118.frozen import dataclass

if TYPE_CHECKING:
    from certs.chain import Status
    from certs.profiles import Policy

CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384"
"""TLS 1.2 suites of OCPP 2.1 A00 (the last two, without forward secrecy, are its list for RSA [K]); those of TLS 1.3 are OpenSSL's own."""
SECURITY_LEVEL = 2
NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL."""
HOST_CLOCK_S = 3_600.0
"""So far the host's clock may be from the station's, and still be asked."""
Cause = Literal["tls", "certificate"]

WORDS: tuple[tuple[str, Cause, str], ...] = (
    # what OpenSSL says, the cause of LinkDown, what a person reads
    ("Hostname mismatch", "certificate", "its certificate is for another host"),
    ("IP address mismatch", "certificate", "its certificate is for another address"),
    ("certificate has expired", "certificate", "its certificate, or one above it, has expired"),
    ("certificate is not yet valid", "certificate", "its certificate is not valid yet; is the clock right?"),
    ("self-signed certificate in certificate chain", "certificate", "its chain ends at a root that is not among the configured ones (csms.ca_file)"),
    ("self-signed certificate", "certificate", "its certificate is self-signed and is not among the configured roots (csms.ca_file)"),
    ("unable to get local issuer certificate", "certificate", "no issuer for its certificate: its root is not configured (csms.ca_file), or the CSMS does not send its sub-CA"),
    ("unable to get issuer certificate", "certificate", "an issuer in its chain is missing: the CSMS does not send all of its sub-CAs"),
    ("key too weak", "certificate", "a key in its chain is too weak (RSA below 2048 or EC below 224 bits)"),
    ("signature digest algorithm too weak", "certificate", "a signature in its chain is too weak (SHA-1 or MD5)"),
    ("md too weak", "certificate", "a signature in its chain is too weak (SHA-1 or MD5)"),
    ("unsuitable certificate purpose", "certificate", "its certificate is not one for servers"),
    ("unsupported certificate purpose", "certificate", "its certificate is not one for servers"),
    ("invalid CA certificate", "certificate", "a certificate above its own is not one of a CA, or not for signing certificates"),
    ("path length constraint exceeded", "certificate", "its chain is longer than a CA in it allows"),
    ("unhandled critical extension", "certificate", "a certificate in its chain has a critical extension that is not known here"),
    ("subtree violation", "certificate", "a CA in its chain may not give the name that it has"),
    ("certificate signature failure", "certificate", "a signature in its chain is not genuine"),
    ("BAD_SIGNATURE", "certificate", "it does not have the key of its certificate"),
    ("ASN1 lib", "certificate", "its certificate cannot be read"),
    ("UNSUPPORTED_PROTOCOL", "tls", "no TLS version in common: it speaks less than TLS 1.2"),
    ("TLSV1_ALERT_PROTOCOL_VERSION", "tls", "no TLS version in common"),
    ("WRONG_VERSION_NUMBER", "tls", "it does not answer in TLS (a ws:// port?)"),
    ("HANDSHAKE_FAILURE", "tls", "no cipher suite in common, or it wants a client certificate that it did not get"),
    ("CERTIFICATE_REQUIRED", "tls", "it wants a client certificate (security profile 3)"),
    ("ALERT_UNKNOWN_CA", "tls", "it does not know the issuer of our client certificate"),
    ("ALERT_BAD_CERTIFICATE", "tls", "it refuses our client certificate"),
    ("ALERT_CERTIFICATE_EXPIRED", "tls", "our client certificate has expired"),
    ("ALERT_CERTIFICATE_UNKNOWN", "tls", "it refuses our client certificate"),
)  # fmt: skip


class Refused(Exception):
    """The CSMS's certificate is not as it has to be; the message says why."""


class TlsSetupError(Exception):
    """The configured files cannot be used; the message names the file."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files, or what a store holds in their place: `roots`, `chain` and `key` as PEM."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    roots: str = field(default="", repr=False)
    system: bool | None = None
    """Whether the system's roots are trusted, too; None: where neither `ca_file` nor `roots` are there."""
    chain: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    revocation: Mapping[str, Status] = field(default_factory=dict)
    """What is known of the CSMS's certificates, by `certs.chain.tbs_fingerprint`."""
    policy: Policy | None = None
    """Which of them that refuses; None: those that are known to be revoked."""
    token_module: str = ""
    """The PKCS#11 library for a key that is a URI."""
    clock: Callable[[], float | None] = field(default=time.time, compare=False)
    """The time of day by which dates are judged (POSIX seconds); None while nobody has set it: then they are not (F-3)."""

    @property
    def in_token(self) -> bool:
        """The key does not leave it: Python's `ssl` cannot use it, `chargepoint.runtime.token_tls` does."""
        return self.key.startswith(b"pkcs11:")


def client_context(files: TlsFiles, security_profile: int) -> ssl.SSLContext:
    """For profile 2 (server authenticated) or 3 (both). Raises TlsSetupError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{CIPHERS}:@SECLEVEL={SECURITY_LEVEL}")
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a root that the one before has signed is one, too (M05.FR.10)
    known = files.clock()
    if known is None or abs(known - time.time()) > HOST_CLOCK_S:
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)  # OpenSSL asks the host's clock; `csms_chain` judges the dates by ours
    try:
        if files.ca_file:
            context.load_verify_locations(files.ca_file)
        if files.roots:
            context.load_verify_locations(cadata=files.roots)
        if not (files.ca_file or files.roots) if files.system is None else files.system:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    except (OSError, ssl.SSLError) as error:
        raise TlsSetupError(f"{f'csms.ca_file {files.ca_file}' if files.ca_file else 'the roots for the CSMS'}: {reason(error)}") from None
    if security_profile == 3:
        _show(context, files)
    return context


def _show(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Our own chain and its key, from the store or from files."""
    if files.in_token:
        raise TlsSetupError("the key of the station's client certificate is in a token, which Python's ssl cannot use")
    try:
        if files.chain:
            with in_memory(files.chain + files.key) as path:
                context.load_cert_chain(path)
        else:
            context.load_cert_chain(files.cert_file, files.key_file or None)
    except (OSError, ssl.SSLError) as error:
        where = "of the store" if files.chain else files.cert_file or "(none)"
        raise TlsSetupError(f"csms.client_cert_file {where}: {reason(error)}") from None


@contextmanager
def in_memory(octets: bytes) -> Iterator[str]:
    """A file that no disk sees: OpenSSL reads chains and keys by their path."""
    file = os.memfd_create("chain")
    try:
        with open(file, "wb", closefd=False) as out:
            out.write(octets)
        yield f"/proc/self/fd/{file}"
    finally:
        os.close(file)


def reason(error: OSError) -> str:
    """What an error says, without Python's brackets."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return str(getattr(error, "reason", None) or error).replace("_", " ").lower()
    return error.strerror or str(error)


def explain(error: ssl.SSLError) -> tuple[Cause, str]:
    """LinkDown's cause and detail for a handshake that failed."""
    said = f"{getattr(error, 'verify_message', '')} {error}"
    for part, cause, words in WORDS:
        if part.lower() in said.lower():
            return cause, f"the CSMS: {words}"
    return ("certificate" if isinstance(error, ssl.SSLCertVerificationError) else "tls"), f"TLS: {reason(error)}"
