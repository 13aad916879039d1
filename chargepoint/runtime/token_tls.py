"""TLS towards the CSMS with a client key in a token (PKCS#11, TPM 2.0), which Python's `ssl` cannot use: by the system's GnuTLS.

The handshake is ours; then asyncio takes what was agreed on as if it were its own: `Agreed` stands in for an SSLContext, for one connection. The rules
are those of `chargepoint.runtime.tls`; in TLS 1.3 ChaCha20 is not offered, as GnuTLS would offer it in 1.2, too, where OCPP does not have it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.serialization import Encoding

from certs import pki_files
from certs.pki_files import Chain, PkiError, Root
from certs.store import StoreError
from chargepoint.runtime.aside import aside
from chargepoint.runtime.certificate_store import use_token
from chargepoint.runtime.tls import Refused, TlsFiles, TlsSetupError, reason
from chargepoint.runtime.v2g_tls import plan as p
from chargepoint.runtime.v2g_tls.engine import Engine
from chargepoint.runtime.v2g_tls.hello import TLS_1_2, TLS_1_3
from chargepoint.runtime.v2g_tls.plan import Plan, TlsFailed, TlsMissing
from chargepoint.runtime.v2g_tls.verify import judged

CIPHERS = (
    p.AES_256_GCM, p.AES_128_GCM, p.ECDHE_AES_256_GCM, p.ECDHE_AES_128_GCM, p.ECDHE_RSA_AES_256_GCM, p.ECDHE_RSA_AES_128_GCM,
    p.RSA_AES_256_GCM, p.RSA_AES_128_GCM,
)  # fmt: skip
GROUPS = (p.X25519, p.P256, p.P384, p.P521)
SIGNATURES = (
    p.ECDSA_P256, p.ECDSA_P384, p.ECDSA_P521, p.ED25519, p.ED448, p.PSS_SHA256, p.PSS_SHA384, p.PSS_SHA512, p.RSA_SHA256, p.RSA_SHA384, p.RSA_SHA512,
)  # fmt: skip
PIECE = 16_384
HANDSHAKE, ALERT = 22, 21
"""What a server may begin with (ContentType)."""
SAID = {
    40: "HANDSHAKE_FAILURE", 42: "ALERT_BAD_CERTIFICATE", 43: "ALERT_CERTIFICATE_UNKNOWN", 44: "ALERT_CERTIFICATE_UNKNOWN",
    45: "ALERT_CERTIFICATE_EXPIRED", 46: "ALERT_CERTIFICATE_UNKNOWN", 48: "ALERT_UNKNOWN_CA", 70: "TLSV1_ALERT_PROTOCOL_VERSION",
    116: "CERTIFICATE_REQUIRED",
}  # fmt: skip
"""Alerts of the CSMS, in OpenSSL's words: `tls.explain` has ours for them."""
SENT = {51: "BAD_SIGNATURE", 70: "UNSUPPORTED_PROTOCOL"}
"""The same for what we refuse."""


class TokenTls:
    """For one connection to `host`. Raises TlsSetupError where roots or library cannot be used."""

    def __init__(self, files: TlsFiles, host: str) -> None:
        self._module = files.token_module
        self._plan = Plan(
            "client",
            (TLS_1_3, TLS_1_2),
            CIPHERS,
            GROUPS,
            SIGNATURES,
            chain=Chain(files.chain, files.key, "token"),
            roots=_roots(files),
            revocation=lambda: files.revocation,
            policy=files.policy,
            clock=files.clock,
            check_time=False,
            host=host,
        )

    async def shake(self, sock: socket.socket, *, threaded: bool) -> Agreed:
        """The handshake. A token may take its time, or hang: it is asked in a thread of its own.

        Raises TlsSetupError, Refused, and what Python's `ssl` would: SSLError in OpenSSL's words, other OSErrors.
        """
        loop = asyncio.get_running_loop()
        engine = await aside(self._engine, "token", threaded=threaded)
        octets, begun = b"", False
        while True:
            try:
                engine.feed(octets)
                done = await aside(engine.step, "token", threaded=threaded)
            except TlsFailed as error:
                with contextlib.suppress(OSError):
                    await loop.sock_sendall(sock, engine.take())
                if engine.refusal is not None:
                    raise Refused(str(error)) from None
                raise in_openssls_words(error) from None
            await loop.sock_sendall(sock, engine.take())
            if done:
                return Agreed(engine)
            octets = await loop.sock_recv(sock, PIECE)
            if not octets:
                raise ConnectionResetError("the connection broke off in the handshake")
            if not begun and octets[0] not in (HANDSHAKE, ALERT):
                raise ssl.SSLError("WRONG_VERSION_NUMBER")
            begun = True

    def _engine(self) -> Engine:
        """The token is asked for the key here, and signs with it in a step of the handshake; nothing of it stays open after that."""
        try:
            use_token(self._module)
            return Engine(self._plan, kept=False)
        except (TlsFailed, TlsMissing, StoreError) as error:
            raise TlsSetupError(f"the client certificate with its key in a token: {error}") from None


class Agreed(ssl.SSLContext):
    """What a handshake has come to, in the place of an SSLContext. For one connection."""

    _engine: Engine

    def __new__(cls, engine: Engine) -> Self:
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made._engine = engine
        return made

    def wrap_bio(self, incoming: Any, outgoing: Any, *_: Any, **__: Any) -> ssl.SSLObject:
        return Connection(self._engine, incoming, outgoing)


class Connection(ssl.SSLObject):
    """As far as asyncio and `csms_chain` use one."""

    def __init__(self, engine: Engine, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self._engine, self._incoming, self._outgoing = engine, incoming, outgoing

    def do_handshake(self) -> None:
        """Done."""

    def read(self, len: int = PIECE, buffer: Any = None) -> bytes:  # noqa: A002 the name is ssl's
        """All there is: asyncio, which bounds what is fed, is glad of more than it asked for."""
        try:
            self._engine.feed(self._incoming.read())
            got = self._engine.read()
        except TlsFailed as error:
            raise in_openssls_words(error) from None
        finally:
            self._outgoing.write(self._engine.take())
        if not (got or self._engine.ended):
            raise ssl.SSLWantReadError
        return got

    def write(self, data: Any) -> int:
        octets = bytes(data)
        try:
            self._engine.write(octets)
        except TlsFailed as error:
            raise in_openssls_words(error) from None
        finally:
            self._outgoing.write(self._engine.take())
        return len(octets)

    def unwrap(self) -> None:  # asyncio looks at no answer
        """Both have said that they send no more."""
        self._engine.close()
        self._outgoing.write(self._engine.take())
        while not self._engine.ended:
            self.read()

    def version(self) -> str:
        return f"TLSv{self._engine.version}"

    def cipher(self) -> tuple[str, str, int]:
        return self._engine.description, self.version(), 0

    def compression(self) -> None:
        return None

    def getpeercert(self, binary_form: bool = False) -> Any:
        return self._engine.peer_chain[0] if binary_form else {}

    def get_unverified_chain(self) -> list[bytes]:
        """DER, as it was sent."""
        return [*self._engine.peer_chain]

    def get_verified_chain(self) -> list[bytes]:
        """DER, from the leaf to the root."""
        path = judged(self._engine.peer_chain, self._engine.plan, self._engine.version, self._engine.staples).path
        return [each.public_bytes(Encoding.DER) for each in path]


def in_openssls_words(error: TlsFailed) -> ssl.SSLError:
    """What `tls.explain` understands."""
    known = SAID.get(error.received) if error.received is not None else SENT.get(error.alert or 0)
    return ssl.SSLError(1, f"{known}: {error}" if known else str(error))


def _roots(files: TlsFiles) -> tuple[Root, ...]:
    try:
        found = pki_files.roots_of(files.roots.encode(), where="the roots for the CSMS") if files.roots else ()
        if files.ca_file:
            found += pki_files.roots_of(Path(files.ca_file).read_bytes(), where=f"csms.ca_file {files.ca_file}")
    except PkiError as error:
        raise TlsSetupError(str(error)) from None
    except OSError as error:
        raise TlsSetupError(f"csms.ca_file {files.ca_file}: {reason(error)}") from None
    if not (files.ca_file or files.roots) if files.system is None else files.system:
        found += _of_the_system()
    return tuple(dict.fromkeys(found))


def _of_the_system() -> tuple[Root, ...]:
    """The files that Python's `ssl` takes; what cannot be read in them is trusted by nobody."""
    paths = ssl.get_default_verify_paths()
    files = [Path(paths.cafile)] if paths.cafile else []
    if paths.capath:
        files += sorted(Path(paths.capath).glob("????????.[0-9]"))
    found: list[Root] = []
    for each in files:
        with contextlib.suppress(OSError, PkiError):
            found += pki_files.roots_of(each.read_bytes(), where=str(each))
    return tuple(found)
