"""A vehicle of ISO 15118-2 that asks for TLS where the station has no certificate for it: it is told once, and then, as `tls = "optional"` has it, that there is none."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from chargepoint.config import EvseConfig, StationConfig, V2gConfig
from chargepoint.events import VehicleGone
from chargepoint.runtime.ports import v2g as v2g_module
from chargepoint.runtime.ports.v2g import MOST_PLAIN
from chargepoint.runtime.ports.vehicle import VehiclePort
from chargepoint.runtime.v2g_tls.secured import vehicle
from iso15118 import sdp
from tests.unit.runtime.test_vehicle_port import Site, eventually, site
from tests.unit.runtime.v2g_tls_rig import folder


def of_20_alone(tmp_path: Path) -> str:
    """A folder of certificates with those of ISO 15118-20 only."""
    there = tmp_path / "pki"
    shutil.copytree(folder(), there)
    for name in ("cpoCertChain.pem", "seccLeaf.key"):
        (there / name).unlink()
    return str(there)


def told(there: Site, peer: str = "::1%lo") -> sdp.Response:
    """What SDP says to one who asks for TLS."""
    assert there.cable.server is not None
    answer = there.cable.server.answer(sdp.Request(sdp.Security.TLS).octets(), peer)
    assert answer is not None
    return sdp.read_response(answer)


async def shakes(there: Site, version: Any) -> None:
    """A hello, until its connection is over."""
    before = sum(isinstance(each, VehicleGone) for each in there.told)
    there.cable.failures = 1.0
    reader, writer = await there.connect(told(there, "").port)
    writer.write(vehicle(folder(), version)[0].pending())
    while await reader.read(4096):
        pass
    await eventually(lambda: sum(isinstance(each, VehicleGone) for each in there.told) > before)


def test_who_cannot_be_served_with_tls_is_told_so_for_a_while(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def story() -> None:
        async with site(monkeypatch, V2gConfig(interface="lo", pki_dir=of_20_alone(tmp_path))) as there:
            there.serve()
            assert told(there).security is sdp.Security.TLS, "it may speak ISO 15118-20"
            await shakes(there, "1.2")
            assert told(there).security is sdp.Security.NONE
            assert told(there, "fe80::1%lo").security is sdp.Security.TLS, "another one"
            assert there.cable.server is not None
            for number in range(MOST_PLAIN):
                there.cable.server.serve_plain(f"fe80::{number}")
            assert told(there).security is sdp.Security.TLS, "so many are remembered"

            monkeypatch.setattr(v2g_module, "PLAIN_S", 0.0)
            await shakes(there, "1.2")
            assert told(there).security is sdp.Security.TLS, "not for ever"

    asyncio.run(story())


@pytest.mark.parametrize("tls", ["optional", "required"])
def test_who_could_be_served_is_told_tls_whatever_else_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tls: Any) -> None:
    """No vehicle that has a chain to go by is talked out of TLS; nor anybody where it is required."""

    async def story() -> None:
        pki = str(folder()) if tls == "optional" else of_20_alone(tmp_path)
        async with site(monkeypatch, V2gConfig(interface="lo", pki_dir=pki, tls=tls)) as there:
            there.serve()
            if tls == "required":
                await shakes(there, "1.2")
            reader, writer = await there.connect(told(there, "").port)
            writer.write(b"\x16\x03\x01\x00\x05nohey")
            while await reader.read(4096):
                pass
            assert told(there).security is sdp.Security.TLS

    asyncio.run(story())


def test_where_din_70121_alone_is_spoken_there_is_no_tls_and_no_certificate_is_needed(tmp_path: Path) -> None:
    config = EvseConfig(mode="dc", connector="cCCS2", v2g=V2gConfig(interface="lo", protocols=("din",), pki_dir=str(tmp_path)))
    assert config.tls == "none"
    port = VehiclePort(StationConfig(evses=(config,)), lambda _: None)
    asyncio.run(port.start())
    assert port.cables[1]._secure is None
