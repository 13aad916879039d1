"""TLS as a connection's port takes it: octets in, octets out, and ConnectionError in words; made from the folder that `--pki` names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from certs import pki_files
from certs.chain import Verdict
from chargepoint.runtime.v2g_tls.contract import TlsEngine
from chargepoint.runtime.v2g_tls.plan import Chains, Clock, KeyLog, TlsFailed, Version, chains_of, client_plan
from chargepoint.runtime.v2g_tls.server import Server, open_engine, shortcomings


class Secured:
    """Around a `Server`, or around a vehicle's engine. `agreed` is called once, when the handshake is done."""

    def __init__(self, engine: Server | TlsEngine, agreed: Callable[[Secured], None] | None = None) -> None:
        self.engine = engine
        self.sentence = ""
        """For a driver whose vehicle's certificate was refused."""
        self._agreed = agreed

    def received(self, octets: bytes) -> bytes:
        """Takes what came; gives what it says inside. Raises ConnectionError when the connection is over; `pending` has the last words."""
        try:
            self.engine.feed(octets)
            inside = self.engine.read() if self.engine.step() else b""
        except TlsFailed as error:
            self.sentence = error.sentence
            raise _in_words(error) from None
        if self._agreed is not None and self.ready:
            agreed, self._agreed = self._agreed, None
            agreed(self)
        if self.engine.ended and not inside:
            raise ConnectionError("TLS: closed by the other side")
        return inside

    def wrapped(self, octets: bytes) -> bytes:
        """What is to be sent for these octets; nothing, once the connection is over."""
        try:
            self.engine.write(octets)
        except TlsFailed:
            return self.engine.take()
        return self.engine.take()

    def pending(self) -> bytes:
        """What TLS itself wants to send; a vehicle's hello, the first time."""
        if isinstance(self.engine, Server) or self.engine.handshake_done:
            return self.engine.take()
        try:
            self.engine.step()
        except TlsFailed:
            return self.engine.take()
        return self.engine.take()

    def closing(self) -> bytes:
        """The close-notify, to be sent before the connection is closed."""
        self.engine.close()
        return self.engine.take()

    @property
    def without_chain(self) -> bool:
        """The other side was refused for want of a chain of ISO 15118-2: without TLS it may be served."""
        return isinstance(self.engine, Server) and self.engine.without_chain

    @property
    def ready(self) -> bool:
        """The handshake is done."""
        return self.engine.handshake_done

    @property
    def verified(self) -> bool:
        """The other side's certificate was judged good."""
        return self.engine.verified

    @property
    def verdict(self) -> Verdict | None:
        """What was found of the other side's chain."""
        return self.engine.verdict

    @property
    def version(self) -> str:
        """Of TLS, as "1.3", once the handshake is done."""
        return self.engine.version


def _in_words(error: TlsFailed) -> ConnectionError:
    return ConnectionError(f"TLS: {error}" + (f" (alert {error.alert} sent)" if error.alert is not None else ""))


def station(
    folder: Path,
    version: Version,
    *,
    lax: bool = False,
    key_log: KeyLog | None = None,
    agreed: Callable[[Secured], None] | None = None,
    clock: Clock | None = None,
    current: Callable[[Chains], Chains] = lambda chains: chains,
) -> tuple[Callable[[], Secured], tuple[str, ...]]:
    """What makes the TLS of each connection, and warnings in words. For `secc`: a folder without iso20/ is taken, and makes it lax.

    `clock`: the dates of vehicles' certificates are judged by it, and not while nobody has set it (F-3); None: by the host's.
    `current` is asked for each connection what is to be shown in the place of the folder's. Raises PkiError and TlsMissing.
    """
    pki = pki_files.read(folder)
    if version != "1.3" and pki.iso2.secc is None:
        raise pki_files.PkiError(f"{folder}: TLS 1.2 needs cpoCertChain.pem and seccLeaf.key")
    if version != "1.2" and pki.iso20.secc is None:
        raise pki_files.PkiError(f"{folder}: TLS 1.3 needs cpoCertChain.pem and seccLeaf.key, in iso20/ where that is there")
    missing = shortcomings()
    chains = chains_of(pki, version=version, lax=lax or pki.borrowed, clock=clock)
    return (lambda: Secured(Server(current(chains), key_log=key_log), agreed)), pki.warnings + ((missing,) if missing else ())


def vehicle(
    folder: Path,
    version: Version,
    *,
    lax: bool = False,
    key_log: KeyLog | None = None,
    agreed: Callable[[Secured], None] | None = None,
) -> tuple[Secured, tuple[str, ...]]:
    """A simulated vehicle's TLS for one connection, and warnings in words. Raises PkiError and TlsMissing."""
    pki = pki_files.read(folder)
    if not (pki.iso2.v2g_roots if version == "1.2" else pki.iso20.v2g_roots):
        raise pki_files.PkiError(f"{folder}: no v2gRootCACert.pem to know the charger by")
    plan = client_plan(version, pki.iso2, pki.iso20, lax=lax or pki.borrowed)
    missing = shortcomings()
    return Secured(open_engine(plan, key_log=key_log), agreed), pki.warnings + ((missing,) if missing else ())
