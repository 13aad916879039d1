"""One TLS port for every protocol, on real sockets (loopback): stock hellos, vehicles that come in plain, and what SDP has told them before."""

from __future__ import annotations

import asyncio
import io
import ipaddress
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.v2g.charger import Pace
from bench.v2g.ev import Drive, charged
from bench.v2g.model import COMPACT, Vehicle
from bench.v2g.secc import Bench, Options
from certs.store.configured import of_pki_folder
from chargepoint.config import EvseConfig, StationConfig, V2gConfig
from chargepoint.events import VehicleConnected, VehicleSaid
from chargepoint.runtime.clock import SystemClock
from chargepoint.runtime.ports.v2g import V2gServer, Where
from chargepoint.runtime.ports.v2g_line import Secure
from chargepoint.runtime.ports.vehicle import VehiclePort
from chargepoint.runtime.v2g_tls import Engine, Secured, Server, chains_of, vehicle
from chargepoint.runtime.v2g_tls.contract import MakeEngine
from chargepoint.runtime.v2g_tls.openssl import OpensslEngine
from iso15118 import sdp
from iso15118.evcc.terms import Wants
from iso15118.protocols import DIN, ISO2, PROTOCOLS
from iso15118.sdp import Security, TlsPolicy
from iso15118.secc.session import Session
from iso15118.terms import Control, Energy
from tests.unit.runtime.test_v2g_chains import Site, shown
from tests.unit.runtime.test_v2g_tls_openssl import needs_pyopenssl
from tests.unit.runtime.test_v2g_tls_secured import meet
from tests.unit.runtime.test_vehicle_port import eventually, site
from tests.unit.runtime.v2g_tls_rig import NOW, folder, pki

LOOPBACK = Where("lo", socket.if_nametoindex("lo"), ipaddress.IPv6Address("::1"))
PATIENCE_S = 240.0
QUICK = Pace(0.05, 0.05, contactor_s=0.02, voltage_V_per_s=50_000.0, current_A_per_s=50_000.0, off_A_per_s=50_000.0)
WORDS = ("iso20-dc", "iso2-dc", "din")


class Quick(Bench):
    """A charger on loopback; `spoken_with` is what each vehicle got, and the version of its TLS."""

    def __init__(self) -> None:
        super().__init__(Options("lo", tls="1.3", show=False), SystemClock(), io.StringIO())
        self.spoken_with: list[tuple[str, str]] = []

    def session(self, secure: Secure | None = None) -> Session:
        made = super().session(secure)
        self.chargers[id(made)].pace = QUICK
        return made

    def _dialect(self, charger: Any, namespace: str, secure: Secure | None) -> Any:
        self.spoken_with.append((namespace, secure.version if secure is not None and secure.ready else ""))
        return super()._dialect(charger, namespace, secure)


@asynccontextmanager
async def charger(policy: TlsPolicy, make: MakeEngine = Engine) -> AsyncIterator[tuple[Quick, V2gServer[Any]]]:
    """It does TLS by the standard, with both editions' certificates."""
    bench = Quick()
    server: V2gServer[Any] = V2gServer(LOOPBACK, bench, policy=policy, secure=lambda: Secured(Server(chains_of(pki()), make=make)))
    await server.start()
    bench.changed = server.changed
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield bench, server
    finally:
        await server.stop()


def told(server: V2gServer[Any], security: Security) -> sdp.Response | None:
    answer = server.answer(sdp.Request(security).octets())
    return None if answer is None else sdp.read_response(answer)


async def comes(port: int, protocols: Sequence[str], tls: ssl.SSLContext | None = None) -> Vehicle:
    """One session, to its end."""
    car = Vehicle(
        COMPACT, wants=Wants(energies=(Energy.DC,), controls=(Control.SCHEDULED,), protocols=tuple(protocols), loops=3, loop_s=0.01)
    )
    drive = Drive(car, None, lambda _: None)
    await asyncio.get_running_loop().create_connection(lambda: drive, "::1", port, ssl=tls)
    await drive.over
    return car


def stock() -> ssl.SSLContext:
    """As OpenSSL comes, TLS 1.2 and 1.3: only that the charger is known by a root of either edition, and has no host's name. It has no certificate of its own."""
    context = ssl.create_default_context()
    context.check_hostname = False
    for below in ("", "iso20"):
        context.load_verify_locations(folder() / below / "v2gRootCACert.pem")
    return context


@pytest.mark.req("S-29")
@pytest.mark.parametrize("make", [Engine, OpensslEngine], ids=["GnuTLS", "OpenSSL"])
@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2], ids=["1.3", "1.2"])
def test_a_stock_hello_of_a_vehicle_of_iso_15118_2(make: MakeEngine, highest: ssl.TLSVersion) -> None:
    """Over TLS 1.3 it is asked for a certificate and has none: it is served, though not by ISO 15118-20, however much it prefers that."""
    if make is OpensslEngine:
        needs_pyopenssl()

    async def story() -> None:
        async with charger(TlsPolicy.REQUIRED, make) as (bench, server):
            found = told(server, Security.TLS)
            assert found is not None
            context = stock()
            context.maximum_version = highest
            for protocols in (("iso2-dc",), ("iso20-dc", "iso2-dc")):
                assert charged(await comes(found.port, protocols, context))
            assert bench.spoken_with == [(ISO2, "1.3" if highest is ssl.TLSVersion.TLSv1_3 else "1.2")] * 2

    asyncio.run(story())


@pytest.mark.req("S-29")
@pytest.mark.parametrize("protocol", ["din", "iso2-dc"])
def test_a_vehicle_that_was_told_tls_and_comes_in_plain_gets_what_the_policy_says(protocol: str) -> None:
    async def story() -> None:
        for policy, served in ((TlsPolicy.OPTIONAL, True), (TlsPolicy.REQUIRED, False)):
            async with charger(policy) as (bench, server):
                found = told(server, Security.TLS)
                assert found is not None
                assert found.security is Security.TLS
                assert charged(await comes(found.port, (protocol,))) is served
                assert bench.spoken_with == ([(PROTOCOLS[protocol].namespace, "")] if served else [])
                assert not charged(await comes(found.port, ("iso20-dc",))), "never without TLS"
                assert charged(await comes(found.port, ("iso2-dc",), stock())), "and the next one comes over TLS"

    asyncio.run(story())


@pytest.mark.parametrize(("protocols", "namespace"), [(("din",), DIN), (("iso2-dc", "din"), ISO2), (("din", "iso2-dc"), DIN)])
def test_a_vehicle_that_asks_for_tls_and_takes_none(protocols: tuple[str, ...], namespace: str) -> None:
    async def story() -> None:
        async with charger(TlsPolicy.OFF) as (bench, server):
            found = told(server, Security.TLS)
            assert found is not None
            assert found.security is Security.NONE
            assert charged(await comes(found.port, protocols))
            assert bench.spoken_with == [(namespace, "")]

    asyncio.run(story())


def test_the_station_tells_a_vehicle_without_tls_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """Octet by octet, on the port of TLS."""

    async def story() -> None:
        v2g = V2gConfig(interface="lo", pki_dir=str(folder()), tls="optional")
        async with site(monkeypatch, v2g) as there:
            there.serve()
            found = there.ask(Security.TLS)
            assert found is not None
            assert found.security is Security.TLS
            _, writer = await there.connect(found.port)
            for octet in b"\x01\xfe":
                writer.write(bytes([octet]))
                await eventually(lambda octet=octet: there.told[-1] == VehicleSaid(1, 1, bytes([octet])))  # type: ignore[misc]
            assert there.connected() == [VehicleConnected(1, 1, "::1", "", verified=False)]
            _, writer = await there.connect(found.port)
            writer.write(b"\x16\x03\x01\x01\xfe")
            await asyncio.sleep(0.05)
            assert len(there.connected()) == 1, "this one began with TLS"

    asyncio.run(story())


@pytest.mark.parametrize("tls", ["required", "optional"])
def test_where_no_protocol_is_named_tls_of_iso_15118_2_waits_for_a_chain(tmp_path: Path, tls: Any) -> None:
    """The folder has none; what the CSMS has signed is shown from then on. ISO 15118-20 does not wait."""
    there = tmp_path / "pki"
    shutil.copytree(folder(), there)
    for name in ("cpoCertChain.pem", "seccLeaf.key"):
        (there / name).unlink()
    site = Site(tmp_path, of_pki_folder(there))
    config = EvseConfig(mode="dc", connector="cCCS2", v2g=V2gConfig(interface="lo", pki_dir=str(there), tls=tls))
    port = VehiclePort(StationConfig(evses=(config,)), lambda _: None, NOW.timestamp, lambda: site.keeper.held)
    asyncio.run(port.start())
    make: Any = port.cables[1]._secure
    with pytest.raises(ConnectionError, match=r"TLS 1\.2: no certificate"):
        meet(make(), vehicle(folder(), "1.2")[0])
    meet(make(), vehicle(folder(), "1.3")[0])
    site.adopt("p256")
    charger, car = make(), vehicle(folder(), "1.2")[0]
    meet(charger, car)
    assert (charger.version, shown(car)) == ("1.2", "DETSTE000002")
