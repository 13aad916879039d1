"""What the CSMS has said of the station's chain, in a handshake over sockets: from GetCertificateStatus to the vehicle's own eyes (OCPP 2.1 M06)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bench.csms.ocsp_responder import Responder
from bench.v2g.pki import World
from certs import ocsp, testpki
from certs.chain import fingerprint
from certs.store import ROOT_USES
from certs.store.configured import of_pki_folder
from certs.store.files import FileStore
from chargepoint.commands import ServeVehicle, SetStaples
from chargepoint.config import EvseConfig, StationConfig, V2gConfig
from chargepoint.events import CertificatesRead, RegistrationChanged
from chargepoint.ocpp.block import CallAnswered
from chargepoint.ocpp.blocks.certificate_status import CertificateStatusBlock
from chargepoint.runtime.ports import vehicle as module
from chargepoint.runtime.ports.certificates import Keeper
from chargepoint.runtime.ports.v2g_line import Wire
from chargepoint.runtime.ports.vehicle import VehiclePort
from chargepoint.runtime.v2g_tls.secured import vehicle as vehicle_tls
from iso15118 import sdp
from iso15118.connection import Event
from tests.unit.certs.store_rig import QuickDisk
from tests.unit.ocpp.block_rig import BlockRig
from tests.unit.runtime.test_vehicle_port import LOOPBACK, PATIENCE_S, eventually
from tests.unit.runtime.v2g_tls_rig import NOW

SEED, URL = b"staples", "http://ocsp.example/"


class Csms(BlockRig):
    """The block, and a CSMS that asks the responder of the folder's world."""

    def __init__(self, read: CertificatesRead) -> None:
        super().__init__((CertificateStatusBlock,), utc=NOW.timestamp())
        made = testpki.build("p521", seed=SEED, now=NOW, responder=URL)
        responder = Responder(World("p521", SEED, made, NOW, URL))
        self.power_up()
        self.link_up()
        self.context.link.registration = "Accepted"
        self.context.certificates.roots, self.context.certificates.own = read.roots, read.own
        self.hear(RegistrationChanged("Accepted"), read)
        for _ in range(3):
            call = self.pop("GetCertificateStatus")
            self.hear(CallAnswered(call.token, call.action, responder.answer(call.payload["ocspRequestData"], NOW)))


class Vehicle(Wire):
    """Its end, with TLS."""

    def __init__(self, folder: Path) -> None:
        super().__init__(vehicle_tls(folder, "1.3")[0])

    def begin(self) -> None: ...

    def handle(self, event: Event) -> None: ...

    @property
    def staples(self) -> tuple[bytes, ...]:
        secured: Any = self.secure
        found: tuple[bytes, ...] = secured.engine.staples
        return found


@pytest.mark.req("M06.FR.04")
def test_a_vehicle_sees_what_the_csms_has_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    testpki.write(tmp_path / "pki", seed=SEED, now=NOW, responder=URL)
    store = FileStore(tmp_path / "store", of_pki_folder(tmp_path / "pki"), disk=QuickDisk())
    keeper = Keeper(lambda: store)
    read = keeper.read()
    assert isinstance(read, CertificatesRead)
    assert {each.use for each in read.roots} <= set(ROOT_USES)
    v2g = V2gConfig(interface="lo", pki_dir=str(tmp_path / "pki"), protocols=("iso20-ac",))
    monkeypatch.setattr(module, "find", lambda _: LOOPBACK)
    monkeypatch.setattr(module, "carrier", lambda _: True)
    csms = Csms(read)
    slot = next(each.slot for each in read.own if (each.use, each.kind) == ("V2G20Certificate", "p521"))

    async def story() -> None:
        port = VehiclePort(StationConfig(evses=(EvseConfig(v2g=v2g),)), lambda _: None, NOW.timestamp, lambda: keeper.held)
        await port.start()
        port.release()
        port.carry_out(ServeVehicle(1, on=True))
        for each in csms.said(SetStaples):
            port.carry_out(each)
        server = None
        async with asyncio.timeout(PATIENCE_S):
            await eventually(lambda: port.cables[1].server is not None)
            server = port.cables[1].server
            assert server is not None
            answer = server.answer(sdp.Request(sdp.Security.TLS).octets())
            assert answer is not None
            car = Vehicle(tmp_path / "pki")
            await asyncio.get_running_loop().create_connection(lambda: car, "::1", sdp.read_response(answer).port)
            await eventually(lambda: car.secure is not None and car.secure.ready)
        assert car.staples == next(each.responses for each in reversed(csms.said(SetStaples)) if each.slot == slot)
        made = csms_world()
        pairs = zip(car.staples, ("seccLeaf", "cpoSub2", "cpoSub1"), ("cpoSub2", "cpoSub1", "v2gRoot"), strict=True)
        for response, one, above in pairs:
            judged = ocsp.judge(response, certificate=made[one].certificate, issuer=made[above].certificate, now=NOW)
            assert judged.status == "good", fingerprint(made[one].certificate)
        car.drop()
        await port.stop()

    asyncio.run(story())


def csms_world() -> dict[str, Any]:
    return dict(testpki.build("p521", seed=SEED, now=NOW, responder=URL))
