"""A station whose key is in a token in front of TLS servers on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certs.store import KeyKind, Subject
from certs.store.files import FileStore
from certs.store.pkcs11 import ANY_CURVE, Token, token_keys
from chargepoint.config import CsmsConfig
from chargepoint.events import LinkDown, LinkUp
from chargepoint.runtime import tcp
from chargepoint.runtime.csms_credentials import credentials
from chargepoint.runtime.ports.certificates import Keeper
from chargepoint.runtime.tls import Refused, TlsFiles
from chargepoint.runtime.token_tls import TokenTls
from tests.unit.certs.store_rig import QuickDisk
from tests.unit.runtime.csms_rig import a_csms, a_listener, a_port, a_tls_csms, order, virtually, wait_closed
from tests.unit.runtime.test_csms_tls import ROOT, RSA_ROOT, SUB, server_context
from tests.unit.runtime.tls_pki import CLIENT, Identity

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
BOTH = pytest.mark.parametrize("version", VERSIONS)
OWN: Any = "ChargingStationCertificate"


class Box:
    """A store whose keys are in a token, and what a connection gets of it."""

    def __init__(self, folder: Path, token: Token, kinds: tuple[KeyKind, ...] = ANY_CURVE) -> None:
        self.token = token
        self.store = FileStore(folder / "store", keys=token_keys(token, kinds), disk=QuickDisk())
        for each in (ROOT, RSA_ROOT):
            self.store.install_root("CSMSRootCertificate", each.certificate.public_bytes(Encoding.PEM).decode())
        self.keeper = Keeper(lambda: self.store)

    def adopt(self, kind: KeyKind = "p256", by: Identity = SUB, **named: Any) -> str:
        slot, _ = self.store.make_request(OWN, kind, Subject("SN1"))
        key: Any = self.store._keys.load(slot)
        issued = by.issue("SN1", key, **{"usage": CLIENT, **named})
        chain = (issued.certificate, *issued.issuers)
        self.store.adopt(slot, "".join(each.public_bytes(Encoding.PEM).decode() for each in chain))
        return slot

    def files(self, **changes: Any) -> TlsFiles:
        self.keeper.read()
        config = CsmsConfig(ca_file="/configured.pem")
        found = credentials(config, lambda: self.keeper.held, order("wss://localhost/"), token_module=self.token.module)
        return replace(found, **changes)


def at_most(version: ssl.TLSVersion, context: ssl.SSLContext) -> None:
    context.maximum_version = version


def demanding(folder: Path, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, server: Identity | None = None) -> ssl.SSLContext:
    context = server_context(server or ROOT.issue("localhost"), folder, change=partial(at_most, version))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ROOT.write(folder, "clients")[0])
    return context


def outcome(
    context: ssl.SSLContext,
    files: TlsFiles,
    *,
    host: str = "localhost",
    alerts: bool = True,
    wildcards: bool = False,
    handler: Any = wait_closed,
) -> LinkUp | LinkDown:
    found: list[LinkUp | LinkDown] = []

    async def story() -> None:
        serving = a_tls_csms(handler, context) if alerts else a_csms(handler, context)
        async with serving as url, a_port(files) as (port, ears):
            port.carry_out(order(url.replace("localhost", host), security_profile=3, wildcards=wildcards))
            event = await ears.queue.get()
            assert isinstance(event, (LinkUp, LinkDown))
            found.append(event)

    virtually(story())
    return found[0]


def refused(*arguments: Any, **named: Any) -> LinkDown:
    down = outcome(*arguments, **named)
    assert isinstance(down, LinkDown)
    return down


async def hears(heard: list[str], context: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What a server is told by TLS itself: alerts, the end."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    action: Callable[[], object] = tls.do_handshake
    while True:
        try:
            if action() == b"":
                heard.append("closed")
                break
            action = partial(tls.read, 1000)
            writer.write(outgoing.read())
        except ssl.SSLWantReadError:
            writer.write(outgoing.read())
            if not (octets := await reader.read(16_384)):
                break
            incoming.write(octets)
        except ssl.SSLError as error:
            heard.append("closed" if isinstance(error, ssl.SSLZeroReturnError) else error.reason)
            break
    writer.close()


def heard_by(context: ssl.SSLContext, files: TlsFiles) -> list[str]:
    heard: list[str] = []

    async def story() -> None:
        async with a_listener(partial(hears, heard, context)) as url:
            host, _, number = url.removeprefix("ws://").partition("/")[0].partition(":")
            sock = await tcp.connect(host, int(number), threaded=False)
            try:
                agreed = await TokenTls(files, "localhost").shake(sock, threaded=False)
            except Refused:
                sock.close()
            else:
                transport, _ = await asyncio.get_running_loop().create_connection(
                    asyncio.Protocol, sock=sock, ssl=agreed, server_hostname="localhost"
                )
                transport.close()
            await asyncio.sleep(5)

    virtually(story())
    return heard
