"""The power-line modems of the station: for each EVSE that has one, frames of its interface through the one door, and whether the interface is there."""

from __future__ import annotations

import socket
from functools import partial
from typing import ClassVar

from chargepoint.commands import CloseVehicle, Command, SendOnPowerLine, SendToVehicle, ServeVehicle, SetRevocations, SetStaples
from chargepoint.config import StationConfig
from chargepoint.events import PowerLineChanged, PowerLineHeard
from chargepoint.runtime.plc_link import Lift
from chargepoint.runtime.port import ReleasedPort, StartError, Tell
from chargepoint.runtime.ports.plc_line import PowerLine

NOT_ALLOWED = (
    "the power-line modem at {interface!r} is spoken to in raw Ethernet frames, and this process may not: give it the capability CAP_NET_RAW "
    "(systemd: AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN; by hand: run as root)"
)


def check_allowed(interface: str) -> None:
    """Raises StartError where this process may not open raw sockets."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except PermissionError:
        raise StartError(NOT_ALLOWED.format(interface=interface)) from None


class PlcPort:
    """SendOnPowerLine, and ServeVehicle for whom frames of others are told; tells PowerLineChanged, PowerLineHeard."""

    takes: ClassVar[tuple[type[Command], ...]] = (SendOnPowerLine, ServeVehicle)

    def __init__(self, config: StationConfig, tell: Tell) -> None:
        self.tell = tell
        self.lines: dict[int, PowerLine] = {}
        for each in (evse for evse in config.evses if evse.has_modem):
            line = PowerLine(each.v2g.interface, partial(self._changed, each.id), partial(self._heard, each.id))
            line.lifts = Lift(each.v2g.interface)
            line.pinned = each.v2g.slac.address
            self.lines[each.id] = line

    async def start(self) -> None:
        """Raises StartError."""
        for each in self.lines.values():
            check_allowed(each.interface)

    def release(self) -> None:
        """Look after the interfaces from now on."""
        for each in self.lines.values():
            each.begin()

    def carry_out(self, command: Command) -> None:
        match command:
            case SendOnPowerLine(evse_id, octets) if evse_id in self.lines:
                self.lines[evse_id].send(octets)
            case ServeVehicle(evse_id, on) if evse_id in self.lines:
                self.lines[evse_id].serves = on

    async def stop(self) -> None:
        for each in self.lines.values():
            await each.stop()

    def _changed(self, evse_id: int, ready: bool, mac: bytes, why: str) -> None:
        self.tell(PowerLineChanged(evse_id, ready, mac, why))

    def _heard(self, evse_id: int, octets: bytes) -> None:
        self.tell(PowerLineHeard(evse_id, octets))


class Cables:
    """The link to the vehicles and the modems that it goes over, as one port: both want to know when a vehicle is served."""

    takes: ClassVar[tuple[type[Command], ...]] = (SendOnPowerLine, ServeVehicle, SendToVehicle, CloseVehicle, SetStaples, SetRevocations)

    def __init__(self, modems: PlcPort, vehicles: ReleasedPort) -> None:
        self.modems, self.vehicles = modems, vehicles

    async def start(self) -> None:
        """Raises StartError, PkiError, TlsMissing."""
        await self.modems.start()
        await self.vehicles.start()

    def release(self) -> None:
        self.modems.release()
        self.vehicles.release()

    def carry_out(self, command: Command) -> None:
        if isinstance(command, SendOnPowerLine | ServeVehicle):
            self.modems.carry_out(command)
        if not isinstance(command, SendOnPowerLine):
            self.vehicles.carry_out(command)

    async def stop(self) -> None:
        await self.modems.stop()
        await self.vehicles.stop()
