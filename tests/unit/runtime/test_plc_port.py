"""The station's port of power-line modems: what goes through the one door, what a process may, and an interface that is brought up (S-9, S-13)."""

from __future__ import annotations

import asyncio
import errno
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from chargepoint import codec
from chargepoint.commands import CloseVehicle, Command, SendOnPowerLine, SendToVehicle, ServeVehicle
from chargepoint.config import EvseConfig, SlacConfig, StationConfig, V2gConfig
from chargepoint.events import DataLinkChanged, PowerLineChanged, PowerLineHeard, VehicleServed
from chargepoint.runtime import main, plc_link
from chargepoint.runtime.plc_link import Facts, NoLink
from chargepoint.runtime.port import StartError
from chargepoint.runtime.ports import plc_line
from chargepoint.runtime.ports.certificates import Held
from chargepoint.runtime.ports.plc import Cables, PlcPort
from chargepoint.runtime.ports.vehicle import VehiclePort
from iso15118.slac import mme
from tests.house.rules import ROOT
from tests.unit.runtime.plc_rig import MODEM, PARM_REQ, PATIENCE_S, RUN_ID, Pair, eventually, frame, ip, pair
from tests.unit.runtime.test_vehicle_port import PLAIN, site

pytestmark = [pytest.mark.timeout(60)]


def config(*interfaces: str, modem: str = "auto") -> StationConfig:
    slac = codec.load(SlacConfig, {"modem": modem}, "slac")
    given = [EvseConfig(id=number, v2g=replace(PLAIN, interface=name, slac=slac)) for number, name in enumerate(interfaces, 1)]
    return StationConfig(evses=tuple(given))


@pytest.mark.req("S-13")
def test_a_line_knows_the_modem_that_is_configured_by_its_address() -> None:
    async def story(there: Pair) -> None:
        given = config(there.near).evses[0]
        slac = codec.load(SlacConfig, {"modem": "auto", "modem_mac": MODEM.hex(":").upper()}, "slac")
        port = PlcPort(StationConfig(evses=(replace(given, v2g=replace(given.v2g, slac=slac)),)), lambda _: None)
        port.release()
        await eventually(lambda: port.lines[1].modem == MODEM)
        await port.stop()

    with pair() as there:
        asyncio.run(story(there))


@pytest.mark.req("S-13")
def test_frames_go_through_the_one_door() -> None:
    async def story(there: Pair) -> None:
        told: list[object] = []
        port = PlcPort(config(there.near), told.append)
        await port.start()
        assert told == []
        port.release()
        try:
            await eventually(lambda: told == [PowerLineChanged(1, ready=True, mac=there.mac)])
            with there.other_end() as far:
                far.send(frame(PARM_REQ))
                sent = frame(mme.SlacParmCnf(forwarding_sta=bytes(6), run_id=RUN_ID), source=there.mac)
                port.carry_out(SendOnPowerLine(1, sent))
                assert far.recv(2000) == sent
                await asyncio.sleep(0.02)
                assert len(told) == 1, "nobody is served"
                port.carry_out(ServeVehicle(1, on=True))
                far.send(frame(PARM_REQ))
                await eventually(lambda: told[1:] == [PowerLineHeard(1, frame(PARM_REQ))])
                port.carry_out(ServeVehicle(1, on=False))
                far.send(frame(PARM_REQ))
                port.carry_out(SendOnPowerLine(1, bytes(3000)))
                port.carry_out(SendOnPowerLine(2, sent))
                port.carry_out(ServeVehicle(2, on=True))
                await asyncio.sleep(0.02)
                assert len(told) == 2
                assert port.lines[1].unsent == 1
        finally:
            await port.stop()
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    with pair() as there:
        asyncio.run(story(there))


def test_a_frame_that_the_interface_does_not_take_for_now_is_lost_and_nothing_else() -> None:
    class Full(socket.socket):
        code = errno.ENOBUFS

        def send(self, *_: object) -> int:
            raise OSError(self.code, "no")

    async def story(there: Pair) -> None:
        told: list[object] = []
        port = PlcPort(config(there.near), told.append)
        port.release()
        await eventually(lambda: len(told) == 1)
        line = port.lines[1]
        own, line._socket = line._socket, Full()
        for Full.code in (errno.ENOBUFS, errno.EAGAIN, errno.EMSGSIZE):
            port.carry_out(SendOnPowerLine(1, frame(PARM_REQ)))
        await asyncio.sleep(0)
        assert (line.unsent, len(told)) == (3, 1)
        with line._socket:
            line._socket = own
        await port.stop()

    with pair() as there:
        asyncio.run(story(there))


def test_without_the_right_to_raw_frames_the_station_does_not_start_and_says_what_it_needs() -> None:
    code = (
        f"import os, sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from chargepoint.runtime.port import StartError\n"
        "from chargepoint.runtime.ports.plc import check_allowed\n"
        "os.geteuid() or os.setuid(65534)\n"
        "try: check_allowed('plc0')\n"
        "except StartError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("the power-line modem at 'plc0' is spoken to in raw Ethernet frames, and this process may not: ")
    assert "AmbientCapabilities=CAP_NET_RAW" in done.stdout


def test_the_port_asks_for_that_when_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(interface: str) -> None:
        raise StartError(interface)

    async def story() -> None:
        monkeypatch.setattr("chargepoint.runtime.ports.plc.check_allowed", refused)
        with pytest.raises(StartError, match="plc0"):
            await PlcPort(config("plc0"), print).start()
        await PlcPort(config("plc0", modem="none"), print).start()

    asyncio.run(story())


def test_the_composition_has_it_where_a_modem_is_named() -> None:
    async def story() -> None:
        def made(given: StationConfig) -> object:
            return main._vehicles(given, lambda: None, lambda _: None, Held)

        with_modem = made(config("plc0", "plc1"))
        assert isinstance(with_modem, Cables)
        assert set(with_modem.modems.lines) == {1, 2}
        assert isinstance(made(config("plc0", modem="none")), VehiclePort)
        assert isinstance(made(StationConfig()), main.NoVehicles)
        assert set(Cables.takes) == {*PlcPort.takes, *VehiclePort.takes}

    asyncio.run(story())


def test_both_ports_of_a_cable_get_what_is_theirs() -> None:
    class Noted:
        takes = ()

        def __init__(self) -> None:
            self.done: list[object] = []

        async def start(self) -> None:
            self.done.append("start")

        def release(self) -> None:
            self.done.append("release")

        def carry_out(self, command: Command) -> None:
            self.done.append(command)

        async def stop(self) -> None:
            self.done.append("stop")

    async def story() -> None:
        modems, vehicles = Noted(), Noted()
        both = Cables(modems, vehicles)  # type: ignore[arg-type]
        await both.start()
        both.release()
        commands = SendOnPowerLine(1, b""), ServeVehicle(1, on=True), SendToVehicle(1, 1, b""), CloseVehicle(1, 1)
        for each in commands:
            both.carry_out(each)
        await both.stop()
        assert modems.done == ["start", "release", *commands[:2], "stop"]
        assert vehicles.done == ["start", "release", *commands[1:], "stop"]

    asyncio.run(story())


@pytest.mark.req("F-10")
def test_where_a_modem_is_matched_with_the_carrier_is_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        v2g: V2gConfig = replace(PLAIN, slac=SlacConfig(modem="qualcomm"))
        async with site(monkeypatch, v2g) as there:
            there.serve()
            await asyncio.sleep(0.05)
            there.carrier = False
            await asyncio.sleep(0.05)
            there.where = "there is no network interface 'lo'"
            await there.until(VehicleServed(1, ready=False, why=there.where))
            assert not [each for each in there.told if isinstance(each, DataLinkChanged)]

    asyncio.run(story())


# ---- netlink


def test_what_netlink_says_of_an_interface() -> None:
    with pair() as there:
        ip("link", "property", "add", "dev", there.near, "altname", f"{there.near}-long-name")
        found = plc_link.facts(there.near)
        assert found == Facts(
            name=there.near,
            index=socket.if_nametoindex(there.near),
            mac=there.mac,
            up=True,
            carrier=True,
            driver="veth",
            mtu=1500,
            other_names=(f"{there.near}-long-name",),
            ipv6=False,
        )
        assert plc_link.facts(f"{there.near}-long-name") == found
        Path(f"/proc/sys/net/ipv6/conf/{there.near}/accept_dad").write_text("0")
        Path(f"/proc/sys/net/ipv6/conf/{there.near}/disable_ipv6").write_text("0")
        deadline = time.monotonic() + PATIENCE_S
        while not (found := plc_link.facts(there.near)).link_local and time.monotonic() < deadline:  # the kernel gives it a moment later
            time.sleep(0.01)
        assert (found.ipv6, len(found.link_local), found.tentative) == (True, 1, ())
        there.up(on=False)
        found = plc_link.facts(there.near)
        assert (found.up, found.carrier, found.link_local) == (False, False, ())
        assert there.near in plc_link.names()
    with pytest.raises(NoLink, match="there is no network interface"):
        plc_link.facts(there.near)


def test_an_interface_is_brought_up() -> None:
    with pair() as there:
        there.up(on=False)
        assert plc_link.main(["up", there.near]) == ""
        assert plc_link.facts(there.near).up
    assert plc_link.main(["up", there.near]) == f"there is no network interface {there.near!r}"
    assert plc_link.main(["down", there.near]).startswith("usage: ")


def test_without_the_right_to_it_or_without_the_extra_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pair() as there:
        there.up(on=False)
        code = (
            f"import os, sys; sys.path.insert(0, {str(ROOT)!r})\n"
            "import pyroute2\n"
            "from chargepoint.runtime.plc_link import main\n"
            "os.setuid(65534)\n"
            f"print(main(['up', {there.near!r}]))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == f"{there.near}: bringing it up needs the capability CAP_NET_ADMIN"
        monkeypatch.setitem(sys.modules, "pyroute2", None)
        assert plc_link.main(["up", there.near]) == "this needs the package pyroute2: pip install 'chargepoint[plc]'"


@pytest.mark.req("S-9")
def test_the_station_brings_an_interface_up_when_it_finds_it_down_but_not_one_that_was_taken_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(there: Pair) -> None:
        monkeypatch.setattr(plc_line, "LOOK_S", 0.05)
        monkeypatch.setattr(plc_link, "LOOK_S", 0.02)
        there.up(on=False)
        told: list[object] = []
        port = PlcPort(config(there.near), told.append)
        port.release()
        lift = port.lines[1].lifts
        assert isinstance(lift, plc_link.Lift)
        why = f"the network interface {there.near!r} is down; the station brings it up; where it may not: ip link set {there.near} up"
        await eventually(lambda: told == [PowerLineChanged(1, ready=False, why=why), PowerLineChanged(1, ready=True, mac=there.mac)])
        await eventually(lambda: lift._process is None)
        there.up(on=False)
        await asyncio.sleep(0.3)
        assert told[2:] == [PowerLineChanged(1, ready=False, why=f"the network interface {there.near!r} is down")]
        await port.stop()

    with pair() as there:
        asyncio.run(story(there))


def test_without_the_extra_it_is_brought_up_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plc_link, "find_spec", lambda _: None)
    assert plc_link.Lift("plc0")() == "bring it up: ip link set plc0 up (with pip install 'chargepoint[plc]' the station does)"
