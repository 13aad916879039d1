"""The link to the cars that talk on a simulated board: the line to its process in the place of network interfaces."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar

from bench.board.client import LinkedBoard
from bench.plc.cables import mac_of
from chargepoint.commands import CloseVehicle, Command, SendOnPowerLine, SendToVehicle, ServeVehicle
from chargepoint.config import EvseConfig
from chargepoint.events import PowerLineChanged, VehicleServed
from chargepoint.runtime.port import Tell
from chargepoint.runtime.ports.vehicle import warm


class LinkedVehicles:
    """`serves`: EVSEs that take vehicles from the start; others as soon as a car that talks is plugged in."""

    takes: ClassVar[tuple[type[Command], ...]] = (ServeVehicle, SendToVehicle, CloseVehicle, SendOnPowerLine)

    def __init__(self, board: LinkedBoard, serves: Iterable[EvseConfig], tell: Tell) -> None:
        self.board, self.serves, self.tell = board, tuple(serves), tell

    async def start(self) -> None:
        """All that a session needs is built."""
        for each in self.serves:
            warm(each)

    def release(self) -> None:
        """The cables are there."""
        self.board.on_vehicle = self.tell
        for event in ({each.id: VehicleServed(each.id, ready=True) for each in self.serves} | self.board.serves).values():
            asyncio.get_running_loop().call_soon(self.tell, event)
        for each in self.serves:
            if each.has_modem:
                there = PowerLineChanged(each.id, ready=True, mac=mac_of(each.id))
                asyncio.get_running_loop().call_soon(self.tell, there)

    def carry_out(self, command: Command) -> None:
        self.board.tell_vehicle(command)

    async def stop(self) -> None:
        self.board.on_vehicle = lambda _: None
