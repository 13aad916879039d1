"""All CSMSs whose chain is wrong in one thing (`certs.broken`): refused over real TLS, in words, before the first octet of HTTP."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certs import broken, pki_files
from certs.chain import Verdict, validate
from certs.testpki_make import key_of, pem_of
from chargepoint.events import LinkDown, LinkUp
from chargepoint.runtime import tcp
from chargepoint.runtime.tls import TlsFiles
from chargepoint.runtime.v2g_tls import Engine, TlsFailed, gnutls
from chargepoint.runtime.v2g_tls.plan import LAX
from tests.unit.ocpp.link_rig import security_event
from tests.unit.runtime.csms_rig import a_listener, a_port, order, virtually
from tests.unit.runtime.test_v2g_tls_broken import HOOKS, rewrite

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
SEED = b"broken"
NAMES = [each for each in broken.NAMES if each.startswith("csms-")]
REWRITTEN = ("ca_first", "leaf_last", "garbage", "cut_off")
BY_GNUTLS = (*REWRITTEN, "other_key", "empty", "leaf_no_signatures")
NOT_A_CA, WEAK, NO_ISSUER = "not one of a CA", "is too weak", "no issuer for its certificate"
BY_OPENSSL = {
    "leaf_expired": "expired", "leaf_not_yet_valid": "not valid yet", "sub_expired": "expired", "sub_not_yet_valid": "not valid yet",
    "root_expired": "expired", "leaf_curve": WEAK, "sub_curve": WEAK, "root_curve": WEAK, "sub_signs_no_certificates": NOT_A_CA,
    "root_signs_no_certificates": NOT_A_CA, "sub_is_no_ca": NOT_A_CA, "sub_without_constraints": NOT_A_CA, "root_is_no_ca": NOT_A_CA,
    "root_path_too_short": "longer than a CA in it allows", "leaf_strange_critical": "critical extension", "sub_strange_critical": "critical extension",
    "leaf_last": "not one for servers", "ca_first": "not one for servers", "no_sub": NO_ISSUER, "other_root": NO_ISSUER, "root_of_same_name": NO_ISSUER,
    "leaf_forged": NO_ISSUER, "sub_forged": NO_ISSUER, "self_signed": "self-signed", "other_key": "does not have the key of its certificate",
    "leaf_purpose": "not one for servers", "client_as_server": "not one for servers", "other_host": "for another host", "wide_star": "for another host",
    "outside_of_constraints": "may not give the name", "empty": "no cipher suite in common", "garbage": "cannot be read", "cut_off": "cannot be read",
}  # fmt: skip
"""What OpenSSL finds first, in our words; the others are the profile's."""


@cache
def case(name: str) -> broken.Case:
    what = name.partition("-")[2]
    return broken.right("csms", seed=SEED, now=NOW) if what == "right" else broken.make(name, seed=SEED, now=NOW)


def verdict_of(name: str) -> Verdict:
    it = case(name)
    return validate(it.chain, NOW, it.profile, it.trust, it.revocation, policy=it.policy, host=it.host)


def is_right(name: str) -> bool:
    return verdict_of(name).ok and not case(name).refused


class Server:
    """Shows a chain, and keeps what it is told behind that."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.heard = b""

    def context(self) -> ssl.SSLContext:
        it = case(self.name)
        file = self.folder / "server.pem"
        file.write_bytes(it.chain_pem + it.key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(file)
        return context

    async def openssl(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context().wrap_bio(incoming, outgoing, server_side=True)
        with suppress(ssl.SSLError, ConnectionError):
            while data := await reader.read(16_384):
                incoming.write(data)
                with suppress(ssl.SSLWantReadError):
                    tls.do_handshake()
                    self.heard += tls.read(16_384)
                writer.write(outgoing.read())
        writer.close()

    async def gnutls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        what = self.name.partition("-")[2]
        it = case("csms-right" if what in REWRITTEN else self.name)
        key = pem_of(key_of("p256", SEED, "another")) if what == "other_key" else it.key_pem
        engine = Engine(replace(LAX, chain=pki_files.Chain(it.chain_pem, key, "p256") if it.chain else None))
        if what in REWRITTEN:
            rewrite(engine, True, *case(self.name).chain)
        with suppress(TlsFailed, ConnectionError):
            while data := await reader.read(16_384):
                engine.feed(data)
                try:
                    engine.step()
                    self.heard += engine.read()
                finally:
                    writer.write(engine.take())
        writer.close()


def outcome(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[LinkUp | LinkDown, bytes]:
    """What the port says, and what the server was told inside of TLS."""
    it, server = case(name), Server(name, folder)
    roots = b"".join(each.public_bytes(Encoding.PEM) for each in it.trust).decode()
    files = TlsFiles(roots=roots, system=False, revocation=it.revocation, policy=it.policy)
    by_gnutls = name.partition("-")[2] in BY_GNUTLS
    connect = tcp.connect
    monkeypatch.setattr(tcp, "connect", lambda host, port, **named: connect("127.0.0.1", port, **named))
    found: list[LinkUp | LinkDown] = []

    async def story() -> None:
        async with a_listener(server.gnutls if by_gnutls else server.openssl) as url, a_port(files) as (port, ears):
            port.carry_out(order(url.replace("ws:", "wss:").replace("localhost", it.host)))
            async with asyncio.timeout(600):
                if is_right(name):
                    while not server.heard:  # noqa: ASYNC110 what is waited for says nothing by itself
                        await asyncio.sleep(0.01)
                    found.append(LinkUp(1, "", ""))
                    return
                event: Any = await ears.queue.get()
                found.append(event)

    virtually(story())
    return found[0], server.heard


@pytest.fixture(autouse=True)
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """GnuTLS minds neither what a key is for nor whose it is."""
    skip_key_cert_match, ours = 1, gnutls.priorities
    monkeypatch.setattr(gnutls, "CERTIFICATE_API_V2", gnutls.CERTIFICATE_API_V2 | skip_key_cert_match)
    monkeypatch.setattr(gnutls, "priorities", lambda plan: ours(plan) + ":%DEBUG_ALLOW_KEY_USAGE_VIOLATIONS")
    HOOKS.clear()


@pytest.mark.req("S-29", "F-8")
@pytest.mark.parametrize("name", [*NAMES, "csms-right"])
def test_before_the_upgrade(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event, heard = outcome(name, tmp_path, monkeypatch)
    if is_right(name):
        assert heard.startswith(b"GET /CP1 HTTP/1.1"), "what is only told costs no connection"
        return
    assert isinstance(event, LinkDown)
    assert heard == b""
    words = BY_OPENSSL.get(name.partition("-")[2])
    assert words in event.detail if words else event.detail == verdict_of(name).why[:300]
    if name == "csms-empty":
        assert event.cause == "tls"
        return
    assert event.cause == "certificate"
    assert security_event(event) == "InvalidCsmsCertificate"
