"""The station's side of a connection, from its first octet; and which library serves it."""

from __future__ import annotations

import contextlib

from certs.chain import Verdict
from chargepoint.runtime.v2g_tls import gnutls, openssl
from chargepoint.runtime.v2g_tls.contract import MakeEngine, TlsEngine
from chargepoint.runtime.v2g_tls.engine import Engine
from chargepoint.runtime.v2g_tls.hello import ALERT, TLS_1_2, BadHello, Hello, peek
from chargepoint.runtime.v2g_tls.openssl import OpensslEngine
from chargepoint.runtime.v2g_tls.plan import HANDSHAKE_FAILURE, Chains, KeyLog, Plan, TlsFailed, TlsMissing, select

FATAL, INTERNAL_ERROR = 2, 80


def open_engine(plan: Plan, *, key_log: KeyLog | None = None) -> TlsEngine:
    """On GnuTLS, or else on pyOpenSSL. Raises TlsMissing, with GnuTLS's words, where there is neither.

    A vehicle on Python's `ssl` calls the charger `fe80::1%eth0` in its server_name: GnuTLS always ends such a handshake, OpenSSL does not.
    """
    if plan.odd_name:
        with contextlib.suppress(TlsMissing):
            return OpensslEngine(plan, key_log=key_log)
    try:
        return Engine(plan, key_log=key_log)
    except TlsMissing as missing:
        try:
            return OpensslEngine(plan, key_log=key_log)
        except TlsMissing:
            raise missing from None


def shortcomings() -> str:
    """What this machine's TLS cannot do, for the log at the start; "" where nothing is missing. Raises TlsMissing where there is none."""
    try:
        gnutls.library()
    except TlsMissing as missing:
        openssl.modules()
        return f"{missing}; pyOpenSSL stands in for it: {openssl.SHORTCOMINGS}"
    return ""


class Server:
    """The station's side of a connection of which nothing is known yet: reads the hello, chooses, and hands over to an engine.

    Used as a `TlsEngine` is. `engine` is who serves it; `hello` is what the vehicle offers, for a log that says what it asks for and does not get
    (status_request_v2).
    """

    def __init__(self, chains: Chains, *, key_log: KeyLog | None = None, make: MakeEngine = open_engine) -> None:
        self._chains, self._key_log, self._make = chains, key_log, make
        self._early = bytearray()
        self._output = b""
        self._over = False
        self.engine: TlsEngine | None = None
        self.hello: Hello | None = None

    @property
    def without_chain(self) -> bool:
        """The vehicle was refused, and there is no chain here that TLS 1.2, which it offers, could be served with."""
        served = self._chains.iso2 and self._chains.version != "1.3"
        return self._over and self.hello is not None and TLS_1_2 in self.hello.versions and not served

    @property
    def handshake_done(self) -> bool:
        return self.engine is not None and self.engine.handshake_done

    @property
    def ended(self) -> bool:
        return self.engine is not None and self.engine.ended

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        return self.engine.peer_chain if self.engine else ()

    @property
    def verified(self) -> bool:
        return self.engine is not None and self.engine.verified

    @property
    def verdict(self) -> Verdict | None:
        return self.engine.verdict if self.engine else None

    @property
    def version(self) -> str:
        return self.engine.version if self.engine else ""

    @property
    def description(self) -> str:
        return self.engine.description if self.engine else ""

    def feed(self, octets: bytes) -> None:
        """Octets that came. Raises TlsFailed."""
        if self.engine is not None:
            self.engine.feed(octets)
        elif self._over:
            raise TlsFailed("the connection is over")
        else:
            self._early += octets
            self._decide()

    def _decide(self) -> None:
        try:
            self.hello = peek(bytes(self._early))
            if self.hello is None:
                return
            plan = select(self.hello, self._chains)
        except BadHello as error:
            raise self._refused(str(error), error.alert) from None
        except TlsFailed as error:
            raise self._refused(str(error), error.alert or HANDSHAKE_FAILURE) from None
        try:
            engine = self._make(plan, key_log=self._key_log)
        except TlsFailed as error:
            raise self._refused(str(error), INTERNAL_ERROR) from None
        self.engine, early = engine, bytes(self._early)
        self._early.clear()
        engine.feed(early)

    def _refused(self, words: str, alert: int) -> TlsFailed:
        self._over = True
        self._output = bytes([ALERT, 3, 3, 0, 2, FATAL, alert])
        return TlsFailed(words, alert)

    def feed_eof(self) -> None:
        """The other side will send no more. Raises TlsFailed where no hello has come."""
        if self.engine is None:
            self._over = True
            raise TlsFailed("the connection broke off before a hello")
        self.engine.feed_eof()

    def step(self) -> bool:
        return self.engine is not None and self.engine.step()

    def read(self) -> bytes:
        return self.engine.read() if self.engine else b""

    def write(self, octets: bytes) -> None:
        if self.engine is None:
            raise TlsFailed("nothing can be sent before the handshake is done")
        self.engine.write(octets)

    def take(self) -> bytes:
        taken, self._output = self._output, b""
        return taken + (self.engine.take() if self.engine else b"")

    def close(self) -> None:
        if self.engine is not None:
            self.engine.close()

    def free(self) -> None:
        self._over = True
        if self.engine is not None:
            self.engine.free()
