"""The link to the vehicles on real sockets (loopback): who is served when, what is told of a connection, and what the interface does (S-3, S-9, S-13)."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from cryptography import x509

from certs.chain import tbs_fingerprint
from certs.pki_files import PkiError
from chargepoint import codec
from chargepoint.commands import CloseVehicle, SendToVehicle, ServeVehicle, SetRevocations
from chargepoint.config import EvseConfig, StationConfig, V2gConfig
from chargepoint.events import DataLinkChanged, VehicleConnected, VehicleGone, VehicleSaid, VehicleServed
from chargepoint.runtime.main import check_board
from chargepoint.runtime.port import StartError
from chargepoint.runtime.ports import vehicle as module
from chargepoint.runtime.ports.v2g import MOST_CONNECTIONS, NoInterface, Where
from chargepoint.runtime.ports.v2g_line import Wire
from chargepoint.runtime.ports.vehicle import VehiclePort
from chargepoint.runtime.v2g_tls.plan import Clock
from chargepoint.runtime.v2g_tls.secured import vehicle as vehicle_tls
from hal.sim.ports import SimBoard
from hal.types import DcRatings, EvseInfo
from iso15118 import exi, sdp
from iso15118.connection import Connected, Event, Received
from iso15118.messages import sap
from iso15118.messages.iso20 import ac
from iso15118.messages.iso20 import common_messages as cm
from tests.unit.runtime.v2g_tls_rig import folder

LOOPBACK = Where("lo", socket.if_nametoindex("lo"), ipaddress.IPv6Address("::1"))
PATIENCE_S = 240.0
"""What is waited for comes at once, unless the machine has other things to do: the test's own timeout is the bound."""
PLAIN = V2gConfig(interface="lo", tls="none", protocols=("iso20-ac",))


async def eventually(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 what is waited for says nothing by itself
        await asyncio.sleep(0.005)


class Site:
    """The port, what it tells, and the interface as the test wants it."""

    def __init__(self, v2g: V2gConfig, clock: Clock | None = None) -> None:
        self.told: list[object] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.where: Where | str = LOOPBACK
        self.carrier = True
        self.port = VehiclePort(StationConfig(evses=(EvseConfig(v2g=v2g),)), self.tell, clock)
        self.cable = self.port.cables[1]

    def tell(self, event: object) -> None:
        self.told.append(event)

    def find(self, _: str) -> Where:
        if isinstance(self.where, str):
            raise NoInterface(self.where)
        return self.where

    async def until(self, event: object) -> None:
        await eventually(lambda: event in self.told)

    def serve(self, *, on: bool = True) -> None:
        self.port.carry_out(ServeVehicle(1, on))

    def ask(self, security: sdp.Security = sdp.Security.NONE) -> sdp.Response | None:
        """SDP."""
        assert self.cable.server is not None
        answer = self.cable.server.answer(sdp.Request(security).octets())
        return None if answer is None else sdp.read_response(answer)

    async def connect(self, port: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To where SDP says; it is left at the end."""
        found = None if port else self.ask()
        reader, writer = await asyncio.open_connection("::1", found.port if found else port)
        self.writers.append(writer)
        return reader, writer

    def connected(self) -> list[VehicleConnected]:
        return [each for each in self.told if isinstance(each, VehicleConnected)]


@asynccontextmanager
async def site(monkeypatch: pytest.MonkeyPatch, v2g: V2gConfig = PLAIN, clock: Clock | None = None) -> AsyncIterator[Site]:
    made = Site(v2g, clock)
    monkeypatch.setattr(module, "find", made.find)
    monkeypatch.setattr(module, "carrier", lambda _: made.carrier)
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    await made.port.start()
    assert made.told == []
    made.port.release()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await made.until(VehicleServed(1, ready=True))
            yield made
    finally:
        for each in made.writers:
            each.transport.abort()
        await made.port.stop()
        await asyncio.sleep(0.01)


@pytest.mark.req("S-13")
def test_nobody_is_answered_before_a_vehicle_is_to_be_served(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with site(monkeypatch) as there:
            assert there.ask() is None
            there.serve()
            found = there.ask()
            assert found is not None
            there.serve(on=False)
            reader, writer = await there.connect(found.port)
            with contextlib.suppress(ConnectionError):
                assert await reader.read(1) == b""
            writer.close()
            assert there.ask() is None
            assert there.connected() == []

    asyncio.run(story())


def test_octets_go_both_ways_and_after_its_close_nothing_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with site(monkeypatch) as there:
            there.serve()
            reader, writer = await there.connect()
            await there.until(VehicleConnected(1, 1, "::1", "", verified=False))
            there.serve(on=False)
            writer.write(b"hello")
            await there.until(VehicleSaid(1, 1, b"hello"))
            there.port.carry_out(SendToVehicle(1, 1, b"good"))
            there.port.carry_out(SendToVehicle(1, 1, b"bye"))
            there.port.carry_out(CloseVehicle(1, 1))
            there.port.carry_out(SendToVehicle(1, 1, b"too late"))
            there.port.carry_out(CloseVehicle(1, 1))
            assert await reader.read() == b"goodbye"
            writer.close()
            await asyncio.sleep(0.05)
            assert not [each for each in there.told if isinstance(each, VehicleGone)]
            there.serve()
            _, writer = await there.connect()
            await there.until(VehicleConnected(1, 2, "::1", "", verified=False))
            writer.close()
            await there.until(VehicleGone(1, 2, "closed by the other end"))
            assert codec.load(VehicleSaid, codec.dump(VehicleSaid, VehicleSaid(1, 1, b"\x01\xfe"))) == VehicleSaid(1, 1, b"\x01\xfe")

    asyncio.run(story())


def test_a_vehicle_that_reads_nothing_is_told_to_be_gone_but_not_while_it_is_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port tells from callbacks of its own."""

    async def story() -> None:
        async with site(monkeypatch) as there:
            there.serve()
            reader, writer = await there.connect()
            await there.until(VehicleConnected(1, 1, "::1", "", verified=False))
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            told = len(there.told)
            while 1 in there.cable.wires:
                there.port.carry_out(SendToVehicle(1, 1, bytes(1 << 16)))
                assert len(there.told) == told
            await there.until(VehicleGone(1, 1, "does not read what it is sent"))
            writer.transport.abort()

    asyncio.run(story())


@pytest.mark.req("S-9")
def test_an_interface_that_goes_and_comes_back_is_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with site(monkeypatch) as there:
            there.serve()
            _, writer = await there.connect()
            await there.until(DataLinkChanged(1, ready=True))
            there.where = "there is no network interface 'lo'"
            await there.until(VehicleGone(1, 1, there.where))
            assert there.told[-3:] == [
                DataLinkChanged(1, ready=False),
                VehicleServed(1, ready=False, why=there.where),
                VehicleGone(1, 1, there.where),
            ]
            writer.close()
            there.told.clear()
            there.where = LOOPBACK
            await there.until(VehicleServed(1, ready=True))
            assert there.told[0] == DataLinkChanged(1, ready=True)
            first = there.cable.server
            there.where = replace(LOOPBACK, index=LOOPBACK.index + 1)
            await there.until(VehicleServed(1, ready=False, why="lo has another index or address"))
            there.where = LOOPBACK
            there.told.clear()
            await there.until(VehicleServed(1, ready=True))
            assert there.cable.server is not first
            _, writer = await there.connect()
            writer.close()

    asyncio.run(story())


@pytest.mark.req("F-10")
def test_the_link_is_the_carrier_while_a_vehicle_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with site(monkeypatch) as there:
            await asyncio.sleep(0.05)
            assert there.told == [VehicleServed(1, ready=True)]
            there.serve()
            await there.until(DataLinkChanged(1, ready=True))
            there.carrier = False
            await there.until(DataLinkChanged(1, ready=False))
            there.carrier = True
            there.told.clear()
            await there.until(DataLinkChanged(1, ready=True))
            there.told.clear()
            there.serve(on=False)
            there.serve()
            await there.until(DataLinkChanged(1, ready=True))
            there.told.clear()
            there.serve(on=False)
            there.carrier = False
            await asyncio.sleep(0.05)
            assert there.told == []
            there.serve()
            await there.until(DataLinkChanged(1, ready=False))
            there.carrier = True
            await there.until(DataLinkChanged(1, ready=True))

    asyncio.run(story())


@pytest.mark.req("S-3")
def test_of_many_connections_the_oldest_that_has_said_nothing_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with site(monkeypatch) as there:
            there.serve()
            talker = await there.connect()
            talker[1].write(b"x")
            await there.until(VehicleSaid(1, 1, b"x"))
            found = there.ask()
            assert found is not None
            others = [await there.connect(found.port) for _ in range(200)]
            await there.until(VehicleConnected(1, 201, "::1", "", verified=False))
            await there.until(VehicleGone(1, 2, "others want to connect"))
            assert set(there.cable.wires) == {1, 199, 200, 201}
            assert len(there.connected()) == 201
            for number in (199, 200, 201):
                others[number - 2][1].write(b"y")
                await there.until(VehicleSaid(1, number, b"y"))
            for _ in range(3 * MOST_CONNECTIONS):
                _, writer = await there.connect(found.port)
                writer.write(b"z")
                await asyncio.sleep(0.01)
            assert len(there.cable.wires) == 2 * MOST_CONNECTIONS

    asyncio.run(story())


class Vehicle(Wire):
    """Its end, with TLS."""

    def __init__(self) -> None:
        super().__init__(vehicle_tls(folder(), "1.3")[0])
        self.heard: list[Event] = []

    def begin(self) -> None: ...

    def handle(self, event: Event) -> None:
        self.heard.append(event)


def read(pem: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem.encode())


def shown() -> str:
    """The vehicle's chain, to its root."""
    there = folder() / "iso20"
    return (there / "vehicleCertChain.pem").read_text() + (there / "oemRootCACert.pem").read_text()


SECURED = V2gConfig(interface="lo", pki_dir=str(folder()), protocols=("iso20-ac",))


def test_with_tls_a_connection_is_told_when_the_handshake_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with site(monkeypatch, SECURED) as there:
            there.serve()
            assert there.ask() is None, "without TLS"
            found = there.ask(sdp.Security.TLS)
            assert found is not None
            vehicle = Vehicle()
            await asyncio.get_running_loop().create_connection(lambda: vehicle, "::1", found.port)
            await there.until(VehicleConnected(1, 1, "::1", "TLSv1.3", verified=True, chain_pem=shown()))
            assert [each.subject for each in read(shown())][::3] == [
                read(shown())[0].subject,
                read((folder() / "iso20/oemRootCACert.pem").read_text())[0].subject,
            ]
            vehicle.send(b"inside")
            await there.until(VehicleSaid(1, 1, b"inside"))
            there.port.carry_out(SendToVehicle(1, 1, b"answer"))
            await eventually(lambda: vehicle.heard == [Connected(verified=True), Received(b"answer")])
            vehicle.drop()

    asyncio.run(story())


@pytest.mark.req("S-29", "M07")
@pytest.mark.parametrize("of", [0, 1], ids=["leaf", "sub-CA"])
def test_a_vehicle_that_is_known_to_be_revoked_is_refused_in_tls_and_its_driver_told(monkeypatch: pytest.MonkeyPatch, of: int) -> None:
    async def story() -> None:
        async with site(monkeypatch, SECURED) as there:
            there.serve()
            found = there.ask(sdp.Security.TLS)
            assert found is not None
            there.port.carry_out(SetRevocations((tbs_fingerprint(read(shown())[of]), "0" * 64)))
            vehicle = Vehicle()
            await asyncio.get_running_loop().create_connection(lambda: vehicle, "::1", found.port)
            await eventually(lambda: any(isinstance(each, VehicleGone) for each in there.told))
            (gone,) = [each for each in there.told if isinstance(each, VehicleGone)]
            assert "it has been revoked (alert 44 sent)" in gone.why
            assert gone.sentence.startswith("Your vehicle's certificate has been blocked.")
            assert there.connected() == []
            there.port.carry_out(SetRevocations(()))
            await asyncio.get_running_loop().create_connection(Vehicle, "::1", found.port)
            await eventually(lambda: len(there.connected()) == 1)

    asyncio.run(story())


def test_what_is_odd_about_a_vehicles_certificate_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with site(monkeypatch, SECURED, clock=lambda: None) as there:
            there.serve()
            found = there.ask(sdp.Security.TLS)
            assert found is not None
            await asyncio.get_running_loop().create_connection(Vehicle, "::1", found.port)
            await eventually(lambda: len(there.connected()) == 1)
            assert "right, though chain: the clock is not set yet" in there.connected()[0].note

    asyncio.run(story())


@pytest.mark.req("S-3")
def test_a_handshake_that_hangs_ends_and_one_that_fails_is_told_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HANDSHAKE_S", 0.2)

    async def story() -> None:
        async with site(monkeypatch, SECURED) as there:
            there.serve()
            found = there.ask(sdp.Security.TLS)
            assert found is not None
            hangs = await there.connect(found.port)
            assert await hangs[0].read(1) == b""
            hangs[1].close()
            await there.until(VehicleGone(1, 1, "TLS: no handshake within 0.2 s"))
            for _ in range(20):
                reader, writer = await there.connect(found.port)
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                with contextlib.suppress(ConnectionError):
                    await reader.read()
                writer.close()
            gone = [each for each in there.told if isinstance(each, VehicleGone)]
            assert 1 <= len(gone) <= 3
            assert there.connected() == []
            assert there.cable.server is not None
            assert there.cable.server.connections == []

    asyncio.run(story())


@pytest.mark.req("S-3")
def test_a_vehicle_that_shakes_hands_anew_does_so_instead_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with site(monkeypatch, SECURED) as there:
            there.serve()
            found = there.ask(sdp.Security.TLS)
            assert found is not None
            reader, _ = await there.connect(found.port)
            await asyncio.sleep(0.02)
            await there.connect(found.port)
            async with asyncio.timeout(2.0):
                assert await reader.read(1) == b""

    asyncio.run(story())


def test_all_that_a_session_needs_is_built_before_the_start_is_told_to_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    warmed: list[str] = []
    codec_of = exi.codec_of

    class Spy:
        def __init__(self, namespace: str) -> None:
            self.namespace = namespace

        def warm(self) -> None:
            warmed.append(self.namespace)
            codec_of(self.namespace).warm()

    monkeypatch.setattr(exi, "codec_of", Spy)
    asyncio.run(VehiclePort(StationConfig(evses=(EvseConfig(v2g=PLAIN),)), lambda _: None).start())
    assert {sap.NAMESPACE, cm.NAMESPACE, ac.NAMESPACE} <= set(warmed)


def test_a_station_does_not_start_without_its_certificates() -> None:
    port = VehiclePort(StationConfig(evses=(EvseConfig(v2g=replace(SECURED, pki_dir="/none")),)), lambda _: None)
    with pytest.raises(PkiError, match="/none: there is no such folder"):
        asyncio.run(port.start())


@pytest.mark.parametrize(
    ("evse", "fits", "said"),
    [
        (EvseConfig(mode="dc", v2g=SECURED), False, "mode = 'dc', but the board 'sim' has no DC stage there"),
        (EvseConfig(v2g=SECURED), True, "mode = 'ac', but the board 'sim' has a DC stage there"),
        (EvseConfig(mode="dc"), True, "needs v2g.interface"),
        (EvseConfig(mode="dc", v2g=SECURED), True, ""),
    ],
)
def test_a_mode_that_the_board_does_not_have_is_said(evse: EvseConfig, fits: bool, said: str) -> None:
    async def story() -> None:
        board = SimBoard.of([EvseInfo(1, connector="cCCS2", dc=DcRatings(1000.0, 150.0, 200.0, 60_000.0) if fits else None)])
        config = StationConfig(evses=(evse,))
        if said:
            with pytest.raises(StartError, match=re.escape(said)):
                check_board(config, board)
        else:
            assert "opens within" in check_board(config, board)[0]

    asyncio.run(story())
