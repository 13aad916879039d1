"""The link to the cars that talk on a simulated board: the line to its process in the place of network interfaces.

A car that pays by contract does so over TLS, which ends here as it ends at the port of a real cable: the line carries its records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from bench.board.client import LinkedBoard
from bench.plc.cables import mac_of
from chargepoint.commands import CloseVehicle, Command, SendOnPowerLine, SendToVehicle, ServeVehicle, SetRevocations, SetStaples
from chargepoint.config import EvseConfig
from chargepoint.events import Event, PowerLineChanged, VehicleConnected, VehicleGone, VehicleSaid, VehicleServed
from chargepoint.runtime.port import Tell
from chargepoint.runtime.ports.certificates import Held
from chargepoint.runtime.ports.vehicle import shown, warm
from chargepoint.runtime.v2g_chains import SeccChains

if TYPE_CHECKING:
    from chargepoint.runtime.v2g_tls.secured import Secured


class LinkedVehicles:
    """`serves`: EVSEs that take vehicles from the start; others as soon as a car that talks is plugged in.

    `held`: what the store of certificates holds, for TLS. `lax`: EVSEs at which keys of ISO 15118-2 serve -20, too.
    """

    takes: ClassVar[tuple[type[Command], ...]] = (ServeVehicle, SendToVehicle, CloseVehicle, SendOnPowerLine, SetStaples, SetRevocations)

    def __init__(
        self,
        board: LinkedBoard,
        serves: Iterable[EvseConfig],
        tell: Tell,
        held: Callable[[], Held] = Held,
        *,
        lax: Iterable[int] = (),
    ) -> None:
        self.board, self.serves, self.tell = board, tuple(serves), tell
        self.chains, self.lax = SeccChains(held), frozenset(lax)
        self._secured: dict[int, tuple[VehicleConnected, Secured]] = {}
        """By the number of the connection; who has connected, until the station has been told."""
        self._told: set[int] = set()

    async def start(self) -> None:
        """All that a session needs is built."""
        for each in self.serves:
            warm(each)

    def release(self) -> None:
        """The cables are there."""
        self.board.on_vehicle = self._heard
        for event in ({each.id: VehicleServed(each.id, ready=True) for each in self.serves} | self.board.serves).values():
            asyncio.get_running_loop().call_soon(self.tell, event)
        for each in self.serves:
            if each.has_modem:
                there = PowerLineChanged(each.id, ready=True, mac=mac_of(each.id))
                asyncio.get_running_loop().call_soon(self.tell, there)

    def carry_out(self, command: Command) -> None:
        match command:
            case SetStaples(slot=slot, responses=responses):
                self.chains.staple(slot, responses)
                return
            case SetRevocations(fingerprints):
                self.chains.revoke(fingerprints)
                return
            case SendToVehicle(connection=connection, octets=octets) if connection in self._secured:
                command = replace(command, octets=self._secured[connection][1].wrapped(octets))
            case CloseVehicle(evse_id, connection) if connection in self._secured:
                _, secured = self._forget(connection)
                self._send(evse_id, connection, secured.closing())
        self.board.tell_vehicle(command)

    async def stop(self) -> None:
        self.board.on_vehicle = lambda _: None

    # ---- TLS

    def _heard(self, event: Event) -> None:
        match event:
            case VehicleConnected(tls=wanted) if wanted:
                self._secured[event.connection] = event, self._secure(event.evse_id)
            case VehicleSaid(connection=connection) if connection in self._secured:
                self._said(event, *self._secured[connection])
            case VehicleGone(connection=connection) if connection in self._secured:
                self._forget(connection)
                self.tell(event)
            case _:
                self.tell(event)

    def _secure(self, evse_id: int) -> Secured:
        from chargepoint.runtime.v2g_tls.plan import Chains
        from chargepoint.runtime.v2g_tls.secured import Secured
        from chargepoint.runtime.v2g_tls.server import Server

        return Secured(Server(self.chains.over(Chains(version="any", lax=evse_id in self.lax))))

    def _said(self, event: VehicleSaid, who: VehicleConnected, secured: Secured) -> None:
        evse_id, number = event.evse_id, event.connection
        try:
            inside = secured.received(event.octets)
        except ConnectionError as error:
            self._forget(number)
            self._send(evse_id, number, secured.pending())
            self.board.tell_vehicle(CloseVehicle(evse_id, number))
            self.tell(VehicleGone(evse_id, number, str(error), secured.sentence))
            return
        self._send(evse_id, number, secured.pending())
        if secured.ready and number not in self._told:
            self._told.add(number)
            chain_pem, note = shown(secured)
            self.tell(replace(who, tls=f"TLSv{secured.version}", verified=secured.verified, chain_pem=chain_pem, note=note))
        if inside:
            self.tell(replace(event, octets=inside))

    def _send(self, evse_id: int, connection: int, octets: bytes) -> None:
        if octets:
            self.board.tell_vehicle(SendToVehicle(evse_id, connection, octets))

    def _forget(self, connection: int) -> tuple[VehicleConnected, Secured]:
        self._told.discard(connection)
        return self._secured.pop(connection)
